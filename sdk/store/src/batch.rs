//! Batches of objects, as steps append them to a job.

use std::sync::Arc;

use integration_graph::run::{PartitionId, PartitionRef};
use integration_graph::{ObjectJson, ObjectKey, ObjectType, StepId};

use crate::Kind;

/// The columns of a collected object, apart from its JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// Whether a collected object of the same key and type is merged with this one.
    pub merge: bool,
    /// The findings as JSON, if the object is to be quarantined.
    pub quarantined: Option<String>,
}

impl Row {
    /// Creates the row of an entity of the class `Record` outside of all partitions.
    pub fn entity(key: ObjectKey, object_type: ObjectType) -> Self {
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

/// A completed partition, written together with the last of its objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletedPartition {
    /// The id of the partition.
    pub id: PartitionId,
    /// The key of the parent.
    pub parent: ObjectKey,
    /// The path of the partition within its step.
    pub path: String,
    /// The id of the enclosing partition.
    pub outer: Option<PartitionId>,
    /// The statistics of the partition, such as skipped objects and findings, as JSON.
    pub stats: String,
}

/// Rows and their JSON. All JSON is in one string, so that a batch needs few allocations.
#[derive(Debug, Clone, Default)]
pub struct ObjectBatch {
    rows: Vec<Row>,
    places: Vec<Place>,
    json: String,
    rejected: Vec<ObjectKey>,
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
            rejected: Vec::new(),
        }
    }

    /// Adds a row and its JSON.
    pub fn push(&mut self, row: Row, json: ObjectJson<'_>) {
        self.json.push_str(json.properties);
        let properties = self.json.len();
        self.json.push_str(json.raw.unwrap_or_default());
        self.places.push(Place { properties, end: self.json.len() });
        self.rows.push(row);
    }

    /// Records an object that was rejected before it reached the store. Relationships to it may have been added.
    pub fn reject(&mut self, kind: Kind, key: &ObjectKey) {
        if kind == Kind::Entity {
            self.rejected.push(key.clone());
        }
    }

    /// The keys of rejected entities.
    pub fn rejected(&self) -> &[ObjectKey] {
        &self.rejected
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The size of all JSON in bytes.
    pub fn bytes(&self) -> usize {
        self.json.len()
    }

    /// Whether the batch has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
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

/// The unit of writing: objects of one step, and the partitions that are complete with them.
#[derive(Debug, Clone)]
pub struct StepBatch {
    /// The step.
    pub step: StepId,
    /// The objects.
    pub objects: ObjectBatch,
    /// The completed partitions, inner ones first.
    pub completed: Vec<CompletedPartition>,
}

impl StepBatch {
    /// Creates a batch that completes no partition.
    pub fn new(step: StepId, objects: ObjectBatch) -> Self {
        Self { step, objects, completed: Vec::new() }
    }
}
