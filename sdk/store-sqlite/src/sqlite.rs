//! The connections of a store: one writer on a thread, readers on demand.

use std::any::Any;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::checkpoints::Checkpoints;
use super::content_hash::HashKey;
use super::index::keys::{Keys, RecentKeys};
use super::sqlite_error::failed;
use super::writer::{Command, Writer};
use super::{StoreError, file};

/// The capacity of the writer's queue. Steps wait for a slot when it is full.
const QUEUE: usize = 4;

/// The writer's page cache in KiB; SQLite expects a negative number for this unit. Readers rarely use a page twice.
pub(super) const CACHE_KIB: i64 = -2_500;
const READER_CACHE_KIB: i64 = -800;

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
    // Dropped after the thread, which has the files open.
    _folder: Option<Arc<dyn Any + Send + Sync>>,
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
        let failed = |source| failed(&path, source);
        let connection = file::connect(&path).map_err(failed)?;
        file::prepare(&connection, &path)?;
        connection.pragma_update(None, "cache_size", CACHE_KIB).map_err(failed)?;
        let (checkpoints, keys) = (Checkpoints::of(&path), Keys::of_store(path.clone()));
        let (recent_keys, hash_key) = (keys.recent(), HashKey::read(&connection).map_err(failed)?);
        let (writer, queue) = mpsc::channel(QUEUE);
        let thread = Writer::new(connection, checkpoints, keys).begin(queue).map_err(StoreError::Thread)?;
        let readers = Arc::new(Readers { path, idle: Mutex::default() });
        Ok(Self {
            writer,
            readers,
            recent_keys,
            hash_key,
            _thread: Arc::new(WriterThread(Some(thread))),
            _folder: None,
        })
    }

    /// Opens a copy of a store that no process can write, after [`StoreError::ReadOnly`].
    ///
    /// Indexes that are built on first use are built in the copy. `folder` must be an empty folder for the owner only. It is
    /// kept until the last clone of the store is dropped, so that it can be removed then.
    ///
    /// # Errors
    /// [`StoreError`] if the files cannot be copied or opened.
    pub fn open_copy<F>(directory: &Path, folder: F) -> Result<Self, StoreError>
    where
        F: AsRef<Path> + Send + Sync + 'static,
    {
        file::copy(directory, folder.as_ref())?;
        let store = Self::open(folder.as_ref())?;
        Ok(Self { _folder: Some(Arc::new(folder)), ..store })
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
    pub(super) fn hash_key(&self) -> HashKey {
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
    pub(super) async fn place(&self) -> Result<Place<'_>, StoreError> {
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

    pub(super) fn failed(&self, source: rusqlite::Error) -> StoreError {
        self.readers.failed(source)
    }
}

/// A slot in the writer's queue.
pub(super) struct Place<'a> {
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
pub(super) struct Pending<R> {
    answer: oneshot::Receiver<rusqlite::Result<R>>,
    readers: Arc<Readers>,
}

impl<R> Pending<R> {
    /// Waits for the reply. Call it once.
    pub(super) async fn done(&mut self) -> Result<R, StoreError> {
        (&mut self.answer).await.map_err(|_| StoreError::Closed)?.map_err(|source| self.readers.failed(source))
    }
}

impl Readers {
    fn failed(&self, source: rusqlite::Error) -> StoreError {
        failed(&self.path, source)
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{JobReader, JobWriter};
    use super::*;
    use integration_graph::InstanceId;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_store_that_is_closed_is_one_file_and_whole() {
        for _ in 0..10 {
            let folder = tempfile::tempdir().unwrap();
            let store = Store::open(folder.path()).unwrap();
            let job = store.begin_job("acme", &InstanceId::default(), &json!({})).await.unwrap();
            job.put_data("kept".into(), json!("x".repeat(100_000))).await.unwrap();
            // A reader's connection is open as well.
            assert!(job.data("kept".into()).await.unwrap().is_some());
            let (path, id) = (store.path().to_owned(), job.lease().job.clone());
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
