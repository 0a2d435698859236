//! Progress for a program: one line of JSON per event.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use integration_sdk::graph::{JobId, StepId};
use integration_sdk::runtime::Envelope;
use integration_sdk::{Event, Timestamp};
use serde::Serialize;

use crate::console::Console;

use super::Consumer;

/// The minimum time between two progress lines of a step.
const PROGRESS: Duration = Duration::from_secs(1);

/// An event as printed.
#[derive(Serialize)]
struct Line<'a> {
    /// The time of the event, not that of the output.
    timestamp: Timestamp,
    job: &'a JobId,
    sequence: u64,
    #[serde(flatten)]
    event: &'a Event,
}

/// The replacement of events that were not printed.
#[derive(Serialize)]
struct Missed {
    event: &'static str,
    count: u64,
}

pub(super) struct Json {
    console: Console,
    shown: BTreeMap<StepId, Instant>,
}

impl Json {
    pub(super) fn new(console: Console) -> Self {
        Self { console, shown: BTreeMap::new() }
    }

    fn is_too_soon(&mut self, event: &Event) -> bool {
        let Event::StepProgress { step, .. } = event else { return false };
        if self.shown.get(step).is_some_and(|last| last.elapsed() < PROGRESS) {
            return true;
        }
        self.shown.insert(step.clone(), Instant::now());
        false
    }
}

impl Consumer for Json {
    fn take(&mut self, envelope: &Envelope) {
        let Envelope { job, at, sequence, event } = envelope;
        if self.is_too_soon(event) {
            return;
        }
        let line = Line { timestamp: *at, job, sequence: *sequence, event };
        if let Ok(line) = serde_json::to_value(line) {
            self.console.json_line(&line);
        }
    }

    fn miss(&mut self, events: u64) {
        if let Ok(line) = serde_json::to_value(Missed { event: "eventsMissed", count: events }) {
            self.console.json_line(&line);
        }
    }
}
