//! Parts: what a step collects under one parent, done or not done as a whole.
//!
//! Everything that is added while the future of a part runs belongs to it. A part that is done is marked in the same
//! transaction as the last of its objects, so a job that was killed goes on with the parents that are left. A part with a gap
//! is not done: its parent is requested again when the job is resumed, so only collected data close a gap.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::graph::{ObjectKey, ObjectType};
use crate::room::Work;
use crate::store::{DonePart, PartNumber};

use super::losses::LeftOut;
use super::{FindingCount, Scope};

tokio::task_local! {
    static PART: Arc<Part>;
}

/// The part at work.
#[derive(Debug)]
pub(crate) struct Part {
    number: PartNumber,
    under: Scope,
    path: String,
    /// The part that contains this one.
    outer: Option<Arc<Part>>,
    has_gap: AtomicBool,
    books: Mutex<PartBooks>,
}

/// What a part leaves behind beside its objects.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct PartBooks {
    pub(crate) skipped: BTreeMap<ObjectType, BTreeMap<String, u64>>,
    /// By what they have in common, so that many objects of one fault take no more room than one.
    pub(crate) findings: BTreeMap<String, FindingCount>,
    /// The names of objects left out on purpose.
    #[serde(default)]
    pub(crate) left_out: LeftOut,
}

/// How often each parent has had its turn in a step.
#[derive(Debug, Default)]
pub(crate) struct PartTurns(Mutex<HashMap<String, u32>>);

impl PartTurns {
    /// The number of the next turn, from 1 on.
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

impl Part {
    /// A part inside the current one, if there is one.
    pub(crate) fn new(number: PartNumber, under: Scope, path: String) -> Arc<Self> {
        let (outer, has_gap, books) = (Self::current(), AtomicBool::default(), Mutex::default());
        Arc::new(Self { number, under, path, outer, has_gap, books })
    }

    /// The place of a parent among the parts of a step: below the current part, and the how manieth of this parent there.
    ///
    /// Keys contain no control characters, so equal paths have equal parents.
    pub(crate) fn path(parent: &ObjectKey, turns: &PartTurns) -> String {
        let path = match Self::current() {
            Some(outer) => format!("{}\u{1f}{parent}", outer.path),
            None => parent.to_string(),
        };
        match turns.next(&path) {
            1 => path,
            turn => format!("{path}\u{1e}{turn}"),
        }
    }

    /// Notes that something under the parent is missing, here and in the parts around.
    pub(crate) fn leave_gap(&self) {
        let mut part = Some(self);
        while let Some(this) = part {
            this.has_gap.store(true, Ordering::Relaxed);
            part = this.outer.as_deref();
        }
    }

    /// The mark of the part behind its last object; `None` if something of it is missing.
    pub(crate) fn mark(&self) -> serde_json::Result<Option<DonePart>> {
        if self.has_gap.load(Ordering::Relaxed) {
            return Ok(None);
        }
        Ok(Some(DonePart {
            number: self.number,
            parent: self.under.key.clone(),
            path: self.path.clone(),
            outer: self.outer.as_ref().map(|outer| outer.number),
            books: serde_json::to_string(&*self.open())?,
        }))
    }

    /// Does the work of the part.
    pub(crate) async fn doing<F: Future>(self: &Arc<Self>, work: F) -> F::Output {
        Work::part().scope(PART.scope(Arc::clone(self), work)).await
    }

    /// The part at work, if there is one.
    pub(crate) fn current() -> Option<Arc<Self>> {
        PART.try_with(Arc::clone).ok()
    }

    /// Writes into the books.
    pub(crate) fn note(&self, write: impl FnOnce(&mut PartBooks)) {
        write(&mut self.open());
    }

    /// The parent.
    pub(crate) fn under(&self) -> &Scope {
        &self.under
    }

    pub(crate) fn number(&self) -> PartNumber {
        self.number
    }

    fn open(&self) -> MutexGuard<'_, PartBooks> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
