//! Errors of comparisons of graphs in files.

use std::path::PathBuf;

use crate::dataset::DatasetError;

/// The reason why graphs in files cannot be compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FilesError {
    /// A file or folder has another form, or cannot be read.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The summary cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The summary is not a summary.
    #[error("{path} is not the summary of a job: {source}", path = path.display())]
    Summary {
        /// The file.
        path: PathBuf,
        /// The error, with line and column.
        source: serde_json::Error,
    },
    /// An object cannot be identified.
    #[error("number {number} of the {list} in {path} has no {member}", path = path.display())]
    Unidentified {
        /// The file.
        path: PathBuf,
        /// `entities` or `relationships`.
        list: &'static str,
        /// The position of the object in its list, from 1.
        number: u64,
        /// The missing member.
        member: &'static str,
    },
    /// A graph changed while it was compared.
    #[error("{path} changed while it was read: compare it again", path = path.display())]
    Changed {
        /// The folder or file.
        path: PathBuf,
    },
}
