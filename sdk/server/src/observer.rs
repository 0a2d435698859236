//! The observers of runs that have ended.

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use integration_scheduler::RunEnd;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A run that has ended, as a message to the observer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    /// The name of the instance.
    pub instance: String,
    /// The time.
    pub at: Timestamp,
    /// The end of the run. An interrupted run gives no notice, because it is resumed.
    pub end: RunEnd,
    /// The id of the job, if one began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// The reason of a failure, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The number of failed runs since the last successful one.
    #[serde(default)]
    pub failures: u32,
}

/// The consumer of the notices: it evaluates rules, and opens and resolves alerts.
///
/// The server calls one function at a time, with a time limit. A failure or a timeout stops neither the runs nor later
/// notices.
pub trait Observer: Send + Sync + 'static {
    /// Handles a notice.
    ///
    /// The server stores a notice together with the end of its run, and removes it after the observer has returned `Ok`. A
    /// process that is killed in between delivers it again, so handling must be idempotent. After an error it is delivered
    /// again after a delay. Two notices of one instance with the same end may be combined into the newer one.
    ///
    /// # Errors
    /// [`ObserverError`] if the notice was not handled completely.
    fn observe(&self, notice: Notice) -> BoxFuture<'_, Result<Observed, ObserverError>>;

    /// Does the work that depends on the time alone, such as rules at their intervals.
    ///
    /// The server calls it at its start, and then at the time that the former call returned.
    ///
    /// # Errors
    /// [`ObserverError`] if the work was not done. The server calls again after a minute.
    fn tick(&self, now: Timestamp) -> BoxFuture<'_, Result<Observed, ObserverError>> {
        let _ = now;
        Box::pin(std::future::ready(Ok(Observed::default())))
    }
}

/// The result of an observation, for the metrics.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// The numbers of evaluations by their outcome, such as `met` or `failed`. The names are few and fixed.
    pub evaluations: BTreeMap<&'static str, u64>,
    /// The numbers of open alerts by level, if the observer knows them.
    pub open_alerts: Option<BTreeMap<&'static str, u64>>,
    /// The numbers of the last snapshots by instance, if the observer read them. They are shown until a job ends, so that a
    /// restart of the process does not hide them.
    pub snapshots: BTreeMap<String, SnapshotNumbers>,
    /// The size of the store in bytes, if the observer read it.
    pub store_bytes: Option<u64>,
    /// The number of rules that cannot be evaluated, if the observer knows it.
    pub unusable_rules: Option<u64>,
    /// The time at which [`Observer::tick`] has work.
    pub next: Option<Timestamp>,
}

/// The numbers of the missing data of a snapshot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SnapshotNumbers {
    /// The number of gaps.
    pub gaps: u64,
    /// The number of stale objects.
    pub stale: u64,
}

/// A failed observation. The message contains no secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ObserverError(pub String);
