//! The history of one object over the jobs of an instance, as plain data.

use serde::{Deserialize, Serialize};

use crate::graph::history::{ObjectKind, PropertyChange};
use crate::graph::{InstanceId, JobId, Timestamp};

use crate::store::{StalePeriod, Version};

use super::change::CoveringGap;
use super::describe;

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
    /// A user dropped the stale object.
    Dropped,
    /// A job collected the object after its removal.
    SeenAgain,
}

impl ObjectHistory {
    /// Creates the history from the versions of an object, oldest first; `None` if there are none.
    pub fn of(instance: InstanceId, versions: &[Version]) -> Option<Self> {
        let newest = &versions.last()?.object;
        let mut events = Vec::new();
        let mut before: Option<&Version> = None;
        for version in versions {
            events.push(beginning(before, version));
            let end = version.until.as_ref();
            events.extend(version.stale.iter().flat_map(|period| staleness(period, version)));
            let successor = versions.iter().find(|next| end == Some(&next.from));
            if let (Some(end), None) = (end, successor) {
                let kind = if version.dropped { HistoryEventKind::Dropped } else { HistoryEventKind::Removed };
                events.push(HistoryEvent::new(end.published, &end.job, kind));
            }
            before = Some(version);
        }
        Some(Self {
            instance,
            object_kind: newest.row.kind,
            object_type: newest.row.object_type.to_string(),
            key: newest.row.key.to_string(),
            display_name: describe::display_name(newest.json()),
            events,
        })
    }
}

impl HistoryEvent {
    fn new(at: Timestamp, job: &JobId, kind: HistoryEventKind) -> Self {
        Self { at, job: job.clone(), kind, properties: Vec::new(), gap: None }
    }
}

/// Returns the event with which a version begins.
fn beginning(before: Option<&Version>, version: &Version) -> HistoryEvent {
    let mut properties = describe::between(before.map(|before| before.object.json()), version.object.json());
    let types = before.map(|before| [before, version].map(|version| version.object.row.object_type.as_str()));
    if let Some([old, new]) = types.filter(|[old, new]| old != new) {
        let [old, new] = [old, new].map(|name| Some(name.into()));
        properties.push(PropertyChange { name: "_type".to_owned(), old, new, unknown: false });
    }
    let kind = match before {
        None => HistoryEventKind::FirstSeen,
        Some(before) if before.until.as_ref() != Some(&version.from) => HistoryEventKind::SeenAgain,
        Some(_) if properties.is_empty() => HistoryEventKind::RawChanged,
        Some(_) => HistoryEventKind::Changed,
    };
    HistoryEvent { properties, ..HistoryEvent::new(version.from.published, &version.from.job, kind) }
}

/// Returns the events of a stale period. A period that ends with its version needs no event of its own.
fn staleness(period: &StalePeriod, version: &Version) -> impl Iterator<Item = HistoryEvent> {
    let gap = Some(CoveringGap::from(&period.gap));
    let begin = HistoryEvent::new(period.since.published, &period.since.job, HistoryEventKind::Stale);
    let end = period.until.as_ref().filter(|until| version.until.as_ref() != Some(until));
    let end = end.map(|end| HistoryEvent::new(end.published, &end.job, HistoryEventKind::ConfirmedAgain));
    [HistoryEvent { gap, ..begin }].into_iter().chain(end)
}
