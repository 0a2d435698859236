//! The errors of a transfer.

use std::error::Error;

use integration_store::ReadError;

/// A transfer that ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SinkError {
    /// The graph could not be read.
    #[error("cannot read the graph: {0}")]
    Read(#[from] ReadError),
    /// The target refused an operation, or could not be reached.
    #[error("cannot {action} {target}: {source}")]
    Target {
        /// The operation, such as `write to`.
        action: &'static str,
        /// The target or the part of it, without secrets.
        target: String,
        /// The cause.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The target cannot take this transfer. The text says why, and names another way.
    #[error("{0}")]
    Unsuitable(String),
    /// The caller stopped the transfer.
    #[error("the transfer was stopped")]
    Stopped,
    /// An object that the source listed cannot be read any more.
    #[error("the object {key} of type {object_type} is not in the snapshot any more; start the transfer again")]
    Vanished {
        /// The `_type`.
        object_type: String,
        /// The `_key`.
        key: String,
    },
}

impl SinkError {
    /// Returns a function that wraps an error of the target, for `map_err`.
    pub fn target<E: Into<Box<dyn Error + Send + Sync>>>(
        action: &'static str,
        target: impl ToString,
    ) -> impl FnOnce(E) -> Self {
        move |source| Self::Target { action, target: target.to_string(), source: source.into() }
    }
}
