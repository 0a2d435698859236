//! The result of a publication: changes, stale objects, and the gaps that cover them.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::Sum;

use serde::{Deserialize, Serialize};

use crate::run::{ErrorCode, Parent};
use crate::{JobId, ObjectKey, ObjectType, StepId};

/// Data that a job could not collect.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotGap {
    /// The step.
    pub step: StepId,
    /// The types that may be missing.
    pub types: BTreeSet<ObjectType>,
    /// The parent, if only objects under it may be missing.
    #[serde(rename = "under", skip_serializing_if = "Option::is_none", default)]
    pub parent: Option<Parent>,
    /// The code of the error.
    pub code: ErrorCode,
    /// The reason.
    pub cause: String,
}

impl SnapshotGap {
    /// Returns whether the gap covers objects of a type that were last collected under these parents.
    ///
    /// The parents are those of the object, of its parent, and so on: without the teams of an account, the applications
    /// of these teams are missing too. An object without known parents may belong to any of them.
    pub fn covers(&self, object_type: &ObjectType, parents: &[ObjectKey]) -> bool {
        let may_be_under = || self.parent.as_ref().is_none_or(|gap| parents.is_empty() || parents.contains(&gap.key));
        self.types.contains(object_type) && may_be_under()
    }
}

/// The numbers of changes between two graphs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeCounts {
    /// Objects that only the newer graph contains.
    pub added: u64,
    /// Objects that only the older graph contains.
    pub removed: u64,
    /// Objects with other properties.
    pub changed: u64,
    /// Objects whose state or difference a gap explains. Stored summaries of early versions call them stale.
    #[serde(alias = "stale")]
    pub unknown: u64,
    /// Objects that differ in their raw data only, and do not count as changed.
    #[serde(alias = "rawChanged")]
    pub raw_only: u64,
}

impl ChangeCounts {
    /// Returns whether an object was added, removed, or changed.
    pub fn has_changes(&self) -> bool {
        self.added + self.removed + self.changed > 0
    }
}

impl Sum for ChangeCounts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), |sum, counts| Self {
            added: sum.added + counts.added,
            removed: sum.removed + counts.removed,
            changed: sum.changed + counts.changed,
            unknown: sum.unknown + counts.unknown,
            raw_only: sum.raw_only + counts.raw_only,
        })
    }
}

/// Objects that stay in the graph although the job could not confirm them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StaleObjects {
    /// The type.
    #[serde(rename = "type")]
    pub object_type: ObjectType,
    /// The number of objects.
    pub count: u64,
    /// The gap that covers them.
    pub gap: SnapshotGap,
}

/// The result of a publication.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Published {
    /// The job whose snapshot was the newest one before; `None` for the first snapshot of an instance.
    pub previous: Option<JobId>,
    /// The changes since that snapshot, by type. Types without changes are left out.
    pub changes: BTreeMap<ObjectType, ChangeCounts>,
    /// The objects that a gap covers.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub stale: Vec<StaleObjects>,
}

impl Published {
    /// Returns the changes of all types together.
    pub fn total(&self) -> ChangeCounts {
        self.changes.values().copied().sum()
    }
}
