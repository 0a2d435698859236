//! Progress for a pipe or a build log: one line when a step ends.

use integration_sdk::Event;
use integration_sdk::plan::StartState;
use integration_sdk::runtime::{Envelope, StepReport};

use crate::console::Console;
use crate::report::text::{counted, duration};
use crate::style::printable;

use super::Consumer;

pub(super) struct Lines(Console);

impl Lines {
    pub(super) fn new(console: Console) -> Self {
        Self(console)
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
                self.0.line(&format!("job {}: {}", envelope.job, counted(enabled, "step", "steps")));
            }
            Event::StepFailed { report } | Event::StepFinished { report } => self.0.line(&ended(report)),
            Event::Waiting { until } => self.0.line(&format!("waiting for the provider's rate limit until {until}")),
            _ => {}
        }
    }

    fn miss(&mut self, events: u64) {
        self.0.line(&format!("{} not shown", counted(events, "event", "events")));
    }
}
