//! Ctrl-C and SIGTERM: the first signal cancels the job, the second ends the program immediately.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::console::Console;
use crate::exit;

/// Handles SIGXFSZ, so that a write beyond the file size limit returns an error.
///
/// Must be called within the runtime. Otherwise, a limit such as `ulimit -f` ends the process without a message.
pub(crate) fn survive_full_files() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        // The handler remains installed when its stream is dropped. If it cannot be installed, the default action applies.
        drop(signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw())));
    }
}

/// A token that Ctrl-C cancels, until it is dropped.
pub(crate) struct Cancellation {
    pub(crate) token: CancellationToken,
    task: JoinHandle<()>,
}

impl Drop for Cancellation {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Listens to Ctrl-C for a command that has nothing to finish.
pub(crate) fn cancellation() -> Cancellation {
    let token = CancellationToken::new();
    let cancelled = token.clone();
    let task = tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            cancelled.cancel();
        }
    });
    Cancellation { token, task }
}

/// A flag that Ctrl-C sets, until it is dropped.
///
/// The work checks the flag regularly. Only a blocked write to stdout does not: then the program ends.
#[derive(Debug)]
pub(crate) struct Flag {
    pub(crate) is_set: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

/// The time in which work must obey the flag.
const OBEY: Duration = Duration::from_secs(5);

impl Flag {
    pub(crate) fn listen(console: Console) -> Self {
        let is_set = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&is_set);
        let task = tokio::spawn(async move {
            while tokio::signal::ctrl_c().await.is_ok() {
                flag.store(true, Ordering::Relaxed);
                // A second Ctrl-C is as good as a long wait.
                let _ = tokio::time::timeout(OBEY, tokio::signal::ctrl_c()).await;
                if flag.load(Ordering::Relaxed) {
                    console.fail("error: the query was cancelled");
                    end_at_once(&console);
                }
            }
        });
        Self { is_set, task }
    }

    /// Forgets an earlier Ctrl-C, before the next query of a prompt.
    pub(crate) fn reset(&self) {
        self.is_set.store(false, Ordering::Relaxed);
    }
}

impl Drop for Flag {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The time limit for a cancelled job to end. Service managers wait for 30 seconds or longer before they kill a process.
const GRACE: Duration = Duration::from_secs(20);

/// The messages about a signal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Messages {
    /// The message when the work begins to stop.
    pub(crate) stopping: &'static str,
    /// The message if it does not stop in time.
    pub(crate) late: &'static str,
}

/// The messages while a job collects data.
pub(crate) const COLLECTING: Messages = Messages {
    stopping: "Stopping. The data collected so far are kept. Press Ctrl-C again to stop immediately.",
    late: "The job did not end in time. The program stops now; run `collect --resume` to continue.",
};

/// Handles signals while a job runs; after it is dropped, the next signal ends the program immediately.
pub(crate) struct Listening {
    task: JoinHandle<()>,
    console: Console,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
        let console = self.console.clone();
        // Once a handler is installed, a signal no longer ends the process by default.
        tokio::spawn(async move {
            if signalled().await {
                end_at_once(&console);
            }
        });
    }
}

/// Handles signals until the result is dropped.
pub(crate) fn listen(cancel: CancellationToken, console: Console, messages: Messages) -> Listening {
    let shown = console.clone();
    let task = tokio::spawn(async move {
        if !signalled().await {
            return;
        }
        cancel.cancel();
        shown.say(messages.stopping);
        match tokio::time::timeout(GRACE, signalled()).await {
            Ok(false) => {}
            Ok(true) => end_at_once(&shown),
            Err(_) => {
                shown.say(messages.late);
                end_at_once(&shown);
            }
        }
    });
    Listening { task, console }
}

/// Ends the process. The store is consistent at any time, because it contains only complete transactions.
pub(crate) fn end_at_once(console: &Console) {
    let _ = console.bars().clear();
    std::process::exit(exit::FAILED.into());
}

/// Waits for a signal; returns `false` if the system does not support this.
pub(crate) async fn signalled() -> bool {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else { return false };
        tokio::select! {
            pressed = tokio::signal::ctrl_c() => pressed.is_ok(),
            received = terminate.recv() => received.is_some(),
        }
    }
    #[cfg(not(unix))]
    {
        tokio::signal::ctrl_c().await.is_ok()
    }
}
