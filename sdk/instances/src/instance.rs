//! The instance.

use std::collections::BTreeMap;
use std::fmt;

use integration_graph::InstanceId;
use integration_secrets::SecretReference;
use serde::Serialize;
use serde_json::Value;

use crate::age::Age;
use crate::polling::Polling;

/// One configured account of an integration.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// The name, unique among the instances of the integration.
    pub name: InstanceId,
    /// The id of the integration, such as `heroku`.
    pub integration: String,
    /// A text for people.
    pub description: Option<String>,
    /// The regular times.
    pub polling: Polling,
    /// The values of configuration fields, by the name of the field.
    pub config: BTreeMap<String, ConfigValue>,
    /// The ingestion sources that are switched on or off, unlike by default.
    pub ingestion_sources: BTreeMap<String, bool>,
    /// Whether jobs request data only under parents that have changed since the previous job.
    pub only_changed: bool,
    /// The jobs that are kept. Without a limit, all of them.
    pub retention: KeptJobs,
    /// The value of `tag.AccountName` of each entity without such a property.
    pub account_name: Option<String>,
}

/// The value of a configuration field.
#[derive(Clone, PartialEq)]
pub enum ConfigValue {
    /// A reference to a secret.
    Secret(SecretReference),
    /// A value that is not secret.
    Plain(Value),
}

/// The ended jobs that are kept. A job is removed if neither limit keeps it, and never if it is the newest.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct KeptJobs {
    /// The number of newest jobs.
    #[serde(rename = "jobs", skip_serializing_if = "Option::is_none")]
    pub newest: Option<u32>,
    /// The age up to which jobs are kept.
    #[serde(rename = "age", skip_serializing_if = "Option::is_none")]
    pub younger_than: Option<Age>,
}

impl Instance {
    /// Whether the instance has this name and belongs to this integration. There is at most one in a file.
    pub fn is(&self, integration: &str, name: &InstanceId) -> bool {
        self.integration == integration && self.name == *name
    }

    /// Creates an instance with the default polling and without values.
    pub fn new(name: InstanceId, integration: impl Into<String>) -> Self {
        Self {
            name,
            integration: integration.into(),
            description: None,
            polling: Polling::default(),
            config: BTreeMap::new(),
            ingestion_sources: BTreeMap::new(),
            only_changed: false,
            retention: KeptJobs::default(),
            account_name: None,
        }
    }

    /// Returns the references to secrets, by the name of the field.
    pub fn secrets(&self) -> impl Iterator<Item = (&str, &SecretReference)> {
        self.config.iter().filter_map(|(field, value)| match value {
            ConfigValue::Secret(reference) => Some((field.as_str(), reference)),
            ConfigValue::Plain(_) => None,
        })
    }

    /// Returns the name of a field's entry in the vault.
    pub fn vault_entry(&self, field: &str) -> String {
        format!("{}/{}/{field}", self.integration, self.name)
    }
}

impl ConfigValue {
    /// Returns a text as a value: a reference if the text has its form, and a plain text otherwise.
    ///
    /// # Errors
    /// [`ReferenceError`](integration_secrets::ReferenceError) if the text begins with the scheme of a reference, but is
    /// none.
    pub fn of_text(text: &str) -> Result<Self, integration_secrets::ReferenceError> {
        if SecretReference::is_like(text) {
            return text.parse().map(Self::Secret);
        }
        Ok(Self::Plain(Value::String(text.to_owned())))
    }

    /// Returns a plain value as the text of a variable; `None` for a reference.
    pub fn plain_text(&self) -> Option<String> {
        match self {
            Self::Secret(_) => None,
            Self::Plain(Value::String(text)) => Some(text.clone()),
            Self::Plain(other) => Some(other.to_string()),
        }
    }
}

impl fmt::Debug for ConfigValue {
    /// Shows no plain value, because an imported one may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret(reference) => f.debug_tuple("Secret").field(reference).finish(),
            Self::Plain(_) => f.write_str("Plain(…)"),
        }
    }
}

impl Serialize for ConfigValue {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Secret(reference) => reference.serialize(serializer),
            Self::Plain(value) => value.serialize(serializer),
        }
    }
}

impl KeptJobs {
    /// Returns whether there is no limit.
    pub fn is_unlimited(&self) -> bool {
        self.newest.is_none() && self.younger_than.is_none()
    }
}
