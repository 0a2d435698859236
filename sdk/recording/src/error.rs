//! The errors of recordings.

use std::path::PathBuf;

/// The reason why recordings cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingError {
    /// A file or folder cannot be used.
    #[error("cannot {action} {path}: {source}", path = path.display())]
    Io {
        /// The attempted action.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The folder already contains recordings, and a replay would mix two runs.
    #[error(
        "{path} already contains recordings: choose another folder, remove them, or allow the new ones to be added",
        path = path.display()
    )]
    Occupied {
        /// The folder.
        path: PathBuf,
    },
    /// The folder or file contains no exchange.
    #[error("{path} contains no recorded exchange{details}: expected .har files with entries", path = path.display())]
    Nothing {
        /// The folder or file.
        path: PathBuf,
        /// The damage that was found, if any.
        details: String,
    },
    /// The file is not a HAR file.
    #[error("{path} is not a HAR file: {reason}", path = path.display())]
    NotHar {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The file has another encoding than UTF-8.
    #[error(
        "{path} is encoded in {encoding}, and HAR files are UTF-8: convert it, for example with `iconv -f {encoding} -t UTF-8`",
        path = path.display()
    )]
    Encoding {
        /// The file.
        path: PathBuf,
        /// The name of its encoding.
        encoding: &'static str,
    },
    /// The key of the pseudonyms is unusable.
    #[error(
        "{path} is not a key of pseudonyms (64 hexadecimal digits): remove it to start with new pseudonyms",
        path = path.display()
    )]
    Key {
        /// The file.
        path: PathBuf,
    },
    /// The operating system supplies no random numbers for a key.
    #[error("this machine supplies no random numbers for the key of the pseudonyms")]
    Random,
}

impl RecordingError {
    pub(super) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
