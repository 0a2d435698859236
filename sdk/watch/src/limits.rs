//! The bounds of evaluations.

use std::time::Duration;

/// The bounds of evaluations, so that one rule stops neither the caller nor other rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The maximum duration of one query.
    pub query: Duration,
    /// The maximum duration of the evaluation of one rule, with all its queries and templates.
    pub rule: Duration,
    /// The maximum number of rows that a rule reads from one query. The total is exact nevertheless.
    pub rows: usize,
    /// The approximate maximum of memory for one query, in bytes.
    pub memory: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { query: Duration::from_secs(30), rule: Duration::from_secs(300), rows: 10_000, memory: 256 << 20 }
    }
}
