//! Taking secrets out of what is kept of a provider's answers.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use url::Url;

use crate::graph::Values;

/// What stands in the place of a secret.
pub const REDACTED: &str = "[redacted]";

/// Which parts of a provider's JSON are secret: fields by name, at any depth, and the credentials of URLs, always.
#[derive(Debug, Clone, Default)]
pub struct Redaction {
    fields: BTreeSet<String>,
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

    /// Adds JSON text to `out` as it is kept: without secrets as by [`apply`](Self::apply), without spaces, names in order.
    pub(crate) fn copy(&self, json: &str, out: &mut Vec<u8>) -> serde_json::Result<()> {
        let mut text = serde_json::Deserializer::from_str(json);
        Copy { redaction: self, out }.deserialize(&mut text)
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

/// Copies JSON text into its kept form.
struct Copy<'a> {
    redaction: &'a Redaction,
    out: &'a mut Vec<u8>,
}

impl Copy<'_> {
    fn write<E: Error>(self, value: &(impl Serialize + ?Sized)) -> Result<(), E> {
        serde_json::to_writer(self.out, value).map_err(E::custom)
    }
}

impl<'de> DeserializeSeed<'de> for Copy<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Copy<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.write(&())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.write(&value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.write(&value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.write(&value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.write(&value)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        match without_credentials(text) {
            Some(clean) => self.write(&clean),
            None => self.write(text),
        }
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<(), E> {
        match without_credentials(text) {
            Some(clean) => self.write(&clean),
            None => {
                quote(text, self.out);
                Ok(())
            }
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.out.push(b'[');
        let begin = self.out.len();
        while items.next_element_seed(Copy { redaction: self.redaction, out: self.out })?.is_some() {
            self.out.push(b',');
        }
        if self.out.len() > begin {
            self.out.pop();
        }
        self.out.push(b']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let Self { redaction, out } = self;
        out.push(b'{');
        let begin = out.len();
        let (mut last, mut is_sorted) = (None, true);
        while let Some(name) = object.next_key_seed(Name)? {
            match &name {
                Cow::Borrowed(name) => quote(name, out),
                Cow::Owned(name) => serde_json::to_writer(&mut *out, name).map_err(A::Error::custom)?,
            }
            out.push(b':');
            let value = out.len();
            object.next_value_seed(Copy { redaction, out })?;
            if redaction.fields.contains(name.as_ref()) && &out[value..] != b"null" {
                out.truncate(value);
                serde_json::to_writer(&mut *out, REDACTED).map_err(A::Error::custom)?;
            }
            out.push(b',');
            is_sorted = is_sorted && last.as_ref().is_none_or(|last| *last < name);
            last = Some(name);
        }
        if out.len() > begin {
            out.pop();
        }
        out.push(b'}');
        if is_sorted { Ok(()) } else { in_order(begin, out).map_err(A::Error::custom) }
    }
}

/// Adds text that stood in JSON as it is, and so needs no escapes.
fn quote(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

/// Puts the members of an object that was written behind `begin` in the order of their names; of equal names the last counts.
fn in_order(begin: usize, out: &mut Vec<u8>) -> serde_json::Result<()> {
    let unordered = String::from_utf8(out.split_off(begin - 1)).expect("JSON is written from strings");
    let (mut texts, mut members) = (Values::within(&unordered), BTreeMap::new());
    while let (Some(name), Some(value)) = (texts.next(), texts.next()) {
        members.insert(serde_json::from_str::<String>(name)?, (name, value));
    }
    out.push(b'{');
    for (at, (name, value)) in members.into_values().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(name.as_bytes());
        out.push(b':');
        out.extend_from_slice(value.as_bytes());
    }
    out.push(b'}');
    Ok(())
}

/// Reads the name of a field, borrowed where the text holds it as it is.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

/// The URL without user and password, where it has them.
fn without_credentials(text: &str) -> Option<String> {
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
    use proptest::prelude::*;
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

    fn json() -> impl Strategy<Value = Value> {
        let name = prop_oneof![Just("token".to_owned()), "[a-c\\n]{0,2}"];
        let text = prop_oneof![Just("https://u:p@h.example/x".to_owned()), "[a-c\\n@:/]{0,9}"];
        let scalar = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            text.prop_map(Value::from)
        ];
        scalar.prop_recursive(4, 40, 5, move |inner| {
            let object = proptest::collection::btree_map(name.clone(), inner.clone(), 0..5);
            prop_oneof![
                proptest::collection::vec(inner, 0..5).prop_map(Value::from),
                object.prop_map(|object| object.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn copied_text_is_what_a_tree_would_be_written_as(mut value in json()) {
            let mut redaction = Redaction::default();
            redaction.field("token");
            let text = serde_json::to_string_pretty(&value).unwrap();
            let mut copied = Vec::new();
            redaction.copy(&text, &mut copied).unwrap();
            redaction.apply(&mut value);
            prop_assert_eq!(String::from_utf8(copied).unwrap(), value.to_string());
        }
    }

    #[test]
    fn copied_names_are_in_order_and_the_last_of_equal_ones_counts() {
        let mut copied = b"before ".to_vec();
        Redaction::default().copy(r#" {"b": 1, "a": {"z": [], "y": {}}, "\u0062": 2.50} "#, &mut copied).unwrap();
        assert_eq!(String::from_utf8(copied).unwrap(), r#"before {"a":{"y":{},"z":[]},"b":2.5}"#);
    }
}
