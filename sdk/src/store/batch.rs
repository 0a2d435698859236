//! Batches of objects, as written to the store and read from it.

use std::sync::Arc;

pub use integration_store::Kind;

use crate::graph::run::PartitionRef;
use crate::graph::{ObjectJson, ObjectKey, ObjectType};

use super::content_hash::{ContentHash, HashKey};

/// The columns of a stored object, apart from its JSON.
#[derive(Debug, Clone)]
pub struct Row {
    /// The kind of the object.
    pub kind: Kind,
    /// `_key`.
    pub key: ObjectKey,
    /// `_type`.
    pub object_type: ObjectType,
    /// `_class`; several classes are joined by commas.
    pub class: Arc<str>,
    /// The partition of the step that added the object.
    pub partition: PartitionRef,
    /// The parent of the partition, if there is one.
    pub parent: Option<ObjectKey>,
    /// Both ends of a direct relationship.
    pub ends: Option<(ObjectKey, ObjectKey)>,
    /// Whether a stored object of the same key and type is merged with this one.
    pub merge: bool,
    /// The findings as JSON, if the object is to be quarantined.
    pub quarantined: Option<String>,
}

#[cfg(test)]
impl Row {
    /// An entity outside of all partitions.
    pub(crate) fn entity(key: ObjectKey, object_type: ObjectType) -> Self {
        Self {
            kind: Kind::Entity,
            key,
            object_type,
            class: "Record".into(),
            partition: PartitionRef::None,
            parent: None,
            ends: None,
            merge: false,
            quarantined: None,
        }
    }
}

/// Rows and their JSON. All JSON is in one string, so that a batch needs few allocations.
#[derive(Debug, Default)]
pub struct ObjectBatch {
    rows: Vec<Row>,
    places: Vec<Place>,
    json: String,
    doubtful: Vec<ObjectKey>,
    /// The key of the content hashes, and the hash of each row.
    hashes: Option<(HashKey, Vec<ContentHash>)>,
}

/// The position of an object in the text of its batch.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// The end of the properties.
    properties: usize,
    /// The end of the object: equal to `properties` if it has no raw data.
    end: usize,
}

impl ObjectBatch {
    /// Creates an empty batch with space for this many rows and bytes of JSON.
    pub fn with_capacity(rows: usize, bytes: usize) -> Self {
        Self {
            rows: Vec::with_capacity(rows),
            places: Vec::with_capacity(rows),
            json: String::with_capacity(bytes),
            doubtful: Vec::new(),
            hashes: None,
        }
    }

    /// Hashes the content of each row that is added. Without hashes, the store computes them at publication.
    pub(crate) fn hashed_with(mut self, key: HashKey) -> Self {
        self.hashes = Some((key, Vec::with_capacity(self.rows.capacity())));
        self
    }

    /// Adds a row and its JSON.
    pub fn push(&mut self, row: Row, json: ObjectJson<'_>) {
        if let Some((key, hashes)) = &mut self.hashes {
            hashes.push(key.hash(&row, json));
        }
        self.json.push_str(json.properties);
        let properties = self.json.len();
        self.json.push_str(json.raw.unwrap_or_default());
        self.places.push(Place { properties, end: self.json.len() });
        self.rows.push(row);
    }

    /// Notes an entity that was not stored, although relationships to it may be.
    pub(crate) fn doubt(&mut self, kind: Kind, key: &ObjectKey) {
        if kind == Kind::Entity {
            self.doubtful.push(key.clone());
        }
    }

    /// Returns the keys of entities that were not stored.
    pub(super) fn doubtful(&self) -> &[ObjectKey] {
        &self.doubtful
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Returns the content hash of a row, if the batch computes hashes.
    pub(super) fn hash(&self, row: usize) -> Option<ContentHash> {
        self.hashes.as_ref().and_then(|(_, hashes)| hashes.get(row).copied())
    }

    /// Iterates over the rows, each with its JSON.
    pub fn iter(&self) -> impl Iterator<Item = (&Row, ObjectJson<'_>)> {
        let begins = std::iter::once(0).chain(self.places.iter().map(|place| place.end));
        let texts = begins.zip(&self.places).map(|(begin, place)| ObjectJson {
            properties: &self.json[begin..place.properties],
            raw: Some(&self.json[place.properties..place.end]).filter(|raw| !raw.is_empty()),
        });
        self.rows.iter().zip(texts)
    }
}
