//! The connections: one writer on a thread, readers on demand.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

/// Batches that may wait for the writer before steps do.
const QUEUE: usize = 8;

const SCHEMA: &str = include_str!("schema.sql");
/// Raised whenever `schema.sql` changes.
const SCHEMA_VERSION: i64 = 1;

/// The store does not work.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The data directory cannot be made.
    #[error("cannot use the data directory {path}: {source}", path = path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// SQLite refused.
    #[error("the store {path} does not work: {source}", path = path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// The file was written by another version of the program.
    #[error("the store {path} has format {found}, this program reads format {expected}: use another --data-dir", path = path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What stands in it.
        found: i64,
        /// What this program reads.
        expected: i64,
    },
    /// Something in the store is not what was written.
    #[error("the store holds something unreadable: {0}")]
    Corrupt(String),
    /// The writer is gone.
    #[error("the store is closed")]
    Closed,
}

type Command = Box<dyn FnOnce(&mut Connection) + Send>;

struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

/// A store of jobs. Clones share the file, the writer and the readers.
#[derive(Clone)]
pub struct Store {
    writer: mpsc::Sender<Command>,
    readers: Arc<Readers>,
    // Last, so that the queue is closed before its thread is awaited.
    _thread: Arc<WriterThread>,
}

struct WriterThread(Option<thread::JoinHandle<()>>);

impl Drop for WriterThread {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            // The thread ends when the queue is empty and closed; its own panic has been reported to whoever waited.
            let _ = thread.join();
        }
    }
}

impl Store {
    /// Opens the store of a data directory, making both where they are missing.
    ///
    /// # Errors
    /// [`StoreError`] where the directory or the file cannot be used.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        let unusable = |source| StoreError::Directory { path: directory.to_owned(), source };
        std::fs::create_dir_all(directory).map_err(unusable)?;
        let path = directory.join("state.sqlite");
        let failed = |source| StoreError::Sqlite { path: path.clone(), source };
        let mut connection = Connection::open(&path).map_err(failed)?;
        prepare(&mut connection, &path)?;
        let (writer, queue) = mpsc::channel(QUEUE);
        let thread = thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || write_all(connection, queue))
            .map_err(unusable)?;
        let readers = Arc::new(Readers { path, idle: Mutex::default() });
        Ok(Self { writer, readers, _thread: Arc::new(WriterThread(Some(thread))) })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.readers.path
    }

    /// Does some writing in one transaction on the writer's thread, and waits until it is committed.
    pub(crate) async fn write<R, F>(&self, work: F) -> Result<R, StoreError>
    where
        R: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> rusqlite::Result<R> + Send + 'static,
    {
        self.submit(work).await?.committed().await
    }

    /// Queues some writing and waits only for a place in the queue: whoever adds goes on while the writer works.
    pub(crate) async fn submit<R, F>(&self, work: F) -> Result<Pending<R>, StoreError>
    where
        R: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> rusqlite::Result<R> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let command: Command = Box::new(move |connection| {
            // Immediate: a deferred transaction of two processes may fail at once where this one waits its turn.
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate);
            let result = transaction.and_then(|transaction| {
                let result = work(&transaction)?;
                transaction.commit().map(|()| result)
            });
            // Nobody waits any more: the work is done all the same.
            let _ = reply.send(result);
        });
        self.writer.send(command).await.map_err(|_| StoreError::Closed)?;
        Ok(Pending { answer, readers: Arc::clone(&self.readers) })
    }

    /// Does some reading on a thread for blocking work.
    pub(crate) async fn read<R, F>(&self, work: F) -> Result<R, StoreError>
    where
        R: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<R> + Send + 'static,
    {
        let readers = Arc::clone(&self.readers);
        let result = tokio::task::spawn_blocking(move || readers.with(work)).await;
        result.map_err(|_| StoreError::Closed)?.map_err(|source| self.failed(source))
    }

    fn failed(&self, source: rusqlite::Error) -> StoreError {
        self.readers.failed(source)
    }
}

/// Writing that is queued and not yet known to be committed.
pub(crate) struct Pending<R> {
    answer: oneshot::Receiver<rusqlite::Result<R>>,
    readers: Arc<Readers>,
}

impl<R> Pending<R> {
    pub(crate) async fn committed(self) -> Result<R, StoreError> {
        self.answer.await.map_err(|_| StoreError::Closed)?.map_err(|source| self.readers.failed(source))
    }
}

impl Readers {
    fn failed(&self, source: rusqlite::Error) -> StoreError {
        StoreError::Sqlite { path: self.path.clone(), source }
    }

    fn with<R>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<R>) -> rusqlite::Result<R> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => {
                let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                let connection = Connection::open_with_flags(&self.path, flags)?;
                connection.busy_timeout(Duration::from_secs(10))?;
                connection
            }
        };
        let result = work(&connection);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        result
    }
}

fn prepare(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::Sqlite { path: path.to_owned(), source };
    connection.busy_timeout(Duration::from_secs(10)).map_err(failed)?;
    connection
        .execute_batch(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-32000; PRAGMA temp_store=MEMORY;",
        )
        .map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(64);
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
    match found {
        0 => {
            let sql = format!("BEGIN;\n{SCHEMA}\nPRAGMA user_version={SCHEMA_VERSION};\nCOMMIT;");
            connection.execute_batch(&sql).map_err(failed)
        }
        SCHEMA_VERSION => Ok(()),
        found => Err(StoreError::Format { path: path.to_owned(), found, expected: SCHEMA_VERSION }),
    }
}

fn write_all(mut connection: Connection, mut queue: mpsc::Receiver<Command>) {
    while let Some(command) = queue.blocking_recv() {
        command(&mut connection);
    }
}
