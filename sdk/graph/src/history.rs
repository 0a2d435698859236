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

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ObjectType;
pub use crate::published::{ChangeCounts, Published, SnapshotGap, StaleObjects};
use crate::run::{ErrorCode, StepReport, Summary};

impl SnapshotGap {
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
