//! The runs of instances: jobs of the SDK.

use futures::future::BoxFuture;
use integration_instances::{Instance, KeptJobs};
use integration_scheduler::{RunEnd, StartReason};
use integration_sdk::graph::history::SnapshotGap;
use integration_sdk::store::{Store, StoreError};
use integration_sdk::{JobError, Summary};
use integration_server::{ChangeNumbers, Order, RunNumbers, RunResult, Runner, SnapshotNumbers};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::settings::Settings;
use super::store::SharedStore;
use crate::failure::Failure;
use crate::instances::{InstanceRunner, Ran};

/// The execution of jobs.
#[derive(Clone)]
pub(super) struct JobRunner {
    settings: Settings,
    store: SharedStore,
}

impl JobRunner {
    pub(super) fn new(settings: Settings, store: SharedStore) -> Self {
        Self { settings, store }
    }

    async fn execute(self, order: Order, cancel: CancellationToken) -> RunResult {
        // The configuration is read at each run, so that no job starts with values of the past.
        let instance = match self.settings.instance(&order.instance).await {
            // Old jobs are removed after the rules have seen the changes.
            Ok(instance) => Instance { retention: KeptJobs::default(), ..instance },
            Err(message) => return RunResult::failed(RunEnd::Failed, message),
        };
        let (ran, store) = match self.run_instance(&instance, order.reason, &cancel).await {
            Ok(ran) => ran,
            Err(failure) => return RunResult::failed(RunEnd::Failed, failure.to_string()),
        };
        let result = match &ran.result {
            Ok(summary) => of_summary(ran.end, summary, &store),
            Err(failure) => {
                if has_broken(failure) {
                    self.store.discard().await;
                }
                RunResult::failed(ran.end, failure.to_string())
            }
        };
        match result.end {
            // Only this server cancels its jobs.
            RunEnd::Interrupted if !cancel.is_cancelled() => RunResult { end: RunEnd::Cancelled, ..result },
            _ => result,
        }
    }

    async fn run_instance(
        &self,
        instance: &Instance,
        reason: StartReason,
        cancel: &CancellationToken,
    ) -> Result<(Ran, Store), Failure> {
        let store = self.store.get().await?;
        let settings = &self.settings;
        let integration = settings.integration(&instance.integration);
        let integration = integration.ok_or_else(|| Failure::Usage("the program lacks the integration".to_owned()))?;
        let network = settings.network.clone();
        let runner = InstanceRunner::new(integration, &store, &settings.data_dir, network, settings.allow_http);
        // A job that ended before its process was killed is not resumed. The next job publishes again, and the rules see
        // the changes of both.
        if reason == StartReason::Resume
            && let Some(job) = runner.unfinished(instance).await?
        {
            let ran = runner.begin(instance, Some(&job)).await?.run(cancel.clone()).await;
            match &ran.result {
                Err(failure) if is_about_resuming(failure) => {
                    tracing::warn!(%failure, "the job cannot be resumed; a new one starts");
                }
                _ => return Ok((ran, store)),
            }
        }
        Ok((runner.run(instance, cancel.clone()).await, store))
    }
}

impl Runner for JobRunner {
    fn run(&self, order: Order, cancel: CancellationToken) -> BoxFuture<'static, RunResult> {
        let span = tracing::info_span!("job", instance = order.instance);
        Box::pin(self.clone().execute(order, cancel).instrument(span))
    }
}

/// Returns whether the store of the process cannot be used any more.
///
/// A job that runs in another process says nothing about the store.
fn has_broken(failure: &Failure) -> bool {
    let Failure::Job(JobError::Store(error)) = failure else { return false };
    !matches!(error, StoreError::Running { .. } | StoreError::Busy { .. } | StoreError::Fenced { .. })
}

/// Returns whether a job could not be resumed, but another one can start.
fn is_about_resuming(failure: &Failure) -> bool {
    match failure {
        Failure::Job(JobError::Resume(_)) => true,
        Failure::Job(JobError::Store(error)) => {
            matches!(error, StoreError::Complete { .. } | StoreError::Superseded { .. } | StoreError::Forgotten { .. })
        }
        _ => false,
    }
}

fn of_summary(end: RunEnd, summary: &Summary, store: &Store) -> RunResult {
    let published = summary.published.as_ref();
    let total = published.map(|published| published.total()).unwrap_or_default();
    let snapshot = snapshot_numbers(summary).unwrap_or_default();
    let numbers = RunNumbers {
        requests: summary.usage.total.requests,
        retries: summary.usage.total.retries,
        budget_left: summary.usage.rate_remaining,
        gaps: snapshot.gaps,
        stale: snapshot.stale,
        changes: ChangeNumbers {
            added: total.added,
            changed: total.changed,
            removed: total.removed,
            unknown: total.unknown,
        },
        store_bytes: SharedStore::size(store),
    };
    let message = summary.error.as_ref().map(|error| error.message.clone());
    RunResult { end, job: Some(summary.job.to_string()), message, numbers: Some(numbers) }
}

/// Returns the numbers of the missing data of the snapshot that a job published; `None` if it published none.
pub(super) fn snapshot_numbers(summary: &Summary) -> Option<SnapshotNumbers> {
    let published = summary.published.as_ref()?;
    let stale = published.stale.iter().map(|stale| stale.count).sum();
    Some(SnapshotNumbers { gaps: SnapshotGap::of(summary).len() as u64, stale })
}
