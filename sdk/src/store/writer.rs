//! The writer's thread: many pieces of work, few transactions.
//!
//! A commit costs the same for one object as for thousands, so work that nobody waits to see committed shares a transaction
//! until that is large or old, or until the queue stays empty. After an error nothing more is written: what shared the
//! transaction is lost, and whoever asks next is told.

use std::io;
use std::sync::mpsc::sync_channel;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::checkpoints::Checkpoints;
use super::keys::Keys;

/// Rows in one transaction, at the most.
const LARGEST: usize = 50_000;
/// How long a transaction stays open: what a killed process may lose.
const OLDEST: Duration = Duration::from_secs(1);
/// How long an open transaction waits for more work.
const LINGER: Duration = Duration::from_millis(20);

type Run = Box<dyn FnOnce(&Connection, &mut Keys) -> Executed + Send>;
type Reply = Box<dyn FnOnce(rusqlite::Result<()>) + Send>;

/// What came of a piece of work, and how to tell it once its transaction's fate is known.
struct Executed {
    failed: bool,
    reply: Reply,
}

/// A piece of work for the writer.
pub(super) struct Command {
    commit: bool,
    rows: usize,
    run: Run,
}

impl Command {
    /// `commit`: the answer waits until the work is committed. `rows`: about how many it writes.
    pub(super) fn new<R, F>(commit: bool, rows: usize, work: F, answer: oneshot::Sender<rusqlite::Result<R>>) -> Self
    where
        R: Send + 'static,
        F: FnOnce(&Connection, &mut Keys) -> rusqlite::Result<R> + Send + 'static,
    {
        let run = move |connection: &Connection, keys: &mut Keys| {
            let result = work(connection, keys);
            Executed {
                failed: result.is_err(),
                // Nobody may wait any more: the work is done all the same.
                reply: Box::new(move |fate| drop(answer.send(result.and_then(|result| fate.map(|()| result))))),
            }
        };
        Self { commit, rows, run: Box::new(run) }
    }
}

pub(super) struct Writer {
    // First: the connection that is closed last moves what is left.
    checkpoints: Checkpoints,
    connection: Connection,
    keys: Keys,
    open: Option<Open>,
    broken: bool,
}

/// The transaction that is open.
struct Open {
    since: Instant,
    rows: usize,
}

impl Writer {
    pub(super) fn new(connection: Connection, checkpoints: Checkpoints, keys: Keys) -> Self {
        Self { checkpoints, connection, keys, open: None, broken: false }
    }

    /// Starts the thread, which works until the queue is closed and empty.
    ///
    /// # Errors
    /// [`io::Error`] if the operating system has no thread for it, or no means to wait with a limit.
    pub(super) fn begin(self, queue: mpsc::Receiver<Command>) -> io::Result<JoinHandle<()>> {
        let (ready, started) = sync_channel(1);
        let work = move || {
            // A clock of its own, made here: the runtime of its callers may be gone before it, and may not be where one is dropped.
            let clock = Builder::new_current_thread().enable_time().build();
            match clock {
                Ok(clock) => {
                    // The one that started the thread waits for this.
                    let _ = ready.send(Ok(()));
                    self.work(queue, &clock);
                }
                Err(error) => drop(ready.send(Err(error))),
            }
        };
        let thread = thread::Builder::new().name("store-writer".into()).spawn(work)?;
        started.recv().map_err(io::Error::other)??;
        Ok(thread)
    }

    fn work(mut self, mut queue: mpsc::Receiver<Command>, clock: &Runtime) {
        while let Some(command) = self.next(&mut queue, clock) {
            // A broken writer drops commands: whoever waits learns that the store is closed.
            if !self.broken {
                self.execute(command);
            }
        }
        let _ = self.commit();
    }

    fn next(&mut self, queue: &mut mpsc::Receiver<Command>, clock: &Runtime) -> Option<Command> {
        if self.open.is_some() {
            match clock.block_on(async { timeout(LINGER, queue.recv()).await }) {
                Ok(command) => return command,
                Err(_) => drop(self.commit()),
            }
        }
        queue.blocking_recv()
    }

    fn execute(&mut self, command: Command) {
        let begun = match &mut self.open {
            Some(open) => {
                open.rows += command.rows;
                Ok(())
            }
            None => {
                self.open = Some(Open { since: Instant::now(), rows: command.rows });
                // Immediate: a deferred transaction of two processes may fail at once where this one waits its turn.
                self.connection.execute_batch("BEGIN IMMEDIATE")
            }
        };
        let executed = (command.run)(&self.connection, &mut self.keys);
        let fate = match begun {
            Ok(()) if executed.failed => {
                self.break_off();
                Ok(())
            }
            Ok(()) if command.commit || self.is_due() => self.commit(),
            Ok(()) => Ok(()),
            Err(error) => {
                self.break_off();
                Err(error)
            }
        };
        (executed.reply)(fate);
    }

    fn is_due(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.rows >= LARGEST || open.since.elapsed() >= OLDEST)
    }

    fn commit(&mut self) -> rusqlite::Result<()> {
        let Some(open) = self.open.take() else { return Ok(()) };
        let committed = self.connection.execute_batch("COMMIT");
        match committed {
            Ok(()) => {
                self.keys.committed();
                self.checkpoints.committed(open.rows);
            }
            Err(_) => self.break_off(),
        }
        committed
    }

    fn break_off(&mut self) {
        self.open = None;
        self.broken = true;
        // The error that brought us here is what counts.
        let _ = self.connection.execute_batch("ROLLBACK");
    }
}
