//! Ctrl-C, and the request of a service manager to end: the first ends the job in order, the second at once.

use tokio_util::sync::CancellationToken;

use crate::exit;
use crate::screen::Screen;

/// Listens until the program ends.
pub(crate) fn listen(cancel: CancellationToken, screen: Screen) {
    tokio::spawn(async move {
        if asked_to_end().await {
            cancel.cancel();
            screen.say("Stopping: what has been collected is being kept. Press Ctrl-C again to stop at once.");
        }
        if asked_to_end().await {
            // Whole transactions are on disk at any instant, so nothing breaks.
            let _ = screen.bars().clear();
            std::process::exit(exit::FAILED.into());
        }
    });
}

/// Whether somebody asked; `false` where the system cannot tell.
async fn asked_to_end() -> bool {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else { return false };
        tokio::select! {
            pressed = tokio::signal::ctrl_c() => pressed.is_ok(),
            asked = terminate.recv() => asked.is_some(),
        }
    }
    #[cfg(not(unix))]
    {
        tokio::signal::ctrl_c().await.is_ok()
    }
}
