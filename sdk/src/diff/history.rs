//! The history of one object over the jobs of an instance, as plain data.

use serde::{Deserialize, Serialize};

use crate::graph::{InstanceId, JobId, Timestamp};

use super::change::{CoveringGap, ObjectKind, PropertyChange};

/// The history of one object, oldest event first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectHistory {
    /// The instance whose jobs collected the object.
    pub instance: InstanceId,
    /// The kind of the object.
    pub object_kind: ObjectKind,
    /// `_type`.
    #[serde(rename = "type")]
    pub object_type: String,
    /// `_key`.
    pub key: String,
    /// The name for users in the newest version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The events.
    pub events: Vec<HistoryEvent>,
}

/// An event in the history of an object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEvent {
    /// The time at which the job published its graph.
    pub at: Timestamp,
    /// The job.
    pub job: JobId,
    /// The kind of the event.
    pub kind: HistoryEventKind,
    /// The different properties: all of them when the object was first seen, none when it was removed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub properties: Vec<PropertyChange>,
    /// The gap that covers a stale object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<CoveringGap>,
}

/// The kind of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum HistoryEventKind {
    /// A job collected the object for the first time.
    FirstSeen,
    /// The properties differ from those of the previous version.
    Changed,
    /// Only the raw data differs.
    RawChanged,
    /// The job could neither confirm nor refute the object.
    Stale,
    /// The job collected the stale object, unchanged.
    ConfirmedAgain,
    /// The job observed that the object is gone.
    Removed,
    /// A job collected the object after its removal.
    SeenAgain,
}
