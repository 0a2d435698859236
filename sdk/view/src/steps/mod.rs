//! Pictures of the steps: dependencies, inputs, outputs, and results of a job.
//!
//! One function per format. All of them draw the same [`StepGraph`], mark disabled steps and, if a run is overlaid,
//! show its cost and its critical path.

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

/// The steps for a terminal, stage by stage: no line has more than `width` columns, and ANSI colours occur only if
/// `colour` is set.
pub fn text(graph: &StepGraph, width: usize, colour: bool) -> String {
    text::text(graph, width, colour)
}

/// The steps for Graphviz.
pub fn dot(graph: &StepGraph) -> String {
    dot::dot(graph)
}

/// The steps for Mermaid, as README files on code forges draw it.
pub fn mermaid(graph: &StepGraph) -> String {
    mermaid::mermaid(graph)
}

/// The steps as an SVG that stands on its own, light or dark as the reader's machine is.
pub fn svg(graph: &StepGraph) -> String {
    svg::svg(graph, crate::svg::Setting::Alone)
}

/// The steps as one HTML file that loads nothing and runs nothing: the drawing, and a table that says the same.
pub fn html(graph: &StepGraph) -> String {
    html::html(graph)
}
