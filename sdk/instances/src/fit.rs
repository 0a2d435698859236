//! The comparison of an instance with the fields of its integration.

use std::collections::BTreeMap;
use std::fmt;

use crate::instance::{ConfigValue, Instance};

/// A configuration field of an integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownField<'a> {
    /// The name.
    pub name: &'a str,
    /// Whether the value is secret.
    pub is_secret: bool,
    /// Whether the field must be set.
    pub is_required: bool,
}

/// A difference between an instance and its integration.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misfit {
    /// The integration has no such field.
    UnknownField {
        /// The name in the configuration.
        name: String,
        /// The names of all fields.
        known: Vec<String>,
    },
    /// A required field is not set.
    Missing {
        /// The name of the field.
        field: String,
    },
    /// A secret is in plain text.
    PlainSecret {
        /// The name of the field.
        field: String,
    },
    /// The integration has no such ingestion source.
    UnknownSource {
        /// The id in the configuration.
        id: String,
        /// The ids of all sources.
        known: Vec<String>,
    },
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownField { name, known } => {
                write!(f, "the integration has no field `{name}`; its fields are {}", list(known))
            }
            Self::Missing { field } => write!(f, "the required field `{field}` is not set"),
            Self::PlainSecret { field } => write!(
                f,
                "the field `{field}` is secret and must not be in plain text: use a reference such as env:NAME or \
                 file:PATH, or enter the secret"
            ),
            Self::UnknownSource { id, known } if known.is_empty() => {
                write!(f, "there is no ingestion source `{id}`; the integration has none")
            }
            Self::UnknownSource { id, known } => {
                write!(f, "there is no ingestion source `{id}`; the sources are {}", list(known))
            }
        }
    }
}

fn list(names: &[String]) -> String {
    names.join(", ")
}

impl Instance {
    /// Renames the values to the fields of the integration, and returns the differences.
    ///
    /// `apiKey`, `API_KEY`, and `HEROKU_API_KEY` stand for the field `api_key` of `heroku`, because other programs spell
    /// names in these ways.
    pub fn fit(&mut self, fields: &[KnownField<'_>], sources: &[&str]) -> Vec<Misfit> {
        let mut misfits = Vec::new();
        let prefix = letters(&self.integration);
        let mut config = BTreeMap::new();
        for (name, value) in std::mem::take(&mut self.config) {
            let spelt = letters(&name);
            let is_named = |field: &&KnownField<'_>| {
                let plain = letters(field.name);
                field.name == name || spelt == plain || spelt.strip_prefix(&prefix).is_some_and(|rest| rest == plain)
            };
            let exact = fields.iter().find(|field| field.name == name);
            match exact.or_else(|| fields.iter().find(is_named)) {
                Some(field) => {
                    if field.is_secret && matches!(value, ConfigValue::Plain(_)) {
                        misfits.push(Misfit::PlainSecret { field: field.name.to_owned() });
                    }
                    config.insert(field.name.to_owned(), value);
                }
                None => {
                    let known = fields.iter().map(|field| field.name.to_owned()).collect();
                    misfits.push(Misfit::UnknownField { name: name.clone(), known });
                    config.insert(name, value);
                }
            }
        }
        self.config = config;
        let missing = fields.iter().filter(|field| field.is_required && !self.config.contains_key(field.name));
        misfits.extend(missing.map(|field| Misfit::Missing { field: field.name.to_owned() }));
        let unknown = self.ingestion_sources.keys().filter(|id| !sources.contains(&id.as_str()));
        misfits.extend(unknown.map(|id| {
            let known = sources.iter().map(|id| (*id).to_owned()).collect();
            Misfit::UnknownSource { id: id.clone(), known }
        }));
        misfits
    }
}

/// The letters and digits of a name in lower case.
fn letters(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::name::check_name;

    const FIELDS: [KnownField<'_>; 2] = [
        KnownField { name: "api_key", is_secret: true, is_required: true },
        KnownField { name: "api_url", is_secret: false, is_required: false },
    ];

    fn instance(config: &[(&str, &str)]) -> Instance {
        let mut instance = Instance::new(check_name("east").expect("a name"), "heroku");
        let values =
            config.iter().map(|(name, text)| ((*name).to_owned(), ConfigValue::of_text(text).expect("a value")));
        instance.config = values.collect();
        instance
    }

    #[test]
    fn the_spellings_of_other_programs_are_understood() {
        for name in ["api_key", "apiKey", "API_KEY", "HEROKU_API_KEY", "heroku_api_key"] {
            let mut instance = instance(&[(name, "env:KEY")]);
            assert_eq!(instance.fit(&FIELDS, &[]), []);
            assert_eq!(instance.config.keys().collect::<Vec<_>>(), ["api_key"]);
        }
    }

    #[test]
    fn every_difference_is_reported() {
        let mut instance = instance(&[("api_kee", "env:KEY"), ("api_url", "https://example.com")]);
        instance.ingestion_sources.insert("apps".to_owned(), false);
        let messages: Vec<String> = instance.fit(&FIELDS, &["addons"]).iter().map(Misfit::to_string).collect();
        assert_eq!(
            messages,
            [
                "the integration has no field `api_kee`; its fields are api_key, api_url",
                "the required field `api_key` is not set",
                "there is no ingestion source `apps`; the sources are addons",
            ]
        );
    }

    #[test]
    fn a_plain_secret_is_a_difference_and_is_not_shown() {
        let mut instance = instance(&[("api_key", "s3cret")]);
        let misfits = instance.fit(&FIELDS, &[]);
        assert_eq!(misfits, [Misfit::PlainSecret { field: "api_key".to_owned() }]);
        assert!(!format!("{instance:?} {}", misfits[0]).contains("s3cret"));
        instance.config.insert("api_key".to_owned(), ConfigValue::Plain(json!(5)));
        assert_eq!(instance.fit(&FIELDS, &[]).len(), 1);
    }
}
