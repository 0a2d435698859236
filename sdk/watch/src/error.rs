//! Errors of the book and of evaluations.

use std::io;
use std::path::{Path, PathBuf};

use integration_delivery::{OutboxError, SettingsError};

/// An error that ends an evaluation as a whole, or prevents a change of the alerts.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WatchError {
    /// A file of the data directory cannot be read, written, or locked.
    #[error("cannot {action} {path}: {source}", path = path.display())]
    File {
        /// The verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file has contents that this version cannot read.
    #[error("cannot read {path}: {reason}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The cause, as text for users.
        reason: String,
    },
    /// Another process holds a lock for longer than a change takes.
    #[error("another process is {activity} {directory}; try again when it has ended", directory = directory.display())]
    Busy {
        /// The work of the other process.
        activity: &'static str,
        /// The data directory.
        directory: PathBuf,
    },
    /// The settings of deliveries cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The outbox cannot be read or written.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    /// The caller cancelled the evaluation. Nothing was recorded.
    #[error("the evaluation was cancelled")]
    Cancelled,
}

impl WatchError {
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { action, path: path.to_owned(), source }
    }
}
