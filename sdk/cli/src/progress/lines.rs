//! Progress for a pipe or a build log: one line when a step ends.

use std::collections::BTreeMap;

use integration_sdk::graph::StepId;
use integration_sdk::graph::run::StepStatus;
use integration_sdk::plan::StartState;
use integration_sdk::runtime::{Envelope, StepReport};
use integration_sdk::{Event, Summary};

use crate::console::Console;
use crate::report::text::{counted, duration};
use crate::style::printable;

use super::Consumer;

pub(super) struct Lines {
    console: Console,
    /// The states of the steps that have ended, as they were shown.
    shown: BTreeMap<StepId, StepStatus>,
}

impl Lines {
    pub(super) fn new(console: Console) -> Self {
        Self { console, shown: BTreeMap::new() }
    }

    fn end(&mut self, report: &StepReport) {
        self.shown.insert(report.id.clone(), report.status);
        self.console.line(&ended(report));
    }

    /// Corrects the states that changed when all steps had ended: a parent that no step found may be hidden, not gone.
    fn correct(&self, summary: &Summary) {
        for step in &summary.integration_step_results {
            if self.shown.get(&step.id).is_some_and(|shown| *shown != step.status) {
                self.console.line(&format!("{}: {} after all steps have ended", step.id, step.status.label()));
            }
        }
    }
}

fn ended(report: &StepReport) -> String {
    let mut parts = vec![report.status.label().to_owned(), counted(report.objects(), "object", "objects")];
    if report.usage.total.requests > 0 {
        parts.push(counted(report.usage.total.requests, "request", "requests"));
    }
    parts.push(duration(report.duration));
    let cause = report.error.as_ref().map(|error| format!(": {}", printable(&error.message)));
    format!("{}: {}{}", report.id, parts.join(", "), cause.unwrap_or_default())
}

impl Consumer for Lines {
    fn take(&mut self, envelope: &Envelope) {
        match &envelope.event {
            Event::JobStarted { steps } => {
                let enabled = steps.iter().filter(|step| step.start == StartState::Enabled).count() as u64;
                self.console.line(&format!("job {}: {}", envelope.job, counted(enabled, "step", "steps")));
            }
            Event::StepFailed { report } | Event::StepFinished { report } => self.end(report),
            Event::JobFinished { summary } => self.correct(summary),
            Event::Waiting { until } => {
                self.console.line(&format!("waiting for the provider's rate limit until {until}"))
            }
            _ => {}
        }
    }

    fn miss(&mut self, events: u64) {
        self.console.line(&format!("{} not shown", counted(events, "event", "events")));
    }
}
