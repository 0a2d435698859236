//! The state of an instance, as plain data that the caller stores.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The delay after the first failure. It doubles with each further one.
const FIRST_DELAY: SignedDuration = SignedDuration::from_mins(5);

/// The greatest delay after a failure.
pub(crate) const LONGEST_DELAY: SignedDuration = SignedDuration::from_hours(24);

/// The state of an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceState {
    /// The time at which the scheduler first saw the instance. The times of an interval are counted from it.
    pub created_on: Timestamp,
    /// The time of the next regular run, with jitter; `None` if there is none.
    pub next: Option<Timestamp>,
    /// The current run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<Running>,
    /// The start of a run that was interrupted and is to be resumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interrupted: Option<Timestamp>,
    /// The time at which a person requested a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested: Option<Timestamp>,
    /// The number of failed runs since the last successful one.
    #[serde(default)]
    pub failures: u32,
    /// The time before which a failing instance does not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Timestamp>,
    /// The refusal of the credentials. The instance does not run until its configuration changes or a person requests it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
    /// The last run that ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<LastRun>,
}

/// A run in progress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Running {
    /// The start.
    pub since: Timestamp,
    /// The reason.
    pub reason: StartReason,
}

/// A refusal of credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Refused {
    /// The time.
    pub at: Timestamp,
    /// The revision of the refused configuration.
    pub revision: String,
}

/// A run that ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LastRun {
    /// The start.
    pub started: Timestamp,
    /// The end.
    pub ended: Timestamp,
    /// The result.
    pub end: RunEnd,
}

/// The reason of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StartReason {
    /// A regular time.
    Due,
    /// A run of an earlier process, or one that was stopped. The caller resumes its job.
    Resume,
    /// The delay after a failure has passed.
    Retry,
    /// A person requested the run, or corrected the configuration.
    Request,
}

/// The result of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RunEnd {
    /// The job published a snapshot, perhaps with gaps.
    Published,
    /// The job failed. The instance is repeated after a delay.
    Failed,
    /// The provider refused the credentials.
    CredentialsRefused,
    /// The process stops. The job is resumed at the next start.
    Interrupted,
    /// A person cancelled the job. It is neither resumed nor repeated.
    Cancelled,
}

impl InstanceState {
    /// Creates the state of a new instance.
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            created_on: now,
            next: None,
            running: None,
            interrupted: None,
            requested: None,
            failures: 0,
            retry: None,
            refused: None,
            last: None,
        }
    }

    /// Records the result of the current run, and returns whether there was one.
    pub(crate) fn end(&mut self, end: RunEnd, revision: &str, now: Timestamp) -> bool {
        let Some(Running { since, .. }) = self.running.take() else { return false };
        self.last = Some(LastRun { started: since, ended: now, end });
        self.retry = None;
        match end {
            RunEnd::Published => self.failures = 0,
            RunEnd::Failed => {
                self.failures = self.failures.saturating_add(1);
                self.retry = now.checked_add(delay(self.failures)).ok();
            }
            RunEnd::CredentialsRefused => {
                self.failures = self.failures.saturating_add(1);
                self.refused = Some(Refused { at: now, revision: revision.to_owned() });
            }
            RunEnd::Interrupted => self.interrupted = Some(since),
            RunEnd::Cancelled => {}
        }
        true
    }
}

/// Returns the delay after a number of failures: 5, 10, 20 minutes and so on, at most a day.
pub(crate) fn delay(failures: u32) -> SignedDuration {
    let doublings = failures.saturating_sub(1).min(12);
    FIRST_DELAY.checked_mul(1 << doublings).unwrap_or(LONGEST_DELAY).min(LONGEST_DELAY)
}
