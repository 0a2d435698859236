//! The record that a target keeps of its own contents.
//!
//! Changes lead from one snapshot to another, so a target must know which one it contains. Three things disturb this:
//! a transfer that was interrupted, a transfer of a part of another snapshot, and raw data that only some objects have.
//! The record contains all three, and [`check_changes`] applies the same rules to every target.

use integration_store::SnapshotId;

use crate::manifest::ManifestSnapshot;
use crate::{Manifest, Scope, SinkError, TransferKind};

/// The contents of a target from one instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedSnapshot {
    /// The integration.
    pub integration: String,
    /// The instance.
    pub instance: String,
    /// The last snapshot that was transferred as a whole.
    pub whole: Option<RecordedPublication>,
    /// The names of other snapshots of which the target may contain a part, separated by spaces.
    pub part: Option<String>,
}

/// A publication that a target contains as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedPublication {
    /// The job.
    pub job: String,
    /// The number of the publication.
    pub number: u64,
    /// Whether the objects have raw data; `None` if an earlier version of this program recorded the publication.
    pub with_raw: Option<bool>,
}

impl RecordedPublication {
    fn of(id: &SnapshotId, with_raw: bool) -> Self {
        Self { job: id.job.to_string(), number: id.number, with_raw: Some(with_raw) }
    }

    fn is(&self, id: &SnapshotId) -> bool {
        self.job == id.job.as_str() && self.number == id.number
    }

    fn fits(&self, with_raw: bool) -> bool {
        self.with_raw.is_none_or(|recorded| recorded == with_raw)
    }
}

impl RecordedSnapshot {
    /// Creates the record of an instance of which the target contains nothing.
    pub fn nothing(id: &SnapshotId) -> Self {
        Self { integration: id.integration.clone(), instance: id.instance.to_string(), whole: None, part: None }
    }

    /// Returns whether this is the record of a snapshot's instance.
    pub fn is_of(&self, id: &SnapshotId) -> bool {
        self.integration == id.integration && self.instance == id.instance.as_str()
    }

    /// Returns the record from the beginning of a transfer until its end: the target may contain a part of the snapshot.
    pub fn begun(&self, manifest: &Manifest, id: &SnapshotId) -> Self {
        let mark = mark(id, manifest.with_raw);
        let part = match &self.part {
            None => mark,
            Some(part) if part.split(' ').any(|one| one == mark) => part.clone(),
            // Changes fit none of several snapshots, so two names are enough.
            Some(part) if part.contains(' ') => part.clone(),
            Some(part) => format!("{part} {mark}"),
        };
        Self { part: Some(part), ..self.clone() }
    }

    /// Returns the record after the transfer.
    pub fn ended(&self, manifest: &Manifest, id: &SnapshotId) -> Self {
        let is_same = |whole: &RecordedPublication| whole.is(id) && whole.fits(manifest.with_raw);
        let begun = self.begun(manifest, id);
        let is_only = begun.part.as_ref().is_none_or(|part| *part == mark(id, manifest.with_raw));
        let whole = match manifest.scope {
            Scope::All => Some(RecordedPublication::of(id, manifest.with_raw)),
            // A part of the snapshot that the target contains anyway.
            _ if is_only && self.whole.as_ref().is_some_and(is_same) => self.whole.clone(),
            _ => return begun,
        };
        Self { whole, part: None, ..self.clone() }
    }
}

impl ManifestSnapshot {
    /// Returns whether changes lead from the recorded publication of the instance to this snapshot.
    fn continues(&self, recorded: Option<&RecordedPublication>) -> bool {
        match (recorded, &self.since) {
            // The same changes again have no effect.
            (Some(recorded), _) if recorded.is(&self.id) => true,
            (Some(recorded), Some(since)) => recorded.is(since),
            (None, since) => since.is_none(),
            (Some(_), None) => false,
        }
    }
}

/// Checks that the changes of a transfer continue the recorded contents of a target. Whole transfers always fit.
///
/// # Errors
/// [`SinkError::Unsuitable`] with the reason.
pub fn check_changes(manifest: &Manifest, recorded: &[RecordedSnapshot]) -> Result<(), SinkError> {
    if manifest.transfer == TransferKind::Whole {
        return Ok(());
    }
    for snapshot in &manifest.snapshots {
        let id = &snapshot.id;
        let of_instance = recorded.iter().find(|recorded| recorded.is_of(id));
        let part = of_instance.and_then(|of| of.part.as_ref()).filter(|part| **part != mark(id, manifest.with_raw));
        let whole = of_instance.and_then(|of| of.whole.as_ref());
        let reason = match (part, whole) {
            (Some(part), _) => {
                let part = part.replace(' ', " and ");
                format!("the target contains only a part of the snapshot {part} of the instance {}", id.instance)
            }
            (None, whole) if !snapshot.continues(whole) => {
                let has = whole
                    .map_or_else(|| "no snapshot".to_owned(), |whole| format!("the snapshot of job {}", whole.job));
                format!("the target contains {has} of the instance {}, so these changes do not fit", id.instance)
            }
            (None, Some(whole)) if !whole.fits(manifest.with_raw) => {
                let (has, would) = if manifest.with_raw { ("no raw data", "some") } else { ("raw data", "none") };
                format!("the objects in the target have {has}, and changed objects would have {would}")
            }
            (None, _) => continue,
        };
        return Err(SinkError::Unsuitable(format!("{reason}; export the whole graph once")));
    }
    Ok(())
}

