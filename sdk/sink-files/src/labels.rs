//! Names and classes of objects.

use std::borrow::Cow;

use integration_graph::{Values, json_string};
use integration_sink::Record;

/// Returns the value of a member as JSON. The name is a JSON text as well.
pub(crate) fn member<'a>(properties: &'a str, name: &str) -> Option<&'a str> {
    let mut tokens = Values::within(properties);
    while let (Some(found), Some(value)) = (tokens.next(), tokens.next()) {
        if found == name {
            return Some(value);
        }
    }
    None
}

/// Returns the name for users: `displayName`, or the key.
pub(crate) fn label(record: &Record) -> Cow<'_, str> {
    let name = member(&record.object.properties, "\"displayName\"").and_then(json_string);
    name.unwrap_or(Cow::Borrowed(record.object.key.as_str()))
}

/// Returns the classes of an object.
pub(crate) fn classes(record: &Record) -> Vec<String> {
    let value = member(&record.object.properties, "\"_class\"").unwrap_or("[]");
    match value.starts_with('[') {
        true => Values::within(value).filter_map(json_string).map(Cow::into_owned).collect(),
        false => json_string(value).map(Cow::into_owned).into_iter().collect(),
    }
}

/// Returns the class of a relationship.
pub(crate) fn class(record: &Record) -> String {
    classes(record).into_iter().next().unwrap_or_default()
}
