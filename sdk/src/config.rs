//! Configuration: the settings of an integration, read from named values.
//!
//! This module never touches the environment: the caller passes the values in.
//!
//! ```
//! use integration_sdk::Config;
//! use integration_sdk::config::{Config as _, SecretString, Values};
//!
//! /// The configuration of an account.
//! #[derive(Config)]
//! struct AcmeConfig {
//!     /// An API token with the scope `read`.
//!     api_token: SecretString,
//!     /// The number of days of events.
//!     #[config(default = "30")]
//!     days: u64,
//!     /// The only region to collect, or none for all of them.
//!     region: Option<String>,
//! }
//!
//! let values = Values::new("acme", [("ACME_API_TOKEN".to_owned(), "s3cret".to_owned())]);
//! let config = AcmeConfig::read(&values)?;
//! assert_eq!((config.days, config.region), (30, None));
//! assert!(AcmeConfig::fields()[0].masked);
//!
//! let error = AcmeConfig::read(&Values::default()).err().expect("the token is missing");
//! assert!(error.to_string().contains("API_TOKEN"));
//! # Ok::<(), integration_sdk::config::ConfigError>(())
//! ```
//!
//! The fields may have the types of [`ConfigValue`].

use std::collections::BTreeMap;

pub use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
pub use url::Url;

/// The settings of an integration. Derive it with [`Config`](macro@crate::Config).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a configuration",
    label = "not a configuration",
    note = "derive `Config` for a struct with named fields; an integration without a configuration uses `()`"
)]
pub trait Config: Sized + Send + Sync + 'static {
    /// Returns all fields, for documentation and for reading.
    fn fields() -> Vec<Field>;
    /// Reads the fields.
    ///
    /// # Errors
    /// The field that is missing or malformed, with the variable that sets it.
    fn read(values: &Values) -> Result<Self, ConfigError>;
}

impl Config for () {
    fn fields() -> Vec<Field> {
        Vec::new()
    }
    fn read(_: &Values) -> Result<Self, ConfigError> {
        Ok(())
    }
}

/// A field of a configuration, for documentation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    /// The name in snake case.
    pub name: &'static str,
    /// The type: `string`, `boolean`, `number`, or `json`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// One sentence that describes the field.
    pub description: &'static str,
    /// Whether the field may be omitted.
    pub optional: bool,
    /// Whether the value is a secret that is never shown.
    pub masked: bool,
    /// The default value.
    pub default: Option<&'static str>,
}

impl Field {
    /// Creates a field of type `T`. A secret type makes it masked.
    pub fn of<T: ConfigValue>(name: &'static str, description: &'static str, default: Option<&'static str>) -> Self {
        Self {
            name,
            kind: T::KIND,
            description,
            optional: T::OPTIONAL || default.is_some(),
            masked: T::MASKED,
            default,
        }
    }
}

/// The reason why a configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A required field has no value.
    #[error("`{field}` is not set: set {} in the environment or in .env", variables.join(" or "))]
    Missing {
        /// The field.
        field: &'static str,
        /// The variables that set the field.
        variables: Vec<String>,
    },
    /// The text does not match the type of the field. The error omits the text, because it may be a secret.
    #[error("`{field}` ({variable}) is not valid: expected {expected}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// The variable that sets the field.
        variable: String,
        /// The expected form.
        expected: &'static str,
    },
}

/// Named values from the environment, `.env`, or an instance. All of them are treated as secrets.
#[derive(Debug, Clone, Default)]
pub struct Values {
    prefix: String,
    by_variable: BTreeMap<String, SecretString>,
    plain_http: bool,
}

impl Values {
    /// Creates the values of an integration: `heroku` reads `HEROKU_API_KEY` before `API_KEY`.
    pub fn new(integration: &str, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let by_variable = variables.into_iter().map(|(name, value)| (name, SecretString::from(value))).collect();
        Self { prefix: constant_case(integration), by_variable, plain_http: false }
    }

    /// Sets a variable, replacing an earlier value.
    pub fn set(&mut self, variable: impl Into<String>, value: impl Into<SecretString>) {
        self.by_variable.insert(variable.into(), value.into());
    }

    /// Permits unencrypted credentials, as [`Endpoint::allow_plain_http`](crate::http::Endpoint::allow_plain_http).
    pub fn allow_plain_http(&mut self) {
        self.plain_http = true;
    }

    pub(crate) fn allows_plain_http(&self) -> bool {
        self.plain_http
    }

    /// Returns the variables that set a field, in order of precedence.
    pub fn variables_of(&self, field: &str) -> Vec<String> {
        let plain = constant_case(field);
        vec![format!("{}_{plain}", self.prefix), plain]
    }

