//! The description of an upload before it begins.

use std::collections::BTreeSet;

/// The description of a graph before its first object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Announcement {
    /// The origin of the graph for people, such as `job 0198f3a2`.
    pub origin: String,
    /// The number of objects.
    pub objects: u64,
    /// The types of which objects may be missing. The service deletes none of them.
    pub partial_types: BTreeSet<String>,
    /// The causes of missing objects, for people.
    pub gaps: Vec<String>,
}
