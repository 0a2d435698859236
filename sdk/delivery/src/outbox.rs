//! The outbox of a data directory: one file for each entry.
//!
//! A finished entry stays for a week. An evaluation that is repeated after a crash then finds its entries, and adds none
//! twice.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use integration_files::{input, owner_only};
use integration_rules::delivery::{DeliveryState, OutboxEntry};
use jiff::{SignedDuration, Timestamp};

const FOLDER: &str = "outbox";
const LOCK: &str = "outbox.lock";
const EXTENSION: &str = "json";
/// The time for which finished entries are kept.
const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// An error of the outbox.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutboxError {
    /// A file cannot be read, written, or locked.
    #[error("cannot {action} {path}: {source}", path = path.display())]
    File {
        /// The verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// An entry has another form.
    #[error("cannot read the delivery {path}: {reason}; move the file away to continue without it", path = path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// The cause.
        reason: String,
    },
}

/// The outbox of a data directory.
#[derive(Debug, Clone)]
pub struct Outbox {
    data_dir: PathBuf,
}

/// The exclusive right to send the entries of an outbox.
#[derive(Debug)]
pub struct OutboxLock(#[expect(dead_code, reason = "its lock ends with the file")] File);

fn failed(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> OutboxError {
    move |source| OutboxError::File { action, path: path.to_owned(), source }
}

impl Outbox {
    /// Returns the outbox of a data directory. Nothing is created before the first entry.
    pub fn of(data_dir: &Path) -> Self {
        Self { data_dir: data_dir.to_owned() }
    }

    /// Takes the right to send; `None` while another process sends.
    ///
    /// # Errors
    /// [`OutboxError`] if the lock file cannot be opened.
    pub fn lock(&self) -> Result<Option<OutboxLock>, OutboxError> {
        let path = self.data_dir.join(LOCK);
        let file = owner_only::open(&path).map_err(failed("write", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(OutboxLock(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed("lock", &path)(error)),
        }
    }

    /// Adds entries. An entry whose identifier is known stays as it is.
    ///
    /// # Errors
    /// [`OutboxError`] if a file cannot be written.
    pub fn add(&self, entries: &[OutboxEntry]) -> Result<(), OutboxError> {
        for entry in entries {
            if !self.path(&entry.id).exists() {
                self.put(entry)?;
            }
        }
        Ok(())
    }

    /// Writes an entry, and replaces its earlier state.
    ///
    /// # Errors
    /// [`OutboxError`] if the file cannot be written; it then keeps its earlier state.
    pub fn put(&self, entry: &OutboxEntry) -> Result<(), OutboxError> {
        let path = self.path(&entry.id);
        let text = serde_json::to_vec(entry).expect("all names in an entry are texts");
        let put = || {
            owner_only::create_folder(&self.data_dir.join(FOLDER))?;
            owner_only::replace(&path, &text)
        };
        put().map_err(failed("write", &path))
    }

    /// Returns all entries, the oldest first.
    ///
    /// # Errors
    /// [`OutboxError`] if a file cannot be read.
    pub fn entries(&self) -> Result<Vec<OutboxEntry>, OutboxError> {
        let folder = self.data_dir.join(FOLDER);
        let listed = match fs::read_dir(&folder) {
            Ok(listed) => listed,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed("read", &folder)(error)),
        };
        let mut entries = Vec::new();
        for file in listed {
            let path = file.map_err(failed("read", &folder))?.path();
            if path.extension().is_none_or(|extension| extension != EXTENSION) {
                continue;
            }
            let text = match input::read_to_string(&path, input::RECORDING) {
                Ok(text) => text,
                // Another process has removed it.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(failed("read", &path)(error)),
            };
            let entry: OutboxEntry = serde_json::from_str(&text)
                .map_err(|error| OutboxError::Content { path, reason: error.to_string() })?;
            entries.push(entry);
        }
        entries.sort_by(|a, b| (a.created_on, &a.id).cmp(&(b.created_on, &b.id)));
        Ok(entries)
    }

    /// Removes entries that were finished long ago.
    ///
    /// # Errors
    /// [`OutboxError`] if a file cannot be removed.
    pub fn forget_old(&self, now: Timestamp) -> Result<(), OutboxError> {
        for entry in self.entries()? {
            let (DeliveryState::Delivered { at } | DeliveryState::Abandoned { at }) = entry.state else { continue };
            if now.duration_since(at) > KEPT {
                let path = self.path(&entry.id);
                fs::remove_file(&path).map_err(failed("remove", &path))?;
            }
        }
        Ok(())
    }

    /// Identifiers consist of letters and digits, see [`delivery_id`](integration_rules::delivery::delivery_id).
    fn path(&self, id: &str) -> PathBuf {
        self.data_dir.join(FOLDER).join(id).with_extension(EXTENSION)
    }
}
