//! Moving what is committed from the log into the file, beside the writer: left for the end, everybody would wait for it.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use super::file;

/// Rows that are committed between two checkpoints: about ten megabytes of log.
const ROWS: usize = 10_000;

/// A thread that is told when there is enough to move; it begins with the first time. Dropping it waits for its end.
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
    /// Of a store that is open.
    pub(super) fn of(path: &Path) -> Self {
        Self { path: path.to_owned(), rows: 0, worker: None }
    }

    /// So many rows more are committed.
    pub(super) fn committed(&mut self, rows: usize) {
        self.rows += rows;
        if self.rows < ROWS {
            return;
        }
        if self.worker.is_none() {
            self.worker = Worker::begin(self.path.clone()).ok();
        }
        // A thread that is still at work is told by a later commit.
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

/// What cannot be moved now stays in the log, where it is as safe: SQLite moves it when the log is long, or at the end.
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
            // It ends with the channel; a panic there has cost nothing but time.
            drop(due);
            let _ = thread.join();
        }
    }
}
