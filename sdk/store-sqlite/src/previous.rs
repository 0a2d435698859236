//! The published versions of an instance, for comparison with the objects that a job collects.
//!
//! An unchanged object is recognised when it is stored, so that its content is neither written again nor compared text
//! by text. The list takes 24 bytes for each version. A thread reads it while the job sends its first requests. Objects
//! that arrive earlier are stored with their content, and are recognised at publication.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};

use integration_graph::{InstanceId, ObjectKey};
use rusqlite::{Connection, OptionalExtension, params};

use super::content_hash::ContentHash;
use super::file;
use super::index::key_index::{KeyHash, hash_of};

/// The maximum number of parents in memory.
const PARENTS: usize = 10_000;

/// The versions of the newest snapshot of an instance.
#[derive(Debug, Default)]
pub(super) struct Previous {
    /// The number of the instance and that of the snapshot; `None` if the instance has none.
    pub(super) newest: Option<(i64, i64)>,
    /// Sorted by the hash of the key.
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    key: KeyHash,
    content: ContentHash,
    object: i64,
}

/// Returns the number of a job's instance and that of its newest snapshot.
pub(super) fn newest(connection: &Connection, job: i64) -> rusqlite::Result<Option<(i64, i64)>> {
    let sql = "SELECT integration, instance FROM job WHERE number = ?1";
    let names = connection.prepare_cached(sql)?.query_row([job], |row| Ok((row.get(0)?, row.get(1)?)));
    let (integration, instance): (String, String) = names?;
    newest_of(connection, &integration, &instance)
}

/// Returns the number of an instance and that of its newest snapshot.
fn newest_of(connection: &Connection, integration: &str, instance: &str) -> rusqlite::Result<Option<(i64, i64)>> {
    let sql = "SELECT snapshot.instance, snapshot.number FROM instance \
               JOIN snapshot ON snapshot.instance = instance.number \
               WHERE instance.integration = ?1 AND instance.name = ?2 ORDER BY snapshot.number DESC LIMIT 1";
    let found =
        connection.prepare_cached(sql)?.query_row([integration, instance], |row| Ok((row.get(0)?, row.get(1)?)));
    found.optional()
}

impl Previous {
    /// Reads the versions that are in a snapshot, which is the newest one of its instance.
    ///
    /// The caller's transaction excludes a publication in the meantime.
    fn read(connection: &Connection, newest: Option<(i64, i64)>) -> rusqlite::Result<Self> {
        let Some((instance, _)) = newest else { return Ok(Self::default()) };
        let sql = "SELECT key, hash, number FROM object \
                   WHERE job IN (SELECT number FROM snapshot WHERE instance = ?1) AND same_as IS NULL \
                   AND NOT EXISTS (SELECT 1 FROM ended WHERE ended.object = object.number)";
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query(params![instance])?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next()? {
            let key = hash_of(row.get_ref(0)?.as_str()?);
            entries.push(Entry { key, content: row.get(1)?, object: row.get(2)? });
        }
        entries.sort_unstable();
        entries.shrink_to_fit();
        Ok(Self { newest, entries })
    }

    /// Returns the version with this key and content.
    pub(super) fn unchanged(&self, key: KeyHash, content: ContentHash) -> Option<i64> {
        let entry = self.with_key(key).find(|entry| entry.content == content)?;
        Some(entry.object)
    }

    /// Returns the versions that may have a key of this hash.
    pub(super) fn candidates(&self, key: KeyHash) -> impl Iterator<Item = i64> {
        self.with_key(key).map(|entry| entry.object)
    }

    /// Returns all versions, sorted by number.
    pub(super) fn objects(&self) -> Vec<i64> {
        let mut objects: Vec<i64> = self.entries.iter().map(|entry| entry.object).collect();
        objects.sort_unstable();
        objects
    }

    fn with_key(&self, key: KeyHash) -> impl Iterator<Item = &Entry> {
        let begin = self.entries.partition_point(|entry| entry.key < key);
        self.entries[begin..].iter().take_while(move |entry| entry.key == key)
    }
}

