//! The errors of a run.

use std::fmt;
use std::path::PathBuf;

use integration_recording::{RecordingError, SecretFinding};
use integration_sdk::JobError;
use integration_sdk::graph::InvalidName;
use integration_sdk::store::StoreError;

/// An error that prevents a run, or a result that a test must not accept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The job cannot start: the plan, the configuration, or the credentials.
    #[error(transparent)]
    Job(#[from] JobError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The selected step does not exist.
    #[error(transparent)]
    Step(#[from] InvalidName),
    /// Recordings cannot be written or read.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// The folder contains no recordings.
    #[error(
        "{folder} contains no recordings: set the integration's variables (such as its API key) and run the test once \
         with RECORD=1",
        folder = folder.display()
    )]
    NotRecorded {
        /// The expected folder.
        folder: PathBuf,
    },
    /// A recording may contain credentials. A new one has been discarded.
    #[error("the recording may contain credentials:\n{}", lines(.0))]
    Secrets(Vec<SecretFinding>),
    /// A file or folder cannot be used.
    #[error("cannot use {path}: {source}", path = path.display())]
    File {
        /// The path of the file or folder.
        path: PathBuf,
        /// The cause of the failure.
        source: std::io::Error,
    },
    /// Objects violate their schemas.
    #[error("collected objects violate their schemas:\n{}", .0.join("\n"))]
    Findings(Vec<String>),
}

impl RunError {
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}

fn lines<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(|item| format!("  {item}")).collect::<Vec<_>>().join("\n")
}
