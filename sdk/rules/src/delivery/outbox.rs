//! Requests that wait for their delivery.

use jiff::{SignedDuration, Timestamp};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::alert::{AlertChange, AlertLevel};
use crate::evaluate::Effect;

/// The delays before the attempts, in seconds. The first attempt is immediate, and the last one about three days later.
const DELAYS: [i64; 10] = [0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// The longest delay that a receiver can demand by `Retry-After`.
const LONGEST: SignedDuration = SignedDuration::from_hours(24);

/// The time after which an attempt without a result counts as failed, because the program was killed.
const LOST: SignedDuration = SignedDuration::from_mins(5);

/// Returns the identifier of a delivery. The same action of the same evaluation has the same identifier after a crash.
pub fn delivery_id(evaluation: &str, action: &str) -> String {
    let hash = digest(&SHA256, format!("{}:{evaluation}{action}", evaluation.len()).as_bytes());
    let hex: String = hash.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("msg_{hex}")
}

/// The cause of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Occasion {
    /// The name of the rule.
    pub rule: String,
    /// The place of the action in the rule.
    pub action: String,
    /// The level of the evaluation.
    pub level: AlertLevel,
    /// The alert of the rule, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<String>,
    /// The change of the alert by the evaluation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<AlertChange>,
}

/// A request that waits for its delivery, or was delivered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutboxEntry {
    /// The identifier, which is the `webhook-id` of all attempts.
    pub id: String,
    /// The request, email, message, or program.
    pub effect: Effect,
    /// The cause.
    pub occasion: Occasion,
    /// The time at which the request was planned.
    pub created_on: Timestamp,
    /// The number of attempts that have begun.
    pub attempts: u32,
    /// The state.
    pub state: DeliveryState,
    /// The result of the last failed attempt, as text for users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

/// The state of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "state")]
pub enum DeliveryState {
    /// The request waits for its next attempt.
    #[serde(rename_all = "camelCase")]
    Waiting {
        /// The earliest time of the attempt.
        due: Timestamp,
    },
    /// An attempt has begun and has no result.
    #[serde(rename_all = "camelCase")]
    Sending {
        /// The start of the attempt.
        since: Timestamp,
    },
    /// The receiver has accepted the request.
    #[serde(rename_all = "camelCase")]
    Delivered {
        /// The time.
        at: Timestamp,
    },
    /// There are no further attempts.
    #[serde(rename_all = "camelCase")]
    Abandoned {
        /// The time.
        at: Timestamp,
    },
}

/// The result of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptResult {
    /// The receiver has accepted the message, without a status.
    Accepted,
    /// The receiver has answered.
    Answered {
        /// The status.
        status: u16,
        /// The delay that the receiver demands.
        retry_after: Option<SignedDuration>,
    },
    /// The request reached no receiver, or there was no answer.
    Failed(String),
    /// The request must not be sent, for example to a private address.
    Refused(String),
}

impl OutboxEntry {
    /// Creates an entry that is due at once.
    pub fn new(id: String, effect: Effect, occasion: Occasion, now: Timestamp) -> Self {
        let state = DeliveryState::Waiting { due: now };
        Self { id, effect, occasion, created_on: now, attempts: 0, state, last_error: None }
    }

    /// Returns whether there are no further attempts.
    pub fn is_finished(&self) -> bool {
        matches!(self.state, DeliveryState::Delivered { .. } | DeliveryState::Abandoned { .. })
    }

    /// Records that the process of the current attempt is gone. The next attempt can begin at once.
    pub fn interrupted(&mut self) {
        if let DeliveryState::Sending { since } = self.state {
            self.state = DeliveryState::Waiting { due: since };
        }
    }

    /// Returns the earliest time of the next attempt; `None` if there is none.
    pub fn due(&self) -> Option<Timestamp> {
        match self.state {
            DeliveryState::Waiting { due } => Some(due),
            DeliveryState::Sending { since } => since.checked_add(LOST).ok(),
            DeliveryState::Delivered { .. } | DeliveryState::Abandoned { .. } => None,
        }
    }

