//! JSON as the service reads it.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

/// Parses JSON. Numbers that no double can hold become `null`, as in JavaScript.
///
/// # Errors
/// The text is not JSON.
pub fn parse(text: &str) -> serde_json::Result<Value> {
    serde_json::from_str(text).or_else(|_| by_parts(text))
}

fn by_parts(text: &str) -> serde_json::Result<Value> {
    match text.trim_start().as_bytes().first() {
        Some(b'{') => {
            let members: BTreeMap<String, &RawValue> = serde_json::from_str(text)?;
            let members = members.into_iter().map(|(name, value)| Ok((name, parse(value.get())?)));
            members.collect::<serde_json::Result<_>>().map(Value::Object)
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text)?;
            items.into_iter().map(|item| parse(item.get())).collect::<serde_json::Result<_>>().map(Value::Array)
        }
        _ => serde_json::from_str::<&RawValue>(text).map(|_| Value::Null),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_numbers_without_a_double_are_lost() {
        let text = r#"{"a": [1e400, "x", {"b": -1e999, "c": 1.5}], "d": true}"#;
        assert_eq!(parse(text).unwrap(), json!({"a": [null, "x", {"b": null, "c": 1.5}], "d": true}));
        assert!(parse(r#"{"a": [1e400, }"#).is_err() && parse("").is_err());
    }
}