    /// Reads one field.
    ///
    /// # Errors
    /// [`ConfigError`] if the field is missing or malformed.
    pub fn read<T: ConfigValue>(&self, field: &'static str, default: Option<&'static str>) -> Result<T, ConfigError> {
        let variables = self.variables_of(field);
        let set = variables.iter().find_map(|name| {
            let value = self.by_variable.get(name).filter(|value| !value.expose_secret().trim().is_empty());
            value.map(|value| (name, value))
        });
        let (variable, text) = match (set, default) {
            (Some((name, value)), _) => (name.clone(), Some(value.expose_secret().trim())),
            (None, default) => (variables[0].clone(), default),
        };
        match text {
            Some(text) => T::parse(text).ok_or(ConfigError::Invalid { field, variable, expected: T::EXPECTED }),
            None => T::absent().ok_or(ConfigError::Missing { field, variables }),
        }
    }
}

fn constant_case(name: &str) -> String {
    let mut text = String::new();
    for (at, letter) in name.chars().enumerate() {
        if letter.is_ascii_uppercase() && at > 0 {
            text.push('_');
        }
        text.push(if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' });
    }
    text
}

/// A type that a field of a configuration can have.
#[diagnostic::on_unimplemented(
    message = "a field of a configuration cannot have the type `{Self}`",
    label = "not readable from a variable",
    note = "the types are `String`, `SecretString`, `Url`, `bool`, `u64`, `serde_json::Value`, and `Option` of each"
)]
pub trait ConfigValue: Sized {
    /// The name of the type in documentation.
    const KIND: &'static str;
    /// The expected form in error messages.
    const EXPECTED: &'static str;
    /// Whether the field may be omitted.
    const OPTIONAL: bool = false;
    /// Whether the value is a secret.
    const MASKED: bool = false;
    /// Parses the text.
    fn parse(text: &str) -> Option<Self>;
    /// Returns the value of an omitted optional field.
    fn absent() -> Option<Self> {
        None
    }
}

macro_rules! config_value {
    ($ty:ty, $kind:literal, $expected:literal, $masked:literal, $parse:expr) => {
        impl ConfigValue for $ty {
            const KIND: &'static str = $kind;
            const EXPECTED: &'static str = $expected;
            const MASKED: bool = $masked;
            fn parse(text: &str) -> Option<Self> {
                let parse: fn(&str) -> Option<Self> = $parse;
                parse(text)
            }
        }
    };
}

config_value!(String, "string", "a text", false, |text| Some(text.to_owned()));
config_value!(SecretString, "string", "a text", true, |text| Some(SecretString::from(text.to_owned())));
config_value!(Url, "string", "a URL such as https://api.example.com", false, |text| {
    text.parse::<Url>().ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
});
config_value!(bool, "boolean", "true or false", false, |text| match text.to_ascii_lowercase().as_str() {
    "true" | "1" | "yes" => Some(true),
    "false" | "0" | "no" => Some(false),
    _ => None,
});
config_value!(u64, "number", "a whole number", false, |text| text.parse().ok());
config_value!(serde_json::Value, "json", "a JSON document", false, |text| serde_json::from_str(text).ok());

impl<T: ConfigValue> ConfigValue for Option<T> {
    const KIND: &'static str = T::KIND;
    const EXPECTED: &'static str = T::EXPECTED;
    const OPTIONAL: bool = true;
    const MASKED: bool = T::MASKED;
    fn parse(text: &str) -> Option<Self> {
        T::parse(text).map(Some)
    }
    fn absent() -> Option<Self> {
        Some(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(pairs: &[(&str, &str)]) -> Values {
        Values::new("heroku", pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn the_prefixed_variable_wins_and_the_plain_one_serves() {
        let both = values(&[("API_KEY", "plain"), ("HEROKU_API_KEY", "prefixed")]);
        assert_eq!(both.read::<String>("api_key", None), Ok("prefixed".into()));
        assert_eq!(values(&[("API_KEY", "plain")]).read::<String>("api_key", None), Ok("plain".into()));
    }

    #[test]
    fn a_missing_field_names_its_variables_and_a_malformed_one_hides_its_text() {
        let missing = values(&[("HEROKU_API_KEY", "  ")]).read::<String>("api_key", None).unwrap_err();
        assert_eq!(
            missing.to_string(),
            "`api_key` is not set: set HEROKU_API_KEY or API_KEY in the environment or in .env"
        );
        let malformed = values(&[("HEROKU_API_URL", "s3cret")]).read::<Url>("api_url", None).unwrap_err();
        assert!(!malformed.to_string().contains("s3cret"));
    }

    #[test]
    fn values_are_not_shown() {
        assert!(!format!("{:?}", values(&[("HEROKU_API_KEY", "s3cret")])).contains("s3cret"));
    }
}
