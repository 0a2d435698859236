//! One object of a snapshot.

use integration_graph::history::ObjectKind as Kind;
use integration_graph::{InvalidName, ObjectJson, ObjectKey, ObjectText, ObjectType, Properties, StepId, Timestamp};
use serde_json::Value;

/// An object of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// The kind.
    pub kind: Kind,
    /// The `_type`.
    pub object_type: ObjectType,
    /// The `_key`.
    pub key: ObjectKey,
    /// The step that the object belongs to.
    pub step: StepId,
    /// The parent under which the object was collected last, if there is one.
    pub parent: Option<ObjectKey>,
    /// Both ends of a direct relationship: its `_fromEntityKey` and its `_toEntityKey`.
    pub ends: Option<(ObjectKey, ObjectKey)>,
    /// The properties as canonical JSON, including `_key`, `_type`, and `_class`.
    pub properties: String,
    /// The raw data as a JSON list, if it was requested and there is any.
    pub raw: Option<String>,
    /// Whether the job of the snapshot could not confirm the object.
    pub is_stale: bool,
    /// The publication time of the first kept snapshot that contains the key.
    pub created: Timestamp,
    /// The publication time of the first snapshot that contains this version of the object.
    pub began: Timestamp,
}

impl StoredObject {
    /// Returns both texts of the object.
    pub fn json(&self) -> ObjectJson<'_> {
        ObjectJson { properties: &self.properties, raw: self.raw.as_deref() }
    }

    /// The size of both texts in bytes.
    pub fn bytes(&self) -> usize {
        self.json().len()
    }

    /// Creates an object from its exported JSON. Both times are the epoch.
    ///
    /// An object with `_mapping` is a mapped relationship, one with `_fromEntityKey` and `_toEntityKey` a relationship,
    /// and any other an entity.
    ///
    /// # Errors
    /// [`InvalidObject`] without a valid `_key` and `_type`, or if `_rawData` is not a list.
    pub fn from_json(step: StepId, json: Value) -> Result<Self, InvalidObject> {
        let Value::Object(mut properties) = json else { return Err(InvalidObject::NoObject) };
        let raw = match properties.remove("_rawData") {
            None => None,
            Some(raw @ Value::Array(_)) => Some(raw.to_string()),
            Some(_) => return Err(InvalidObject::RawData),
        };
        let (key, object_type) = (key(&properties, "_key")?, ObjectType::new(text(&properties, "_type")?)?);
        let is_direct = properties.contains_key("_fromEntityKey") && properties.contains_key("_toEntityKey");
        let (kind, ends) = if properties.contains_key("_mapping") {
            (Kind::MappedRelationship, None)
        } else if is_direct {
            (
                Kind::Relationship,
                Some((self::key(&properties, "_fromEntityKey")?, self::key(&properties, "_toEntityKey")?)),
            )
        } else {
            (Kind::Entity, None)
        };
        let (created, began) = (Timestamp::from_millis(0), Timestamp::from_millis(0));
        let properties = ObjectText::from(&properties).as_str().to_owned();
        let parent = None;
        Ok(Self { kind, object_type, key, step, parent, ends, properties, raw, is_stale: false, created, began })
    }
}

fn text<'a>(properties: &'a Properties, name: &'static str) -> Result<&'a str, InvalidObject> {
    properties.get(name).and_then(Value::as_str).ok_or(InvalidObject::Missing { name })
}

fn key(properties: &Properties, name: &'static str) -> Result<ObjectKey, InvalidObject> {
    Ok(ObjectKey::stored(text(properties, name)?)?)
}

/// JSON that is no object of a graph.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidObject {
    /// The JSON is not an object.
    #[error("the JSON value is not an object")]
    NoObject,
    /// A required text is missing.
    #[error("the object has no text `{name}`")]
    Missing {
        /// The name of the property.
        name: &'static str,
    },
    /// The raw data has another form.
    #[error("`_rawData` is not a list")]
    RawData,
    /// A key or a type is not valid.
    #[error(transparent)]
    Name(#[from] InvalidName),
}
