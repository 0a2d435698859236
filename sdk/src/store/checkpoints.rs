//! Moving what is committed from the log into the file, beside the writer: left for the end, everybody would wait for it.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;

/// Rows that are committed between two checkpoints: about ten megabytes of log.
const ROWS: usize = 10_000;

/// A thread that is told when there is enough to move. Dropping it waits for its end.
pub(super) struct Checkpoints {
    rows: usize,
    due: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpoints {
    /// Of a store that is open.
    pub(super) fn of(path: &Path) -> std::io::Result<Self> {
        let (due, told) = sync_channel(1);
        let path = path.to_owned();
        let thread = thread::Builder::new().name("checkpoints".into()).spawn(move || work(&path, &told))?;
        Ok(Self { rows: 0, due: Some(due), thread: Some(thread) })
    }

    /// So many rows more are committed.
    pub(super) fn committed(&mut self, rows: usize) {
        self.rows += rows;
        // A thread that is still at work is told by a later commit.
        if self.rows >= ROWS && self.due.as_ref().is_some_and(|due| due.try_send(()).is_ok()) {
            self.rows = 0;
        }
    }
}

/// What cannot be moved now stays in the log, where it is as safe: SQLite moves it when the log is long, or at the end.
fn work(path: &Path, told: &Receiver<()>) {
    let mut connection = None;
    while told.recv().is_ok() {
        let opened = connection.take().map_or_else(|| Connection::open(path), Ok);
        connection = opened
            .ok()
            .filter(|connection| connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).is_ok());
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.due = None;
        if let Some(thread) = self.thread.take() {
            // It ends with the channel; a panic there has cost nothing but time.
            let _ = thread.join();
        }
    }
}
