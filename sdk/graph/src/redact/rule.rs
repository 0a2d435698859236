//! The rules for secrets in a provider's JSON, and their removal from a tree.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value;

use crate::properties::Properties;
use crate::secrets;
pub use crate::secrets::REDACTED;

/// The secret parts of a provider's JSON.
///
/// Marked fields are secret at any depth. Values that look like credentials (see [`secrets`]) are always secret, such
/// as passwords in URLs and generated values under the name of a secret.
#[derive(Debug, Clone, Default)]
pub struct Redaction {
    fields: BTreeSet<String>,
}

impl Redaction {
    /// Marks a field of the provider's JSON as secret.
    pub fn field(&mut self, name: impl Into<String>) {
        self.fields.insert(name.into());
    }

    /// The fields that are marked as secret.
    pub fn fields(&self) -> &BTreeSet<String> {
        &self.fields
    }

    /// Removes the secrets.
    ///
    /// ```
    /// use integration_graph::Redaction;
    /// use serde_json::json;
    ///
    /// let mut redaction = Redaction::default();
    /// redaction.field("token");
    /// let mut answer = json!({"token": "abc", "drain": {"url": "https://user:pass@logs.example.com/1"}});
    /// redaction.apply(&mut answer);
    /// assert_eq!(answer["token"], "[redacted]");
    /// assert_eq!(answer["drain"]["url"], "https://logs.example.com/1");
    /// ```
    pub fn apply(&self, value: &mut Value) {
        self.apply_within(None, value);
    }

    fn apply_within(&self, field: Option<&str>, value: &mut Value) {
        match value {
            Value::Object(object) => {
                for (name, value) in object.iter_mut() {
                    if self.hides_field(name) && !value.is_null() {
                        *value = REDACTED.into();
                    } else {
                        self.apply_within(Some(secrets::name_within(field, name)), value);
                    }
                }
                clean_names(object);
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.apply_within(field, item)),
            Value::String(text) => {
                if let Some(clean) = Self::clean(field, text) {
                    *text = clean;
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Returns whether a value contains secrets.
    pub fn finds(&self, value: &Value) -> bool {
        self.finds_within(None, value)
    }

    fn finds_within(&self, field: Option<&str>, value: &Value) -> bool {
        match value {
            Value::Object(object) => object.iter().any(|(name, value)| {
                self.hides_field(name) && !value.is_null()
                    || Self::clean(None, name).is_some()
                    || self.finds_within(Some(secrets::name_within(field, name)), value)
            }),
            Value::Array(items) => items.iter().any(|item| self.finds_within(field, item)),
            Value::String(text) => Self::clean(field, text).is_some(),
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }

    /// Returns whether a field is marked as secret. The comparison ignores case.
    pub fn hides_field(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.len() == name.len() && field.eq_ignore_ascii_case(name))
    }

    /// Returns a string without its secrets, if it contains any.
    pub(super) fn clean(field: Option<&str>, text: &str) -> Option<String> {
        if field.is_some_and(|field| secrets::is_secret_value(field, text)) {
            return Some(REDACTED.to_owned());
        }
        match secrets::take_out(text) {
            Cow::Owned(clean) => Some(clean),
            Cow::Borrowed(_) => None,
        }
    }

    /// Removes credentials from properties. Marked fields do not apply, because they are names of the provider's JSON.
    pub fn clean_properties(properties: &mut Properties) {
        properties.values_mut().for_each(clean_strings);
    }
}

fn clean_names(object: &mut Properties) {
    if object.keys().any(|name| matches!(secrets::take_out(name), Cow::Owned(_))) {
        let members = std::mem::take(object).into_iter();
        *object = members.map(|(name, value)| (secrets::take_out(&name).into_owned(), value)).collect();
    }
}

/// Removes credentials from all strings and names of a value.
#[doc(hidden)]
pub fn clean_strings(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.values_mut().for_each(clean_strings);
            clean_names(object);
        }
        Value::Array(items) => items.iter_mut().for_each(clean_strings),
        Value::String(text) => {
            if let Cow::Owned(clean) = secrets::take_out(text) {
                *text = clean;
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_marked_field_is_redacted_at_any_depth_and_an_absent_value_stays_absent() {
        let mut redaction = Redaction::default();
        redaction.field("token");
        let mut value = json!({"a": [{"token": {"deep": 1}}], "b": {"token": null}, "tokens": 2});
        redaction.apply(&mut value);
        assert_eq!(value, json!({"a": [{"token": "[redacted]"}], "b": {"token": null}, "tokens": 2}));
    }

    #[test]
    fn secrets_are_found_where_they_would_be_taken_out() {
        let mut redaction = Redaction::default();
        redaction.field("token");
        for (mut value, found) in [
            (json!([{"app": {"token": "abc"}}]), true),
            (json!(["https://u:p@h.example/x"]), true),
            (json!({"token": null, "words": ["token", "https://h.example"], "n": 1}), false),
        ] {
            let before = value.clone();
            assert_eq!(redaction.finds(&value), found, "{value}");
            redaction.apply(&mut value);
            assert_eq!(value != before, found, "{value}");
        }
    }

    #[test]
    fn only_urls_with_a_password_are_changed() {
        let mut value = json!(["ssh://git@heroku.com/app.git", "https://u:p@h.example/x?y=1", "mail a://b@c", "x@y"]);
        Redaction::default().apply(&mut value);
        assert_eq!(value, json!(["ssh://git@heroku.com/app.git", "https://h.example/x?y=1", "mail a://b@c", "x@y"]));
    }
}
