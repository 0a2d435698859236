//! What can go wrong with recordings.

use std::path::PathBuf;

/// Recordings cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingError {
    /// A file or folder cannot be used.
    #[error("cannot {action} {path}: {source}", path = path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A replay would mix two runs.
    #[error(
        "{path} holds recordings already: choose another folder, remove them, or ask for new ones to be added to them",
        path = path.display()
    )]
    Occupied {
        /// The folder.
        path: PathBuf,
    },
    /// There is nothing to replay.
    #[error("{path} holds no recorded exchange{details}: expected .har files with entries", path = path.display())]
    Nothing {
        /// The folder or file.
        path: PathBuf,
        /// What was found instead.
        details: String,
    },
    /// A `.har` file is something else.
    #[error("{path} is not a HAR file: {reason}", path = path.display())]
    NotHar {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The key of the pseudonyms is not usable.
    #[error(
        "{path} is not a key of pseudonyms (64 hexadecimal digits): remove it to begin with new pseudonyms",
        path = path.display()
    )]
    Key {
        /// The file.
        path: PathBuf,
    },
    /// There is no chance to be had for a key.
    #[error("this machine gives no random numbers for the key of the pseudonyms")]
    Random,
}

impl RecordingError {
    pub(super) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
