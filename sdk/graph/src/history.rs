//! The history of an instance's graph, as plain data.
//!
//! A job *publishes* its objects as a *snapshot*. Objects have *versions*, which are valid from one snapshot to another.
//! Between two snapshots an object is added, removed, or changed, or its state is unknown because a [`SnapshotGap`] covers
//! it. The store keeps the versions and decides about them at publication.
//!
//! ```
//! use integration_graph::history::SnapshotGap;
//! use integration_graph::run::{ErrorCode, Parent};
//! use integration_graph::{ObjectKey, ObjectType, StepId};
//!
//! let (key, member) = (|key: &str| ObjectKey::new(key).expect("a key"), ObjectType::literal("acme_member"));
//! let gap = SnapshotGap {
//!     step: StepId::literal("fetch-members"),
//!     types: [member.clone()].into(),
//!     parent: Some(Parent { object_type: ObjectType::literal("acme_team"), key: key("team-1") }),
//!     code: ErrorCode::NotCollected,
//!     cause: "the provider did not respond".to_owned(),
//! };
//! // The absence of a member of this team was not observed, but that of another team's member was.
//! assert!(gap.covers(&member, &[key("team-1")]));
//! assert!(!gap.covers(&member, &[key("team-2")]));
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::iter::Sum;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::run::{ErrorCode, Parent, StepReport, Summary};
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

    /// Returns the gaps of a job, without those that others imply.
    pub fn of(summary: &Summary) -> Vec<Self> {
        let mut gaps: Vec<Self> = summary.integration_step_results.iter().flat_map(of_step).collect();
        let explained: BTreeSet<ObjectType> = gaps.iter().flat_map(|gap| gap.types.iter().cloned()).collect();
        let listed = &summary.metadata.partial_datasets.types;
        for report in &summary.integration_step_results {
            let unexplained = |name: &&ObjectType| listed.contains(*name) && !explained.contains(*name);
            let types: BTreeSet<ObjectType> = report.declared_types.iter().filter(unexplained).cloned().collect();
            if !types.is_empty() {
                let cause = "the data is marked as incomplete".to_owned();
                gaps.push(Self {
                    step: report.id.clone(),
                    types,
                    parent: None,
                    code: ErrorCode::PartialDataset,
                    cause,
                });
            }
        }
        gaps
    }
}

/// Returns the gaps of one step. A step that was disabled or not selected lacks all its types.
fn of_step(report: &StepReport) -> Vec<SnapshotGap> {
    let step = || report.id.clone();
    let mut gaps: Vec<SnapshotGap> = report
        .gaps
        .iter()
        .filter(|gap| !gap.types.is_empty())
        .map(|gap| SnapshotGap {
            step: step(),
            types: gap.types.clone(),
            parent: gap.parent.clone(),
            code: gap.code.clone(),
            cause: gap.cause.clone(),
        })
        .collect();
    if gaps.is_empty()
        && !report.declared_types.is_empty()
        && let Some((code, cause)) = report.not_run()
    {
        gaps.push(SnapshotGap { step: step(), types: report.declared_types.clone(), parent: None, code, cause });
    }
    if report.excluded_parents > 0 && !report.declared_types.is_empty() {
        let cause = format!("the configuration excludes {} parent(s)", report.excluded_parents);
        let (types, code) = (report.declared_types.clone(), ErrorCode::ParentsExcluded);
        gaps.push(SnapshotGap { step: step(), types, parent: None, code, cause });
    }
    gaps
}

/// Returns the types whose objects may lack properties, because a step that describes them has a gap.
pub fn lacking_properties(summary: &Summary) -> BTreeSet<ObjectType> {
    let mut types = BTreeSet::new();
    for report in &summary.integration_step_results {
        let has_run = report.has_run();
        let has_all_parents = has_run && report.excluded_parents == 0;
        if has_all_parents && report.gaps.is_empty() {
            continue;
        }
        types.extend(report.amends.iter().cloned());
        let missing = report.gaps.iter().flat_map(|gap| &gap.types);
        let missing = missing.chain(report.declared_types.iter().filter(|_| !has_all_parents));
        types.extend(missing.filter(|name| report.merges.contains(*name)).cloned());
    }
    types
}

/// The kind of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ChangeKind {
    /// Only the newer graph contains the object.
    Added,
    /// Only the older graph contains the object, and its absence was observed.
    Removed,
    /// Both graphs contain the object, with different properties.
    Changed,
    /// A gap explains the difference.
    Unknown,
    /// The object stays in the graph, although a gap covers it. This is a state: rules see it, and comparisons do not.
    Stale,
}

/// The kind of a graph object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ObjectKind {
    /// An entity.
    Entity = 0,
    /// A direct relationship.
    Relationship = 1,
    /// A relationship to an entity of another integration.
    MappedRelationship = 2,
}

/// The two values of a property. A missing value is absent or `null` in the graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PropertyChange {
    /// The name of the property; `_rawData.NAME` for the raw data of this name.
    pub name: String,
    /// The value in the older graph.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<Value>,
    /// The value in the newer graph.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<Value>,
    /// Whether a gap explains the difference.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unknown: bool,
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
