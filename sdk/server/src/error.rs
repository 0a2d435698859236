//! The errors that prevent or end a server.

use std::io;
use std::path::{Path, PathBuf};

use crate::source::SourceError;

/// The reason why a server cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// Another scheduler works on the data directory.
    #[error(
        "another scheduler{} works on {}; stop it first, or use another data directory",
        process.map(|id| format!(" (process {id})")).unwrap_or_default(),
        directory.display()
    )]
    Locked {
        /// The data directory.
        directory: PathBuf,
        /// The process, if its id is known.
        process: Option<u32>,
    },
    /// A file cannot be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// The action, as a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A newer version of the program wrote the state.
    #[error("{} was written by a newer version of this program (form {version}); use that version", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of the file form.
        version: u32,
    },
    /// The instances cannot be read at the start.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The address is not available.
    #[error("cannot listen on {address}: {source}; choose another address")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// The error of the operating system.
        source: io::Error,
    },
}

impl ServerError {
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { action, path, source }
    }
}
