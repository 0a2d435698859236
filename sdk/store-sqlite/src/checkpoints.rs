//! Checkpoints of the write-ahead log during a collection, on their own thread.
//!
//! Moving the whole log into the database file at the end would delay the end of every job.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use super::file;

/// The number of committed rows between two checkpoints: about ten megabytes of log.
const ROWS: usize = 10_000;

/// A handle of the checkpoint thread, which starts when the first checkpoint is due. Dropping it waits for the thread.
pub(super) struct Checkpoints {
    path: PathBuf,
    rows: usize,
    worker: Option<Worker>,
}

struct Worker {
    due: SyncSender<()>,
    thread: JoinHandle<()>,
}

impl Checkpoints {
    /// Creates the handle for an open store.
    pub(super) fn of(path: &Path) -> Self {
        Self { path: path.to_owned(), rows: 0, worker: None }
    }

    /// Counts committed rows and requests a checkpoint when there are enough.
    pub(super) fn committed(&mut self, rows: usize) {
        self.rows += rows;
        if self.rows < ROWS {
            return;
        }
        if self.worker.is_none() {
            self.worker = Worker::begin(self.path.clone()).ok();
        }
        // If the thread is still busy, a later commit requests the checkpoint.
        if self.worker.as_ref().is_some_and(|worker| worker.due.try_send(()).is_ok()) {
            self.rows = 0;
        }
    }
}

impl Worker {
    fn begin(path: PathBuf) -> std::io::Result<Self> {
        let (due, told) = sync_channel(1);
        let thread = thread::Builder::new().name("checkpoints".into()).spawn(move || work(&path, &told))?;
        Ok(Self { due, thread })
    }
}

/// Runs checkpoints on request.
///
/// Pages that cannot be moved now stay in the log, which is equally safe. SQLite moves them when the log is long, or at
/// the end.
fn work(path: &Path, told: &Receiver<()>) {
    let mut connection = None;
    while told.recv().is_ok() {
        let opened = connection.take().map_or_else(|| file::connect(path), Ok);
        connection = opened
            .ok()
            .filter(|connection| connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).is_ok());
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        if let Some(Worker { due, thread }) = self.worker.take() {
            // The thread ends with the channel. A panic there costs time only: the log is moved later.
            drop(due);
            let _ = thread.join();
        }
    }
}
