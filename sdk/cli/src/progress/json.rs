//! Progress for a program: each event as a line of JSON.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use integration_sdk::graph::StepId;
use integration_sdk::{Event, Timestamp};
use serde_json::Value;

use crate::screen::Screen;

use super::Consumer;

/// How often a step's progress is told at most.
const PROGRESS: Duration = Duration::from_secs(1);

pub(super) struct Json {
    screen: Screen,
    told: BTreeMap<StepId, Instant>,
}

impl Json {
    pub(super) fn new(screen: Screen) -> Self {
        Self { screen, told: BTreeMap::new() }
    }

    fn is_too_soon(&mut self, event: &Event) -> bool {
        let Event::StepProgress { step, .. } = event else { return false };
        if self.told.get(step).is_some_and(|last| last.elapsed() < PROGRESS) {
            return true;
        }
        self.told.insert(step.clone(), Instant::now());
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
        self.screen.line(&Value::Object(line).to_string());
    }
}