    /// Returns whether the next attempt can begin.
    ///
    /// A clock that was set back by more than a day makes an entry due, because it would otherwise wait for that time.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.due().is_some_and(|due| due <= now || due.duration_since(now) > LONGEST + LONGEST)
    }

    /// Records that an attempt begins. The caller writes the entry before it sends the request.
    pub fn begin(&mut self, now: Timestamp) {
        self.attempts += 1;
        self.state = DeliveryState::Sending { since: now };
    }

    /// Records the result of an attempt.
    ///
    /// Status 2xx ends the delivery. Status 410 means that the receiver wants no more requests, and the entry is abandoned,
    /// as after ten attempts. Everything else is repeated later.
    pub fn finish(&mut self, result: &AttemptResult, now: Timestamp) {
        let (error, delay) = match result {
            AttemptResult::Accepted | AttemptResult::Answered { status: 200..=299, .. } => {
                self.state = DeliveryState::Delivered { at: now };
                self.last_error = None;
                return;
            }
            AttemptResult::Answered { status: 410, .. } => ("the receiver answered with status 410".to_owned(), None),
            AttemptResult::Answered { status, retry_after } => {
                let demanded = retry_after.unwrap_or(SignedDuration::ZERO).clamp(SignedDuration::ZERO, LONGEST);
                (format!("the receiver answered with status {status}"), self.delay().map(|delay| delay.max(demanded)))
            }
            AttemptResult::Failed(error) => (error.clone(), self.delay()),
            AttemptResult::Refused(error) => (error.clone(), None),
        };
        self.last_error = Some(error);
        let due = delay.and_then(|delay| now.checked_add(delay).ok());
        self.state = due.map_or(DeliveryState::Abandoned { at: now }, |due| DeliveryState::Waiting { due });
    }

    /// Returns the delay before the next attempt: the scheduled one and up to a fifth of it, which spreads many entries.
    fn delay(&self) -> Option<SignedDuration> {
        let seconds = *DELAYS.get(usize::try_from(self.attempts).ok()?)?;
        let hash = digest(&SHA256, format!("{}.{}", self.attempts, self.id).as_bytes());
        let spread = i64::from(hash.as_ref()[0]) * seconds / (5 * 255);
        Some(SignedDuration::from_secs(seconds + spread))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn entry() -> OutboxEntry {
        let call = crate::WebhookCall {
            method: "POST".to_owned(),
            url: "https://example.com".to_owned(),
            headers: std::collections::BTreeMap::new(),
            body: Some(serde_json::json!({"a": 1})),
        };
        let occasion = Occasion {
            rule: "rule".to_owned(),
            action: "a".to_owned(),
            level: AlertLevel::High,
            alert: None,
            change: None,
        };
        OutboxEntry::new(delivery_id("e", "a"), Effect::Webhook(call), occasion, Timestamp::UNIX_EPOCH)
    }

    fn answered(status: u16, seconds: Option<i64>) -> AttemptResult {
        AttemptResult::Answered { status, retry_after: seconds.map(SignedDuration::from_secs) }
    }

    #[test]
    fn identifiers_belong_to_the_evaluation_and_the_action() {
        assert_eq!(delivery_id("a", "b"), delivery_id("a", "b"));
        assert_eq!(delivery_id("a", "b").len(), 36);
        let ids: BTreeSet<String> =
            [("a", "bc"), ("ab", "c"), ("", "abc"), ("1:a", "b")].map(|(e, a)| delivery_id(e, a)).into();
        assert_eq!(ids.len(), 4);
    }

    #[test]
    fn ten_attempts_in_three_to_four_days() {
        let mut entry = entry();
        let mut now = Timestamp::UNIX_EPOCH;
        let mut attempts = 0;
        while let Some(due) = entry.due() {
            assert!(due >= now);
            now = due;
            entry.begin(now);
            entry.finish(&answered(500, None), now);
            attempts += 1;
        }
        assert_eq!(attempts, 10);
        let hours = now.duration_since(Timestamp::UNIX_EPOCH).as_hours();
        assert!((75..=91).contains(&hours), "{hours}");
        assert!(matches!(entry.state, DeliveryState::Abandoned { .. }));
        assert_eq!(entry.last_error.as_deref(), Some("the receiver answered with status 500"));
    }

    #[test]
    fn answers_decide_about_the_next_attempt() {
        let after = |result: &AttemptResult| {
            let mut entry = entry();
            entry.begin(Timestamp::UNIX_EPOCH);
            entry.finish(result, Timestamp::UNIX_EPOCH);
            entry
        };
        assert!(matches!(after(&answered(204, None)).state, DeliveryState::Delivered { .. }));
        assert!(matches!(after(&answered(410, Some(5))).state, DeliveryState::Abandoned { .. }));
        assert!(matches!(after(&AttemptResult::Refused("private".to_owned())).state, DeliveryState::Abandoned { .. }));
        let seconds = |entry: &OutboxEntry| entry.due().expect("a time").as_second();
        assert_eq!(seconds(&after(&answered(429, Some(3_600)))), 3_600);
        assert_eq!(seconds(&after(&answered(503, Some(i64::MAX)))), 86_400);
        assert!((5..=6).contains(&seconds(&after(&answered(404, Some(-9))))));
        assert!((5..=6).contains(&seconds(&after(&AttemptResult::Failed("no route".to_owned())))));
    }

    #[test]
    fn a_clock_that_was_set_back_delays_nothing_for_long() {
        let mut entry = entry();
        entry.state = DeliveryState::Waiting { due: Timestamp::from_second(1_000_000).expect("a time") };
        assert!(entry.is_due(Timestamp::UNIX_EPOCH));
        entry.state = DeliveryState::Waiting { due: Timestamp::from_second(86_400).expect("a time") };
        assert!(!entry.is_due(Timestamp::UNIX_EPOCH));
    }

    /// The end of one attempt.
    #[derive(Debug, Clone, Copy)]
    enum End {
        Accepted,
        /// The receiver has processed the request, and the answer is lost.
        AnswerLost,
        Unavailable,
        /// The program is killed before the request is sent.
        KilledBefore,
        /// The program is killed after the receiver has processed the request.
        KilledAfter,
    }

    proptest! {
        /// A receiver that processes each identifier once processes a request exactly once, or it was never reached.
        #[test]
        fn nothing_is_lost_or_processed_twice(ends in prop::collection::vec(prop::sample::select(
            vec![End::Accepted, End::AnswerLost, End::Unavailable, End::KilledBefore, End::KilledAfter]), 12)) {
            let mut stored = entry();
            let mut now = Timestamp::UNIX_EPOCH;
            let (mut received, mut processed, mut used) = (BTreeSet::new(), 0, Vec::new());
            for end in ends {
                let Some(due) = stored.due() else { break };
                now = now.max(due);
                prop_assert!(stored.is_due(now));
                stored.begin(now);
                used.push(end);
                if matches!(end, End::Accepted | End::AnswerLost | End::KilledAfter) && received.insert(stored.id.clone()) {
                    processed += 1;
                }
                match end {
                    End::Accepted => stored.finish(&answered(200, None), now),
                    End::AnswerLost | End::Unavailable => stored.finish(&AttemptResult::Failed("lost".to_owned()), now),
                    // The stored entry is the one from before the attempt.
                    End::KilledBefore | End::KilledAfter => {}
                }
                let json = serde_json::to_string(&stored).expect("JSON");
                stored = serde_json::from_str(&json).expect("an entry");
            }
            let was_reached = used.iter().any(|end| matches!(end, End::Accepted | End::AnswerLost | End::KilledAfter));
            prop_assert_eq!(processed, usize::from(was_reached));
            prop_assert_eq!(matches!(stored.state, DeliveryState::Delivered { .. }), used.iter().any(|end| matches!(end, End::Accepted)));
        }
    }
}
