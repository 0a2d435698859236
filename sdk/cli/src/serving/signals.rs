//! Signals of a server: stop, stop at once, and read the configuration again.

use integration_server::Reload;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::console::Console;
use crate::failure::Failure;
use crate::interrupt;

/// Handles signals until the result is dropped.
///
/// The first SIGTERM or Ctrl-C stops the server within its bound, and the second one ends the process at once. SIGHUP makes
/// the server read its configuration.
pub(crate) fn handle(
    stop: CancellationToken,
    reload: Reload,
    console: Console,
) -> Result<AbortOnDropHandle<()>, Failure> {
    #[cfg(unix)]
    let mut hang_up = {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::hangup())?
    };
    let task = async move {
        let stops = async {
            if !interrupt::signalled().await {
                return;
            }
            stop.cancel();
            console.say("Stopping. Jobs end, and the next start resumes them. Press Ctrl-C again to stop immediately.");
            if interrupt::signalled().await {
                interrupt::end_at_once(&console);
            }
        };
        #[cfg(unix)]
        let reloads = async {
            while hang_up.recv().await.is_some() {
                reload.request();
            }
        };
        #[cfg(not(unix))]
        let reloads = async { drop(reload) };
        tokio::join!(stops, reloads);
    };
    Ok(AbortOnDropHandle::new(tokio::spawn(task)))
}
