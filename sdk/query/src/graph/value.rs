//! Values of properties, read from their JSON text without copies where possible.

use std::borrow::Cow;

use integration_graph::{Values, json_string};

/// The value of a property.
#[derive(Debug, Clone, PartialEq)]
pub enum ValueRef<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A number, and its text as written. A number beyond the range is infinite.
    Number(f64, &'a str),
    /// A text.
    Text(Cow<'a, str>),
    /// A list. Its elements are scalars or [`Other`](Self::Other).
    List(Vec<ValueRef<'a>>),
    /// The JSON of an object, of a list in a list, or of a text that is no JSON.
    Other(&'a str),
}

impl<'a> ValueRef<'a> {
    /// Reads a value from JSON without spaces.
    pub fn parse(json: &'a str) -> Self {
        match json.as_bytes().first() {
            Some(b'[') => Self::List(Values::within(json).map(Self::scalar).collect()),
            _ => Self::scalar(json),
        }
    }

    fn scalar(json: &'a str) -> Self {
        match json.as_bytes().first() {
            Some(b'"') => json_string(json).map_or(Self::Other(json), Self::Text),
            Some(b'-' | b'0'..=b'9') => json.parse().map_or(Self::Other(json), |number| Self::Number(number, json)),
            _ => match json {
                "null" => Self::Null,
                "true" => Self::Boolean(true),
                "false" => Self::Boolean(false),
                other => Self::Other(other),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_json_has_its_value() {
        let text = |text: &'static str| ValueRef::Text(text.into());
        for (json, value) in [
            ("null", ValueRef::Null),
            ("true", ValueRef::Boolean(true)),
            ("false", ValueRef::Boolean(false)),
            ("-1.50", ValueRef::Number(-1.5, "-1.50")),
            ("1e400", ValueRef::Number(f64::INFINITY, "1e400")),
            (r#""é""#, text("é")),
            (r#""a\"\u00e9""#, text("a\"é")),
            ("[]", ValueRef::List(vec![])),
            (r#"["a",1,[2]]"#, ValueRef::List(vec![text("a"), ValueRef::Number(1.0, "1"), ValueRef::Other("[2]")])),
            (r#"{"a":1}"#, ValueRef::Other(r#"{"a":1}"#)),
            ("", ValueRef::Other("")),
            ("\"", ValueRef::Other("\"")),
        ] {
            assert_eq!(ValueRef::parse(json), value, "{json}");
        }
    }
}
