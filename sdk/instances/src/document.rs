//! The form of `instances.yaml`.

use std::collections::{BTreeMap, BTreeSet};

use integration_scheduler::{PollingInterval, PollingTime};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use serde_saphyr::Spanned;

use crate::age::Age;
use crate::error::{InstancesError, Problem, ReadError};
use crate::instance::{ConfigValue, Instance, KeptJobs};
use crate::name::check_name;
use crate::polling::{Polling, PollingError};
use crate::yaml::{self, line};

/// The version of the file form.
const VERSION: u32 = 1;

const HEADER: &str = "\
# The configured instances. Secrets are references: env:, file:, command:, or vault:.
# The commands `instances add`, `set`, and `remove` write this file, and keep no other comments.
";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Document {
    #[serde(default)]
    version: Option<Spanned<u32>>,
    instances: Vec<Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Entry {
    name: Spanned<String>,
    integration: Option<String>,
    description: Option<String>,
    polling_interval: Option<Spanned<String>>,
    polling_interval_cron_expression: Option<Spanned<PollingTime>>,
    cron: Option<Spanned<String>>,
    time_zone: Option<Spanned<String>>,
    #[serde(default)]
    config: BTreeMap<String, Spanned<Value>>,
    #[serde(default)]
    ingestion_sources: BTreeMap<String, bool>,
    #[serde(default)]
    only_changed: bool,
    retention: Option<Retention>,
    tag_account_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Retention {
    jobs: Option<Spanned<u32>>,
    age: Option<Spanned<String>>,
}

/// Reads instances in the form of `instances.yaml`, as YAML or JSON.
///
/// `integration` is the integration of the entries that name none.
///
/// # Errors
/// [`ReadError`] with all problems, if there are any.
pub fn parse(text: &str, integration: &str) -> Result<Vec<Instance>, ReadError> {
    let document: Document = yaml::read(text)?;
    if let Some(version) = document.version.as_ref().filter(|version| version.value > VERSION) {
        return Err(Problem::new(line(version), None, "a newer version of this program wrote the file").into());
    }
    let mut problems = Vec::new();
    let mut instances: Vec<Instance> = Vec::new();
    let mut known = BTreeSet::new();
    for entry in document.instances {
        let line = line(&entry.value.name);
        let Some(instance) = entry.value.into_instance(integration, &mut problems) else { continue };
        if !known.insert((instance.integration.clone(), instance.name.clone())) {
            problems.push(Problem::new(
                line,
                Some(instance.name.as_str()),
                "the name is used twice; rename one of them",
            ));
        }
        instances.push(instance);
    }
    if problems.is_empty() { Ok(instances) } else { Err(ReadError { problems }) }
}

impl Entry {
    /// Returns the instance, and adds its problems.
    fn into_instance(self, integration: &str, problems: &mut Vec<Problem>) -> Option<Instance> {
        let at = line(&self.name);
        let named = self.name.value.clone();
        let name = check_name(&named).map_err(|error| problems.push(Problem::new(at, Some(&named), error))).ok();
        let mut report = |line: Option<u64>, message: String| problems.push(Problem::new(line, Some(&named), message));
        let polling = self.polling().unwrap_or_else(|(line, message)| {
            report(line.or(at), message);
            Polling::default()
        });
        let mut config = BTreeMap::new();
        for (field, value) in self.config {
            let line = line(&value);
            match config_value(value.value) {
                Ok(Some(value)) => drop(config.insert(field, value)),
                Ok(None) => {}
                Err(message) => report(line, format!("the value of `{field}` cannot be used: {message}")),
            }
        }
        let retention = self.retention.map_or_else(KeptJobs::default, |retention| {
            let age = retention.age.and_then(|text| match text.value.parse::<Age>() {
                Ok(age) => Some(age),
                Err(error) => {
                    report(line(&text), error.to_string());
                    None
                }
            });
            if let Some(jobs) = retention.jobs.as_ref().filter(|jobs| jobs.value == 0) {
                report(line(jobs), "`jobs` is 0, but the newest job is always kept: use 1".to_owned());
            }
            KeptJobs { newest: retention.jobs.map(|jobs| jobs.value), younger_than: age }
        });
        Some(Instance {
            name: name?,
            integration: self.integration.unwrap_or_else(|| integration.to_owned()),
            description: self.description.filter(|text| !text.is_empty()),
            polling,
            config,
            ingestion_sources: self.ingestion_sources,
            only_changed: self.only_changed,
            retention,
            account_name: self.tag_account_name.filter(|text| !text.is_empty()),
        })
    }

    fn polling(&self) -> Result<Polling, (Option<u64>, String)> {
        let polling_error = |line| move |error: PollingError| (line, error.to_string());
        if let Some(expression) = &self.cron {
            if let Some(interval) = &self.polling_interval {
                return Err((
                    line(interval),
                    "`cron` and `pollingInterval` exclude each other; remove one of them".into(),
                ));
            }
            let zone = self.time_zone.as_ref().map(|zone| zone.value.as_str());
            return Polling::cron(&expression.value, zone).map_err(polling_error(line(expression)));
        }
        if let Some(zone) = &self.time_zone {
            return Err((line(zone), "`timeZone` has a meaning only with `cron`".into()));
        }
        let time = self.polling_interval_cron_expression.as_ref().map(|time| time.value).unwrap_or_default();
        let Some(interval) = &self.polling_interval else {
            return Polling::every(PollingInterval::default(), time).map_err(polling_error(None));
        };
        let at = line(interval);
        let interval = Polling::interval(&interval.value).map_err(|error| (at, error.to_string()))?;
        Polling::every(interval, time).map_err(polling_error(at))
    }
}

/// Returns a value of the configuration; `None` for a value that is not set.
pub(crate) fn config_value(value: Value) -> Result<Option<ConfigValue>, String> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => ConfigValue::of_text(&text).map(Some).map_err(|error| error.to_string()),
        other => Ok(Some(ConfigValue::Plain(other))),
    }
}

