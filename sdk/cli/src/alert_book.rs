//! The alerts of a data directory, and the state of its rules between two evaluations.
//!
//! The book is one JSON file, replaced as a whole: a process that is killed leaves the old book or the new one. A lock
//! keeps two evaluations apart, because both would open the same alert.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use integration_rules::{Alert, Memory};
use integration_sdk::{input, owner_only};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::style::printable_path;

const FILE: &str = "alerts.json";
const LOCK: &str = "alerts.lock";
/// The version of the file form.
const VERSION: u32 = 1;

/// The alerts and the state of rules.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Content {
    version: u32,
    /// The job whose graph was evaluated last, by instance.
    pub(crate) evaluated: BTreeMap<String, String>,
    /// The rows of the last evaluation, by rule.
    pub(crate) memories: BTreeMap<String, Memory>,
    /// All alerts, oldest first.
    pub(crate) alerts: Vec<Alert>,
}

/// An opened book, which no other process can change.
pub(crate) struct AlertBook {
    path: PathBuf,
    pub(crate) content: Content,
    /// The lock ends when the file is closed.
    _lock: File,
}

impl AlertBook {
    /// Opens the book of a data directory for changes.
    pub(crate) fn open(data_dir: &Path) -> Result<Self, Failure> {
        let lock_path = data_dir.join(LOCK);
        let lock = owner_only::create(&lock_path).map_err(Failure::file("write", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Failure::Usage(format!(
                    "another process is changing the alerts of {}; try again when it has ended",
                    printable_path(data_dir)
                )));
            }
            Err(TryLockError::Error(error)) => return Err(Failure::file("lock", lock_path)(error)),
        }
        Ok(Self { path: data_dir.join(FILE), content: read(data_dir)?, _lock: lock })
    }

    /// Replaces the stored book.
    pub(crate) fn save(&self) -> Result<(), Failure> {
        let text = serde_json::to_string(&Content { version: VERSION, ..self.content.clone() });
        let text = text.map_err(|error| Failure::Stdout(error.into()))?;
        let incomplete = self.path.with_extension("incomplete");
        let put = || {
            let mut file = owner_only::create(&incomplete)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&incomplete, &self.path)
        };
        put().map_err(Failure::file("write", &self.path))
    }

    /// Returns the newest alert of a rule, and removes it from the book.
    pub(crate) fn take_newest(&mut self, rule: &str) -> Option<Alert> {
        let at = self.content.alerts.iter().rposition(|alert| alert.rule_id == rule)?;
        Some(self.content.alerts.remove(at))
    }
}

/// Reads the book of a data directory. A missing book is empty.
pub(crate) fn read(data_dir: &Path) -> Result<Content, Failure> {
    let path = data_dir.join(FILE);
    let text = match input::read_to_string(&path, input::RECORDING) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Content::default()),
        Err(error) => return Err(Failure::file("read", path)(error)),
    };
    let content: Content = serde_json::from_str(&text).map_err(|error| Failure::file("read", &path)(error.into()))?;
    if content.version > VERSION {
        let error = std::io::Error::other("a newer version of this program wrote it");
        return Err(Failure::file("read", path)(error));
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_book_is_kept_and_locked() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(read(folder.path()).expect("no book"), Content::default());
        let mut book = AlertBook::open(folder.path()).expect("a book");
        book.content.evaluated.insert("acme/default".to_owned(), "job-1".to_owned());
        book.save().expect("a disk");
        assert!(AlertBook::open(folder.path()).is_err(), "two processes have the book");
        drop(book);
        let book = AlertBook::open(folder.path()).expect("a book");
        assert_eq!(book.content.evaluated["acme/default"], "job-1");
    }

    #[test]
    fn a_book_of_a_newer_version_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join(FILE), r#"{"version": 2, "evaluated": {}, "memories": {}, "alerts": []}"#)
            .expect("a file");
        assert!(read(folder.path()).expect_err("newer").to_string().contains("newer version"));
    }
}
