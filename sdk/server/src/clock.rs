//! The clock of the server.

use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;

/// The longest uninterrupted wait. A timer does not notice a suspension of the machine or a correction of the clock.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// The source of the current time.
///
/// Times may jump in both directions. A wait is an optimisation: the server compares times after each wait, so a wait that
/// is too short costs a comparison, and one that is too long makes a run late.
pub trait Clock: Send + Sync + 'static {
    /// Returns the current time.
    fn now(&self) -> Timestamp;

    /// Waits until a time, or shorter.
    fn sleep_until(&self, time: Timestamp) -> BoxFuture<'_, ()>;
}

/// The clock of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn sleep_until(&self, time: Timestamp) -> BoxFuture<'_, ()> {
        let wait = time.duration_since(self.now());
        // A time in the past gives a negative wait.
        let wait = Duration::try_from(wait).unwrap_or(Duration::ZERO);
        Box::pin(tokio::time::sleep(wait.min(LONGEST_WAIT)))
    }
}
