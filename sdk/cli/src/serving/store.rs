//! The store that all jobs of the process share.

use std::path::PathBuf;
use std::sync::Arc;

use integration_sdk::store::{Store, StoreError};
use tokio::sync::Mutex;

/// The store of a data directory, opened when it is first used.
///
/// All jobs of the process have one writer. After an error that writer executes nothing more, so the next job opens the
/// store again.
#[derive(Clone)]
pub(super) struct SharedStore {
    data_dir: PathBuf,
    open: Arc<Mutex<Option<Store>>>,
}

impl SharedStore {
    pub(super) fn new(data_dir: PathBuf) -> Self {
        Self { data_dir, open: Arc::default() }
    }

    /// Returns the store.
    pub(super) async fn get(&self) -> Result<Store, StoreError> {
        let mut open = self.open.lock().await;
        if let Some(store) = &*open {
            return Ok(store.clone());
        }
        let data_dir = self.data_dir.clone();
        let opened = tokio::task::spawn_blocking(move || Store::open(&data_dir)).await;
        let store = opened.map_err(|_| StoreError::Closed)??;
        *open = Some(store.clone());
        Ok(store)
    }

    /// Discards a store that has failed. Jobs that use it end with errors.
    pub(super) async fn discard(&self) {
        let discarded = self.open.lock().await.take();
        // Closing waits for the writer.
        let _ = tokio::task::spawn_blocking(move || drop(discarded)).await;
    }

    /// Returns the size of the database in bytes, with its write-ahead log.
    pub(super) fn size(store: &Store) -> Option<u64> {
        let database = store.path().metadata().ok()?.len();
        let mut log = store.path().as_os_str().to_owned();
        log.push("-wal");
        let log = std::fs::metadata(log).map_or(0, |metadata| metadata.len());
        Some(database + log)
    }
}
