//! The books of a running step: what it added, what it left out, what it could not get.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::graph::{ObjectKey, ObjectType, StepId};
use crate::http::ProviderError;
use crate::schema::Finding;
use crate::store::Conflict;

use super::losses::{Losses, name_left_out, short};
use super::part::{Part, PartBooks};
use super::{ObjectError, StepError};

/// A parent whose parts were collected together: the members of team T have the scope team T.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Scope {
    /// The parent's type.
    #[serde(rename = "type")]
    pub object_type: ObjectType,
    /// The parent's key.
    pub key: ObjectKey,
}

/// Objects that may exist at the provider and are not in the graph.
///
/// Whatever consumes the graph must delete nothing of these types, or, where a scope is given, nothing of them
/// under that parent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Incomplete {
    /// The types concerned; none where a step that adds nothing could not do its work.
    pub types: BTreeSet<ObjectType>,
    /// The parent; everywhere, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub under: Option<Scope>,
    /// The code of the error.
    pub code: String,
    /// The cause, for people.
    pub cause: String,
    /// The step whose failure is the root, where it is not this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inherited_from: Option<StepId>,
    /// Whether the job may close the gap when it is resumed; absent from JSON if it may.
    #[serde(default = "resumable", skip_serializing_if = "is_resumable")]
    pub resumable: bool,
}

fn resumable() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_resumable(resumable: &bool) -> bool {
    *resumable
}

impl Incomplete {
    /// A gap that resuming the job does not close.
    pub(crate) fn unreadable(
        types: BTreeSet<ObjectType>,
        under: Option<Scope>,
        code: impl Into<String>,
        cause: String,
    ) -> Self {
        Self { types, under, code: code.into(), cause, inherited_from: None, resumable: false }
    }
}

/// Findings that are alike, counted, with the first few as examples.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FindingCount {
    /// How many objects.
    pub count: u64,
    /// The first one.
    pub example: Finding,
}

/// Why a description of an object is left out that has another one.
const DESCRIBED_AGAIN: &str = "another description of an object with the same key";

/// A step's books at one moment.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// Objects added, by type.
    pub added: BTreeMap<ObjectType, u64>,
    /// Objects left out on purpose, by type and reason.
    pub skipped: BTreeMap<ObjectType, BTreeMap<String, u64>>,
    /// What could not be collected.
    pub incomplete: Vec<Incomplete>,
    /// Objects that are not added, by name.
    pub(crate) losses: Losses,
    /// Types met but not declared.
    pub undeclared: BTreeSet<ObjectType>,
    /// Schema findings by type, pointer and reason.
    pub findings: BTreeMap<String, FindingCount>,
    /// Objects kept apart because of findings, by type.
    pub quarantined: BTreeMap<ObjectType, u64>,
    /// Objects that the graph did not take, by type: how many, the code, and the first cause.
    pub refused: BTreeMap<ObjectType, (u64, &'static str, String)>,
    /// Parents worked on.
    pub parts: u64,
    /// Parents that failed.
    pub failed_parts: u64,
    /// Objects of other steps that were refused after all, because this step added a lesser one of the same key.
    pub(crate) displaced: Vec<Conflict>,
}

/// The books, open while the step runs.
#[derive(Debug, Default)]
pub struct Ledger {
    record: Mutex<Record>,
    /// Objects on their way, counted before they are checked: what progress shows.
    offered: AtomicU64,
}

impl Ledger {
    /// The books as they stand.
    pub fn snapshot(&self) -> Record {
        self.open().clone()
    }

    /// Objects offered so far, checked or not.
    pub fn offered(&self) -> u64 {
        self.offered.load(Ordering::Relaxed)
    }

    pub(crate) fn offer(&self) {
        self.offered.fetch_add(1, Ordering::Relaxed);
    }

