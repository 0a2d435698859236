//! Statistics of a running step: added and skipped objects, findings, and gaps.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Display;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::graph::run::{ErrorCode, Finding, FindingCount, Gap, NamedCount, Parent, VANISHED};
use crate::graph::{ObjectKey, ObjectType};
use crate::http::ProviderError;
use crate::store::{Conflict, DescribedAgain};

use super::losses::{Losses, name_left_out, short};
use super::partition::{Partition, PartitionStats};
use super::{ObjectError, StepError};

/// A parent that the provider did not find. The end of all steps shows whether it is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Vanished {
    pub(crate) parent: Parent,
    pub(crate) code: ErrorCode,
    pub(crate) cause: String,
    /// Whether the provider states that the parent was removed.
    pub(crate) is_gone: bool,
}

/// The parents whose partitions a step collected in this run, as digests of their keys.
#[derive(Debug, Clone, Default)]
pub(crate) struct FoundParents(BTreeMap<ObjectType, HashSet<u64>>);

impl FoundParents {
    fn add(&mut self, parent: &Parent) {
        self.0.entry(parent.object_type.clone()).or_default().insert(key_digest(&parent.key));
    }

    /// Returns whether the step found this parent.
    pub(crate) fn contains(&self, parent: &Parent) -> bool {
        self.0.get(&parent.object_type).is_some_and(|found| found.contains(&key_digest(&parent.key)))
    }

    /// Returns whether the step found a parent of the type.
    pub(crate) fn has_any(&self, object_type: &ObjectType) -> bool {
        self.0.contains_key(object_type)
    }
}

/// Returns a digest that needs less memory than the key. Equal digests of two keys only lead to another gap.
fn key_digest(key: &ObjectKey) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

/// The reason for skipping further descriptions of an object. Its count is that of the objects.
const DESCRIBED_AGAIN: &str = "an object with several descriptions, of which one is kept";
/// The maximum number of findings that are recognized when they occur again.
const REMEMBERED: usize = 1 << 20;
/// Objects that are named in one warning.
const NAMED_IN_WARNING: usize = 10;

/// The statistics of a step at one moment.
#[derive(Debug, Clone, Default)]
pub struct StepStatsSnapshot {
    /// The names of the properties that were added to entities of other steps.
    pub amended: BTreeSet<String>,
    /// The numbers of added objects, by type.
    pub added: BTreeMap<ObjectType, u64>,
    /// The numbers of skipped objects, by type and reason.
    pub skipped: BTreeMap<ObjectType, BTreeMap<String, u64>>,
    /// The gaps.
    pub gaps: Vec<Gap>,
    /// Names of objects that were not added.
    pub(crate) losses: Losses,
    /// Types that were emitted without being declared.
    pub undeclared: BTreeSet<ObjectType>,
    /// Schema findings by type, pointer, and reason.
    pub findings: BTreeMap<String, FindingCount>,
    /// The quarantined objects, by type.
    pub quarantined: BTreeMap<ObjectType, NamedCount>,
    /// Rejected objects by type: their number, the code, and the first cause.
    pub rejected: BTreeMap<ObjectType, (u64, ErrorCode, String)>,
    /// The number of partitions.
    pub partitions: u64,
    /// The number of failed partitions.
    pub failed_partitions: u64,
    /// The number of partitions whose objects were kept from the newest snapshot.
    pub kept_partitions: u64,
    /// The number of parents that the configuration excludes.
    pub excluded_parents: u64,
    /// Parents that the provider did not find.
    pub(crate) vanished: Vec<Vanished>,
    /// Parents that the provider found.
    pub(crate) found: FoundParents,
    /// Objects of other steps that lost their key to a lesser type of this step.
    pub(crate) displaced: Vec<Conflict>,
}

/// The statistics of a step while it runs.
#[derive(Debug, Default)]
pub struct StepStats {
    record: Mutex<StepStatsSnapshot>,
    /// Objects that entered the ingest path, counted before validation for the progress display.
    offered: AtomicU64,
    /// The digests of the counted findings.
    found: Mutex<HashSet<u64>>,
}

