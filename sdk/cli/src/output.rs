//! The folder of `--output`, locked while a job runs and its graph is written.

use std::path::Path;

use integration_sdk::Summary;
use integration_sdk::dataset::{self, ExportFolder, Exported};
use integration_sdk::store::{JobState, Store};

use crate::context::Context;
use crate::failure::Failure;
use crate::job_lookup::short;
use crate::style::printable_path;

const UNPUBLISHED: &str = "the job ended before any step ran";

/// The part of a snapshot that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The objects that the job collected.
    Collected,
    /// These objects and the stale ones.
    Whole,
}

/// A locked folder for the graph of a job.
pub(crate) struct Output<'a> {
    path: &'a Path,
    folder: ExportFolder,
}

impl<'a> Output<'a> {
    /// Locks the folder, or fails before the job sends requests.
    pub(crate) fn open(path: &'a Path, data_dir: &Path) -> Result<Self, Failure> {
        dataset::check_apart(path, data_dir)?;
        Ok(Self { path, folder: ExportFolder::open(path)? })
    }

    /// Writes a job's graph; an inner `Err` is the reason why the folder remains unchanged.
    pub(crate) async fn write(
        mut self,
        store: &Store,
        summary: &Summary,
        part: Part,
    ) -> Result<Result<Exported, &'static str>, Failure> {
        // Stale objects complete a snapshot, so that it can be written regardless of the state of its job.
        if let (Part::Collected, Err(reason)) = (part, may_replace(summary, self.holds_graph())) {
            return Ok(Err(reason));
        }
        let id = summary.job.to_string();
        let row = store.job(Some(&id)).await?.ok_or(Failure::UnknownJob { wanted: id, nearest: None })?;
        let Some(snapshot) = store.snapshot_of(&row).await? else { return Ok(Err(UNPUBLISHED)) };
        let snapshot = match part {
            Part::Collected => snapshot.collected(),
            Part::Whole => snapshot,
        };
        let written = self.folder.write(&snapshot, summary).await;
        written.map(Ok).map_err(|source| Failure::Export {
            job: summary.job.to_string(),
            folder: self.path.to_owned(),
            is_gone: !self.path.is_dir(),
            source: Box::new(source),
        })
    }

    /// Writes a job's graph, or reports why the folder remains unchanged.
    pub(crate) async fn replace(
        self,
        context: &Context<'_>,
        store: &Store,
        summary: &Summary,
    ) -> Result<Option<Exported>, Failure> {
        let stays = self.stays();
        match self.write(store, summary, Part::Collected).await? {
            Ok(exported) => Ok(Some(exported)),
            Err(reason) => {
                context.console.say(&format!("{stays}: {reason}."));
                Ok(None)
            }
        }
    }

    /// Returns whether the folder contains the graph of an earlier export.
    pub(crate) fn holds_graph(&self) -> bool {
        self.folder.job().is_some()
    }

    /// Describes the content of the unchanged folder.
    pub(crate) fn stays(&self) -> String {
        let path = printable_path(self.path);
        match self.folder.job() {
            _ if !self.path.is_dir() => format!("{path} was removed while it was in use"),
            Some(job) => format!("{path} still contains the graph of job {}", short(job.as_str())),
            None => format!("Nothing was written to {path}"),
        }
    }
}

/// Returns whether a job's graph may be written, or the reason why not.
fn may_replace(summary: &Summary, holds_graph: bool) -> Result<(), &'static str> {
    match summary.state {
        JobState::Complete => Ok(()),
        JobState::Partial if holds_graph && summary.entities + summary.relationships == 0 => {
            Err("the job collected nothing")
        }
        JobState::Partial => Ok(()),
        JobState::Cancelled if holds_graph => Err("the graph of a cancelled job does not replace another graph"),
        JobState::Cancelled => Ok(()),
        JobState::Failed => Err("the job failed, so its graph is incomplete"),
        JobState::Running | JobState::Interrupted => Err("the job has not ended"),
        _ => Err("the state of the job is unknown"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ended(state: &str, entities: u64) -> Summary {
        let usage = integration_sdk::http::Usage::default();
        let summary = json!({
            "job": "1", "integration": "space", "instance": "default", "state": state, "startTime": 0, "endTime": 0,
            "duration": 0, "entities": entities, "relationships": 0, "metadata": {"partialDatasets": {"types": []}},
            "integrationStepResults": [], "usage": usage,
        });
        serde_json::from_value(summary).expect("a summary")
    }

    #[test]
    fn only_a_complete_or_partial_graph_replaces_another_one() {
        let replaces = |state, entities| may_replace(&ended(state, entities), true).is_ok();
        assert!(replaces("complete", 0) && replaces("complete", 3) && replaces("partial", 3));
        assert!(!replaces("partial", 0) && !replaces("cancelled", 3) && !replaces("failed", 3));
        let fills = |state, entities| may_replace(&ended(state, entities), false).is_ok();
        assert!(fills("cancelled", 3) && fills("partial", 0) && !fills("failed", 3));
    }
}
