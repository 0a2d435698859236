//! Partitions: the work of a step under one parent, complete or absent as a whole.
//!
//! Every object that is added while the future of a partition runs belongs to it. The mark of a complete partition is
//! written after its last object, in the same transaction, so a killed job continues with the remaining parents. A
//! partition with a gap is not complete. A resumed job requests its parent again, so that only collected data closes
//! the gap.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::graph::run::{FindingCount, Parent, PartitionId};
use crate::graph::{ObjectKey, ObjectType};
use crate::http::Work;
use crate::store::CompletedPartition;

use super::losses::LeftOut;

tokio::task_local! {
    static PARTITION: Arc<Partition>;
}

/// The partition that is running.
#[derive(Debug)]
pub(crate) struct Partition {
    id: PartitionId,
    parent: Parent,
    path: String,
    /// The enclosing partition.
    outer: Option<Arc<Partition>>,
    has_gap: AtomicBool,
    stats: Mutex<PartitionStats>,
}

/// The statistics that a partition stores alongside its objects.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct PartitionStats {
    pub(crate) skipped: BTreeMap<ObjectType, BTreeMap<String, u64>>,
    /// Similar findings, counted together, so that many equal violations need no more space than one.
    pub(crate) findings: BTreeMap<String, FindingCount>,
    /// The names of objects that were omitted on purpose.
    #[serde(default)]
    pub(crate) left_out: LeftOut,
    /// The names of the properties added to entities of other steps.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) amended: BTreeSet<String>,
    /// Whether the objects were kept from the newest snapshot.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) kept: bool,
}

/// The number of partitions of each parent in a step.
#[derive(Debug, Default)]
pub(crate) struct PartitionTurns(Mutex<HashMap<String, u32>>);

impl PartitionTurns {
    /// Returns the number of the next partition of a path, starting with 1.
    fn next(&self, path: &str) -> u32 {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match turns.get_mut(path) {
            Some(turn) => {
                *turn += 1;
                *turn
            }
            None => {
                turns.insert(path.to_owned(), 1);
                1
            }
        }
    }
}

impl Partition {
    /// Creates a partition inside the current one, if there is one.
    pub(crate) fn new(id: PartitionId, parent: Parent, path: String) -> Arc<Self> {
        let (outer, has_gap, stats) = (Self::current(), AtomicBool::default(), Mutex::default());
        Arc::new(Self { id, parent, path, outer, has_gap, stats })
    }

    /// Returns the path that identifies a partition in its step.
    ///
    /// It consists of the enclosing partitions, the parent, and the number of earlier partitions of that parent. Keys
    /// contain no control characters, so equal paths have equal parents.
    pub(crate) fn path(parent: &ObjectKey, turns: &PartitionTurns) -> String {
        let path = match Self::current() {
            Some(outer) => format!("{}\u{1f}{parent}", outer.path),
            None => parent.to_string(),
        };
        match turns.next(&path) {
            1 => path,
            turn => format!("{path}\u{1e}{turn}"),
        }
    }

    /// Records that data under the parent is missing, for this and all enclosing partitions.
    pub(crate) fn leave_gap(&self) {
        let mut partition = Some(self);
        while let Some(this) = partition {
            this.has_gap.store(true, Ordering::Relaxed);
            partition = this.outer.as_deref();
        }
    }

    /// Returns the mark that follows the last object; `None` if the partition has a gap.
    pub(crate) fn mark(&self) -> serde_json::Result<Option<CompletedPartition>> {
        if self.has_gap.load(Ordering::Relaxed) {
            return Ok(None);
        }
        Ok(Some(CompletedPartition {
            id: self.id,
            parent: self.parent.key.clone(),
            path: self.path.clone(),
            outer: self.outer.as_ref().map(|outer| outer.id),
            stats: serde_json::to_string(&*self.open())?,
        }))
    }

    /// Runs the work of the partition.
    pub(crate) async fn doing<F: Future>(self: &Arc<Self>, work: F) -> F::Output {
        Work::partition().scope(PARTITION.scope(Arc::clone(self), work)).await
    }

    /// Returns the running partition, if there is one.
    pub(crate) fn current() -> Option<Arc<Self>> {
        PARTITION.try_with(Arc::clone).ok()
    }

    /// Changes the statistics.
    pub(crate) fn note(&self, write: impl FnOnce(&mut PartitionStats)) {
        write(&mut self.open());
    }

    /// The parent.
    pub(crate) fn parent(&self) -> &Parent {
        &self.parent
    }

    pub(crate) fn id(&self) -> PartitionId {
        self.id
    }

    fn open(&self) -> MutexGuard<'_, PartitionStats> {
        self.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
