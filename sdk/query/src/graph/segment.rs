//! Numbers of nodes and edges, and ranges of them.

use std::ops::Range;

use integration_graph::ObjectType;

/// The number of an entity in an account graph. Numbers are dense and begin with 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// The number of a relationship in an account graph. Numbers are dense and begin with 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EdgeId(pub u32);

/// Objects of one type of one instance, with consecutive numbers in key order.
///
/// A type with many objects has several segments, one after the other. Columns belong to a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The type.
    pub object_type: ObjectType,
    /// The position of the instance in [`AccountGraph::snapshots`](super::AccountGraph::snapshots).
    pub instance: usize,
    /// The numbers of the objects.
    pub range: Range<u32>,
    /// The number of stale objects.
    pub stale: u32,
}

impl Segment {
    /// The number of objects.
    pub fn length(&self) -> u32 {
        self.range.end - self.range.start
    }
}

/// Returns the position of the segment that contains a number. Segments are consecutive and not empty.
pub(super) fn containing(segments: &[Segment], number: u32) -> Option<usize> {
    let at = segments.partition_point(|segment| segment.range.end <= number);
    segments.get(at).is_some_and(|segment| segment.range.contains(&number)).then_some(at)
}
