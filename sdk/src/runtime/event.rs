//! What a running job tells: one typed stream; progress bars and logs are its consumers.

use std::sync::Arc;

use serde::Serialize;
use tokio::sync::mpsc;

use crate::graph::{JobId, ObjectType, StepId, Timestamp};
use crate::plan::StartState;
use crate::step::Scope;

use crate::summary::{StepReport, Summary};

/// A step as it is announced.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Announced {
    /// The step's id.
    pub id: StepId,
    /// Its name.
    pub name: String,
    /// Whether it takes part.
    pub start: StartState,
}

/// Something that happened.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase", tag = "event")]
pub enum Event {
    /// The job began; these are its steps in the order of the plan.
    JobStarted {
        /// The job.
        job: JobId,
        /// Its steps.
        steps: Vec<Announced>,
    },
    /// A step does not run.
    StepSkipped {
        /// The step.
        step: StepId,
        /// Why.
        start: StartState,
    },
    /// A step began.
    StepStarted {
        /// The step.
        step: StepId,
    },
    /// A step goes on; what is told grows.
    StepProgress {
        /// The step.
        step: StepId,
        /// Objects added so far.
        objects: u64,
        /// Requests sent so far.
        requests: u64,
        /// Requests in flight at this moment, of all steps.
        in_flight: usize,
    },
    /// Requests wait for the provider's rate budget.
    Waiting {
        /// When the next one goes out.
        until: Timestamp,
    },
    /// A part of a step could not be collected; the rest goes on.
    PartMissing {
        /// The step.
        step: StepId,
        /// The parent whose parts are missing.
        under: Scope,
        /// The types that are.
        types: Vec<ObjectType>,
        /// The cause.
        cause: String,
    },
    /// A step failed.
    StepFailed {
        /// Its result.
        report: Arc<StepReport>,
    },
    /// A step ended otherwise.
    StepFinished {
        /// Its result.
        report: Arc<StepReport>,
    },
    /// The job ended.
    JobFinished {
        /// Its result.
        summary: Arc<Summary>,
    },
}

/// Where events go. The queue is bounded: a slow consumer slows the lifecycle down, and misses only progress.
#[derive(Debug, Clone, Default)]
pub(crate) struct Events(Option<mpsc::Sender<Event>>);

impl Events {
    pub(crate) fn to(sender: mpsc::Sender<Event>) -> Self {
        Self(Some(sender))
    }

    /// Tells what must not be missed.
    pub(crate) async fn tell(&self, event: Event) {
        if let Some(sender) = &self.0 {
            // A consumer that is gone wants to hear nothing.
            let _ = sender.send(event).await;
        }
    }

    /// Tells what the next event of the kind makes obsolete.
    pub(crate) fn mention(&self, event: impl FnOnce() -> Event) {
        if let Some(sender) = &self.0 {
            let _ = sender.try_send(event());
        }
    }
}
