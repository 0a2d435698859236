//! The delivery of everything that is due in the outbox.

use std::path::Path;
use std::time::Instant;

use futures::StreamExt;
use integration_delivery::{Outbox, Sender, target_of};
use integration_rules::DeliveryRecord;
use integration_rules::delivery::{DeliveryState, OutboxEntry};
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::book::{Book, OpenBook};
use crate::error::WatchError;

/// The maximum number of attempts at the same time.
const AT_ONCE: usize = 8;

/// A delivery that was attempted.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// The name of the rule.
    pub rule: String,
    /// The identifier of the alert.
    pub alert: Option<String>,
    /// The state after the attempt.
    pub record: DeliveryRecord,
}

/// The result of [`deliver_due`].
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Delivered {
    /// The deliveries that were attempted.
    pub attempted: Vec<Delivery>,
    /// The number of deliveries that wait for their next attempt.
    pub waiting: usize,
    /// The earliest time of the next attempt.
    pub next: Option<Timestamp>,
    /// Whether another process is sending, so that nothing was attempted.
    pub is_busy: bool,
}

/// Sends all deliveries that are due, and records the results in the outbox and with their alerts.
///
/// A receiver that fails does not hold up others. An entry is due if its time is not later than `now`; with `all`, every
/// entry that waits is attempted. If the caller cancels, attempts in progress end first.
///
/// # Errors
/// [`WatchError`] if the outbox or the book cannot be read or written.
pub async fn deliver_due(
    data_dir: &Path,
    sender: &Sender,
    now: Timestamp,
    all: bool,
    cancelled: &CancellationToken,
) -> Result<Delivered, WatchError> {
    let outbox = Outbox::of(data_dir);
    let Some(_lock) = outbox.lock()? else {
        return Ok(Delivered { is_busy: true, ..Delivered::default() });
    };
    if !Book::read(data_dir)?.outgoing.is_empty() {
        // The process that recorded them was killed.
        OpenBook::open(data_dir).await?.hand_over(&outbox)?;
    }
    let began = Instant::now();
    // A slow receiver makes later attempts later, and signatures contain the time.
    let clock = || now + SignedDuration::try_from(began.elapsed()).unwrap_or_default();
    let (mut due, mut waiting) = (Vec::new(), Vec::new());
    for mut entry in outbox.entries()?.into_iter().filter(|entry| !entry.is_finished()) {
        // No other process sends, so the process of an unfinished attempt is gone.
        entry.interrupted();
        if all || entry.is_due(now) { due.push(entry) } else { waiting.push(entry) }
    }
    let attempts = due.into_iter().map(|entry| attempt(&outbox, sender, entry, &clock, cancelled));
    let ended: Vec<_> = futures::stream::iter(attempts).buffer_unordered(AT_ONCE).collect().await;
    let mut delivered = Delivered::default();
    for entry in ended {
        let (entry, is_attempted) = entry?;
        if is_attempted {
            delivered.attempted.push(Delivery {
                rule: entry.occasion.rule.clone(),
                alert: entry.occasion.alert.clone(),
                record: DeliveryRecord::of(&entry, target_of(&entry.effect), clock()),
            });
        }
        waiting.extend(Some(entry).filter(|entry| !entry.is_finished()));
    }
    record(data_dir, &delivered.attempted).await?;
    outbox.forget_old(now)?;
    delivered.waiting = waiting.len();
    delivered.next = waiting.iter().filter_map(OutboxEntry::due).min();
    Ok(delivered)
}

/// Makes one attempt, unless the caller has cancelled. The entry is written before and after it.
async fn attempt(
    outbox: &Outbox,
    sender: &Sender,
    mut entry: OutboxEntry,
    clock: &impl Fn() -> Timestamp,
    cancelled: &CancellationToken,
) -> Result<(OutboxEntry, bool), WatchError> {
    if cancelled.is_cancelled() {
        return Ok((entry, false));
    }
    entry.begin(clock());
    outbox.put(&entry)?;
    let result = sender.send(&entry, clock()).await;
    entry.finish(&result, clock());
    outbox.put(&entry)?;
    Ok((entry, true))
}

/// Adds the results to the alerts.
async fn record(data_dir: &Path, attempted: &[Delivery]) -> Result<(), WatchError> {
    if attempted.iter().all(|delivery| delivery.alert.is_none()) {
        return Ok(());
    }
    let mut open = OpenBook::open(data_dir).await?;
    for delivery in attempted {
        let alert = open.book.alerts.iter_mut().find(|alert| Some(&alert.id) == delivery.alert.as_ref());
        if let Some(alert) = alert {
            alert.record(delivery.record.clone());
        }
    }
    open.save()
}

impl Delivery {
    /// Returns whether the receiver has accepted it.
    pub fn is_delivered(&self) -> bool {
        matches!(self.record.state, DeliveryState::Delivered { .. })
    }

    /// Returns whether there are no further attempts, and the receiver has not accepted it.
    pub fn is_abandoned(&self) -> bool {
        matches!(self.record.state, DeliveryState::Abandoned { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use integration_delivery::{Permissions, Settings};
    use integration_rules::delivery::{Occasion, delivery_id};
    use integration_rules::{AlertLevel, CommandCall, Effect};
    use integration_secrets::Resolver;

    fn entry() -> OutboxEntry {
        let effect = Effect::Command(CommandCall { command: vec!["/bin/true".to_owned()], input: None });
        let occasion = Occasion {
            rule: "A".to_owned(),
            action: "a".to_owned(),
            level: AlertLevel::Low,
            alert: None,
            change: None,
        };
        OutboxEntry::new(delivery_id("evaluation", "a"), effect, occasion, Timestamp::UNIX_EPOCH)
    }

    #[tokio::test]
    async fn deliveries_of_a_recorded_evaluation_survive_a_kill_at_either_side_of_their_move() {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = Settings::parse("commands: [/bin/true]").expect("settings");
        let sender = Sender::new(settings, Resolver::new(), Permissions { commands: true }, "test/1");
        let deliver = async || {
            let (at, cancelled) = (Timestamp::UNIX_EPOCH, CancellationToken::new());
            deliver_due(folder.path(), &sender, at, false, &cancelled).await.expect("a folder").attempted.len()
        };
        for (case, attempts) in [("killed before the move", 1), ("killed after the move", 0)] {
            let mut open = OpenBook::open(folder.path()).await.expect("a book");
            open.book.outgoing.push(entry());
            open.save().expect("a disk");
            drop(open);
            assert_eq!(deliver().await, attempts, "{case}");
            assert_eq!(Book::read(folder.path()).expect("a book").outgoing, [], "{case}");
        }
        assert_eq!(deliver().await, 0);
    }
}
