//! The runs of instances.

use futures::future::BoxFuture;
use integration_scheduler::{RunEnd, StartReason};
use tokio_util::sync::CancellationToken;

/// A run to execute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The name of the instance.
    pub instance: String,
    /// The reason. [`StartReason::Resume`] means that the job of an earlier run is to be resumed.
    pub reason: StartReason,
}

/// The execution of runs.
///
/// A run belongs to one task. The server starts no second run of an instance before the first one has ended.
pub trait Runner: Send + Sync + 'static {
    /// Executes a run to its end.
    ///
    /// If `cancel` is cancelled, the run ends soon, stays resumable, and returns [`RunEnd::Interrupted`]. A run that takes
    /// longer than the bound of the server is dropped, and resumed by the next process like that of a killed one.
    ///
    /// A run with [`StartReason::Resume`] may find that its job ended before the earlier process did. If the job published a
    /// snapshot, the run returns [`RunEnd::Published`] with that job, because its publication may not have been observed.
    fn run(&self, order: Order, cancel: CancellationToken) -> BoxFuture<'static, RunResult>;
}

/// The result of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunResult {
    /// The end.
    pub end: RunEnd,
    /// The id of the job, if one began.
    pub job: Option<String>,
    /// The reason of a failure, for people. It contains no secrets.
    pub message: Option<String>,
    /// The numbers of the job, if it began.
    pub numbers: Option<RunNumbers>,
}

impl RunResult {
    /// Returns the result of a run that failed before a job began.
    pub fn failed(end: RunEnd, message: impl Into<String>) -> Self {
        Self { end, job: None, message: Some(message.into()), numbers: None }
    }
}

/// The numbers of a job, for the metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RunNumbers {
    /// The number of requests.
    pub requests: u64,
    /// The number of repeated requests.
    pub retries: u64,
    /// The remaining budget of requests of the provider at the end, if it reports one.
    pub budget_left: Option<u64>,
    /// The number of gaps of the snapshot.
    pub gaps: u64,
    /// The number of stale objects of the snapshot.
    pub stale: u64,
    /// The changes of the publication.
    pub changes: ChangeNumbers,
    /// The size of the store after the job, in bytes.
    pub store_bytes: Option<u64>,
}

/// The numbers of changes of a publication.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChangeNumbers {
    /// The number of new objects.
    pub added: u64,
    /// The number of objects with other properties.
    pub changed: u64,
    /// The number of removed objects.
    pub removed: u64,
    /// The number of objects that a gap covers.
    pub unknown: u64,
}