impl StepStats {
    /// Returns a copy of the current statistics.
    pub fn snapshot(&self) -> StepStatsSnapshot {
        self.open().clone()
    }

    /// Returns the number of objects that entered the ingest path, validated or not.
    pub fn offered(&self) -> u64 {
        self.offered.load(Ordering::Relaxed)
    }

    pub(crate) fn offer(&self) {
        self.offered.fetch_add(1, Ordering::Relaxed);
    }

    /// Locks the statistics. Every change is one assignment or insertion, so they are consistent even after a panic
    /// elsewhere.
    pub(crate) fn open(&self) -> MutexGuard<'_, StepStatsSnapshot> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn skip(&self, object_type: &ObjectType, reason: &str, partition: Option<&Partition>) {
        count(&mut self.open().skipped, object_type, reason, 1);
        if let Some(partition) = partition {
            partition.note(|stats| count(&mut stats.skipped, object_type, reason, 1));
        }
    }

    /// Counts an object that the step omits on purpose, and keeps its name.
    pub(crate) fn skip_named(
        &self,
        object_type: &ObjectType,
        reason: &str,
        name: &dyn Display,
        partition: Option<&Partition>,
    ) {
        let name = short(name);
        tracing::info!(r#type = %object_type, object = name, reason, "skipped on purpose");
        self.skip(object_type, reason, partition);
        name_left_out(self.open().losses.named_left_out(), object_type, reason, &name);
        if let Some(partition) = partition {
            partition.note(|stats| name_left_out(&mut stats.left_out, object_type, reason, &name));
        }
    }

    /// Records an object that is missing because of another gap.
    pub(crate) fn miss(
        &self,
        object_type: &ObjectType,
        reason: &str,
        name: &dyn Display,
        partition: Option<&Partition>,
    ) {
        let name = short(name);
        tracing::info!(r#type = %object_type, object = name, reason, "missing");
        let parent = partition.map(|partition| partition.parent().clone());
        partition.inspect(|partition| partition.leave_gap());
        self.open().losses.missed(object_type, parent, reason, &name);
    }

    /// Records a list element that could not be read.
    pub(crate) fn unread(&self, types: BTreeSet<ObjectType>, error: &ProviderError, partition: Option<&Partition>) {
        tracing::warn!(%error, "a list element could not be read");
        let parent = partition.map(|partition| partition.parent().clone());
        let gap = Gap::new(types, error.code(), error.to_string()).under(parent).not_resumable();
        partition.inspect(|partition| partition.leave_gap());
        self.open().losses.unread(gap);
    }

    /// Adds the statistics of a partition that an earlier process completed.
    pub(crate) fn take_over(&self, earlier: PartitionStats) {
        for (object_type, reasons) in &earlier.skipped {
            for (reason, times) in reasons {
                count(&mut self.open().skipped, object_type, reason, *times);
            }
        }
        let mut record = self.open();
        record.losses.take_over(earlier.left_out);
        record.amended.extend(earlier.amended);
        for (alike, found) in earlier.findings {
            record.findings.entry(alike).and_modify(|known| known.count += found.count).or_insert(found);
        }
        record.partitions += 1;
        record.kept_partitions += u64::from(earlier.kept);
    }

    /// Replaces the counts by those of the store, for a step that an earlier process started.
    pub(crate) fn recount(&self, counts: impl IntoIterator<Item = (ObjectType, u64)>) {
        self.open().added = counts.into_iter().collect();
    }

    /// Counts further descriptions of objects, of which only one is kept. They are not gaps.
    pub(crate) fn described_again(&self, objects: Vec<DescribedAgain>) {
        for DescribedAgain { object_type, count: times, keys } in objects {
            let some = keys.iter().take(NAMED_IN_WARNING).map(String::as_str).collect::<Vec<_>>().join(", ");
            tracing::warn!(
                %object_type, times, objects = some,
                "objects have several descriptions; the one with the latest update is kept, and equal ones are decided by their text"
            );
            let mut record = self.open();
            count(&mut record.skipped, &object_type, DESCRIBED_AGAIN, times);
            for key in keys {
                name_left_out(record.losses.named_left_out(), &object_type, DESCRIBED_AGAIN, &short(&key));
            }
        }
    }

    /// Counts a partition whose objects are kept from the newest snapshot.
    pub(crate) fn keep(&self, partition: &Partition) {
        partition.note(|stats| stats.kept = true);
        self.open().kept_partitions += 1;
    }

    /// Counts a parent that the configuration excludes.
    pub(crate) fn exclude(&self) {
        self.open().excluded_parents += 1;
    }

    /// Records a parent whose partition was collected.
    pub(crate) fn find_parent(&self, parent: &Parent) {
        self.open().found.add(parent);
    }

    /// Records a parent that the provider does not find.
    ///
    /// Its partition stays incomplete until the end of all steps shows whether the parent is gone.
    pub(crate) fn vanish(
        &self,
        types: &BTreeSet<ObjectType>,
        parent: Parent,
        error: &StepError,
        partition: &Partition,
    ) {
        partition.leave_gap();
        tracing::info!(parent = %parent.key, %error, "a parent may have vanished");
        let mut record = self.open();
        types.iter().for_each(|object_type| count(&mut record.skipped, object_type, VANISHED, 1));
        let (code, cause, is_gone) = (error.code(), error.to_string(), error.is_gone());
        record.vanished.push(Vanished { parent, code, cause, is_gone });
    }

    /// Records a gap, and marks `partition` as incomplete.
    pub(crate) fn add_gap(
        &self,
        types: BTreeSet<ObjectType>,
        parent: Option<Parent>,
        error: &StepError,
        partition: Option<&Partition>,
    ) {
        partition.inspect(|partition| partition.leave_gap());
        self.open().gaps.push(Gap::new(types, error.code(), error.to_string()).under(parent));
    }

    /// Counts an object that passed validation or is quarantined, with its findings.
    pub(crate) fn admit(
        &self,
        (object_type, key): (&ObjectType, &ObjectKey),
        apart: bool,
        findings: Vec<Finding>,
        partition: Option<&Partition>,
    ) {
        if !findings.is_empty() {
            self.find(findings, partition);
        }
        partition.filter(|_| apart).inspect(|partition| partition.leave_gap());
        let mut record = self.open();
        if apart {
            return record.quarantined.entry(object_type.clone()).or_default().add(short(key));
        }
        match record.added.get_mut(object_type) {
            Some(count) => *count += 1,
            None => drop(record.added.insert(object_type.clone(), 1)),
        }
    }

    /// Counts findings that are new in the step, in the statistics of the partition as well.
    ///
    /// An object can be checked several times: for each of its descriptions and for each amendment. Returns whether a
    /// finding was counted.
    pub(crate) fn find(&self, mut findings: Vec<Finding>, partition: Option<&Partition>) -> bool {
        {
            let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
            findings.retain(|finding| found.len() >= REMEMBERED || found.insert(digest(finding)));
        }
        if findings.is_empty() {
            return false;
        }
        if let Some(partition) = partition {
            partition
                .note(|stats| findings.iter().for_each(|finding| count_finding(&mut stats.findings, finding.clone())));
        }
        let mut record = self.open();
        findings.into_iter().for_each(|finding| count_finding(&mut record.findings, finding));
        true
    }

    /// Records properties added to entities of other steps, in the partition's statistics as well.
    pub(crate) fn amend<'a>(&self, names: impl Iterator<Item = &'a String> + Clone, partition: Option<&Partition>) {
        if let Some(partition) = partition {
            partition.note(|stats| keep_names(&mut stats.amended, names.clone()));
        }
        keep_names(&mut self.open().amended, names);
    }

    /// Subtracts objects that the writer did not add, because they were repeated.
    pub(crate) fn take_off(&self, repeated: Vec<ObjectType>) {
        let mut record = self.open();
        for object_type in repeated {
            if let Some(added) = record.added.get_mut(&object_type) {
                *added = added.saturating_sub(1);
            }
        }
    }

    /// Records an object of another step that an object of this step displaced.
    pub(crate) fn displace(&self, conflict: Conflict) {
        self.open().displaced.push(conflict);
    }

    /// Records a type that the step adds without declaring it; returns whether it is new.
    pub(crate) fn undeclared(&self, object_type: &ObjectType, partition: Option<&Partition>) -> bool {
        partition.inspect(|partition| partition.leave_gap());
        let mut record = self.open();
        !record.undeclared.contains(object_type) && record.undeclared.insert(object_type.clone())
    }

    /// Records an object that is rejected.
    pub(crate) fn reject(&self, error: ObjectError, partition: Option<&Partition>) {
        partition.inspect(|partition| partition.leave_gap());
        let object_type = error.object_type().clone();
        let cause = error.to_string();
        let code = error.code();
        self.open().rejected.entry(object_type).or_insert((0, code, cause)).0 += 1;
    }
}

