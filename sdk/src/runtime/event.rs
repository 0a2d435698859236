//! The events of a running job, as one typed stream for progress bars and logs.

use std::sync::Arc;

use serde::Serialize;
use tokio::sync::mpsc;

use crate::graph::history::Published;
use crate::graph::run::{Parent, StepReport, Summary};
use crate::graph::{JobId, ObjectType, StepId, Timestamp};
use crate::plan::StartState;

/// A step of a job that has started.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedStep {
    /// The id of the step.
    pub id: StepId,
    /// The name of the step.
    pub name: String,
    /// The state of the step at the start.
    pub start: StartState,
}

/// An event of a running job.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase", tag = "event")]
pub enum Event {
    /// The job started.
    JobStarted {
        /// The id of the job.
        job: JobId,
        /// The steps in the order of the plan.
        steps: Vec<PlannedStep>,
    },
    /// A step does not run.
    StepSkipped {
        /// The step.
        step: StepId,
        /// The reason.
        start: StartState,
    },
    /// A step started.
    StepStarted {
        /// The step.
        step: StepId,
    },
    /// A step made progress.
    StepProgress {
        /// The step.
        step: StepId,
        /// The number of objects added so far.
        objects: u64,
        /// The number of requests sent so far.
        requests: u64,
        /// The current number of requests in flight, of all steps.
        in_flight: usize,
    },
    /// Requests wait for the rate budget of the provider.
    Waiting {
        /// The time of the next request.
        until: Timestamp,
    },
    /// A partition could not be collected, and the rest of its step continues.
    PartitionMissing {
        /// The step.
        step: StepId,
        /// The parent of the partition.
        parent: Parent,
        /// The types with a gap.
        types: Vec<ObjectType>,
        /// The cause.
        cause: String,
    },
    /// A step failed.
    StepFailed {
        /// The report of the step.
        report: Arc<StepReport>,
    },
    /// A step ended without an error.
    StepFinished {
        /// The report of the step.
        report: Arc<StepReport>,
    },
    /// The objects of the job became the next snapshot of its instance.
    Published {
        /// The job, which identifies the snapshot.
        job: JobId,
        /// The changes since the snapshot before.
        published: Arc<Published>,
    },
    /// The job ended.
    JobFinished {
        /// The summary of the job.
        summary: Arc<Summary>,
    },
}

/// The sender of events. Its queue is bounded, so a slow consumer delays the steps and misses only progress.
#[derive(Debug, Clone, Default)]
pub(crate) struct Events(Option<mpsc::Sender<Event>>);

impl Events {
    pub(crate) fn to(sender: mpsc::Sender<Event>) -> Self {
        Self(Some(sender))
    }

    /// Sends an event that must not be lost.
    pub(crate) async fn tell(&self, event: Event) {
        if let Some(sender) = &self.0 {
            // If the receiver was dropped, the event is no longer needed.
            let _ = sender.send(event).await;
        }
    }

    /// Sends an event that the next one of its kind replaces, unless the queue is full.
    pub(crate) fn mention(&self, event: impl FnOnce() -> Event) {
        if let Some(sender) = &self.0 {
            let _ = sender.try_send(event());
        }
    }
}