/// The versions of an instance while a thread reads them.
#[derive(Debug)]
pub(super) struct Loading {
    loaded: Arc<OnceLock<Previous>>,
    thread: Option<JoinHandle<()>>,
}

impl Loading {
    /// Starts to read the versions from a file.
    ///
    /// If the thread cannot start or fails, no object is recognised before publication, which then reports the error.
    fn begin(path: PathBuf, integration: String, instance: InstanceId) -> Self {
        let loaded = Arc::<OnceLock<Previous>>::default();
        let result = Arc::clone(&loaded);
        let load = move || {
            let connection = file::connect_reader(&path)?;
            let snapshot = connection.unchecked_transaction()?;
            Previous::read(&snapshot, newest_of(&snapshot, &integration, instance.as_str())?)
        };
        let read = move || match load() {
            Ok(previous) => drop(result.set(previous)),
            Err(error) => tracing::debug!(%error, "the published versions cannot be read yet"),
        };
        let thread = thread::Builder::new().name("versions".into()).spawn(read).ok();
        Self { loaded, thread }
    }

    /// Returns the versions if they have been read.
    pub(super) fn get(&self) -> Option<&Previous> {
        self.loaded.get()
    }

    /// Waits for the versions. The result is `None` if the thread failed.
    pub(super) fn wait(mut self) -> Option<Previous> {
        self.join();
        Arc::into_inner(std::mem::take(&mut self.loaded))?.into_inner()
    }

    fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has set no result.
            let _ = thread.join();
        }
    }
}

impl Drop for Loading {
    fn drop(&mut self) {
        self.join();
    }
}

/// The published versions and the parents that the writer knows.
#[derive(Debug, Default)]
pub(super) struct Versions {
    path: PathBuf,
    of_jobs: HashMap<i64, Loading>,
    parents: HashMap<ObjectKey, i64>,
}

impl Versions {
    pub(super) fn of(path: PathBuf) -> Self {
        Self { path, ..Self::default() }
    }

    /// Starts to read the versions with which the objects of a job are compared.
    pub(super) fn prepare(&mut self, job: i64, integration: &str, instance: &InstanceId) {
        let loading = Loading::begin(self.path.clone(), integration.to_owned(), instance.clone());
        self.of_jobs.insert(job, loading);
    }

    /// Returns the version with this key and content, if the versions have been read.
    pub(super) fn unchanged(&self, job: i64, key: KeyHash, content: ContentHash) -> Option<i64> {
        self.of_jobs.get(&job)?.get()?.unchanged(key, content)
    }

    /// Returns the versions of the newest snapshot, and discards them.
    ///
    /// They are read again if another run has published since.
    pub(super) fn take(&mut self, connection: &Connection, job: i64) -> rusqlite::Result<Previous> {
        let loaded = self.of_jobs.remove(&job).and_then(Loading::wait);
        let newest = newest(connection, job)?;
        match loaded {
            Some(previous) if previous.newest == newest => Ok(previous),
            _ => Previous::read(connection, newest),
        }
    }

    /// Discards the versions of a job that does not publish.
    pub(super) fn forget(&mut self, job: i64) {
        self.of_jobs.remove(&job);
    }

    /// Returns the number of a parent, which is assigned if the parent is new.
    pub(super) fn parent(&mut self, connection: &Connection, key: &ObjectKey) -> rusqlite::Result<i64> {
        if let Some(number) = self.parents.get(key) {
            return Ok(*number);
        }
        connection.prepare_cached("INSERT OR IGNORE INTO parent (key) VALUES (?1)")?.execute([key.as_str()])?;
        let sql = "SELECT number FROM parent WHERE key = ?1";
        let number = connection.prepare_cached(sql)?.query_row([key.as_str()], |row| row.get(0))?;
        if self.parents.len() >= PARENTS {
            self.parents.clear();
        }
        self.parents.insert(key.clone(), number);
        Ok(number)
    }

    /// Discards the known parents after some were deleted from the store.
    pub(super) fn forget_parents(&mut self) {
        self.parents.clear();
    }
}
