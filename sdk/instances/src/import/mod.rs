//! Instances in the forms of other programs.

mod jupiterone;
mod starbase;
#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::document::parse;
use crate::error::{Problem, ReadError};
use crate::instance::Instance;
use crate::yaml;

/// Instances that were read from a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The instances. Their values may be secrets in plain text, which [`Instance::fit`] reports.
    pub instances: Vec<Instance>,
    /// The parts of the text that were changed or left out, for people.
    pub remarks: Vec<String>,
}

/// Reads instances in any known form, as YAML or JSON.
///
/// | form | recognised by |
/// | --- | --- |
/// | `instances.yaml` | an object with `instances` |
/// | configuration of Starbase | an object with `integrations` |
/// | integration instance of JupiterOne, in the spelling of its API or of Terraform | an object with `name` and `config`, or a list of them |
///
/// `integration` is the integration of the instances that name none.
///
/// # Errors
/// [`ReadError`] if the text has none of these forms, or an instance cannot be used.
pub fn import(text: &str, integration: &str) -> Result<Imported, ReadError> {
    let names = |value: &Value, name: &str| value.get(name).is_some();
    let value: Value = yaml::read(text)?;
    let first = if let Value::Array(entries) = &value { entries.first() } else { Some(&value) };
    match first {
        _ if names(&value, "instances") => Ok(Imported { instances: parse(text, integration)?, remarks: Vec::new() }),
        _ if names(&value, "integrations") => starbase::import(text),
        None => Ok(Imported { instances: Vec::new(), remarks: Vec::new() }),
        Some(first) if names(first, "name") && names(first, "config") => {
            jupiterone::import(text, value.is_array(), integration)
        }
        Some(_) => {
            let expected = "the text contains no instances: expected `instances`, `integrations` (Starbase), or objects \
                            with `name` and `config` (JupiterOne)";
            Err(Problem::new(None, None, expected).into())
        }
    }
}

/// Returns whether a value stands for a secret that its program did not export, such as `****`.
fn is_hidden(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty() && text.chars().all(|letter| matches!(letter, '*' | '•')))
}
