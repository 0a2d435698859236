//! Pictures of the steps: dependencies, inputs, outputs, and results of a job.
//!
//! Each format has one function. All of them draw the same [`StepGraph`] and mark disabled steps. If a run is overlaid,
//! they show its cost and its critical path.

mod card;
mod dot;
mod html;
mod links;
mod mermaid;
mod model;
mod svg;
#[cfg(test)]
mod tests;
mod text;

pub use model::{Dependency, RunStatus, StepGraph, StepNode, StepRun, StepState};

/// Draws the steps for a terminal, stage by stage.
///
/// No line has more than `width` columns, and ANSI colours occur only if `colour` is set.
pub fn text(graph: &StepGraph, width: usize, colour: bool) -> String {
    text::text(graph, width, colour)
}

/// Draws the steps for Graphviz.
pub fn dot(graph: &StepGraph) -> String {
    dot::dot(graph)
}

/// Draws the steps for Mermaid, as rendered in README files by code forges.
pub fn mermaid(graph: &StepGraph) -> String {
    mermaid::mermaid(graph)
}

/// Draws the steps as a separate SVG, light or dark like the reader's machine.
pub fn svg(graph: &StepGraph) -> String {
    svg::svg(graph, crate::svg::Setting::Alone)
}

/// Draws the steps as one self-contained HTML file without scripts, with a table of the same data.
pub fn html(graph: &StepGraph) -> String {
    html::html(graph)
}
