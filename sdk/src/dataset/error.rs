//! Errors of graphs in files.

use std::path::PathBuf;

use crate::graph::JobId;
use crate::store::StoreError;

/// The reason why a graph cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// A file or folder cannot be accessed.
    #[error("cannot {action} {path}: {source}", path = path.display())]
    Io {
        /// The attempted action.
        action: &'static str,
        /// The path.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The folder of an export contains a file that no export wrote.
    #[error(
        "{path} holds {found:?}, which no earlier export of this program wrote, and nothing else is replaced: choose another \
         folder, or move it away", path = path.display()
    )]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// The foreign file.
        found: String,
    },
    /// A file or folder of an export is a symbolic link.
    #[error(
        "{path} is a symbolic link, and nothing is written through one: choose another folder, or remove the link",
        path = path.display()
    )]
    Link {
        /// The link.
        path: PathBuf,
    },
    /// The folder of an export lies in a part of another export that is replaced.
    #[error(
        "{path} lies in {within}, which the next export there replaces: choose another folder",
        path = path.display(), within = within.display()
    )]
    Nested {
        /// The folder.
        path: PathBuf,
        /// The replaced part of the other export.
        within: PathBuf,
    },
    /// The folder of an export and the data directory overlap.
    #[error(
        "{path} and the data directory {data_dir} overlap, and an export keeps no jobs: choose another folder for the export",
        path = path.display(), data_dir = data_dir.display()
    )]
    DataDirectory {
        /// The folder.
        path: PathBuf,
        /// The data directory.
        data_dir: PathBuf,
    },
    /// The complete new graph could not be put in its place.
    #[error("the new graph in {path} is complete, but is not in its place yet: {source}", path = path.display())]
    Unfinished {
        /// The folder.
        path: PathBuf,
        /// The cause.
        source: Box<DatasetError>,
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
    /// The job changed while its graph was written.
    #[error("the job {job} changed while its graph was written: export it again when it has ended")]
    Changed {
        /// The job.
        job: JobId,
    },
    /// The folder contains no graph.
    #[error("{path} holds no graph: expected JSON files below {path}/graph", path = path.display())]
    Missing {
        /// The folder.
        path: PathBuf,
    },
    /// A file does not conform to the layout.
    #[error(
        "{path} is not a file of the exchange layout: {source}; expected {{\"entities\": [...]}} or \
         {{\"relationships\": [...]}}", path = path.display()
    )]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The error, with line and column.
        source: serde_json::Error,
    },
    /// A file is not the result of a query with `RETURN TREE`.
    #[error(
        "{path} is not the result of a J1QL query with RETURN TREE: {source}; expected {{\"data\": {{\"vertices\": [...], \
         \"edges\": [...]}}}}", path = path.display()
    )]
    NoTree {
        /// The file.
        path: PathBuf,
        /// The error, with line and column.
        source: serde_json::Error,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DatasetError {
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