fn keep_names<'a>(known: &mut BTreeSet<String>, names: impl Iterator<Item = &'a String>) {
    for name in names {
        if !known.contains(name) {
            known.insert(name.clone());
        }
    }
}

/// Returns a number that identifies the object, the place, and the reason of a finding.
fn digest(finding: &Finding) -> u64 {
    let mut hasher = DefaultHasher::new();
    let Finding { object_type, key, pointer, reason, schema: _ } = finding;
    (object_type, key, pointer, reason).hash(&mut hasher);
    hasher.finish()
}

/// Counts a finding together with those of the same type, pointer, and reason.
fn count_finding(findings: &mut BTreeMap<String, FindingCount>, finding: Finding) {
    let alike = format!("{} {} {}", finding.object_type, finding.pointer, finding.reason);
    let first = FindingCount { count: 1, example: finding };
    findings.entry(alike).and_modify(|known| known.count += 1).or_insert(first);
}

type Reasons = BTreeMap<ObjectType, BTreeMap<String, u64>>;

fn count(reasons: &mut Reasons, object_type: &ObjectType, reason: &str, times: u64) {
    *reasons.entry(object_type.clone()).or_default().entry(reason.to_owned()).or_default() += times;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::run::PartitionId;

    fn finding(key: usize) -> Finding {
        let (object_type, key, schema) = ("acme_thing".into(), format!("thing:{key}"), "Record".into());
        Finding { object_type, key, pointer: "/name".into(), reason: "value is not a string".into(), schema }
    }

    #[test]
    fn findings_that_are_alike_take_no_more_room_in_the_statistics_of_a_partition_and_are_counted_when_they_are_taken_over()
     {
        let team =
            Parent { object_type: ObjectType::literal("acme_team"), key: ObjectKey::new("team:000001").unwrap() };
        let (stats, partition) = (StepStats::default(), Partition::new(PartitionId::FIRST, team, "team:000001".into()));
        (0..100).for_each(|key| assert!(stats.find(vec![finding(key)], Some(&*partition))));
        let json = partition.mark().unwrap().unwrap().stats;
        assert!(json.len() < 500, "{json}");
        let resumed = StepStats::default();
        resumed.take_over(serde_json::from_str(&json).unwrap());
        assert_eq!(resumed.snapshot().findings, stats.snapshot().findings);
        assert_eq!(resumed.snapshot().findings.values().map(|found| found.count).collect::<Vec<_>>(), [100]);
    }

    #[test]
    fn a_finding_about_an_object_is_counted_once() {
        let stats = StepStats::default();
        assert!(stats.find(vec![finding(1), finding(2)], None));
        assert!(!stats.find(vec![finding(1)], None));
        assert_eq!(stats.snapshot().findings.values().map(|found| found.count).collect::<Vec<_>>(), [2]);
    }
}
