//! The writer's thread, which executes all changes in few transactions.
//!
//! How rows become visible to readers:
//!
//! 1. A caller waits for a slot in the bounded queue. The wait is the backpressure on steps that produce faster than
//!    the disk accepts. A command that is in the queue is executed even if the future of its caller is dropped.
//! 2. The writer executes commands in the order of the queue. A commit costs the same for one object as for thousands,
//!    so commands share a transaction. Readers see none of its rows until it is committed.
//! 3. The transaction is committed if a command requires it (`Store::write`), if it has many rows or is old, or if the
//!    queue stays empty for a moment. Commits preserve the order of the queue, so a `write` also publishes everything
//!    queued before.
//! 4. Each command has a reply, which carries its result. A command that requires a commit gets its reply after the
//!    commit; its result is then the fate of the transaction too. Other commands get their reply before, and a caller
//!    that depends on visible rows waits for a later `write`.
//!
//! If a command or a commit fails, the transaction is rolled back and the writer executes nothing more. The reason is
//! that rows of earlier commands in the same transaction are lost although their callers have a reply already. All
//! later commands fail with `StoreError::Closed`, so the job ends, and resuming it starts from the last committed
//! state.

use std::io;
use std::sync::mpsc::sync_channel;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::checkpoints::Checkpoints;
use super::index::keys::Keys;

/// The maximum number of rows in one transaction.
const LARGEST: usize = 50_000;
/// The maximum age of an open transaction. A process that is killed loses at most this much work.
const OLDEST: Duration = Duration::from_secs(1);
/// The time that an open transaction waits for another command.
const LINGER: Duration = Duration::from_millis(20);

type Run = Box<dyn FnOnce(&Connection, &mut Keys) -> Executed + Send>;
type Reply = Box<dyn FnOnce(rusqlite::Result<()>) + Send>;

/// The result of a command, to be delivered together with the fate of its transaction.
struct Executed {
    failed: bool,
    reply: Reply,
}

/// A unit of work for the writer.
pub(super) struct Command {
    commit: bool,
    rows: usize,
    run: Run,
}

impl Command {
    /// Creates a command. `commit` delays its reply until the commit; `rows` estimates the number of written rows.
    pub(super) fn new<R, F>(commit: bool, rows: usize, work: F, answer: oneshot::Sender<rusqlite::Result<R>>) -> Self
    where
        R: Send + 'static,
        F: FnOnce(&Connection, &mut Keys) -> rusqlite::Result<R> + Send + 'static,
    {
        let run = move |connection: &Connection, keys: &mut Keys| {
            let result = work(connection, keys);
            Executed {
                failed: result.is_err(),
                // The caller may have stopped waiting. The work is done nevertheless.
                reply: Box::new(move |fate| drop(answer.send(result.and_then(|result| fate.map(|()| result))))),
            }
        };
        Self { commit, rows, run: Box::new(run) }
    }
}

pub(super) struct Writer {
    // Dropped first, because the connection that is closed last runs the final checkpoint.
    checkpoints: Checkpoints,
    // Its threads read the file, so it is dropped before the connection as well.
    keys: Keys,
    connection: Connection,
    open: Option<Open>,
    broken: bool,
}

/// The open transaction.
struct Open {
    since: Instant,
    rows: usize,
}

impl Writer {
    pub(super) fn new(connection: Connection, checkpoints: Checkpoints, keys: Keys) -> Self {
        Self { checkpoints, connection, keys, open: None, broken: false }
    }

    /// Starts the thread, which runs until the queue is closed and empty.
    ///
    /// # Errors
    /// [`io::Error`] if the operating system can start no thread or timer for it.
    pub(super) fn begin(self, queue: mpsc::Receiver<Command>) -> io::Result<JoinHandle<()>> {
        let (ready, started) = sync_channel(1);
        let work = move || {
            // The thread has its own timer, because it may outlive the runtime of its callers, and because a runtime
            // must not be dropped within an asynchronous context.
            let clock = Builder::new_current_thread().enable_time().build();
            match clock {
                Ok(clock) => {
                    // The thread that starts this one waits for the message, so it cannot be missing.
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
            // After an error the writer drops commands. Their callers get `StoreError::Closed`.
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
                // Immediate, because a deferred transaction may fail at once if two processes write; this one waits for
                // its turn.
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
        // A failed rollback adds nothing to the error that led here.
        let _ = self.connection.execute_batch("ROLLBACK");
    }
}
