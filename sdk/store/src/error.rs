//! The errors of a store of jobs.

use std::error::Error;
use std::path::PathBuf;

use integration_graph::JobId;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// An error of a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The data directory cannot be created or used.
    #[error("cannot use the data directory {path}: {source}", path = path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// A file of the store cannot be used.
    #[error("cannot use {path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// The store exists, but this process may not write it.
    #[error(
        "cannot write to the data directory {path}, which is read-only for this user: make it writable, or copy it to another folder"
    )]
    ReadOnly {
        /// The directory.
        path: PathBuf,
        /// Whether no process can write it, so that a copy of its files is consistent.
        is_final: bool,
    },
    /// A thread of the store cannot be started.
    #[error("cannot open the store: the operating system cannot start a thread: {0}")]
    Thread(#[source] std::io::Error),
    /// The database of the store returned an error.
    #[error("the store {store} failed: {source}")]
    Failed {
        /// The place of the store, such as the path of its file.
        store: String,
        /// The error of the database.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The file was written by another version of the program.
    #[error("the store {path} has format {found}, but this program reads format {expected}: use {remedy}", path = path.display(), remedy = if found > expected { "a newer version of the program" } else { "another --data-dir" })]
    Format {
        /// The file.
        path: PathBuf,
        /// The format of the file.
        found: i64,
        /// The format that this program reads.
        expected: i64,
    },
    /// The store contains data that cannot be interpreted.
    #[error("the store contains unreadable data: {0}")]
    Corrupt(String),
    /// A document cannot be read by this version.
    #[error("the store contains unreadable data: {0}")]
    Unreadable(#[from] Unreadable),
    /// Another process holds the lease of the job.
    #[error("another process is working on the job {job}: wait until it ends")]
    Busy {
        /// The job.
        job: JobId,
    },
    /// The lease of a writer has ended: the job has ended, or another process has resumed it.
    #[error("the job {job} has ended or was resumed elsewhere: this process must not write it any more")]
    Fenced {
        /// The job.
        job: JobId,
    },
    /// The job has no gaps to resume.
    #[error("all selected steps of the job {job} are complete: there is nothing to resume")]
    Complete {
        /// The job.
        job: JobId,
    },
    /// A newer job of the instance has published its graph.
    #[error(
        "the job {job} cannot be resumed, because its data is older than the graph of the job {newer}: start a new collection"
    )]
    Superseded {
        /// The job.
        job: JobId,
        /// The newer job.
        newer: JobId,
    },
    /// Another job of the instance is running.
    #[error("the job {job} of the same instance is running: wait until it ends, or use another instance")]
    Running {
        /// The running job.
        job: JobId,
    },
    /// The job was removed after it was listed.
    #[error("the job {job} no longer exists: `jobs prune` removed it")]
    Forgotten {
        /// The job.
        job: JobId,
    },
    /// The writer has ended, usually after an earlier error.
    #[error("the store is closed, usually because of an earlier error")]
    Closed,
}

/// A stored document that another version of the program wrote, or that is damaged.
///
/// A document is parsed once, when its row is read. One unreadable document must not hide the other rows of a list, so
/// the row holds the error in place of the value, and only a caller that needs the value fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{document}: {reason}")]
pub struct Unreadable {
    document: String,
    reason: String,
}

impl Unreadable {
    /// Creates the error of a document, such as "the summary of the job 0197…".
    pub fn new(document: impl Into<String>, reason: impl ToString) -> Self {
        Self { document: document.into(), reason: reason.to_string() }
    }

    /// Parses the JSON of a stored document.
    ///
    /// # Errors
    /// [`Unreadable`] if the text has another form.
    pub fn parse<T: DeserializeOwned>(json: &str, document: impl FnOnce() -> String) -> Result<T, Self> {
        serde_json::from_str(json).map_err(|error| Self::new(document(), error))
    }

    /// Formats a document as JSON with sorted names.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if the document has no JSON form.
    pub fn json(document: &impl Serialize) -> Result<String, StoreError> {
        let value = serde_json::to_value(document).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        Ok(value.to_string())
    }
}
