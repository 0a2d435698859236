//! The books of a running step: what it added, what it left out, what it could not get.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::graph::{ObjectKey, ObjectType, StepId};
use crate::schema::Finding;

use super::StepError;

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
    /// The types concerned.
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

/// A step's books at one moment.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// Objects added, by type.
    pub added: BTreeMap<ObjectType, u64>,
    /// Objects left out on purpose, by type and reason.
    pub skipped: BTreeMap<ObjectType, BTreeMap<String, u64>>,
    /// What could not be collected.
    pub incomplete: Vec<Incomplete>,
    /// Types met but not declared.
    pub undeclared: BTreeSet<ObjectType>,
    /// Schema findings by type, pointer and reason.
    pub findings: BTreeMap<String, FindingCount>,
    /// Objects kept apart because of findings.
    pub quarantined: u64,
    /// Parents worked on.
    pub parts: u64,
    /// Parents that failed.
    pub failed_parts: u64,
    /// Duplicate keys refused.
    pub duplicates: u64,
    pub(crate) first_duplicate: Option<(ObjectKey, ObjectType, StepId)>,
}

/// The books, open while the step runs.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Record>);

impl Ledger {
    /// The books as they stand.
    pub fn snapshot(&self) -> Record {
        self.open().clone()
    }

    /// Objects added so far.
    pub fn total(&self) -> u64 {
        self.open().added.values().sum()
    }

    /// Every change is one assignment or insertion, so the books hold even after a panic elsewhere.
    pub(crate) fn open(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn skip(&self, object_type: &ObjectType, reason: &str) {
        let mut record = self.open();
        let reasons = record.skipped.entry(object_type.clone()).or_default();
        *reasons.entry(reason.to_owned()).or_default() += 1;
    }

    pub(crate) fn incomplete(&self, types: BTreeSet<ObjectType>, under: Option<Scope>, error: &StepError) {
        let entry = Incomplete {
            types,
            under,
            code: error.code().to_owned(),
            cause: error.to_string(),
            inherited_from: None,
        };
        self.open().incomplete.push(entry);
    }

    pub(crate) fn found(&self, finding: Finding) {
        let class = format!("{} {} {}", finding.object_type, finding.pointer, finding.reason);
        let mut record = self.open();
        record.findings.entry(class).and_modify(|count| count.count += 1).or_insert(FindingCount { count: 1, example: finding });
    }
}
