//! What can go wrong with a graph in files.

use std::path::PathBuf;

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
    /// The folder that would be replaced holds something else than a graph.
    #[error("{path} holds {found:?}, which is not part of a graph: choose another folder, or move it away", path = path.display())]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// What does not belong there.
        found: String,
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
