//! Errors of queries.

use crate::diagnostic::Diagnostics;
use crate::graph::GraphError;

/// A query has no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The text is not a query, or it contains names that do not exist.
    #[error(transparent)]
    Invalid(#[from] Diagnostics),
    /// The graph cannot be read.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The time limit passed.
    #[error("the query exceeded its time limit while it {activity}: add a filter, or allow more time")]
    TimedOut {
        /// The work in progress.
        activity: &'static str,
    },
    /// The memory limit is too low.
    #[error(
        "the query needs more than {limit} MiB of memory for its {content}: add a filter or `LIMIT`, or count instead"
    )]
    TooLarge {
        /// The limit in mebibytes.
        limit: usize,
        /// The contents of the memory.
        content: &'static str,
    },
    /// The caller cancelled the query.
    #[error("the query was cancelled")]
    Cancelled,
}
