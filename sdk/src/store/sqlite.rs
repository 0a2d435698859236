//! The connections of a store: one writer on a thread, readers on demand.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::graph::JobId;

use super::checkpoints::Checkpoints;
use super::content_hash::HashKey;
use super::file;
use super::keys::{Keys, RecentKeys};
use super::unreadable::Unreadable;
use super::writer::{Command, Writer};

/// The capacity of the writer's queue. Steps wait for a slot when it is full.
const QUEUE: usize = 4;

/// The writer's page cache in KiB; SQLite expects a negative number for this unit. Readers rarely use a page twice.
pub(super) const CACHE_KIB: i64 = -2_500;
const READER_CACHE_KIB: i64 = -800;
/// An error of the store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The data directory cannot be created or used.
    #[error("cannot use the data directory {path}: {source}", path = path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// A file of the store cannot be used.
    #[error("cannot use {path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// The writer's thread cannot be started.
    #[error("cannot open the store: the operating system cannot start a thread: {0}")]
    Thread(#[source] std::io::Error),
    /// SQLite returned an error.
    #[error("the store {path} failed: {source}", path = path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: rusqlite::Error,
    },
    /// The file was written by another version of the program.
    #[error("the store {path} has format {found}, but this program reads format {expected}: use {remedy}", path = path.display(), remedy = if found > expected { "a newer version of the program" } else { "another --data-dir" })]
    Format {
        /// The file.
        path: PathBuf,
        /// The format of the file.
        found: i64,
        /// The format that this program reads.
        expected: i64,
    },
    /// The store contains data that cannot be interpreted.
    #[error("the store contains unreadable data: {0}")]
    Corrupt(String),
    /// A document cannot be read by this version.
    #[error("the store contains unreadable data: {0}")]
    Unreadable(#[from] Unreadable),
    /// Another process holds the lease of the job.
    #[error("another process is working on the job {job}: wait until it ends")]
    Busy {
        /// The job.
        job: JobId,
    },
    /// The job has no gaps to resume.
    #[error("all selected steps of the job {job} are complete: there is nothing to resume")]
    Complete {
        /// The job.
        job: JobId,
    },
    /// A newer job of the instance has published its graph.
    #[error(
        "the job {job} cannot be resumed, because its data is older than the graph of the job {newer}: start a new collection"
    )]
    Superseded {
        /// The job.
        job: JobId,
        /// The newer job.
        newer: JobId,
    },
    /// Another job of the instance is running.
    #[error("the job {job} of the same instance is running: wait until it ends, or use another instance")]
    Running {
        /// The running job.
        job: JobId,
    },
    /// The job was removed after it was listed.
    #[error("the job {job} no longer exists: `jobs prune` removed it")]
    Forgotten {
        /// The job.
        job: JobId,
    },
    /// The writer has ended, usually after an earlier error.
    #[error("the store is closed, usually because of an earlier error")]
    Closed,
}

struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

/// A store of jobs. Clones share the file, the writer, and the readers.
#[derive(Clone)]
pub struct Store {
    // Dropped first: the connection that is closed last runs the final checkpoint, and a reader cannot do that.
    readers: Arc<Readers>,
    writer: mpsc::Sender<Command>,
    recent_keys: RecentKeys,
    hash_key: HashKey,
    // Dropped last, so that the queue is closed before the thread is joined.
    _thread: Arc<WriterThread>,
}

struct WriterThread(Option<thread::JoinHandle<()>>);

impl Drop for WriterThread {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            // The queue is closed, so the thread ends once it is empty. A panic of the thread has reached its callers
            // already.
            let _ = thread.join();
        }
    }
}