/// Writes instances in the form of `instances.yaml`.
///
/// # Errors
/// [`InstancesError::Write`] if a value cannot be written as YAML.
pub fn to_yaml(instances: &[Instance]) -> Result<String, InstancesError> {
    #[derive(Serialize)]
    struct Written<'a> {
        version: u32,
        instances: &'a [Instance],
    }
    let options = serde_saphyr::ser_options! { compact_list_indent: false };
    let text = serde_saphyr::to_string_with_options(&Written { version: VERSION, instances }, options);
    Ok(HEADER.to_owned() + &text.map_err(|error| InstancesError::Write(error.to_string()))?)
}

impl Serialize for Instance {
    /// Writes the fields in the order of the reference, without those that are not set.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Instance", 12)?;
        fields.serialize_field("name", self.name.as_str())?;
        fields.serialize_field("integration", &self.integration)?;
        if let Some(description) = &self.description {
            fields.serialize_field("description", description)?;
        }
        match &self.polling {
            Polling::Interval { interval, time } => {
                fields.serialize_field("pollingInterval", interval)?;
                if *time != PollingTime::default() {
                    fields.serialize_field("pollingIntervalCronExpression", time)?;
                }
            }
            Polling::Cron { expression, time_zone } => {
                fields.serialize_field("cron", expression)?;
                fields.serialize_field("timeZone", time_zone)?;
            }
        }
        if !self.config.is_empty() {
            fields.serialize_field("config", &self.config)?;
        }
        if !self.ingestion_sources.is_empty() {
            fields.serialize_field("ingestionSources", &self.ingestion_sources)?;
        }
        if self.only_changed {
            fields.serialize_field("onlyChanged", &true)?;
        }
        if !self.retention.is_unlimited() {
            fields.serialize_field("retention", &self.retention)?;
        }
        if let Some(name) = &self.account_name {
            fields.serialize_field("tagAccountName", name)?;
        }
        fields.end()
    }
}

#[cfg(test)]
mod tests;
