//! The options of a query.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use integration_graph::Timestamp;

use crate::catalogue::Catalogue;

/// The values, the limits, and the time of a query.
#[derive(Debug, Clone)]
pub struct Options {
    /// The values of `${param.name}`. A list stands for each of its elements.
    pub parameters: BTreeMap<String, serde_json::Value>,
    /// The time that `date.now` stands for.
    pub now: Timestamp,
    /// The number of rows of a query without `LIMIT`; without a value all of them.
    pub default_limit: Option<u64>,
    /// The time at which the query ends with an error.
    pub deadline: Option<Instant>,
    /// The approximate maximum of memory for intermediate and final rows, in bytes.
    pub memory: usize,
    /// Set by another thread to end the query with an error.
    pub cancelled: Arc<AtomicBool>,
    /// The types that integrations declare, beside those in the graph.
    pub catalogue: Arc<Catalogue>,
}

impl Default for Options {
    /// The current time, one gibibyte of memory, and nothing else.
    fn default() -> Self {
        Self {
            parameters: BTreeMap::new(),
            now: Timestamp::now(),
            default_limit: None,
            deadline: None,
            memory: 1 << 30,
            cancelled: Arc::default(),
            catalogue: Arc::default(),
        }
    }
}
