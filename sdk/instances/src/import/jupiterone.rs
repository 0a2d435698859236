//! Integration instances of JupiterOne.

use integration_scheduler::{PollingInterval, PollingTime};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_saphyr::Spanned;

use super::{Imported, is_hidden};
use crate::document::config_value;
use crate::error::{Problem, ReadError};
use crate::instance::Instance;
use crate::name::name_of;
use crate::polling::Polling;
use crate::yaml::{self, line};

/// The member of `config` with the tags.
const TAGS: &str = "@tag";

/// An object as the API reads and writes it. Terraform spells the names in snake case, and nested objects as JSON texts.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Object {
    name: Spanned<String>,
    description: Option<String>,
    #[serde(alias = "polling_interval")]
    polling_interval: Option<Spanned<String>>,
    #[serde(alias = "polling_interval_cron_expression")]
    polling_interval_cron_expression: Option<Spanned<Value>>,
    config: Spanned<Value>,
    #[serde(alias = "ingestion_sources_overrides")]
    ingestion_sources_overrides: Option<Vec<Override>>,
    /// The disabled sources in the form of the SDK.
    disabled_sources: Option<Vec<Disabled>>,
    #[serde(alias = "integration_definition")]
    integration_definition: Option<Definition>,
    #[serde(alias = "collector_pool_id")]
    collector_pool_id: Option<Value>,
    #[serde(alias = "source_integration_instance_id")]
    source_integration_instance_id: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Override {
    #[serde(alias = "ingestion_source_id")]
    ingestion_source_id: String,
    enabled: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Disabled {
    ingestion_source_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Definition {
    #[serde(alias = "integration_type")]
    integration_type: Option<String>,
}

/// Reads one object, or a list of them.
pub(super) fn import(text: &str, is_list: bool, integration: &str) -> Result<Imported, ReadError> {
    let objects: Vec<Object> = if is_list { yaml::read(text)? } else { vec![yaml::read(text)?] };
    let mut imported = Imported { instances: Vec::new(), remarks: Vec::new() };
    for object in objects {
        let instance = object.into_instance(integration, &mut imported.remarks)?;
        imported.instances.push(instance);
    }
    Ok(imported)
}

impl Object {
    fn into_instance(self, integration: &str, remarks: &mut Vec<String>) -> Result<Instance, ReadError> {
        let title = self.name.value.clone();
        let problem = |line, message: String| ReadError::from(Problem::new(line, Some(&title), message));
        let name = name_of(&title).map_err(|error| problem(line(&self.name), error.to_string()))?;
        let polling = self.polling().map_err(|(line, message)| problem(line, message))?;
        let own = self.integration_definition.and_then(|definition| definition.integration_type);
        let mut instance = Instance::new(name, own.unwrap_or_else(|| integration.to_owned()));
        instance.polling = polling;
        instance.description = self.description.filter(|text| !text.is_empty());
        if title != instance.name.as_str() {
            remarks.push(format!("instance {title:?} is named {}", instance.name));
            instance.description.get_or_insert_with(|| title.clone());
        }
        let at = line(&self.config);
        let expected = || problem(at, "`config` is neither an object nor a JSON text of one".to_owned());
        let config: serde_json::Map<String, Value> = nested(self.config.value).ok_or_else(expected)?;
        for (field, value) in config {
            if field == TAGS {
                instance.account_name = tag(&value, &title);
            } else if is_hidden(&value) {
                remarks.push(format!("instance {title:?}: the value of `{field}` was not exported; set it again"));
            } else if let Some(value) = config_value(value).map_err(|message| problem(at, message))? {
                instance.config.insert(field, value);
            }
        }
        let overrides = self.ingestion_sources_overrides.into_iter().flatten();
        let disabled = self.disabled_sources.into_iter().flatten();
        let disabled = disabled.map(|source| (source.ingestion_source_id, false));
        let overrides = overrides.map(|source| (source.ingestion_source_id, source.enabled));
        instance.ingestion_sources.extend(disabled.chain(overrides));
        let foreign = [&self.collector_pool_id, &self.source_integration_instance_id];
        if foreign.into_iter().flatten().any(|value| !value.is_null()) {
            remarks.push(format!("instance {title:?}: the collector pool and the parent instance are left out"));
        }
        Ok(instance)
    }

    fn polling(&self) -> Result<Polling, (Option<u64>, String)> {
        let time = match &self.polling_interval_cron_expression {
            None => PollingTime::default(),
            Some(value) if value.value.is_null() => PollingTime::default(),
            Some(value) => nested(value.value.clone()).ok_or_else(|| {
                (line(value), "`pollingIntervalCronExpression` has the members `hour` and `dayOfWeek` only".to_owned())
            })?,
        };
        let Some(interval) = &self.polling_interval else {
            return Polling::every(PollingInterval::default(), time).map_err(|error| (None, error.to_string()));
        };
        let at = line(interval);
        let interval = Polling::interval(&interval.value).map_err(|error| (at, error.to_string()))?;
        Polling::every(interval, time).map_err(|error| (at, error.to_string()))
    }
}

/// Reads a nested object, which may be a JSON text.
fn nested<T: DeserializeOwned>(value: Value) -> Option<T> {
    match value {
        Value::String(text) => serde_json::from_str(&text).ok(),
        other => serde_json::from_value(other).ok(),
    }
}

/// Returns the text of `tag.AccountName`. The option without a text uses the name of the instance.
fn tag(tags: &Value, title: &str) -> Option<String> {
    match tags.get("AccountName")? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Bool(true) => Some(title.to_owned()),
        _ => None,
    }
}