impl Store {
    /// Opens the store of a data directory and creates both if they are missing.
    ///
    /// # Errors
    /// [`StoreError`] if the directory or the file cannot be used.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        let path = file::locate(directory)?;
        let failed = |source| StoreError::Sqlite { path: path.clone(), source };
        let connection = file::connect(&path).map_err(failed)?;
        file::prepare(&connection, &path)?;
        connection.pragma_update(None, "cache_size", CACHE_KIB).map_err(failed)?;
        let (checkpoints, keys) = (Checkpoints::of(&path), Keys::of_store(path.clone()));
        let (recent_keys, hash_key) = (keys.recent(), HashKey::read(&connection).map_err(failed)?);
        let (writer, queue) = mpsc::channel(QUEUE);
        let thread = Writer::new(connection, checkpoints, keys).begin(queue).map_err(StoreError::Thread)?;
        let readers = Arc::new(Readers { path, idle: Mutex::default() });
        Ok(Self { writer, readers, recent_keys, hash_key, _thread: Arc::new(WriterThread(Some(thread))) })
    }

    /// Returns the data directory.
    pub(super) fn directory(&self) -> &Path {
        self.readers.path.parent().unwrap_or(Path::new("."))
    }

    /// Returns the keys that readers must search in addition to the key index.
    pub(super) fn recent_keys(&self) -> RecentKeys {
        self.recent_keys.clone()
    }

    /// Returns the key of the content hashes.
    pub(crate) fn hash_key(&self) -> HashKey {
        self.hash_key
    }

    /// Returns the path of the database file.
    pub fn path(&self) -> &Path {
        &self.readers.path
    }

    /// Executes work on the writer's thread and waits until it is committed.
    ///
    /// Everything that was queued before is committed then, too.
    pub(crate) async fn write<R, F>(&self, work: F) -> Result<R, StoreError>
    where
        R: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<R> + Send + 'static,
    {
        self.write_with_keys(move |connection, _| work(connection)).await
    }

    /// Like [`write`](Self::write), for work that needs the keys of the stored objects.
    pub(super) async fn write_with_keys<R, F>(&self, work: F) -> Result<R, StoreError>
    where
        R: Send + 'static,
        F: FnOnce(&Connection, &mut Keys) -> rusqlite::Result<R> + Send + 'static,
    {
        self.place().await?.send(true, 1, work).done().await
    }

    /// Queues work and waits only for a slot in the queue.
    ///
    /// Its rows share a transaction with other work. Readers see them at the latest after the next
    /// [`write`](Self::write).
    pub(super) async fn submit<R, F>(&self, rows: usize, work: F) -> Result<Pending<R>, StoreError>
    where
        R: Send + 'static,
        F: FnOnce(&Connection, &mut Keys) -> rusqlite::Result<R> + Send + 'static,
    {
        Ok(self.place().await?.submit(rows, work))
    }

    /// Waits for a slot in the writer's queue. Work sent through the slot is executed even if the caller's future is
    /// dropped.
    pub(crate) async fn place(&self) -> Result<Place<'_>, StoreError> {
        let permit = self.writer.reserve().await.map_err(|_| StoreError::Closed)?;
        Ok(Place { permit, readers: &self.readers })
    }

    /// Executes work on a reader's connection, on a thread for blocking work.
    pub(crate) async fn read<R, F>(&self, work: F) -> Result<R, StoreError>
    where
        R: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<R> + Send + 'static,
    {
        let readers = Arc::clone(&self.readers);
        let result = tokio::task::spawn_blocking(move || readers.with(work)).await;
        result.map_err(|_| StoreError::Closed)?.map_err(|source| self.failed(source))
    }

    /// Reads through an index that is updated only when it is needed.
    ///
    /// The check and the read share one snapshot of the database, because the index may be discarded in between. If the
    /// index is out of date, the writer updates it and reads in the same transaction, for the same reason.
    pub(super) async fn read_updated<R, C, U, F>(&self, is_current: C, update: U, read: F) -> Result<R, StoreError>
    where
        R: Send + 'static,
        C: FnOnce(&Connection) -> rusqlite::Result<bool> + Send + 'static,
        U: FnOnce(&Connection) -> rusqlite::Result<()> + Send + 'static,
        F: Fn(&Connection) -> rusqlite::Result<R> + Clone + Send + 'static,
    {
        let first = read.clone();
        let current = move |connection: &Connection| {
            let _snapshot = connection.unchecked_transaction()?;
            if is_current(connection)? { first(connection).map(Some) } else { Ok(None) }
        };
        if let Some(result) = self.read(current).await? {
            return Ok(result);
        }
        self.write(move |connection| {
            update(connection)?;
            read(connection)
        })
        .await
    }

    pub(super) fn failed(&self, source: rusqlite::Error) -> StoreError {
        self.readers.failed(source)
    }
}

/// A slot in the writer's queue.
pub(crate) struct Place<'a> {
    permit: mpsc::Permit<'a, Command>,
    readers: &'a Arc<Readers>,
}

impl Place<'_> {
    pub(super) fn submit<R, F>(self, rows: usize, work: F) -> Pending<R>
    where
        R: Send + 'static,
        F: FnOnce(&Connection, &mut Keys) -> rusqlite::Result<R> + Send + 'static,
    {
        self.send(false, rows, work)
    }

    fn send<R, F>(self, commit: bool, rows: usize, work: F) -> Pending<R>
    where
        R: Send + 'static,
        F: FnOnce(&Connection, &mut Keys) -> rusqlite::Result<R> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.permit.send(Command::new(commit, rows, work, reply));
        Pending { answer, readers: Arc::clone(self.readers) }
    }
}

/// Queued work whose reply has not arrived yet.
pub(crate) struct Pending<R> {
    answer: oneshot::Receiver<rusqlite::Result<R>>,
    readers: Arc<Readers>,
}

impl<R> Pending<R> {
    /// Waits for the reply. Call it once.
    pub(crate) async fn done(&mut self) -> Result<R, StoreError> {
        (&mut self.answer).await.map_err(|_| StoreError::Closed)?.map_err(|source| self.readers.failed(source))
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
                let connection = file::connect_reader(&self.path)?;
                connection.pragma_update(None, "cache_size", READER_CACHE_KIB)?;
                connection
            }
        };
        let result = work(&connection);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        result
    }
}

/// Converts an error of interpreting stored data into an error of reading it.
pub(super) fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::graph::InstanceId;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_store_that_is_closed_is_one_file_and_whole() {
        for _ in 0..10 {
            let folder = tempfile::tempdir().unwrap();
            let store = Store::open(folder.path()).unwrap();
            let job = store.begin_job("acme", &InstanceId::default(), &json!({})).await.unwrap();
            job.put_data("kept", &json!("x".repeat(100_000))).await.unwrap();
            // A reader's connection is open as well.
            assert!(job.data("kept").await.unwrap().is_some());
            let (path, id) = (store.path().to_owned(), job.id().clone());
            drop((job, store));
            let beside = std::fs::read_dir(folder.path())
                .unwrap()
                .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
            let left: Vec<String> = beside.filter(|name| name.contains("-wal")).collect();
            assert_eq!(left, Vec::<String>::new());
            let file = Connection::open(path).unwrap();
            let sql =
                "SELECT length(job_data.json) FROM job_data JOIN job ON job.number = job_data.job WHERE job.id = ?1";
            assert_eq!(file.query_row(sql, [id.as_str()], |row| row.get::<_, i64>(0)).unwrap(), 100_002);
        }
    }
}
