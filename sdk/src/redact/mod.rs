//! Taking secrets out of what is kept of a provider's answers.

mod copy;
mod plain;

use std::collections::BTreeSet;

use memchr::memchr;
use serde_json::Value;
use url::Url;

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
        let begin = out.len();
        if plain::copy(self, json, out) {
            return Ok(());
        }
        out.truncate(begin);
        copy::copy(self, json, out)
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
fn without_credentials(text: &str) -> Option<String> {
    if memchr(b'@', text.as_bytes()).is_none() || !text.contains("://") {
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

    /// JSON as somebody may have spelled it: with spaces, escapes, numbers of all kinds, names in no order and more than once.
    fn spelled() -> impl Strategy<Value = String> {
        let space = || prop_oneof![3 => Just(""), 1 => Just(" "), 1 => Just("\n\t"), 1 => Just("\r\n")];
        let name = prop_oneof![
            4 => prop::sample::select(vec!["a", "b", "c", "é", ""]).prop_map(|name| format!("{name:?}")),
            1 => Just(r#""token""#.to_owned()),
            1 => Just(r#""\u0061""#.to_owned()),
        ];
        let number = "-?(0|[1-9][0-9]{0,19})(\\.[0-9]{1,3})?([eE][-+]?[0-9])?";
        let scalar = prop_oneof![
            2 => number,
            1 => "-?[1-9][0-9]{15,22}",
            1 => Just("true".to_owned()),
            1 => Just("null".to_owned()),
            3 => prop::sample::select(vec![r#""x""#, r#""a@b""#, r#""https://u:p@h.example/""#, r#""{[,\"""#, r#""/ \/""#, r#""""#])
                .prop_map(str::to_owned),
        ];
        let within = |items: Vec<(&str, String)>| {
            items.into_iter().map(|(space, item)| format!("{space}{item}{space}")).collect::<Vec<_>>().join(",")
        };
        scalar.prop_recursive(4, 40, 5, move |inner| {
            let item = (space(), inner.clone());
            let member = (space(), (name.clone(), space(), inner))
                .prop_map(|(before, (name, space, value))| (before, format!("{name}{space}:{space}{value}")));
            prop_oneof![
                proptest::collection::vec(item, 0..5).prop_map(move |items| format!("[{}]", within(items))),
                proptest::collection::vec(member, 0..5).prop_map(move |members| format!("{{{}}}", within(members))),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn where_no_parser_is_needed_it_would_have_copied_the_same(text in spelled()) {
            let mut redaction = Redaction::default();
            redaction.field("token");
            let (mut plain, mut parsed) = (Vec::new(), Vec::new());
            if plain::copy(&redaction, &text, &mut plain) {
                copy::copy(&redaction, &text, &mut parsed).unwrap();
                prop_assert_eq!(String::from_utf8(plain), String::from_utf8(parsed));
            }
        }
    }

    proptest! {
        #[test]
        fn copied_text_is_what_a_tree_would_be_written_as(mut value in json()) {
            let mut redaction = Redaction::default();
            redaction.field("token");
            let texts = [serde_json::to_string_pretty(&value).unwrap(), value.to_string()];
            redaction.apply(&mut value);
            for text in texts {
                let mut copied = Vec::new();
                redaction.copy(&text, &mut copied).unwrap();
                prop_assert_eq!(String::from_utf8(copied).unwrap(), value.to_string());
            }
        }
    }

    #[test]
    fn text_that_is_nearly_as_it_is_kept_needs_no_parser() {
        let mut redaction = Redaction::default();
        redaction.field("token");
        let deep = format!("{}{}", "[".repeat(40), "]".repeat(40));
        for (text, kept) in [
            (
                r#"{"a":[{"b":-12,"c":true}],"d":"é@x","e":null}"#,
                Some(r#"{"a":[{"b":-12,"c":true}],"d":"é@x","e":null}"#),
            ),
            ("{ \"a\" : [ 1,\n\t2 ], \"b\": {} }", Some(r#"{"a":[1,2],"b":{}}"#)),
            (r#"["b","a"]"#, Some(r#"["b","a"]"#)),
            ("7", Some("7")),
            (r#"{"b":1,"a":2}"#, None),
            (r#"{"a":1,"a":2}"#, None),
            (r#"[{"a":1},{"token":"t"}]"#, None),
            (r#"["https://u:p@h.example/x"]"#, None),
            (r#"["\u0061"]"#, None),
            ("[2.50]", None),
            ("[-0]", None),
            ("[1e3]", None),
            ("[1234567890123456789]", None),
            (deep.as_str(), None),
        ] {
            let mut copied = Vec::new();
            let is_plain = plain::copy(&redaction, text, &mut copied);
            assert_eq!(is_plain.then(|| String::from_utf8(copied).unwrap()).as_deref(), kept, "{text}");
        }
    }

    #[test]
    fn copied_names_are_in_order_and_the_last_of_equal_ones_counts() {
        let mut copied = b"before ".to_vec();
        Redaction::default().copy(r#" {"b": 1, "a": {"z": [], "y": {}}, "\u0062": 2.50} "#, &mut copied).unwrap();
        assert_eq!(String::from_utf8(copied).unwrap(), r#"before {"a":{"y":{},"z":[]},"b":2.5}"#);
    }
}
