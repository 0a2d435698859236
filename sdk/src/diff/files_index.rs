//! The digests of all objects of a graph in files, which show the different objects in bounded memory.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Place;

use serde_json::{Map, Value};

use crate::dataset::Wrapper;
use crate::graph::history::ObjectKind;
use crate::redact::clean_strings;
use crate::secrets;

use super::absent::{KeyDigest, digest};
use super::describe::RAW_DATA;

/// An object in a form that does not depend on the order of its members, without credentials.
pub(super) struct Canonical {
    pub(super) kind: ObjectKind,
    pub(super) object_type: String,
    pub(super) key: String,
    /// The properties as JSON with sorted names.
    pub(super) properties: String,
    /// The raw data as JSON.
    pub(super) raw: Option<String>,
    updated_on: i64,
}

impl Canonical {
    /// Converts an object of a file.
    ///
    /// # Errors
    /// The name of the missing member.
    pub(super) fn of(wrapper: Wrapper, mut object: Map<String, Value>) -> Result<Self, &'static str> {
        let kind = kind_of(wrapper, object.contains_key("_mapping"));
        // Programs write a single type or class with or without a list.
        alone(object.get_mut("_type"));
        match (kind, object.get_mut("_class")) {
            (ObjectKind::Entity, Some(class @ Value::String(_))) => *class = Value::Array(vec![class.take()]),
            (ObjectKind::Entity, _) => {}
            (_, class) => alone(class),
        }
        let member = |name| object.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let key = secrets::take_out(member("_key").ok_or("_key")?).into_owned();
        let object_type = member("_type").ok_or("_type")?.to_owned();
        let updated_on = object.get("updatedOn").and_then(Value::as_i64).unwrap_or(i64::MIN);
        let raw = object.remove(RAW_DATA).filter(|raw| !raw.is_null()).map(|raw| clean(raw).0);
        let (properties, _) = clean(Value::Object(object));
        Ok(Self { kind, object_type, key, properties, raw, updated_on })
    }

    pub(super) fn identity(&self) -> KeyDigest {
        identity(self.kind, &self.object_type, &self.key)
    }

    fn entry(&self, type_at: u32) -> Entry {
        let raw = self.raw.as_deref().map(digest).unwrap_or_default();
        Entry { properties: digest(&self.properties), raw, updated_on: self.updated_on, type_at }
    }
}

pub(super) fn kind_of(wrapper: Wrapper, is_mapped: bool) -> ObjectKind {
    match wrapper {
        Wrapper::Entities => ObjectKind::Entity,
        Wrapper::Relationships if is_mapped => ObjectKind::MappedRelationship,
        Wrapper::Relationships => ObjectKind::Relationship,
    }
}

/// Takes the only item of a list.
fn alone(value: Option<&mut Value>) {
    if let Some(value) = value
        && let Value::Array(list) = value
        && list.len() == 1
    {
        *value = list.swap_remove(0);
    }
}

/// Returns the JSON of a value without credentials.
fn clean(mut value: Value) -> (String, Value) {
    let json = value.to_string();
    if !secrets::may_be_in(&json) {
        return (json, value);
    }
    clean_strings(&mut value);
    (value.to_string(), value)
}

/// Returns a digest of the properties that identify an object.
pub(super) fn identity(kind: ObjectKind, object_type: &str, key: &str) -> KeyDigest {
    digest(&format!("{kind:?}\n{object_type}\n{key}"))
}

/// The digests of one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) properties: KeyDigest,
    pub(super) raw: KeyDigest,
    updated_on: i64,
    /// The position of the type in [`Index::types`].
    pub(super) type_at: u32,
}

impl Entry {
    /// Returns whether both are descriptions of one state.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        (self.properties, self.raw) == (other.properties, other.raw)
    }
}

/// The digests of a graph.
#[derive(Default)]
pub(super) struct Index {
    pub(super) entries: HashMap<KeyDigest, Entry>,
    pub(super) types: Vec<(ObjectKind, String)>,
    positions: HashMap<(ObjectKind, String), u32>,
    /// The number of other descriptions of an object, and the least of their keys.
    pub(super) repeated: (u64, Option<String>),
}

impl Index {
    /// Adds an object. Of several descriptions, the one with the greatest `updatedOn` stays, then the least digest.
    pub(super) fn add(&mut self, object: &Canonical) {
        let named = (object.kind, object.object_type.clone());
        let type_at = *self.positions.entry(named).or_insert_with_key(|named| {
            self.types.push(named.clone());
            u32::try_from(self.types.len() - 1).unwrap_or(u32::MAX)
        });
        let entry = object.entry(type_at);
        match self.entries.entry(object.identity()) {
            Place::Vacant(place) => drop(place.insert(entry)),
            Place::Occupied(mut place) if !place.get().is_same(&entry) => {
                let (count, least) = &mut self.repeated;
                *count += 1;
                if least.as_ref().is_none_or(|least| object.key < *least) {
                    *least = Some(object.key.clone());
                }
                let rank = |entry: &Entry| (-i128::from(entry.updated_on), entry.properties, entry.raw);
                if rank(&entry) < rank(place.get()) {
                    place.insert(entry);
                }
            }
            Place::Occupied(_) => {}
        }
    }

    pub(super) fn type_of(&self, entry: &Entry) -> &(ObjectKind, String) {
        &self.types[entry.type_at as usize]
    }

    /// Returns whether an object is the description that stays.
    pub(super) fn keeps(&self, object: &Canonical) -> bool {
        self.entries.get(&object.identity()).is_some_and(|entry| entry.is_same(&object.entry(entry.type_at)))
    }
}
