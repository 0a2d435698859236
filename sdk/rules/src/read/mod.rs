//! Readers of rule files.
//!
//! JSON is read as YAML, of which it is a subset. The form of a file is decided by the names of its first rule, and the
//! file is then read strictly in that form, so that an error names a misspelt field and its line.

mod pack;
mod terraform;
#[cfg(test)]
mod tests;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Rule, yaml};
use pack::PackEntry;

pub use terraform::{TerraformError, parse_terraform};

/// A text that contains no rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The text is not YAML or JSON, or a field is missing, unknown, or of another type.
    #[error("{0}")]
    Format(String),
    /// The outermost value has none of the accepted forms.
    #[error("the file contains no rules: expected a rule, or a list of rules with `instance`, `queries`, or `name`")]
    Form,
    /// The file is Terraform and cannot be read.
    #[error(transparent)]
    Terraform(#[from] TerraformError),
}

/// Reads the rules of a file in YAML or JSON.
///
/// | form | recognised by |
/// | --- | --- |
/// | file of the JupiterOne client | a list of objects with `instance` |
/// | rule pack | a list of objects with `queries` |
/// | rules, as in the editor of JupiterOne | an object, or a list of objects |
/// | Terraform | [`parse_terraform`], for files with the extension `.tf` |
///
/// # Errors
/// [`ReadError`] if the text has none of the accepted forms.
pub fn parse_rules(text: &str) -> Result<Vec<Rule>, ReadError> {
    let value = read::<Value>(text)?;
    let is_list = value.is_array();
    let first = match &value {
        Value::Array(entries) if entries.is_empty() => return Ok(Vec::new()),
        Value::Array(entries) => entries.first(),
        one => Some(one),
    };
    let Some(Value::Object(names)) = first else { return Err(ReadError::Form) };
    if names.contains_key("instance") {
        let wrapped: Vec<Wrapped> = many(text, is_list)?;
        Ok(wrapped.into_iter().map(|wrapped| wrapped.instance).collect())
    } else if names.contains_key("queries") {
        let entries: Vec<PackEntry> = many(text, is_list)?;
        Ok(entries.into_iter().map(PackEntry::into_rule).collect())
    } else if names.contains_key("name") {
        many(text, is_list)
    } else {
        Err(ReadError::Form)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrapped {
    instance: Rule,
}

fn many<T: DeserializeOwned>(text: &str, is_list: bool) -> Result<Vec<T>, ReadError> {
    if is_list { read(text) } else { Ok(vec![read(text)?]) }
}

/// Reads YAML. Only `true` and `false` are booleans, so that a query may be named `y` or `no`.
fn read<T: DeserializeOwned>(text: &str) -> Result<T, ReadError> {
    yaml::read(text, true).map_err(ReadError::Format)
}
