//! Parts: what a step collects under one parent, done or not done as a whole.
//!
//! Everything that is added while the future of a part runs belongs to it. A part that is done is marked in the same
//! transaction as the last of its objects, so a job that was killed goes on with the parents that are left.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::graph::ObjectType;
use crate::room::Work;
use crate::store::PartNumber;

use super::FindingCount;

tokio::task_local! {
    static PART: Arc<Part>;
}

/// The part at work.
#[derive(Debug)]
pub(crate) struct Part {
    number: PartNumber,
    books: Mutex<PartBooks>,
}

/// What a part leaves behind beside its objects.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct PartBooks {
    pub(crate) skipped: BTreeMap<ObjectType, BTreeMap<String, u64>>,
    /// By what they have in common, so that many objects of one fault take no more room than one.
    pub(crate) findings: BTreeMap<String, FindingCount>,
}

impl Part {
    pub(crate) fn new(number: PartNumber) -> Arc<Self> {
        Arc::new(Self { number, books: Mutex::default() })
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

    pub(crate) fn number(&self) -> PartNumber {
        self.number
    }

    /// The books, as JSON.
    pub(crate) fn books(&self) -> serde_json::Result<String> {
        serde_json::to_string(&*self.open())
    }

    fn open(&self) -> MutexGuard<'_, PartBooks> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
