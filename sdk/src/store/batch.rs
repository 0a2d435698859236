//! Objects on their way into the store and out of it.

use std::sync::Arc;

use crate::graph::{ObjectKey, ObjectType};

use super::sqlite::{StoreError, unreadable};

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An entity.
    Entity = 0,
    /// A direct relationship.
    Relationship = 1,
    /// A mapped relationship.
    MappedRelationship = 2,
}

impl Kind {
    /// The kind that is stored as a number.
    pub(super) fn read(number: i64) -> rusqlite::Result<Self> {
        let all = [Self::Entity, Self::Relationship, Self::MappedRelationship];
        let found = all.into_iter().find(|kind| *kind as i64 == number);
        found.ok_or_else(|| unreadable(StoreError::Corrupt(format!("object kind {number}"))))
    }
}

/// Tells the parts of a step apart; 0 is what lies under no parent.
pub type PartitionNumber = i64;

/// What the store tells apart in an object.
#[derive(Debug, Clone)]
pub struct Row {
    /// What it is.
    pub kind: Kind,
    /// `_key`.
    pub key: ObjectKey,
    /// `_type`.
    pub object_type: ObjectType,
    /// `_class`, several joined by commas.
    pub class: Arc<str>,
    /// The part of its step.
    pub part: PartitionNumber,
    /// Both ends of a direct relationship.
    pub ends: Option<(ObjectKey, ObjectKey)>,
    /// An object of the same key and type is joined with it.
    pub merge: bool,
    /// Findings as JSON, where the object is to be kept apart.
    pub quarantined: Option<String>,
}

/// Rows with the JSON that leaves the program, all of it in one text: room is made for many at once.
#[derive(Debug, Default)]
pub struct ObjectBatch {
    rows: Vec<Row>,
    ends: Vec<usize>,
    json: String,
    doubtful: Vec<ObjectKey>,
}

impl ObjectBatch {
    /// None, with room for so many and for so much JSON.
    pub fn with_capacity(rows: usize, bytes: usize) -> Self {
        Self {
            rows: Vec::with_capacity(rows),
            ends: Vec::with_capacity(rows),
            json: String::with_capacity(bytes),
            doubtful: Vec::new(),
        }
    }

    /// Adds a row and its JSON.
    pub fn push(&mut self, row: Row, json: &str) {
        self.json.push_str(json);
        self.ends.push(self.json.len());
        self.rows.push(row);
    }

    /// Notes an entity that is not among the rows, and that relationships may point to all the same.
    pub(crate) fn doubt(&mut self, kind: Kind, key: &ObjectKey) {
        if kind == Kind::Entity {
            self.doubtful.push(key.clone());
        }
    }

    /// The keys of such entities.
    pub(super) fn doubtful(&self) -> &[ObjectKey] {
        &self.doubtful
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The last row.
    pub fn last(&self) -> Option<&Row> {
        self.rows.last()
    }

    /// Each row with its JSON.
    pub fn iter(&self) -> impl Iterator<Item = (&Row, &str)> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        let texts = begins.zip(&self.ends).map(|(begin, end)| &self.json[begin..*end]);
        self.rows.iter().zip(texts)
    }
}
