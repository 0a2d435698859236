//! The connections: one writer on a thread, readers on demand.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::graph::JobId;

use super::checkpoints::Checkpoints;
use super::file;
use super::keys::{Keys, RecentKeys};
use super::writer::{Command, Writer};

/// Batches that may wait for the writer before steps do.
const QUEUE: usize = 4;

/// The writer's cache, negative as SQLite wants sizes in KiB. A reader needs little: it seldom meets a page twice.
pub(super) const CACHE_KIB: i64 = -2_500;
const READER_CACHE_KIB: i64 = -800;
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
    /// A file of the store cannot be used.
    #[error("cannot use {path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// The writer's thread cannot be started.
    #[error("the store cannot be opened: the operating system starts no thread for it: {0}")]
    Thread(#[source] std::io::Error),
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
    /// Another process works on the job.
    #[error("another process works on the job {job}")]
    Busy {
        /// The job.
        job: JobId,
    },
    /// The job has nothing left to do.
    #[error("the job {job} is complete: there is nothing to resume")]
    Complete {
        /// The job.
        job: JobId,
    },
    /// The job is not there any more.
    #[error("the job {job} was forgotten meanwhile: `jobs prune` removed it")]
    Forgotten {
        /// The job.
        job: JobId,
    },
    /// The writer is gone.
    #[error("the store is closed")]
    Closed,
}

struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

/// A store of jobs. Clones share the file, the writer and the readers.
#[derive(Clone)]
pub struct Store {
    // First: the connection that is closed last moves all that was written into the one file, and a reader cannot.
    readers: Arc<Readers>,
    writer: mpsc::Sender<Command>,
    recent_keys: RecentKeys,
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
        let path = file::locate(directory)?;
        let failed = |source| StoreError::Sqlite { path: path.clone(), source };
        let connection = file::connect(&path).map_err(failed)?;
        file::prepare(&connection, &path)?;
        connection.pragma_update(None, "cache_size", CACHE_KIB).map_err(failed)?;
        let (checkpoints, keys) = (Checkpoints::of(&path), Keys::default());
        let recent_keys = keys.recent();
        let (writer, queue) = mpsc::channel(QUEUE);
        let thread = Writer::new(connection, checkpoints, keys).begin(queue).map_err(StoreError::Thread)?;
        let readers = Arc::new(Readers { path, idle: Mutex::default() });
        Ok(Self { writer, readers, recent_keys, _thread: Arc::new(WriterThread(Some(thread))) })
    }

    /// The data directory.
    pub(super) fn directory(&self) -> &Path {
        self.readers.path.parent().unwrap_or(Path::new("."))
    }

    /// What readers look at beside the index by key.
    pub(super) fn recent_keys(&self) -> RecentKeys {
        self.recent_keys.clone()
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.readers.path
    }

    /// Does some writing on the writer's thread, and waits until it and all that was written before are committed.
    pub(crate) async fn write<R, F>(&self, work: F) -> Result<R, StoreError>
    where
        R: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<R> + Send + 'static,
    {
        self.write_with_keys(move |connection, _| work(connection)).await
    }

    /// The same, for work that needs the keys of what is there.
    pub(super) async fn write_with_keys<R, F>(&self, work: F) -> Result<R, StoreError>
    where
        R: Send + 'static,
        F: FnOnce(&Connection, &mut Keys) -> rusqlite::Result<R> + Send + 'static,
    {
        self.place().await?.send(true, 1, work).done().await
    }

    /// Queues some writing and waits only for a place in the queue. When it is done others may read it only after the next
    /// [`write`](Self::write): the writer commits many such pieces at once.
    pub(super) async fn submit<R, F>(&self, rows: usize, work: F) -> Result<Pending<R>, StoreError>
    where
        R: Send + 'static,
        F: FnOnce(&Connection, &mut Keys) -> rusqlite::Result<R> + Send + 'static,
    {
        Ok(self.place().await?.submit(rows, work))
    }

    /// Waits for a place in the writer's queue. What is put there afterwards cannot be lost by dropping a future.
    pub(crate) async fn place(&self) -> Result<Place<'_>, StoreError> {
        let permit = self.writer.reserve().await.map_err(|_| StoreError::Closed)?;
        Ok(Place { permit, readers: &self.readers })
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

    pub(super) fn failed(&self, source: rusqlite::Error) -> StoreError {
        self.readers.failed(source)
    }
}

/// A place in the writer's queue.
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

/// Writing that is queued and not yet known to be done.
pub(crate) struct Pending<R> {
    answer: oneshot::Receiver<rusqlite::Result<R>>,
    readers: Arc<Readers>,
}

impl<R> Pending<R> {
    /// Waits for what came of it; to be asked once.
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

/// What stands in the store and cannot be understood, as an error of reading it.
pub(super) fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_store_that_is_closed_is_one_file_and_whole() {
        for _ in 0..10 {
            let folder = tempfile::tempdir().unwrap();
            let store = Store::open(folder.path()).unwrap();
            let job = store.begin_job("acme", "default", &json!({})).await.unwrap();
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
