//! The record of the job that a process works on, in a file.
//!
//! A process that is killed leaves its job open in the service. The service shows nothing of an open job, but only the
//! record makes it possible to end the job. The file is locked while its process lives, so that a second process does not
//! take a job in progress for an abandoned one.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use integration_files::owner_only;
use serde::{Deserialize, Serialize};

/// The maximum size of a record in bytes.
const LARGEST: u64 = 64 << 10;

/// A job that was not ended by its process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OpenJob {
    /// The id of the job.
    pub(crate) job: String,
    /// The address of the service.
    pub(crate) base: String,
    /// The account.
    pub(crate) account: String,
}

/// A locked record.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
}

/// A record that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another process works with the same record.
    #[error("another process uploads to the same place; its record {} is in use", .0.display())]
    Busy(PathBuf),
    /// The file cannot be used.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

impl Journal {
    /// Opens and locks a record, and returns the job in it.
    pub(crate) fn open(path: &Path) -> Result<(Self, Option<OpenJob>), JournalError> {
        let failed = |source| JournalError::File { path: path.to_owned(), source };
        path.parent().map_or(Ok(()), owner_only::create_folder).map_err(failed)?;
        let mut file = owner_only::open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(JournalError::Busy(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let mut text = String::new();
        (&mut file).take(LARGEST).read_to_string(&mut text).map_err(failed)?;
        // A record that was being written when its process was killed names a job that had no uploads yet.
        let open = serde_json::from_str(&text).ok();
        Ok((Self { path: path.to_owned(), file }, open))
    }

    /// Records a job, on disk when this returns.
    pub(crate) fn begin(&mut self, job: &OpenJob) -> Result<(), JournalError> {
        let text = serde_json::to_string(job).expect("a record is JSON");
        self.write(&text)
    }

    /// Records that there is no open job.
    pub(crate) fn end(&mut self) -> Result<(), JournalError> {
        self.write("")
    }

    fn write(&mut self, text: &str) -> Result<(), JournalError> {
        let file = &mut self.file;
        let written = file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0)));
        let written = written.and_then(|_| file.write_all(text.as_bytes())).and_then(|()| file.sync_data());
        written.map_err(|source| JournalError::File { path: self.path.clone(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_outlasts_its_process_and_is_used_by_one_process_at_a_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("sync/jupiterone.json");
        let job = OpenJob { job: "7".to_owned(), base: "https://x".to_owned(), account: "a".to_owned() };
        let (mut journal, open) = Journal::open(&path).expect("a new record");
        assert_eq!(open, None);
        journal.begin(&job).expect("a written record");
        assert!(matches!(Journal::open(&path), Err(JournalError::Busy(_))));
        drop(journal);
        let (mut journal, open) = Journal::open(&path).expect("a record");
        assert_eq!(open, Some(job));
        journal.end().expect("a written record");
        drop(journal);
        assert_eq!(Journal::open(&path).expect("a record").1, None);
        std::fs::write(&path, "{\"job\":").expect("a file");
        assert_eq!(Journal::open(&path).expect("a record").1, None);
    }
}
