//! Pictures of a collected graph.
//!
//! Graphviz, Mermaid, and SVG draw all objects; a terminal shows their numbers.
//!
//! Layout tools are too slow for large graphs, so each format has a [`Limit`], which the caller checks first. The page
//! of the explorer has a limit as well.

mod dot;
mod links;
mod mermaid;
mod model;
mod svg;
#[cfg(test)]
mod tests;
mod text;

pub use model::{Change, Changes, GraphCounts, GraphEdge, GraphNode, GraphPicture, TypeCount};

/// The maximum size of a graph for one kind of picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The maximum number of entities.
    pub entities: u64,
    /// The maximum number of relationships.
    pub relationships: u64,
}

impl Limit {
    /// The limit for Graphviz, which needs ten seconds for this size and far longer beyond.
    pub const DOT: Limit = Limit { entities: 2_000, relationships: 4_000 };
    /// The limit for a page.
    ///
    /// Writing a page of this size takes about half a gigabyte of memory, and so does viewing it in a browser.
    pub const PAGE: Limit = Limit { entities: 200_000, relationships: 500_000 };
    /// The limit for Mermaid.
    ///
    /// Mermaid rejects more than 500 arrows and 50,000 characters unless it is configured otherwise. Code forges do not
    /// allow such a configuration.
    pub const MERMAID: Limit = Limit { entities: 300, relationships: 500 };
    /// The limit for SVG. A larger picture is drawn, but no screen shows it readably.
    pub const SVG: Limit = Limit { entities: 200, relationships: 300 };

    /// Whether a graph of this size is within the limit.
    pub fn allows(self, entities: u64, relationships: u64) -> bool {
        entities <= self.entities && relationships <= self.relationships
    }
}

/// Lists the number of objects of each type for a terminal.
///
/// No line has more than `width` columns, and ANSI colours occur only if `colour` is set.
pub fn text(counts: &GraphCounts, width: usize, colour: bool) -> String {
    text::text(counts, width, colour)
}

/// Draws the objects for Graphviz, sorted by type and key.
pub fn dot(graph: &GraphPicture) -> String {
    dot::dot(graph)
}

/// Draws the objects as a separate SVG, sorted by type and key, light or dark like the reader's machine.
pub fn svg(graph: &GraphPicture) -> String {
    svg::svg(graph)
}

/// Draws the objects for Mermaid, sorted by type and key.
pub fn mermaid(graph: &GraphPicture) -> String {
    mermaid::mermaid(graph)
}
