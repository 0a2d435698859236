//! What is secret in a provider's JSON, and taking it out of a tree.

use std::collections::BTreeSet;

use serde_json::Value;
use url::Url;

/// What stands in the place of a secret.
pub const REDACTED: &str = "[redacted]";

/// Which parts of a provider's JSON are secret: fields by name, at any depth, and the credentials of URLs, always.
#[derive(Debug, Clone, Default)]
pub struct Redaction {
    pub(super) fields: BTreeSet<String>,
}

impl Redaction {
    /// Marks a field of the provider's JSON as secret.
    pub fn field(&mut self, name: impl Into<String>) {
        self.fields.insert(name.into());
    }

    /// Takes the secrets out.
    ///
    /// ```
    /// use integration_sdk::Redaction;
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
        match value {
            Value::Object(object) => {
                for (name, value) in object.iter_mut() {
                    if self.fields.contains(name) && !value.is_null() {
                        *value = REDACTED.into();
                    } else {
                        self.apply(value);
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.apply(item)),
            Value::String(text) => {
                if let Some(clean) = without_credentials(text) {
                    *text = clean;
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Whether there are secrets to be taken out.
    pub fn finds(&self, value: &Value) -> bool {
        match value {
            Value::Object(object) => {
                object.iter().any(|(name, value)| self.fields.contains(name) && !value.is_null() || self.finds(value))
            }
            Value::Array(items) => items.iter().any(|item| self.finds(item)),
            Value::String(text) => without_credentials(text).is_some(),
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }
}

/// The URL without user and password, where it has them.
pub(super) fn without_credentials(text: &str) -> Option<String> {
    if !(text.contains('@') && text.contains("://")) {
        return None;
    }
    let mut url: Url = text.parse().ok()?;
    url.password()?;
    url.set_password(None).ok()?;
    url.set_username("").ok()?;
    Some(url.into())
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
            (json!({"token": null, "tokens": ["token", "https://h.example"], "n": 1}), false),
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
