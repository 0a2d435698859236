//! The gaps that earlier runs of a job left, kept until the job is pruned.
//!
//! A resumed job discards the result of an incomplete step before it runs the step again. These records outlast that
//! result, so that a gap is closed only by its data, even if a process is killed between two runs.

use std::collections::{BTreeSet, HashMap};

use rusqlite::params;

use crate::graph::{ObjectKey, StepId};

use super::sqlite::unreadable;
use super::{JobStore, StoreError};

/// The gaps of earlier runs of a job, by step and parent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct EarlierGaps {
    whole: BTreeSet<StepId>,
    parents: HashMap<ObjectKey, BTreeSet<StepId>>,
}

impl EarlierGaps {
    fn add(&mut self, step: StepId, parent: Option<ObjectKey>) {
        match parent {
            None => self.whole.insert(step),
            Some(parent) => self.parents.entry(parent).or_default().insert(step),
        };
    }

    /// Returns whether a step had a gap that may concern this parent.
    pub(crate) fn concern(&self, step: &StepId, parent: &ObjectKey) -> bool {
        self.whole.contains(step) || self.parents.get(parent).is_some_and(|steps| steps.contains(step))
    }

    /// Returns whether any step had a gap under this parent.
    pub(crate) fn are_under(&self, parent: &ObjectKey) -> bool {
        self.parents.contains_key(parent)
    }
}

impl JobStore {
    /// Records gaps and returns all gaps that were ever recorded; a gap without a parent concerns its whole step.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub(crate) async fn note_gaps(&self, gaps: Vec<(StepId, Option<ObjectKey>)>) -> Result<EarlierGaps, StoreError> {
        let job = self.number;
        self.store
            .write(move |connection| {
                let sql = "INSERT OR IGNORE INTO earlier_gap (job, step, parent) VALUES (?1, ?2, ?3)";
                let mut note = connection.prepare(sql)?;
                for (step, parent) in &gaps {
                    // No key is empty.
                    note.execute(params![job, step.as_str(), parent.as_ref().map_or("", ObjectKey::as_str)])?;
                }
                let mut all = EarlierGaps::default();
                let mut statement = connection.prepare("SELECT step, parent FROM earlier_gap WHERE job = ?1")?;
                let mut rows = statement.query([job])?;
                while let Some(row) = rows.next()? {
                    let step = StepId::new(row.get::<_, String>(0)?).map_err(unreadable)?;
                    let parent = Some(row.get_ref(1)?.as_str()?).filter(|parent| !parent.is_empty());
                    all.add(step, parent.map(ObjectKey::stored).transpose().map_err(unreadable)?);
                }
                Ok(all)
            })
            .await
    }
}
