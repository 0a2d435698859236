//! The runs in progress: one task each.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use integration_scheduler::RunEnd;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::runner::{Order, RunResult, Runner};

/// The runs in progress. Dropping it aborts them.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    tasks: JoinSet<RunResult>,
    running: HashMap<Id, Running>,
    cancel: CancellationToken,
}

#[derive(Debug)]
struct Running {
    instance: String,
    revision: String,
    since: Instant,
}

/// A run that has ended.
#[derive(Debug)]
pub(crate) struct EndedRun {
    pub(crate) instance: String,
    /// The revision of the configuration at the start of the run.
    pub(crate) revision: String,
    pub(crate) result: RunResult,
    pub(crate) took: Duration,
}

impl Runs {
    pub(crate) fn start(&mut self, runner: &Arc<dyn Runner>, order: Order, revision: String) {
        let instance = order.instance.clone();
        let task = self.tasks.spawn(runner.run(order, self.cancel.clone()));
        self.running.insert(task.id(), Running { instance, revision, since: Instant::now() });
    }

    /// Waits for the end of a run, without end if there is none. The future may be dropped.
    pub(crate) async fn next(&mut self) -> EndedRun {
        loop {
            match self.tasks.join_next_with_id().await {
                Some(joined) => {
                    if let Some(ended) = self.ended(joined) {
                        return ended;
                    }
                }
                None => std::future::pending().await,
            }
        }
    }

    /// Returns a run that has already ended.
    pub(crate) fn try_next(&mut self) -> Option<EndedRun> {
        let joined = self.tasks.try_join_next_with_id()?;
        self.ended(joined)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    /// Requests the end of all runs.
    pub(crate) fn cancel(&self) {
        self.cancel.cancel();
    }

    /// Aborts all runs, and returns their instances.
    pub(crate) async fn abort(&mut self) -> Vec<String> {
        self.tasks.shutdown().await;
        self.running.drain().map(|(_, running)| running.instance).collect()
    }

    fn ended(&mut self, joined: Result<(Id, RunResult), JoinError>) -> Option<EndedRun> {
        let (id, result) = match joined {
            Ok((id, result)) => (id, result),
            // A defect in one run must not end the others.
            Err(error) => (error.id(), RunResult::failed(RunEnd::Failed, "the run ended by a defect of this program")),
        };
        let Running { instance, revision, since } = self.running.remove(&id)?;
        Some(EndedRun { instance, revision, result, took: since.elapsed() })
    }
}
