//! One process a job: a lock that the operating system releases when its holder ends, in whatever way.
//!
//! Each job has a lock file for as long as it has a row. Its holder never removes it: a process that has opened the file
//! before would lock a file without a name, and a third one a new file of this name, so that both would hold the lock of one
//! job. Only [`prune`](super::Store::prune) removes the file, after the row, and a process that takes the lock then finds
//! that the row is gone.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::graph::JobId;
use crate::{input, owner_only};

use super::StoreError;

const PREFIX: &str = "job-";
const SUFFIX: &str = ".lock";
/// How long a process that only looks may be in the way.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(2);

/// The lock of a job, held while a process works on it.
#[derive(Debug)]
pub(super) struct JobLock(#[expect(dead_code, reason = "its lock ends with the file")] File);

/// Whether a name is that of a lock file.
pub(super) fn is_lock(name: &str) -> bool {
    job_of(name).is_some()
}

/// The job of a lock file.
pub(super) fn job_of(name: &str) -> Option<&str> {
    name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)
}

pub(super) fn path(directory: &Path, job: &str) -> PathBuf {
    directory.join(format!("{PREFIX}{job}{SUFFIX}"))
}

impl JobLock {
    /// Takes the lock of a job.
    ///
    /// # Errors
    /// [`StoreError::Busy`] if another process holds it.
    pub(super) fn take(directory: &Path, job: &JobId) -> Result<Self, StoreError> {
        let path = path(directory, job.as_str());
        let unusable = |source| StoreError::File { path: path.clone(), source };
        input::check(&path).map_err(unusable)?;
        let file = owner_only::open(&path).map_err(unusable)?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self(file)),
                Err(TryLockError::Error(source)) => return Err(unusable(source)),
                Err(TryLockError::WouldBlock) => {}
            }
            // A holder excludes a shared lock, a process that only looks has a shared one itself: that one is waited for.
            match file.try_lock_shared() {
                Ok(()) => file.unlock().map_err(unusable)?,
                Err(TryLockError::Error(source)) => return Err(unusable(source)),
                Err(TryLockError::WouldBlock) => return Err(StoreError::Busy { job: job.clone() }),
            }
            if begun.elapsed() > PATIENCE {
                return Err(StoreError::Busy { job: job.clone() });
            }
            thread::sleep(PAUSE);
        }
    }

    /// Whether a process holds the lock of a job. Looking never prevents another process from taking it.
    pub(super) fn is_held(directory: &Path, job: &JobId) -> bool {
        match input::open_with(&path(directory, job.as_str()), OpenOptions::new().read(true)) {
            Ok(file) => matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)),
            Err(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_excludes_others_until_it_ends_and_its_file_stays() {
        let folder = tempfile::tempdir().unwrap();
        let job = JobId::generate();
        assert!(!JobLock::is_held(folder.path(), &job));
        let lock = JobLock::take(folder.path(), &job).unwrap();
        // Another process that has opened the file already.
        let early = File::open(path(folder.path(), job.as_str())).unwrap();
        assert!(JobLock::is_held(folder.path(), &job));
        assert!(matches!(JobLock::take(folder.path(), &job), Err(StoreError::Busy { .. })));
        drop(lock);
        assert!(!JobLock::is_held(folder.path(), &job));
        early.lock().unwrap();
        assert!(matches!(JobLock::take(folder.path(), &job), Err(StoreError::Busy { .. })), "one file, one lock");
    }

    #[test]
    fn a_process_that_only_looks_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let job = JobId::generate();
        drop(JobLock::take(folder.path(), &job).unwrap());
        let looking = File::open(path(folder.path(), job.as_str())).unwrap();
        looking.try_lock_shared().unwrap();
        let taken = thread::scope(|scope| {
            let taker = scope.spawn(|| JobLock::take(folder.path(), &job));
            // Whether the taker comes before or after this: it gets the lock.
            looking.unlock().unwrap();
            taker.join().unwrap()
        });
        assert!(taken.is_ok(), "{taken:?}");
    }
}
