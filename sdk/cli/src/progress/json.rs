//! Progress for a program: one line of JSON per event.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use integration_sdk::graph::StepId;
use integration_sdk::{Event, Timestamp};
use serde_json::Value;

use crate::console::Console;

use super::Consumer;

/// The minimum time between two progress lines of a step.
const PROGRESS: Duration = Duration::from_secs(1);

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
    fn take(&mut self, event: &Event) {
        if self.is_too_soon(event) {
            return;
        }
        let Ok(Value::Object(mut line)) = serde_json::to_value(event) else { return };
        line.insert("timestamp".into(), Timestamp::now().millis().into());
        self.console.json_line(&Value::Object(line));
    }
}
