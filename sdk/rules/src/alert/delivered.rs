//! The deliveries of an alert.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Alert;
use crate::delivery::{DeliveryState, OutboxEntry};

/// The maximum number of kept deliveries.
const MOST: usize = 200;

/// The state of a delivery, without its contents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryRecord {
    /// The identifier of the delivery, which receivers know as `webhook-id`.
    pub id: String,
    /// The time of the record.
    pub at: Timestamp,
    /// The name of the action.
    pub action: String,
    /// The receiver, as text for users.
    pub target: String,
    /// The state.
    #[serde(flatten)]
    pub state: DeliveryState,
    /// The number of attempts.
    pub attempts: u32,
    /// The result of the last failed attempt, as text for users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl DeliveryRecord {
    /// Creates the record of an entry.
    pub fn of(entry: &OutboxEntry, target: String, at: Timestamp) -> Self {
        Self {
            id: entry.id.clone(),
            at,
            action: entry.effect.action().to_owned(),
            target,
            state: entry.state.clone(),
            attempts: entry.attempts,
            error: entry.last_error.clone(),
        }
    }
}

impl Alert {
    /// Adds the record of a delivery, or replaces the earlier one of the same delivery.
    pub fn record(&mut self, record: DeliveryRecord) {
        match self.deliveries.iter_mut().find(|known| known.id == record.id) {
            Some(known) => *known = record,
            None => self.deliveries.push(record),
        }
        let excess = self.deliveries.len().saturating_sub(MOST);
        self.deliveries.drain(..excess);
    }
}
