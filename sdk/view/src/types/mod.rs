//! Pictures of the types: which entities an integration makes and how they are related.
//!
//! One function per format. A relationship to an undeclared type is drawn with a box for that type.

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

/// Draws the types for a terminal, each entity with its outgoing relationships: no line has more than `width` columns, and ANSI
/// colours occur only if `colour` is set.
pub fn text(graph: &TypeGraph, width: usize, colour: bool) -> String {
    text::text(graph, width, colour)
}

/// The types for Graphviz.
pub fn dot(graph: &TypeGraph) -> String {
    dot::dot(graph)
}

/// The types for Mermaid.
pub fn mermaid(graph: &TypeGraph) -> String {
    mermaid::mermaid(graph)
}

/// The types as an SVG that stands on its own, light or dark as the reader's machine is.
pub fn svg(graph: &TypeGraph) -> String {
    svg::svg(graph, crate::svg::Setting::Alone)
}

/// The types as one HTML file that loads nothing and runs nothing: the drawing, and tables that say the same.
pub fn html(graph: &TypeGraph) -> String {
    html::html(graph)
}
