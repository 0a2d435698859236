//! The graphs that `diff` compares, and their changes.

use std::collections::BTreeSet;

use integration_sdk::diff::{self, ChangeOptions, ChangesByType, FileGraph, Files, ObjectChange};
use integration_sdk::graph::InstanceId;
use integration_sdk::store::{JobRow, Store};

use super::select::{self, Candidate};
use crate::context::Context;
use crate::failure::Failure;
use crate::job_graph::JobGraph;
use crate::job_lookup;
use crate::report::changes::Compared;
use crate::visible::visible;

/// Two graphs.
pub(super) enum Source {
    Jobs(Box<Jobs>),
    Files(Box<Files>),
}

/// The graphs of two jobs.
pub(super) struct Jobs {
    older: OfJob,
    newer: OfJob,
}

struct OfJob {
    row: JobRow,
    graph: JobGraph,
}

impl Source {
    /// Describes the older and the newer graph.
    pub(super) fn sides(&self) -> [Compared; 2] {
        match self {
            Self::Jobs(jobs) => [jobs.older.compared(), jobs.newer.compared()],
            Self::Files(files) => [of_files(&files.older), of_files(&files.newer)],
        }
    }
}

fn of_files(graph: &FileGraph) -> Compared {
    let input = Some(graph.path().to_string_lossy().into_owned());
    match graph.summary() {
        None => Compared { input, ..Compared::default() },
        Some(summary) => Compared {
            input,
            job: Some(summary.job.to_string()),
            integration: Some(summary.integration.clone()),
            instance: Some(summary.instance.to_string()),
            state: Some(summary.state.as_str().to_owned()),
            start_time: Some(summary.start_time),
            end_time: Some(summary.end_time),
        },
    }
}

impl OfJob {
    async fn of(store: &Store, row: JobRow) -> Result<Self, Failure> {
        // A job that has not ended is reported as such, not as one without a graph.
        job_lookup::summary(&row)?;
        let graph = JobGraph::of(job_lookup::snapshot(store, &row).await?, &row).await?;
        Ok(Self { row, graph })
    }

    fn compared(&self) -> Compared {
        Compared {
            input: None,
            job: Some(self.row.id.to_string()),
            integration: Some(self.row.integration.clone()),
            instance: Some(self.row.instance.to_string()),
            state: Some(self.row.state.as_str().to_owned()),
            start_time: Some(self.row.started),
            end_time: self.row.ended,
        }
    }
}

impl Jobs {
    /// Returns the types of both graphs.
    pub(super) fn types(&self) -> BTreeSet<&str> {
        let types = [&self.older, &self.newer].into_iter().flat_map(|side| &side.graph.types);
        types.map(|(object_type, _)| object_type.as_str()).collect()
    }

    /// Passes the changes to `visit`, in the order of kinds, types, and keys, and counts them.
    pub(super) async fn changes(
        &self,
        options: &ChangeOptions,
        visit: impl FnMut(ObjectChange),
    ) -> Result<ChangesByType, Failure> {
        Ok(diff::changes(self.older.graph.side(), self.newer.graph.side(), options, visit).await?)
    }
}

/// Finds two jobs of the data directory.
pub(super) async fn jobs(
    context: &Context<'_>,
    from: Option<&str>,
    to: Option<&str>,
    instance: Option<&InstanceId>,
) -> Result<Source, Failure> {
    let names = [from, to].into_iter().flatten();
    let (store, rows) = job_lookup::jobs_named(&context.globals.data_dir, context.integration.id(), names).await?;
    let candidate = |row: &JobRow| Candidate {
        id: row.id.to_string(),
        instance: row.instance.clone(),
        ended: row.ended,
        has_graph: row.summary.as_ref().is_some_and(|summary| matches!(summary, Ok(of) if of.published.is_some())),
    };
    let candidates: Vec<Candidate> = rows.iter().map(candidate).collect();
    let [older, newer] = select::pair(&candidates, from, to, instance, &context.called())?;
    if candidates[older].instance != candidates[newer].instance {
        context.console.note(&format!(
            "The jobs belong to two instances, {} and {}.",
            visible(candidates[older].instance.as_str()),
            visible(candidates[newer].instance.as_str())
        ));
    }
    let (older, newer) = (rows[older].clone(), rows[newer].clone());
    let (older, newer) = (OfJob::of(&store, older).await?, OfJob::of(&store, newer).await?);
    Ok(Source::Jobs(Box::new(Jobs { older, newer })))
}
