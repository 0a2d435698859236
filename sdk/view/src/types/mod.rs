//! Pictures of the types: the entities that an integration emits and their relationships.
//!
//! Each format has one function. A relationship to an undeclared type is drawn with a box for that type.

mod dot;
mod html;
mod links;
mod mermaid;
mod model;
mod svg;
#[cfg(test)]
mod tests;
mod text;

pub use model::{TypeEdge, TypeGraph, TypeNode};

/// Draws the types for a terminal, each entity with its outgoing relationships.
///
/// No line has more than `width` columns, and ANSI colours occur only if `colour` is set.
pub fn text(graph: &TypeGraph, width: usize, colour: bool) -> String {
    text::text(graph, width, colour)
}

/// Draws the types for Graphviz.
pub fn dot(graph: &TypeGraph) -> String {
    dot::dot(graph)
}

/// Draws the types for Mermaid.
pub fn mermaid(graph: &TypeGraph) -> String {
    mermaid::mermaid(graph)
}

/// Draws the types as a separate SVG, light or dark like the reader's machine.
pub fn svg(graph: &TypeGraph) -> String {
    svg::svg(graph, crate::svg::Setting::Alone)
}

/// Draws the types as one self-contained HTML file without scripts, with tables of the same data.
pub fn html(graph: &TypeGraph) -> String {
    html::html(graph)
}
