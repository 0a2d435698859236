//! The values of a query's result as text.

use integration_sdk::graph::Properties;
use jiff::Timestamp;
use serde_json::Value;

use crate::report::text::instant;
use crate::style::printable;
use crate::visible::visible;

/// Milliseconds since 1970 below this number are more likely a count than a time: 1973-03-03.
const EARLIEST: i64 = 100_000_000_000;

/// Returns a value for people. Numbers of properties such as `createdOn` are times.
pub(crate) fn shown(column: &str, value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => printable(text),
        Value::Number(number) if is_time(column) => {
            number.as_i64().and_then(moment).unwrap_or_else(|| number.to_string())
        }
        Value::Array(items) => items.iter().map(|item| shown(column, item)).collect::<Vec<_>>().join(", "),
        Value::Object(object) => match name_of(object) {
            Some(name) => printable(name),
            None => printable(&value.to_string()),
        },
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// Returns a value for other programs that read texts: lists as JSON, objects of the graph as their keys.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => visible(text),
        Value::Object(object) => match metadata(object).get("_key").and_then(Value::as_str) {
            Some(key) => visible(key),
            None => value.to_string(),
        },
        _ => value.to_string(),
    }
}

/// The name of an object of the graph for people.
pub(crate) fn name_of(object: &Properties) -> Option<&str> {
    ["displayName", "name", "_key"].iter().find_map(|name| metadata(object).get(*name)?.as_str())
}

/// The properties with an underscore of an object in a cell, which has the shape of JupiterOne's API.
fn metadata(object: &Properties) -> &Properties {
    let part = |name: &str| object.get(name).and_then(Value::as_object);
    part("entity").or_else(|| part("relationship")).unwrap_or(object)
}

/// Returns whether the name of a column or property is that of a time by the rule of the data model.
fn is_time(column: &str) -> bool {
    column.ends_with("On")
}

fn moment(millis: i64) -> Option<String> {
    let time = Some(millis)
        .filter(|millis| *millis >= EARLIEST)
        .and_then(|millis| Timestamp::from_millisecond(millis).ok())?;
    Some(instant(time))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn people_see_dates_names_and_plain_lists() {
        assert_eq!(shown("app.createdOn", &json!(1_669_384_195_000_i64)), "2022-11-25 13:49:55Z");
        assert_eq!(shown("addon.priceCents", &json!(5_000)), "5000");
        assert_eq!(shown("m.permissions", &json!(["view", "manage"])), "view, manage");
        assert_eq!(shown("app", &json!({"id": "k", "entity": {"_key": "k", "displayName": "shop"}})), "shop");
        assert_eq!(shown("app.space", &Value::Null), "");
        assert_eq!(shown("x", &json!("a\u{1b}[31m")), "a\\u{1b}[31m");
    }

    #[test]
    fn programs_see_keys_and_json() {
        assert_eq!(plain(&json!({"id": "k", "entity": {"_key": "k", "displayName": "shop"}})), "k");
        assert_eq!(plain(&json!(["a", 1])), r#"["a",1]"#);
        assert_eq!(plain(&json!(1_669_384_195_000_i64)), "1669384195000");
    }
}
