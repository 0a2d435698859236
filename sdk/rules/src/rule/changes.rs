//! The changes of a publication, as input of a rule.

use integration_graph::history::{ChangeKind, ObjectKind, PropertyChange};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The change of one object. Its JSON is that of `diff --format json`, with two more fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GraphChange {
    /// The kind of the change.
    pub kind: ChangeKind,
    /// The kind of the object.
    pub object_kind: ObjectKind,
    /// `_type`.
    #[serde(rename = "type")]
    pub object_type: String,
    /// `_key`.
    pub key: String,
    /// The name for users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The different properties; all of them if the object was added or removed.
    #[serde(default)]
    pub properties: Vec<PropertyChange>,
    /// All properties of the object: the new ones, or the last ones of a removed object.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub object: Map<String, Value>,
    /// The end of the job that could not confirm the object for the first time; only for stale objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_since: Option<Timestamp>,
}

impl GraphChange {
    /// Returns the value of a property before the change.
    pub fn old(&self, name: &str) -> Option<&Value> {
        match (self.values(name), self.kind) {
            (_, ChangeKind::Added) => None,
            (Some(values), _) => values.old.as_ref(),
            (None, _) => self.object.get(name),
        }
    }

    /// Returns the value of a property after the change.
    pub fn new_value(&self, name: &str) -> Option<&Value> {
        match (self.values(name), self.kind) {
            (_, ChangeKind::Removed) => None,
            (Some(values), _) => values.new.as_ref(),
            (None, _) => self.object.get(name),
        }
    }

    /// Returns both values of a property that certainly differs.
    pub(crate) fn values(&self, name: &str) -> Option<&PropertyChange> {
        self.properties.iter().find(|values| values.name == name && !values.unknown)
    }

    /// Returns whether a gap explains the difference of a property.
    pub(crate) fn is_unknown(&self, name: &str) -> bool {
        self.properties.iter().any(|values| values.name == name && values.unknown)
    }

    /// Returns the change as a row, in the form of a query result of entities.
    pub fn to_row(&self) -> Value {
        let is_removed = self.kind == ChangeKind::Removed;
        let mut properties = self.object.clone();
        let (mut old, mut new, mut names) = (Map::new(), Map::new(), Vec::new());
        for values in self.properties.iter().filter(|values| !values.unknown) {
            names.push(Value::from(values.name.as_str()));
            let of = |side: &Option<Value>| side.clone().filter(|value| !value.is_null());
            let kept = if is_removed { of(&values.old) } else { of(&values.new) };
            if let Some(value) = kept {
                properties.insert(values.name.clone(), value);
            }
            old.extend(of(&values.old).map(|value| (values.name.clone(), value)));
            new.extend(of(&values.new).map(|value| (values.name.clone(), value)));
        }
        let name = self.display_name.as_deref().unwrap_or(&self.key);
        json!({
            "id": self.key,
            "entity": {"_key": self.key, "_type": self.object_type, "displayName": name},
            "properties": properties,
            "change": {
                "kind": self.kind,
                "objectKind": self.object_kind,
                "properties": names,
                "old": old,
                "new": new,
                "staleSince": self.stale_since,
            },
        })
    }
}
