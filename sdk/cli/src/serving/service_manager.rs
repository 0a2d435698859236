//! Messages to systemd: the program is ready, stops, and is alive. Without a service manager they have no effect.

use std::time::Duration;

use integration_server::{Health, Phase};
use sd_notify::NotifyState;

/// Informs the service manager until the task is aborted.
///
/// The watchdog is fed only while the loop of the server turns, so that a process which is stuck is replaced.
pub(crate) async fn inform(health: Health) {
    health.reached(Phase::Ready).await;
    notify(&[NotifyState::Ready, NotifyState::Status("jobs run at their times")]);
    let stopping = health.reached(Phase::Stopping);
    tokio::select! {
        () = feed(&health) => {}
        () = stopping => notify(&[NotifyState::Stopping, NotifyState::Status("jobs end")]),
    }
    feed(&health).await;
}

/// Feeds the watchdog, without end.
async fn feed(health: &Health) {
    let Some(limit) = sd_notify::watchdog_enabled().filter(|limit| *limit > Duration::ZERO) else {
        return std::future::pending().await;
    };
    // systemd recommends half of the limit. A third leaves room for a busy machine.
    let mut beats = tokio::time::interval(limit / 3);
    loop {
        beats.tick().await;
        if health.is_alive() {
            notify(&[NotifyState::Watchdog]);
        }
    }
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager cannot be informed");
    }
}
