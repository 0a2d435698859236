//! Errors of the account graph.

use integration_store::ReadError;

/// The account graph cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// A store failed.
    #[error("the collected graph cannot be read: {0}")]
    Read(#[from] ReadError),
    /// The graph has more objects than the index can number.
    #[error("the graph has more than {limit} objects of one kind: query fewer instances at once")]
    TooLarge {
        /// The maximum number of nodes, and of edges.
        limit: u32,
    },
    /// A snapshot was removed while it was read.
    #[error("the snapshot of the instance `{instance}` was removed while it was read: run the query again")]
    Removed {
        /// The instance.
        instance: String,
    },
    /// The index of a snapshot is damaged. [`AccountGraph::repair`](super::AccountGraph::repair) builds it again.
    #[error("the index of the instance `{instance}` is damaged: run the query again")]
    Damaged {
        /// The instance.
        instance: String,
    },
    /// An object of the graph has no text `_key`.
    #[error("the collected graph contains an object without a valid `_key`: collect it again")]
    WithoutKey,
}
