//! The health of the server: whether its loop turns, and whether it accepts work.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

/// The time after which a loop that does not turn counts as stuck. It turns every few seconds.
const STUCK: Duration = Duration::from_secs(60);

/// The phase of the server. The phases follow each other in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// The instances have not been read yet.
    Starting,
    /// Runs start at their times.
    Ready,
    /// No more runs start, and those in progress end.
    Stopping,
}

/// The health of a server. Clones share the state.
#[derive(Debug, Clone)]
pub struct Health(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    since: Instant,
    /// The time of the last turn, in milliseconds after `since`.
    turned: AtomicU64,
    phase: watch::Sender<Phase>,
    /// The reason why the server cannot do its work.
    problem: Mutex<Option<String>>,
}

impl Health {
    pub(crate) fn new() -> Self {
        let shared = Shared {
            since: Instant::now(),
            turned: AtomicU64::new(0),
            phase: watch::Sender::new(Phase::Starting),
            problem: Mutex::default(),
        };
        Self(Arc::new(shared))
    }

    /// Returns whether the loop of the server has turned in the last minute.
    ///
    /// A watchdog of a service manager depends on it: a process that is stuck is to be replaced.
    pub fn is_alive(&self) -> bool {
        let turned = Duration::from_millis(self.0.turned.load(Ordering::Relaxed));
        self.0.since.elapsed().saturating_sub(turned) < STUCK
    }

    /// Returns the phase.
    pub fn phase(&self) -> Phase {
        *self.0.phase.borrow()
    }

    /// Waits until the server has reached a phase.
    pub async fn reached(&self, phase: Phase) {
        // The sender lives as long as this value, so the wait cannot fail.
        let _ = self.0.phase.subscribe().wait_for(|now| *now >= phase).await;
    }

    /// Returns the reason why the server is not ready; `None` if it is.
    pub fn unready(&self) -> Option<String> {
        match self.phase() {
            Phase::Starting => Some("starting".to_owned()),
            Phase::Stopping => Some("stopping".to_owned()),
            Phase::Ready => self.0.problem.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    pub(crate) fn turn(&self) {
        let elapsed = u64::try_from(self.0.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.turned.store(elapsed, Ordering::Relaxed);
    }

    pub(crate) fn enter(&self, phase: Phase) {
        self.0.phase.send_replace(phase);
    }

    pub(crate) fn report(&self, problem: Option<String>) {
        *self.0.problem.lock().unwrap_or_else(PoisonError::into_inner) = problem;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_ready_between_its_start_and_its_stop_without_a_problem() {
        let health = Health::new();
        assert_eq!(health.unready().as_deref(), Some("starting"));
        health.enter(Phase::Ready);
        assert_eq!(health.unready(), None);
        health.report(Some("the disk is full".to_owned()));
        assert_eq!(health.unready().as_deref(), Some("the disk is full"));
        health.report(None);
        health.enter(Phase::Stopping);
        assert_eq!(health.unready().as_deref(), Some("stopping"));
        assert!(health.is_alive());
    }
}
