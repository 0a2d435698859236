//! Entities as plain data, with their raw data and tags.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use crate::RawJson;
use crate::properties::Properties;

use super::{Class, ObjectKey, ObjectType};

/// Tags of a source, by name; each becomes a `tag.<name>` property.
pub type Tags = BTreeMap<String, String>;

/// The provider's original description of an entity.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RawData {
    /// A name that is unique within the entity; `default` unless several sources describe it.
    pub name: String,
    /// The JSON as received.
    pub raw_data: RawJson,
}

/// An entity: a node of the graph.
#[derive(Debug, Clone, PartialEq)]
pub struct Entity {
    /// The `_key`, unique in the job.
    pub key: ObjectKey,
    /// The `_type`.
    pub object_type: ObjectType,
    /// The `_class`; at least one.
    pub classes: Vec<Class>,
    /// The `displayName`.
    pub display_name: String,
    /// All other properties.
    pub properties: Properties,
    /// The `_rawData`.
    pub raw_data: Vec<RawData>,
}

impl Entity {
    /// Creates an entity without properties.
    pub fn new(key: ObjectKey, object_type: ObjectType, class: Class) -> Self {
        let display_name = key.to_string();
        Self {
            key,
            object_type,
            classes: vec![class],
            display_name,
            properties: Properties::new(),
            raw_data: Vec::new(),
        }
    }

    /// Sets one property.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.properties.insert(name.into(), value.into());
        self
    }

    /// Returns the exported object, with raw data as trees; null if no tree can represent them.
    pub fn into_json(self) -> Value {
        let mut object = self.properties;
        object.insert("_key".into(), self.key.as_str().into());
        object.insert("_type".into(), self.object_type.as_str().into());
        object.insert("_class".into(), self.classes.iter().map(|class| class.as_str()).collect());
        object.insert("displayName".into(), self.display_name.into());
        if !self.raw_data.is_empty() {
            let raw = |raw: RawData| json!({"name": raw.name, "rawData": raw.raw_data.to_value().unwrap_or_default()});
            object.insert("_rawData".into(), self.raw_data.into_iter().map(raw).collect());
        }
        Value::Object(object)
    }
}

/// Merges two descriptions of one entity.
///
/// The rule is a semilattice join (commutative, associative, idempotent), so the result does not
/// depend on the order or the number of arrivals: a present value replaces an absent or null one, lists are
/// united and sorted, the lesser of two different scalars in the order of their JSON text wins, and raw
/// data are united by name.
#[doc(hidden)]
pub fn merge(ours: Properties, theirs: Properties) -> Properties {
    let mut merged = ours;
    for (name, value) in theirs {
        let joined = match merged.remove(&name) {
            None => value,
            Some(mine) => join_property(&name, mine, value),
        };
        merged.insert(name, joined);
    }
    merged
}

/// Joins two values of one property, by the rule of [`merge`].
#[doc(hidden)]
pub fn join_property(name: &str, mine: Value, theirs: Value) -> Value {
    match name {
        "_rawData" => join_raw_data(mine, theirs),
        _ => join(mine, theirs),
    }
}

fn join(mine: Value, theirs: Value) -> Value {
    match (mine, theirs) {
        (Value::Null, other) | (other, Value::Null) => other,
        (Value::Array(a), Value::Array(b)) => {
            let united: BTreeMap<String, Value> = a.into_iter().chain(b).map(|item| (item.to_string(), item)).collect();
            Value::Array(united.into_values().collect())
        }
        (a, b) => lesser(a, b),
    }
}

/// Returns the value whose JSON text sorts first.
fn lesser(a: Value, b: Value) -> Value {
    let (text_a, text_b) = (a.to_string(), b.to_string());
    if text_a <= text_b { a } else { b }
}

fn join_raw_data(mine: Value, theirs: Value) -> Value {
    let (Value::Array(mine), Value::Array(theirs)) = (mine, theirs) else { return Value::Null };
    let mut by_name: BTreeMap<String, Value> = BTreeMap::new();
    for item in mine.into_iter().chain(theirs) {
        let name = item["name"].as_str().unwrap_or_default().to_owned();
        let kept = match by_name.remove(&name) {
            Some(other) => lesser(other, item),
            None => item,
        };
        by_name.insert(name, kept);
    }
    Value::Array(by_name.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Properties {
        match value {
            Value::Object(map) => map,
            _ => Properties::new(),
        }
    }

    #[test]
    fn merging_does_not_depend_on_order_or_repetition() {
        let a = object(json!({"name": "b", "roles": ["x", "z"], "_rawData": [{"name": "1", "rawData": {}}]}));
        let b = object(json!({"name": "a", "roles": ["y"], "age": 3, "gone": null}));
        let c = object(json!({"gone": 1, "_rawData": [{"name": "0", "rawData": {}}]}));
        let one = merge(merge(a.clone(), b.clone()), c.clone());
        let two = merge(c.clone(), merge(b.clone(), a.clone()));
        assert_eq!(one, two);
        assert_eq!(merge(one.clone(), one.clone()), one);
        assert_eq!(
            Value::from(one),
            json!({"name": "a", "roles": ["x", "y", "z"], "age": 3, "gone": 1,
            "_rawData": [{"name": "0", "rawData": {}}, {"name": "1", "rawData": {}}]})
        );
    }
}
