//! Errors of an upload.

use std::time::Duration;

use integration_http::{EndpointError, ProviderError};

use crate::{JournalError, SyncStatus};

/// An upload that failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SyncError {
    /// The address or the network settings are unusable.
    #[error("JupiterOne cannot be reached as configured: {0}")]
    Endpoint(#[from] EndpointError),
    /// The record of the open job is unusable.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A request failed.
    #[error("cannot {action}: {source}{}", about(job.as_deref(), correlation.as_deref()))]
    Request {
        /// The purpose of the request, such as `create a synchronization job`.
        action: &'static str,
        /// The job, if there was one.
        job: Option<String>,
        /// The correlation id of the request, which JupiterOne's support can look up.
        correlation: Option<String>,
        /// The failure.
        #[source]
        source: ProviderError,
    },
    /// The job ended while objects were still uploaded.
    #[error(
        "JupiterOne has ended the synchronization job {job}, so it accepts no more uploads{}",
        about(None, Some(correlation))
    )]
    Ended {
        /// The job.
        job: String,
        /// The correlation id of the refused upload.
        correlation: String,
    },
    /// An object is too large for the service, even without its raw data.
    #[error("JupiterOne does not accept the object {key:?}: it has {bytes} bytes without its raw data")]
    TooLarge {
        /// The key of the object.
        key: String,
        /// Its size in bytes.
        bytes: usize,
    },
    /// An object is not a JSON object.
    #[error("an object cannot be uploaded, because it is no JSON object: {0}")]
    Malformed(#[source] serde_json::Error),
    /// The job ended without success.
    #[error("the synchronization job {job} ended in the state {status}, so the graph in JupiterOne is unchanged")]
    Failed {
        /// The job.
        job: String,
        /// Its state.
        status: SyncStatus,
    },
    /// The job did not end in time. It continues in the service.
    #[error(
        "the synchronization job {job} is in the state {status} after {} s; JupiterOne continues to process it",
        waited.as_secs()
    )]
    Unfinished {
        /// The job.
        job: String,
        /// Its state.
        status: SyncStatus,
        /// The time that was waited.
        waited: Duration,
    },
    /// A task of the upload ended unexpectedly.
    #[error("a task of the upload ended unexpectedly: {0}")]
    Task(#[from] tokio::task::JoinError),
}

impl SyncError {
    /// Returns whether the service rejects the credentials.
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::Request { source, .. } if matches!(source.status(), Some(401 | 403)))
    }

    /// Returns whether the request concerned something that the service does not know.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Request { source, .. } if source.status() == Some(404))
    }
}

fn about(job: Option<&str>, correlation: Option<&str>) -> String {
    let job = job.map(|job| format!("job {job}"));
    let correlation = correlation.map(|id| format!("correlation id {id}"));
    let notes: Vec<String> = job.into_iter().chain(correlation).collect();
    if notes.is_empty() { String::new() } else { format!(" ({})", notes.join(", ")) }
}