    /// Every change is one assignment or insertion, so the books hold even after a panic elsewhere.
    pub(crate) fn open(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn skip(&self, object_type: &ObjectType, reason: &str, part: Option<&Part>) {
        count(&mut self.open().skipped, object_type, reason, 1);
        if let Some(part) = part {
            part.note(|books| count(&mut books.skipped, object_type, reason, 1));
        }
    }

    /// Counts an object that is left out on purpose, and keeps its name.
    pub(crate) fn skip_named(&self, object_type: &ObjectType, reason: &str, name: &dyn Display, part: Option<&Part>) {
        let name = short(name);
        tracing::info!(r#type = %object_type, object = name, reason, "left out on purpose");
        self.skip(object_type, reason, part);
        name_left_out(self.open().losses.named_left_out(), object_type, reason, &name);
        if let Some(part) = part {
            part.note(|books| name_left_out(&mut books.left_out, object_type, reason, &name));
        }
    }

    /// Notes an object that is missing because of another gap.
    pub(crate) fn miss(&self, object_type: &ObjectType, reason: &str, name: &dyn Display, part: Option<&Part>) {
        let name = short(name);
        tracing::info!(r#type = %object_type, object = name, reason, "missing");
        let under = part.map(|part| part.under().clone());
        part.inspect(|part| part.leave_gap());
        self.open().losses.missed(object_type, under, reason, &name);
    }

    /// Notes an element of a list that could not be read.
    pub(crate) fn unread(&self, types: BTreeSet<ObjectType>, error: &ProviderError, part: Option<&Part>) {
        tracing::warn!(%error, "an element of a list could not be read");
        let under = part.map(|part| part.under().clone());
        let gap = Incomplete::unreadable(types, under, error.code(), error.to_string());
        part.inspect(|part| part.leave_gap());
        self.open().losses.unread(gap);
    }

    /// Takes over the books of a part that was done before this process.
    pub(crate) fn take_over(&self, books: PartBooks) {
        for (object_type, reasons) in &books.skipped {
            for (reason, times) in reasons {
                count(&mut self.open().skipped, object_type, reason, *times);
            }
        }
        let mut record = self.open();
        record.losses.take_over(books.left_out);
        for (alike, found) in books.findings {
            record.findings.entry(alike).and_modify(|known| known.count += found.count).or_insert(found);
        }
        record.parts += 1;
    }

    /// Replaces the counts by what the store has, where a step did not begin in this process.
    pub(crate) fn recount(&self, counts: impl IntoIterator<Item = (ObjectType, u64)>) {
        self.open().added = counts.into_iter().collect();
    }

    /// Notes how many objects the step described in several ways, of which one stayed: nothing is missing.
    pub(crate) fn described_again(&self, objects: impl IntoIterator<Item = (ObjectType, u64)>) {
        for (object_type, times) in objects {
            tracing::warn!(%object_type, times, "objects are described in several ways; the newest description stays");
            count(&mut self.open().skipped, &object_type, DESCRIBED_AGAIN, times);
        }
    }

    /// Notes what could not be collected, in the books of `part` too.
    pub(crate) fn incomplete(
        &self,
        types: BTreeSet<ObjectType>,
        under: Option<Scope>,
        error: &StepError,
        part: Option<&Part>,
    ) {
        part.inspect(|part| part.leave_gap());
        let (code, cause) = (error.code().to_owned(), error.to_string());
        self.open().incomplete.push(Incomplete { types, under, code, cause, inherited_from: None, resumable: true });
    }

    /// Counts an object that is on its way to the store, with what its schemas say of it.
    pub(crate) fn admit(&self, object_type: &ObjectType, apart: bool, findings: Vec<Finding>, part: Option<&Part>) {
        if !findings.is_empty() {
            self.find(findings, part);
        }
        part.filter(|_| apart).inspect(|part| part.leave_gap());
        let mut record = self.open();
        let counts = if apart { &mut record.quarantined } else { &mut record.added };
        match counts.get_mut(object_type) {
            Some(count) => *count += 1,
            None => drop(counts.insert(object_type.clone(), 1)),
        }
    }

    /// Counts what schemas say of an object, in the books of its part too.
    pub(crate) fn find(&self, findings: Vec<Finding>, part: Option<&Part>) {
        if let Some(part) = part {
            part.note(|books| findings.iter().for_each(|finding| count_finding(&mut books.findings, finding.clone())));
        }
        let mut record = self.open();
        findings.into_iter().for_each(|finding| count_finding(&mut record.findings, finding));
    }

    /// Takes objects of a batch off the counts, which the writer did not add.
    pub(crate) fn take_off(&self, repeated: Vec<ObjectType>) {
        let mut record = self.open();
        for object_type in repeated {
            if let Some(added) = record.added.get_mut(&object_type) {
                *added = added.saturating_sub(1);
            }
        }
    }

    /// Notes an object of another step that an object of this one displaced.
    pub(crate) fn displace(&self, conflict: Conflict) {
        self.open().displaced.push(conflict);
    }

    /// Notes a type that the step adds without declaring it; whether that is news.
    pub(crate) fn undeclared(&self, object_type: &ObjectType, part: Option<&Part>) -> bool {
        part.inspect(|part| part.leave_gap());
        let mut record = self.open();
        !record.undeclared.contains(object_type) && record.undeclared.insert(object_type.clone())
    }

    /// Notes an object that the graph cannot take.
    pub(crate) fn refuse(&self, error: ObjectError, part: Option<&Part>) {
        part.inspect(|part| part.leave_gap());
        let object_type = error.object_type().clone();
        let cause = error.to_string();
        let code = error.code();
        self.open().refused.entry(object_type).or_insert((0, code, cause)).0 += 1;
    }
}

/// Counts a finding with those of the same type, place and reason.
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

    fn finding(key: usize) -> Finding {
        let (object_type, key, schema) = ("acme_thing".into(), format!("thing:{key}"), "Record".into());
        Finding { object_type, key, pointer: "/name".into(), reason: "value is not a string".into(), schema }
    }

    #[test]
    fn findings_that_are_alike_take_no_more_room_in_the_books_of_a_part_and_are_counted_when_they_are_taken_over() {
        let team = Scope { object_type: ObjectType::literal("acme_team"), key: ObjectKey::new("team:000001").unwrap() };
        let (ledger, part) = (Ledger::default(), Part::new(1, team, "team:000001".into()));
        (0..100).for_each(|key| ledger.find(vec![finding(key)], Some(&*part)));
        let json = part.mark().unwrap().unwrap().books;
        assert!(json.len() < 500, "{json}");
        let resumed = Ledger::default();
        resumed.take_over(serde_json::from_str(&json).unwrap());
        assert_eq!(resumed.snapshot().findings, ledger.snapshot().findings);
        assert_eq!(resumed.snapshot().findings.values().map(|found| found.count).collect::<Vec<_>>(), [100]);
    }
}
