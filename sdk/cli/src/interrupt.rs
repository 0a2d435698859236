//! Ctrl-C, and the request of a service manager to end: the first ends the job in order, the second at once.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::console::Console;
use crate::exit;

/// Turns the signal for a file that has grown too large into an error of the call that wrote to it.
///
/// Must be called within the runtime. Without it a limit such as `ulimit -f` ends the process without a message.
pub(crate) fn survive_full_files() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        // The handler stays when its stream is dropped; where there can be none, the system's own rule holds.
        drop(signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw())));
    }
}

/// How long a job may take to end in order. Service managers wait for 30 seconds or longer before they kill a process.
const GRACE: Duration = Duration::from_secs(20);

/// Hears signals while a job is at work. Dropped at the job's end; the next signal ends the program at once from then on.
pub(crate) struct Listening {
    task: JoinHandle<()>,
    console: Console,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
        let console = self.console.clone();
        // The signals do not end the process by themselves any more once somebody has listened.
        tokio::spawn(async move {
            if asked_to_end().await {
                end_at_once(&console);
            }
        });
    }
}

/// Listens until the result is dropped.
pub(crate) fn listen(cancel: CancellationToken, console: Console) -> Listening {
    let shown = console.clone();
    let task = tokio::spawn(async move {
        if !asked_to_end().await {
            return;
        }
        cancel.cancel();
        shown.say("Stopping: what has been collected is being kept. Press Ctrl-C again to stop at once.");
        match tokio::time::timeout(GRACE, asked_to_end()).await {
            Ok(false) => {}
            Ok(true) => end_at_once(&shown),
            Err(_) => {
                shown.say(
                    "The job does not end in order, so the program stops now; `collect --resume` goes on with it.",
                );
                end_at_once(&shown);
            }
        }
    });
    Listening { task, console }
}

/// Whole transactions are on disk at any instant, so nothing breaks.
fn end_at_once(console: &Console) {
    let _ = console.bars().clear();
    std::process::exit(exit::FAILED.into());
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
