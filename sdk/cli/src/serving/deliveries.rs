//! The deliveries of a server, beside its jobs and evaluations.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use integration_delivery::{Permissions, Sender, Settings as DeliverySettings};
use integration_server::{Background, WatchedFile};
use integration_watch::{Delivered, Delivery, WatchError, deliver_due};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::settings::Settings;
use crate::instances;

/// The time after which no further attempts begin before new deliveries are considered.
///
/// A receiver that never answers therefore delays others by no more than this and the limit of an attempt.
const PASS: Duration = Duration::from_secs(60);
/// The longest time between two passes. A pass also sends the deliveries of processes that were killed.
const LONGEST: SignedDuration = SignedDuration::from_mins(5);
/// The delay after a pass that failed.
const DELAY: SignedDuration = SignedDuration::from_mins(1);
/// The time between two checks of the settings of deliveries.
const CHECK: Duration = Duration::from_secs(2);

/// The deliveries of a data directory.
#[derive(Clone)]
pub(super) struct Deliveries {
    settings: Settings,
    /// Wakes the next pass.
    due: Arc<Notify>,
}

impl Deliveries {
    pub(super) fn new(settings: Settings, due: Arc<Notify>) -> Self {
        Self { settings, due }
    }

    async fn work(self, stop: CancellationToken) {
        let mut former = None;
        let mut file = WatchedFile::new(DeliverySettings::path(&self.settings.data_dir));
        while !stop.is_cancelled() {
            // A change during the pass is seen by the check after it.
            file.has_changed();
            let (next, longest) = match self.pass(&mut former, &stop).await {
                Ok(delivered) => {
                    delivered.attempted.iter().for_each(log);
                    // Another process that sends may be killed.
                    (delivered.next.filter(|_| !delivered.is_busy), LONGEST)
                }
                Err(error) => {
                    tracing::error!(%error, "the deliveries of alerts failed; they will be repeated");
                    (None, DELAY)
                }
            };
            let now = self.settings.clock.now();
            let latest = now.checked_add(longest).unwrap_or(Timestamp::MAX);
            let next = next.map_or(latest, |next| next.min(latest));
            // The clock may return early. A pass without work costs little.
            let clock = Arc::clone(&self.settings.clock);
            tokio::select! {
                () = self.due.notified() => {}
                () = clock.sleep_until(next) => {}
                () = changed(&mut file) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Sends the deliveries that are due, and all that wait if the settings of deliveries have changed since the former pass.
    async fn pass(
        &self,
        former: &mut Option<DeliverySettings>,
        stop: &CancellationToken,
    ) -> Result<Delivered, WatchError> {
        let data_dir = &self.settings.data_dir;
        // They are read for each pass, so that a correction needs no restart.
        let settings = DeliverySettings::read(data_dir)?.unwrap_or_else(DeliverySettings::absent);
        // A correction lets everything begin that waited for it.
        let is_corrected = former.replace(settings.clone()).is_some_and(|former| former != settings);
        let permissions = Permissions { commands: self.settings.allow_commands };
        let sender = Sender::new(settings, instances::resolver(data_dir), permissions, &self.settings.agent);
        let end = stop.child_token();
        let _limit = AbortOnDropHandle::new(tokio::spawn({
            let end = end.clone();
            async move {
                tokio::time::sleep(PASS).await;
                end.cancel();
            }
        }));
        deliver_due(data_dir, &sender, self.settings.clock.now(), is_corrected, &end).await
    }
}

/// Waits for a change of a file.
async fn changed(file: &mut WatchedFile) {
    loop {
        tokio::time::sleep(CHECK).await;
        if file.has_changed() {
            return;
        }
    }
}

impl Background for Deliveries {
    fn run(&self, stop: CancellationToken) -> BoxFuture<'static, ()> {
        Box::pin(self.clone().work(stop))
    }
}

fn log(delivery: &Delivery) {
    let Delivery { rule, record, .. } = delivery;
    let (id, action, target, attempts) = (&record.id, &record.action, &record.target, record.attempts);
    let error = record.error.as_deref();
    match delivery.is_delivered() {
        true => tracing::info!(id, action, target, rule, attempts, "an action was delivered"),
        false if delivery.is_abandoned() => {
            tracing::error!(id, action, target, rule, attempts, error, "an action cannot be delivered");
        }
        false => tracing::warn!(id, action, target, rule, attempts, error, "a delivery failed; it will be repeated"),
    }
}
