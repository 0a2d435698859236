//! Jobs as a store lists them, and the lease of a writer.

use std::fmt;

use integration_graph::run::{JobState, Summary};
use integration_graph::{InstanceId, JobId, Timestamp};
use serde_json::Value;

use crate::{StoreError, Unreadable};

/// A job that is about to begin.
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    /// The integration.
    pub integration: String,
    /// The instance.
    pub instance: InstanceId,
    /// The options with which the job is resumed.
    pub options: Value,
}

/// The number of a lease of one job. Each lease has a greater epoch than all leases before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(u64);

impl Epoch {
    /// The epoch of the process that begins a job.
    pub const FIRST: Self = Self(1);

    /// Returns the epoch with this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Returns the number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Returns the epoch of the next lease.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The exclusive right to write a job.
///
/// The epoch is a fencing token: the store compares it in each transaction, so that a process that has lost the lease
/// without noticing it, for example while its machine was suspended, cannot write any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The job.
    pub job: JobId,
    /// The number of the lease.
    pub epoch: Epoch,
}

/// A job as listed.
#[derive(Debug, Clone)]
pub struct JobRow {
    /// The id of the job.
    pub id: JobId,
    /// The integration.
    pub integration: String,
    /// The instance.
    pub instance: InstanceId,
    /// The state of the job; [`JobState::Unknown`] if another version recorded one that this version does not know.
    pub state: JobState,
    /// The time at which the job started.
    pub started: Timestamp,
    /// The time at which the job ended.
    pub ended: Option<Timestamp>,
    /// The options of the job.
    pub options: Value,
    /// The summary of a job that has ended.
    pub summary: Option<Result<Summary, Unreadable>>,
}

impl JobRow {
    /// Whether the job belongs to an instance of an integration.
    pub fn is_of(&self, integration: &str, instance: &InstanceId) -> bool {
        self.integration == integration && self.instance == *instance
    }

    /// Whether the job has collected everything it selected, so that nothing is left to resume.
    pub fn is_settled(&self) -> bool {
        match (&self.state, &self.summary) {
            (JobState::Complete | JobState::Partial, Some(Ok(summary))) => summary.is_settled(),
            (state, _) => *state == JobState::Complete,
        }
    }

    /// Returns the summary; `None` if the job has not ended.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] if this version cannot read it.
    pub fn summary(&self) -> Result<Option<&Summary>, StoreError> {
        self.summary.as_ref().map(|summary| summary.as_ref().map_err(|error| error.clone().into())).transpose()
    }
}
