//! The changes of an alert.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{AlertChange, AlertLevel};

/// The maximum number of kept changes.
const MOST: usize = 200;

/// A change of an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertEvent {
    /// The time.
    pub at: Timestamp,
    /// The kind.
    pub change: AlertChange,
    /// The level after the change.
    pub level: AlertLevel,
    /// The cause, as text for users: the result of the evaluation, or the words of a person.
    pub text: String,
}

/// The changes of an alert, the oldest first. The first one and the newest ones are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertHistory {
    events: VecDeque<AlertEvent>,
    /// The number of changes that were removed after the first one.
    #[serde(default)]
    omitted: u64,
}

impl AlertHistory {
    pub(super) fn add(&mut self, event: AlertEvent) {
        self.events.push_back(event);
        if self.events.len() > MOST {
            self.events.remove(1);
            self.omitted += 1;
        }
    }

    /// Returns the kept changes.
    pub fn events(&self) -> impl DoubleEndedIterator<Item = &AlertEvent> {
        self.events.iter()
    }

    /// Returns the number of changes that are no longer kept.
    pub fn omitted(&self) -> u64 {
        self.omitted
    }
}
