//! Places in the history of an instance.

use integration_sdk::store::SnapshotInfo;
use integration_store::SnapshotId;
use serde::{Deserialize, Serialize};

/// The snapshot of an instance up to which a rule has seen the changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Position {
    /// The job that published the snapshot.
    pub job: String,
    /// The number of the publication. It is absent in files of version 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<u64>,
}

/// The snapshots whose changes a rule has not seen yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unseen {
    /// The snapshots in their order. Each change is that from one to the next.
    pub(crate) path: Vec<SnapshotInfo>,
    /// Whether changes before the first snapshot of the path are lost, because a snapshot was pruned.
    pub(crate) has_lost: bool,
}

impl From<&SnapshotId> for Position {
    fn from(id: &SnapshotId) -> Self {
        Self { job: id.job.to_string(), snapshot: Some(id.number) }
    }
}

impl Position {
    /// Returns whether the position is that of a snapshot.
    pub(crate) fn is_at(&self, id: &SnapshotId) -> bool {
        self.job == id.job.as_str() && self.snapshot == Some(id.number)
    }

    /// Returns the way from this position to the snapshot `to`.
    ///
    /// `kept` are the snapshots of the instance, newest first, as the store lists them. If the snapshot of the position
    /// was pruned, the way begins at the oldest later one that is kept. A position after `to` has no way. A position of
    /// another store begins again at `to`.
    pub(crate) fn unseen(&self, kept: &[SnapshotInfo], to: &SnapshotId) -> Unseen {
        let at = kept.iter().position(|info| info.number() == to.number).unwrap_or(kept.len());
        let (later, mut path) = (&kept[..at], kept[at..].to_vec());
        path.reverse();
        let is_here = |info: &SnapshotInfo| {
            info.job.as_str() == self.job && self.snapshot.is_none_or(|number| number == info.number())
        };
        if let Some(from) = path.iter().position(is_here) {
            return Unseen { path: path.split_off(from), has_lost: false };
        }
        if later.iter().any(is_here) {
            return Unseen { path: Vec::new(), has_lost: false };
        }
        let is_later = |info: &SnapshotInfo| self.snapshot.is_some_and(|number| info.number() > number);
        let from = path.iter().position(is_later).unwrap_or(path.len().saturating_sub(1));
        Unseen { path: path.split_off(from), has_lost: true }
    }
}