/// Returns the name of a snapshot with or without raw data. A resumed job publishes again, with another number.
fn mark(id: &SnapshotId, with_raw: bool) -> String {
    format!("{}/{}{}", id.job, id.number, if with_raw { "+raw" } else { "" })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use integration_graph::{InstanceId, JobId, ObjectType, Timestamp};

    use super::*;

    fn id(number: u64) -> SnapshotId {
        SnapshotId {
            integration: "acme".to_owned(),
            instance: InstanceId::default(),
            job: JobId::new("01234567-89ab-7cde-8123-456789abcdef").expect("an id"),
            number,
            published: Timestamp::from_millis(0),
            with_stale: true,
        }
    }

    fn manifest(since: Option<u64>, number: u64) -> Manifest {
        let transfer = if since.is_some() { TransferKind::Changes } else { TransferKind::Whole };
        let snapshots = vec![ManifestSnapshot { id: id(number), since: since.map(id), gaps: Vec::new() }];
        Manifest { snapshots, transfer, scope: Scope::All, with_raw: false, types: Vec::new() }
    }

    fn part(mut manifest: Manifest) -> Manifest {
        manifest.scope = Scope::Types(BTreeSet::from([ObjectType::literal("acme_user")]));
        manifest
    }

    fn with_raw(mut manifest: Manifest) -> Manifest {
        manifest.with_raw = true;
        manifest
    }

    /// The record after some transfers, which must all fit.
    fn after(transfers: &[Manifest]) -> RecordedSnapshot {
        transfers.iter().fold(RecordedSnapshot::nothing(&id(0)), |recorded, manifest| {
            check_changes(manifest, std::slice::from_ref(&recorded)).expect("the transfer fits");
            recorded.ended(manifest, &manifest.snapshots[0].id)
        })
    }

    fn refusal(recorded: RecordedSnapshot, manifest: &Manifest) -> String {
        check_changes(manifest, &[recorded]).expect_err("the transfer does not fit").to_string()
    }

    #[test]
    fn changes_continue_the_snapshot_before_them_and_may_be_repeated() {
        after(&[manifest(None, 2), manifest(Some(2), 3), manifest(Some(2), 3), manifest(Some(3), 4)]);
        let error = refusal(after(&[manifest(None, 1)]), &manifest(Some(2), 3));
        assert!(error.contains("contains the snapshot of job"), "{error}");
        let error = refusal(after(&[]), &manifest(Some(2), 3));
        assert!(error.contains("contains no snapshot"), "{error}");
    }

    #[test]
    fn changes_continue_no_part_of_another_snapshot() {
        after(&[manifest(None, 2), part(manifest(None, 2)), manifest(Some(2), 3)]);
        after(&[manifest(None, 2), part(manifest(None, 3)), part(manifest(Some(2), 3)), manifest(Some(2), 3)]);
        for transfers in [
            vec![part(manifest(None, 2))],
            vec![manifest(None, 2), part(manifest(None, 1))],
            // The second part does not make the first one complete.
            vec![manifest(None, 2), part(manifest(None, 4)), part(manifest(None, 3))],
            vec![manifest(None, 2), part(manifest(None, 4)), part(manifest(None, 5)), part(manifest(None, 3))],
        ] {
            let error = refusal(after(&transfers), &manifest(Some(2), 3));
            assert!(error.contains("only a part of the snapshot"), "{error}");
        }
        after(&[part(manifest(None, 4)), manifest(None, 2), manifest(Some(2), 3)]);
    }

    #[test]
    fn an_interrupted_transfer_is_repeated_or_replaced_by_a_whole_one() {
        let begun = after(&[manifest(None, 2)]).begun(&manifest(Some(2), 3), &id(3));
        check_changes(&manifest(Some(2), 3), std::slice::from_ref(&begun)).expect("the same transfer again");
        let error = refusal(begun.clone(), &manifest(Some(2), 4));
        assert!(error.contains("only a part of the snapshot"), "{error}");
        assert_eq!(begun.ended(&manifest(None, 4), &id(4)), after(&[manifest(None, 4)]));
    }

    #[test]
    fn changes_have_raw_data_if_the_other_objects_have_it() {
        after(&[with_raw(manifest(None, 2)), with_raw(manifest(Some(2), 3))]);
        let error = refusal(after(&[with_raw(manifest(None, 2))]), &manifest(Some(2), 3));
        assert!(error.contains("have raw data, and changed objects would have none"), "{error}");
        let error = refusal(after(&[manifest(None, 2)]), &with_raw(manifest(Some(2), 3)));
        assert!(error.contains("have no raw data, and changed objects would have some"), "{error}");
        let mixed = after(&[manifest(None, 2), with_raw(part(manifest(None, 2)))]);
        let error = refusal(mixed, &manifest(Some(2), 3));
        assert!(error.contains("only a part"), "{error}");
    }
}
