//! Pictures of a collected graph: every object for Graphviz and Mermaid, or how many there are for a terminal.
//!
//! Layout tools are too slow for large graphs, so each has a [`Limit`] of useful sizes; the caller checks it first. The
//! page of the explorer has one as well.

mod dot;
mod links;
mod mermaid;
mod model;
#[cfg(test)]
mod tests;
mod text;

pub use model::{Change, Changes, GraphCounts, GraphEdge, GraphNode, GraphPicture, TypeCount};

/// How large a graph may be for a kind of picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The most entities.
    pub entities: u64,
    /// The most relationships.
    pub relationships: u64,
}

impl Limit {
    /// Graphviz takes about ten seconds for graphs of this size, and far longer beyond.
    pub const DOT: Limit = Limit { entities: 2_000, relationships: 4_000 };
    /// A page of this size takes about half a gigabyte of memory while it is written, and as much in a browser.
    pub const PAGE: Limit = Limit { entities: 200_000, relationships: 500_000 };
    /// Mermaid refuses more than 500 arrows and 50,000 characters unless it is configured otherwise, which code forges
    /// do not allow.
    pub const MERMAID: Limit = Limit { entities: 300, relationships: 500 };

    /// Whether a graph of this size is small enough.
    pub fn allows(self, entities: u64, relationships: u64) -> bool {
        entities <= self.entities && relationships <= self.relationships
    }
}

/// How many objects of each type there are, for a terminal: no line has more than `width` columns, and ANSI colours
/// occur only if `colour` is set.
pub fn text(counts: &GraphCounts, width: usize, colour: bool) -> String {
    text::text(counts, width, colour)
}

/// Draws the objects for Graphviz, sorted by type and key.
pub fn dot(graph: &GraphPicture) -> String {
    dot::dot(graph)
}

/// Draws the objects for Mermaid, sorted by type and key.
pub fn mermaid(graph: &GraphPicture) -> String {
    mermaid::mermaid(graph)
}
