//! The objects that a source passes to a sink.

use integration_graph::{ObjectKey, ObjectType};
use integration_store::{Kind, StoredObject};
use serde::Serialize;

/// Objects of one kind and type from one snapshot, in the order of their keys. A batch is never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The kind of the objects.
    pub kind: Kind,
    /// The `_type` of the objects.
    pub object_type: ObjectType,
    /// The position of the snapshot in [`Manifest::snapshots`](crate::Manifest::snapshots).
    pub snapshot: usize,
    /// The objects.
    pub records: Vec<Record>,
}

/// An object with the action that the transfer requests for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The action.
    pub action: Action,
    /// The object: the newer version, or the last known one of a removed object.
    pub object: StoredObject,
}

/// The meaning of an object in a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// The object is part of a whole snapshot.
    Present,
    /// The object was added since the older snapshot.
    Added,
    /// The object has other properties than in the older snapshot.
    Changed,
    /// The object was stale in the older snapshot, and a later job confirmed it with the same properties.
    Confirmed,
    /// A job observed that the object is gone. The only action that permits a deletion.
    Removed,
    /// A gap covers the object, so that its state is not known. A target keeps it, and marks it as stale if it can.
    Unknown,
}

impl Action {
    /// Returns the name of the action as in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Confirmed => "confirmed",
            Self::Removed => "removed",
            Self::Unknown => "unknown",
        }
    }

    /// Returns whether a target must contain the object afterwards, as the record describes it.
    pub fn is_put(self) -> bool {
        matches!(self, Self::Present | Self::Added | Self::Changed | Self::Confirmed)
    }
}

/// The place of an object in the order of a transfer: kinds, types, snapshots, keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The kind.
    pub kind: Kind,
    /// The type.
    pub object_type: ObjectType,
    /// The position of the snapshot in the manifest.
    pub snapshot: usize,
    /// The key.
    pub key: ObjectKey,
}

impl Batch {
    /// Returns the place of the last object; `None` if the batch is empty.
    pub fn end(&self) -> Option<Position> {
        let key = self.records.last()?.object.key.clone();
        Some(Position { kind: self.kind, object_type: self.object_type.clone(), snapshot: self.snapshot, key })
    }

    /// The size of all texts in bytes.
    pub fn bytes(&self) -> usize {
        self.records.iter().map(|record| record.object.bytes()).sum()
    }
}
