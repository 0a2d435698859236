//! The alerts of a data directory, and the state of its rules.
//!
//! The book is one JSON file, replaced as a whole: a process that is killed leaves the old book or the new one. A lock
//! keeps changes apart. It is held only while the book is read and written, never during an evaluation, so that a person
//! can dismiss an alert at any time.

mod form;

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use integration_delivery::Outbox;
use integration_rules::Alert;
use integration_rules::delivery::OutboxEntry;
use integration_sdk::{input, owner_only};
use serde::{Deserialize, Serialize};

use crate::error::WatchError;
use crate::state::RuleState;

const FILE: &str = "alerts.json";
const LOCK: &str = "alerts.lock";
const EVALUATION_LOCK: &str = "rules.lock";
/// The maximum time to wait for another process, which holds the lock for one change.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(10);

/// The alerts and the states of rules.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Book {
    /// The states of the rules, by name.
    pub rules: BTreeMap<String, RuleState>,
    /// All alerts, oldest first.
    pub alerts: Vec<Alert>,
    /// The deliveries of recorded evaluations that are not in the outbox yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) outgoing: Vec<OutboxEntry>,
}

impl Book {
    /// Returns the file of the book of a data directory, which is replaced with each change.
    pub fn path(data_dir: &Path) -> PathBuf {
        data_dir.join(FILE)
    }

    /// Reads the book of a data directory. A missing book is empty.
    ///
    /// # Errors
    /// [`WatchError`] if the file cannot be read, or if it was written by a newer version.
    pub fn read(data_dir: &Path) -> Result<Self, WatchError> {
        let path = Self::path(data_dir);
        match input::read_to_string(&path, input::RECORDING) {
            Ok(text) => form::parse(&text).map_err(|reason| WatchError::Unreadable { path, reason }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(WatchError::file("read", &path)(error)),
        }
    }

    /// Returns the newest alert of a rule.
    pub fn newest(&self, rule: &str) -> Option<&Alert> {
        self.alerts.iter().rfind(|alert| alert.rule_id == rule)
    }

    /// Removes the newest alert of a rule from the book, and returns it.
    pub(crate) fn take_newest(&mut self, rule: &str) -> Option<Alert> {
        let at = self.alerts.iter().rposition(|alert| alert.rule_id == rule)?;
        Some(self.alerts.remove(at))
    }
}

/// An opened book, which no other process can change.
#[derive(Debug)]
pub struct OpenBook {
    path: PathBuf,
    /// The contents. Changes are kept by [`OpenBook::save`].
    pub book: Book,
    /// The lock ends when the file is closed.
    _lock: File,
}

impl OpenBook {
    /// Opens the book of a data directory for a change. Waits for a change of another process.
    ///
    /// # Errors
    /// [`WatchError`] if the file cannot be read or locked.
    pub async fn open(data_dir: &Path) -> Result<Self, WatchError> {
        let lock = lock(data_dir, LOCK, PATIENCE, "changing the alerts of").await?;
        Ok(Self { path: data_dir.join(FILE), book: Book::read(data_dir)?, _lock: lock })
    }

    /// Replaces the stored book.
    ///
    /// # Errors
    /// [`WatchError`] if the file cannot be written.
    pub fn save(&self) -> Result<(), WatchError> {
        let text = form::write(&self.book);
        owner_only::replace(&self.path, text.as_bytes()).map_err(WatchError::file("write", &self.path))
    }

    /// Moves the deliveries of recorded evaluations into the outbox.
    ///
    /// The book contains them together with the states of their rules, so an evaluation and its deliveries exist both or
    /// neither. A process that is killed here repeats the move, and the outbox adds no entry twice.
    pub(crate) fn hand_over(&mut self, outbox: &Outbox) -> Result<(), WatchError> {
        if self.book.outgoing.is_empty() {
            return Ok(());
        }
        outbox.add(&self.book.outgoing)?;
        self.book.outgoing.clear();
        self.save()
    }
}

/// The exclusive right to evaluate the rules of a data directory.
///
/// Two evaluations at the same time would deliver the same actions twice.
#[derive(Debug)]
pub(crate) struct EvaluationLock(#[expect(dead_code, reason = "its lock ends with the file")] File);

impl EvaluationLock {
    pub(crate) async fn take(data_dir: &Path, patience: Duration) -> Result<Self, WatchError> {
        lock(data_dir, EVALUATION_LOCK, patience, "evaluating the rules of").await.map(Self)
    }
}

/// Takes the lock of a file, which the operating system releases with the process.
async fn lock(data_dir: &Path, name: &str, patience: Duration, activity: &'static str) -> Result<File, WatchError> {
    let path = data_dir.join(name);
    let file = owner_only::open(&path).map_err(WatchError::file("write", &path))?;
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if begun.elapsed() < patience => tokio::time::sleep(PAUSE).await,
            Err(TryLockError::WouldBlock) => {
                return Err(WatchError::Busy { activity, directory: data_dir.to_owned() });
            }
            Err(TryLockError::Error(error)) => return Err(WatchError::file("lock", &path)(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_book_is_kept_and_locked() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(Book::read(folder.path()).expect("no book"), Book::default());
        let mut open = OpenBook::open(folder.path()).await.expect("a book");
        open.book.rules.insert("Teams".to_owned(), RuleState::new());
        open.save().expect("a disk");
        let busy = lock(folder.path(), LOCK, Duration::ZERO, "changing the alerts of").await;
        assert!(matches!(busy, Err(WatchError::Busy { .. })), "two processes have the book");
        let kept = open.book.clone();
        drop(open);
        assert_eq!(OpenBook::open(folder.path()).await.expect("a book").book, kept);
    }
}
