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
    /// The time of the record. The state has a time of its own, named `at` or `due`.
    pub recorded_on: Timestamp,
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
    pub fn of(entry: &OutboxEntry, target: String, recorded_on: Timestamp) -> Self {
        Self {
            id: entry.id.clone(),
            recorded_on,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::AlertLevel;
    use crate::delivery::{AttemptResult, Occasion};
    use crate::evaluate::{CommandCall, Effect};

    #[test]
    fn records_of_all_states_are_read_as_they_were_written() {
        let occasion = Occasion {
            rule: "A".to_owned(),
            action: "a".to_owned(),
            level: AlertLevel::Low,
            alert: None,
            change: None,
        };
        let effect = Effect::Command(CommandCall { command: vec!["/bin/true".to_owned()], input: None });
        let waiting = OutboxEntry::new("msg_1".to_owned(), effect, occasion, Timestamp::UNIX_EPOCH);
        let mut sending = waiting.clone();
        sending.begin(Timestamp::UNIX_EPOCH);
        let ended = |result: AttemptResult| {
            let mut entry = sending.clone();
            entry.finish(&result, Timestamp::UNIX_EPOCH);
            entry
        };
        let (delivered, abandoned) = (ended(AttemptResult::Accepted), ended(AttemptResult::Refused("no".to_owned())));
        for entry in [&waiting, &sending, &delivered, &abandoned] {
            let record = DeliveryRecord::of(entry, "/bin/true".to_owned(), Timestamp::UNIX_EPOCH);
            let text = serde_json::to_string(&record).expect("JSON");
            assert_eq!(serde_json::from_str::<DeliveryRecord>(&text).expect(&text), record);
        }
    }
}
