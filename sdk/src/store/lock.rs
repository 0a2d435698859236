//! One process a job: a lock that the operating system gives up when its holder dies, however it dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use crate::graph::JobId;

use super::StoreError;

/// Held while a process works on a job.
#[derive(Debug)]
pub(super) struct JobLock {
    path: PathBuf,
    _file: File,
}

impl JobLock {
    fn path(directory: &Path, job: &JobId) -> PathBuf {
        directory.join(format!("job-{job}.lock"))
    }

    /// Takes the lock of a job.
    ///
    /// # Errors
    /// [`StoreError::Busy`] where another process holds it.
    pub(super) fn take(directory: &Path, job: &JobId) -> Result<Self, StoreError> {
        let path = Self::path(directory, job);
        let unusable = |source| StoreError::Directory { path: path.clone(), source };
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { path, _file: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Busy { job: job.clone() }),
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }

    /// Whether a process holds the lock of a job.
    pub(super) fn is_held(directory: &Path, job: &JobId) -> bool {
        match File::open(Self::path(directory, job)) {
            Ok(file) => matches!(file.try_lock(), Err(TryLockError::WouldBlock)),
            Err(_) => false,
        }
    }
}

impl Drop for JobLock {
    fn drop(&mut self) {
        // A file that stays is of no harm: what counts is whether it is locked.
        let _ = std::fs::remove_file(&self.path);
    }
}
