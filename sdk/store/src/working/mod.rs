//! The objects and records of a running job, in memory.

mod append;
mod read;
mod reconcile;
mod rewind;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use integration_graph::run::{PartitionId, PartitionRef, StepReport};
use integration_graph::{ObjectKey, ObjectType, StepId, Timestamp};
use serde_json::Value;

use crate::publication::{Graph, Version};
use crate::{CompletedPartition, EarlierGaps, Revision, Row, StoredObject};

/// A collected object.
#[derive(Debug, Clone)]
struct Object {
    row: Row,
    step: StepId,
    position: u64,
    revision: u64,
    properties: String,
    raw: Option<String>,
}

impl Object {
    fn json(&self) -> integration_graph::ObjectJson<'_> {
        integration_graph::ObjectJson { properties: &self.properties, raw: self.raw.as_deref() }
    }
}

/// A partition that described an entity, and whether its description is the collected one.
type Descriptions = BTreeMap<(StepId, PartitionRef), bool>;

/// The working data of a job.
#[derive(Debug, Clone, Default)]
pub(crate) struct Working {
    /// The number of the last change. Positions and revisions are such numbers.
    changes: u64,
    objects: BTreeMap<ObjectKey, Object>,
    quarantined: Vec<(StepId, Object)>,
    partitions: BTreeMap<(StepId, PartitionId), CompletedPartition>,
    /// Partitions that stay incomplete in this run, because one of their objects was rejected.
    unmarked: HashSet<(StepId, PartitionId)>,
    /// The steps that described an entity if there are several.
    contributions: BTreeMap<ObjectKey, BTreeSet<StepId>>,
    duplicates: BTreeSet<(StepId, ObjectType, ObjectKey)>,
    descriptions: BTreeMap<ObjectKey, Descriptions>,
    superseded: BTreeSet<(StepId, ObjectType, ObjectKey)>,
    /// The keys of entities that were rejected or removed.
    doubtful: BTreeSet<ObjectKey>,
    pub(crate) reports: BTreeMap<StepId, StepReport>,
    pub(crate) data: BTreeMap<String, Value>,
    earlier_gaps: BTreeSet<(StepId, Option<ObjectKey>)>,
}

impl Working {
    fn next_change(&mut self) -> u64 {
        self.changes += 1;
        self.changes
    }

    /// Records the gaps of all reports, and returns those of all runs.
    pub(crate) fn note_gaps(&mut self) -> EarlierGaps {
        for report in self.reports.values() {
            let gaps = report.own_gaps().map(|gap| gap.parent.as_ref().map(|parent| parent.key.clone()));
            self.earlier_gaps.extend(gaps.map(|parent| (report.id.clone(), parent)));
        }
        let mut all = EarlierGaps::default();
        self.earlier_gaps.iter().cloned().for_each(|(step, parent)| all.add(step, parent));
        all
    }

    /// Prepares another run of the job.
    pub(crate) fn reopen(&mut self) {
        self.unmarked.clear();
    }

    /// Returns the collected objects as versions.
    pub(crate) fn graph(&self) -> Graph {
        let epoch = Timestamp::from_millis(0);
        let version = |object: &Object| Version {
            object: StoredObject {
                kind: object.row.kind,
                object_type: object.row.object_type.clone(),
                key: object.row.key.clone(),
                step: object.step.clone(),
                parent: object.row.parent.clone(),
                ends: object.row.ends.clone(),
                properties: object.properties.clone(),
                raw: object.raw.clone(),
                is_stale: false,
                created: epoch,
                began: epoch,
            },
            class: object.row.class.clone(),
        };
        self.objects.iter().map(|(key, object)| (key.clone(), version(object))).collect()
    }

    /// Takes over properties that a publication has added to the collected objects.
    pub(crate) fn take_over(&mut self, published: Graph) {
        for (key, version) in published {
            let change = self.next_change();
            if let Some(object) = self.objects.get_mut(&key).filter(|of| of.properties != version.object.properties) {
                object.properties = version.object.properties;
                object.revision = change;
            }
        }
    }

    /// Discards everything except the reports, the job data, and the recorded gaps.
    pub(crate) fn discard_objects(&mut self) {
        let reports = std::mem::take(&mut self.reports);
        let (data, earlier_gaps) = (std::mem::take(&mut self.data), std::mem::take(&mut self.earlier_gaps));
        *self = Self { reports, data, earlier_gaps, ..Self::default() };
    }
}

impl From<&Object> for Revision {
    fn from(object: &Object) -> Self {
        Self::new(object.revision)
    }
}
