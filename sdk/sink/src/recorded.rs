//! The snapshots that a target records itself.

use integration_store::SnapshotId;

use crate::manifest::ManifestSnapshot;

/// The snapshot of an instance that a target contains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedSnapshot {
    /// The integration.
    pub integration: String,
    /// The instance.
    pub instance: String,
    /// The job.
    pub job: String,
    /// The number of the publication.
    pub number: u64,
}

impl RecordedSnapshot {
    /// Returns whether this is the snapshot with an identity.
    pub fn is(&self, id: &SnapshotId) -> bool {
        self.is_of(id) && self.job == id.job.as_str() && self.number == id.number
    }

    /// Returns whether this is a snapshot of the same instance.
    pub fn is_of(&self, id: &SnapshotId) -> bool {
        self.integration == id.integration && self.instance == id.instance.as_str()
    }
}

impl ManifestSnapshot {
    /// Returns whether changes lead from the recorded snapshot of the instance to this one.
    pub fn continues(&self, recorded: Option<&RecordedSnapshot>) -> bool {
        match (recorded, &self.since) {
            // The same changes again have no effect.
            (Some(recorded), _) if recorded.is(&self.id) => true,
            (Some(recorded), Some(since)) => recorded.is(since),
            (None, since) => since.is_none(),
            (Some(_), None) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use integration_graph::{InstanceId, JobId, Timestamp};

    use super::*;

    #[test]
    fn changes_continue_the_snapshot_before_them_and_may_be_repeated() {
        let id = |number: u64| SnapshotId {
            integration: "acme".to_owned(),
            instance: InstanceId::default(),
            job: JobId::new("01234567-89ab-7cde-8123-456789abcdef").expect("an id"),
            number,
            published: Timestamp::from_millis(0),
            with_stale: true,
        };
        let recorded = |number: u64| {
            let SnapshotId { integration, instance, job, .. } = id(number);
            RecordedSnapshot { integration, instance: instance.to_string(), job: job.to_string(), number }
        };
        let snapshot = |since: Option<u64>| ManifestSnapshot { id: id(3), since: since.map(id), gaps: Vec::new() };
        let fits = |since, of: Option<u64>| snapshot(since).continues(of.map(recorded).as_ref());
        assert!(fits(Some(2), Some(2)) && fits(Some(2), Some(3)) && fits(None, None) && fits(None, Some(3)));
        assert!(!fits(Some(2), Some(1)) && !fits(Some(2), None) && !fits(None, Some(2)));
    }
}
