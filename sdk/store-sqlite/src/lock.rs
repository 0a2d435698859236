//! The lease of a job: a file lock that the operating system releases with its process.
//!
//! A job has a lock file as long as it has a row. The holder never removes the file. Otherwise a process that opened
//! the file earlier would lock a deleted file while a third process locks a new file of the same name, and both would
//! hold the lease. Only [`prune`](super::Store::prune) removes the file, after the row. A process that takes the lock
//! afterwards finds that the row is gone.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use integration_files::{input, owner_only};
use integration_graph::JobId;

use super::StoreError;

const PREFIX: &str = "job-";
const SUFFIX: &str = ".lock";
/// The maximum time to wait for processes that only test the lock.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(2);

/// The lock of a job, held while a process works on the job.
#[derive(Debug)]
pub(super) struct JobLock(#[expect(dead_code, reason = "its lock ends with the file")] File);

/// Whether a file name is that of a lock file.
pub(super) fn is_lock(name: &str) -> bool {
    job_of(name).is_some()
}

/// Returns the job id in the name of a lock file.
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
            // A holder prevents a shared lock. If a shared lock succeeds, another process only tests the lock, so try
            // again.
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

    /// Whether a process holds the lock of a job. The test never prevents another process from taking the lock.
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
        // Stands for another process that has opened the file already.
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
            // The taker gets the lock whether it comes before or after this line.
            looking.unlock().unwrap();
            taker.join().unwrap()
        });
        assert!(taken.is_ok(), "{taken:?}");
    }
}
