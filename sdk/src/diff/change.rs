//! The changes between two graphs, as plain data that can be serialised.
//!
//! A comparison passes [`ObjectChange`]s to its caller in the order of kinds, types, and keys, and returns their numbers as
//! [`ChangesByType`]. `docs/how-to/changes.md` describes the JSON form.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::graph::StepId;
use crate::graph::history::{ChangeCounts, ChangeKind, ObjectKind, PropertyChange, SnapshotGap};
use crate::graph::run::{ErrorCode, Gap, Parent, StepReport};
use crate::store::Dropped;

use super::pattern::PropertyPattern;

/// A gap that covers an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CoveringGap {
    /// The step with the gap, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<StepId>,
    /// The parent to which the gap is limited.
    #[serde(rename = "under", default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// The code of the error.
    pub code: ErrorCode,
    /// The cause, as text for users.
    pub cause: String,
    /// The number of other gaps that may cover the object instead.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub others: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl CoveringGap {
    /// Creates a gap that concerns a whole type.
    pub(super) fn whole(step: Option<StepId>, code: ErrorCode, cause: impl Into<String>) -> Self {
        Self { step, parent: None, code, cause: cause.into(), others: 0 }
    }

    /// Converts a gap of a step.
    pub fn of(step: &StepId, gap: &Gap) -> Self {
        Self { parent: gap.parent.clone(), ..Self::whole(Some(step.clone()), gap.code.clone(), gap.cause.clone()) }
    }

    /// Creates the gap of a step that was not selected, was disabled, or did not run.
    pub(super) fn not_run(report: &StepReport) -> Option<Self> {
        let (code, cause) = report.not_run()?;
        Some(Self::whole(Some(report.id.clone()), code, cause))
    }

    /// Creates the gap of a type in `partialDatasets` without an explanation.
    pub(super) fn listed() -> Self {
        Self::whole(None, ErrorCode::PartialDataset, "the summary lists the type in partialDatasets")
    }

    /// Creates the gap of a job that has not ended.
    pub(super) fn unfinished() -> Self {
        Self::whole(None, ErrorCode::JobUnfinished, "the job has not ended")
    }

    /// Creates the reason for the removal of an object that a user dropped.
    pub(super) fn dropped(dropped: &Dropped) -> Self {
        match &dropped.stale {
            None => Self::whole(None, ErrorCode::Dropped, "it was dropped with an entity at one of its ends"),
            Some((since, gap)) => Self {
                code: ErrorCode::Dropped,
                cause: format!("it was dropped on request, stale since {since} because of {}: {}", gap.code, gap.cause),
                ..Self::from(gap)
            },
        }
    }

    /// Combines several gaps, one of which covers an object.
    pub(super) fn one_of(gaps: &BTreeSet<Self>) -> Option<Self> {
        let others = gaps.len().saturating_sub(1) as u64;
        let first = gaps.first()?.clone();
        Some(if others == 0 { first } else { Self { parent: None, others, ..first } })
    }
}

impl From<&SnapshotGap> for CoveringGap {
    fn from(gap: &SnapshotGap) -> Self {
        let SnapshotGap { step, parent, code, cause, .. } = gap;
        Self { step: Some(step.clone()), parent: parent.clone(), code: code.clone(), cause: cause.clone(), others: 0 }
    }
}

/// One of the two compared graphs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum GraphSide {
    /// The older graph.
    From,
    /// The newer graph.
    To,
}

/// The change of one object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectChange {
    /// The kind of the change.
    pub kind: ChangeKind,
    /// The kind of the object.
    pub object_kind: ObjectKind,
    /// `_type`. Other programs may use texts that are no [`ObjectType`](crate::graph::ObjectType).
    #[serde(rename = "type")]
    pub object_type: String,
    /// `_key`.
    pub key: String,
    /// The name for users: that of the newer graph, if it contains the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The different properties by name; all of them, except `_key` and `_type`, if only one graph contains the object.
    pub properties: Vec<PropertyChange>,
    /// Whether the raw data differs between the two graphs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub raw_changed: bool,
    /// The gap that covers the object or some of its properties.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<CoveringGap>,
    /// The graph with the gap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap_side: Option<GraphSide>,
}

/// The selection of changes.
#[derive(Debug, Clone, Default)]
pub struct ChangeOptions {
    /// Whether differences of raw data count as changes.
    pub raw: bool,
    /// Properties whose differences do not count.
    pub ignore: Vec<PropertyPattern>,
    /// The types to compare; all of them if empty.
    pub types: BTreeSet<String>,
}

impl ChangeOptions {
    pub(super) fn wants(&self, object_type: &str) -> bool {
        self.types.is_empty() || self.types.contains(object_type)
    }

    pub(super) fn ignores(&self, property: &str) -> bool {
        self.ignore.iter().any(|pattern| pattern.matches(property))
    }
}

/// The numbers of changes by kind and type of the objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangesByType(BTreeMap<(ObjectKind, String), ChangeCounts>);

impl ChangesByType {
    /// Counts a change.
    pub fn add(&mut self, change: &ObjectChange) {
        let counts = self.of(change.object_kind, &change.object_type);
        *match change.kind {
            ChangeKind::Added => &mut counts.added,
            ChangeKind::Removed => &mut counts.removed,
            ChangeKind::Changed => &mut counts.changed,
            ChangeKind::Unknown | ChangeKind::Stale => &mut counts.unknown,
        } += 1;
    }

    /// Counts an object that differs in its raw data only.
    pub fn add_raw_only(&mut self, kind: ObjectKind, object_type: &str) {
        self.of(kind, object_type).raw_only += 1;
    }

    fn of(&mut self, kind: ObjectKind, object_type: &str) -> &mut ChangeCounts {
        self.0.entry((kind, object_type.to_owned())).or_default()
    }

    /// Returns the numbers of each type with a difference, entities first.
    pub fn by_type(&self) -> impl Iterator<Item = (ObjectKind, &str, ChangeCounts)> {
        self.0.iter().map(|((kind, object_type), counts)| (*kind, object_type.as_str(), *counts))
    }

    /// Returns the numbers of all types together.
    pub fn total(&self) -> ChangeCounts {
        self.0.values().copied().sum()
    }
}
