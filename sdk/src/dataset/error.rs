//! What can go wrong with a graph in files.

use std::path::PathBuf;

use crate::graph::JobId;
use crate::store::StoreError;

/// A graph cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
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
    /// The folder of an export holds something that no export wrote.
    #[error(
        "{path} holds {found:?}, which no earlier export of this program wrote, and nothing else is replaced: choose another \
         folder, or move it away", path = path.display()
    )]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// What does not belong there.
        found: String,
    },
    /// A symbolic link is at a place of an export.
    #[error(
        "{path} is a symbolic link, and nothing is written through one: choose another folder, or remove the link",
        path = path.display()
    )]
    Link {
        /// The link.
        path: PathBuf,
    },
    /// Another process exports to the folder.
    #[error(
        "another process uses {path} for its export: wait until it has ended, or choose another folder",
        path = path.display()
    )]
    Busy {
        /// The folder.
        path: PathBuf,
    },
    /// The job changed while it was written.
    #[error("the job {job} changed while its graph was written: export it again when it has ended")]
    Changed {
        /// The job.
        job: JobId,
    },
    /// There is no graph.
    #[error("{path} holds no graph: expected JSON files below {path}/graph", path = path.display())]
    Missing {
        /// The folder.
        path: PathBuf,
    },
    /// A file is not what the layout says.
    #[error(
        "{path} is not a file of the exchange layout: {source}; expected {{\"entities\": [...]}} or \
         {{\"relationships\": [...]}}", path = path.display()
    )]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Why, with line and column.
        source: serde_json::Error,
    },
    /// The store does not work.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DatasetError {
    pub(super) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
