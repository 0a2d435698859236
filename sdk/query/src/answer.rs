//! The answer to a query: its result, and everything a reader must know to trust it.

use integration_graph::history::SnapshotGap;
use integration_graph::{InstanceId, ObjectType};

use crate::diagnostic::Diagnostic;
use crate::profile::Profile;
use crate::result::QueryResult;

/// The answer to a query.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The result.
    pub result: QueryResult,
    /// The number of rows before `SKIP` and `LIMIT`. For a tree, the number of entities that it can start from.
    pub total: u64,
    /// Whether the limit cut rows.
    pub is_truncated: bool,
    /// The gaps and stale objects of the types that the query touched. Empty if the result is complete.
    pub incomplete: Vec<Incomplete>,
    /// Names and comparisons that are probably mistakes.
    pub warnings: Vec<Diagnostic>,
    /// The operators with their rows and times.
    pub profile: Profile,
}

/// A reason why a result may be incomplete or out of date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incomplete {
    /// The integration.
    pub integration: String,
    /// The instance; none if no snapshot is of the integration.
    pub instance: Option<InstanceId>,
    /// The reason.
    pub reason: Reason,
    /// Whether a row can be in the result only because the data is missing: a negated step or an optional part looks for it.
    pub may_add_rows: bool,
}

/// The kinds of incompleteness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Objects could not be collected.
    Gap(SnapshotGap),
    /// Objects were kept from an earlier job.
    Stale {
        /// Their type.
        object_type: ObjectType,
        /// Their number.
        objects: u32,
    },
    /// The jobs of the instance have published no graph.
    Unpublished {
        /// The cause, as a phrase.
        cause: String,
    },
    /// No snapshot is of the integration, and the query names something that only this integration declares.
    NotCollected,
}
