//! Pictures of an integration.
//!
//! A [`StepGraph`] contains the steps with their dependencies, inputs, outputs, and scopes, and,
//! if a finished job is overlaid, the result of each step. The functions of [`steps`] turn it into a picture:
//!
//! ```
//! use integration_view::{Dependency, StepGraph, StepNode, steps};
//!
//! let graph = StepGraph {
//!     title: "Heroku".into(),
//!     steps: vec![
//!         StepNode { emits: vec!["heroku_account".into()], ..StepNode::new("fetch-account", "Fetch account") },
//!         StepNode {
//!             depends_on: vec![Dependency::reading("fetch-account", ["heroku_account"])],
//!             ..StepNode::new("fetch-teams", "Fetch teams")
//!         },
//!     ],
//!     ..StepGraph::default()
//! };
//! print!("{}", steps::text(&graph, 100, false));
//! assert!(steps::svg(&graph).contains("Fetch teams"));
//! ```
//!
//! A [`TypeGraph`] contains the entity types and their relationships; the functions of [`types`] draw it in the same
//! five formats.
//!
//! A [`graph::GraphPicture`] holds a collected graph. The functions of [`graph`] draw a small one for Graphviz and
//! Mermaid, and count the objects of one of any size.
//!
//! With the feature `explorer`, `explorer::write_html` writes a page on which a reader searches, filters, follows, and
//! compares a collected graph.
//!
//! The stages of a picture:
//!
//! ```text
//!   StepGraph ──> links: dependencies ────────┬──> text, dot, mermaid
//!   TypeGraph ──> links: relationships        └──> card: text and size of a box
//!                                                    └──> layout: layers, order, places, curves ──> svg ──> html
//! ```
//!
//! The crate depends on neither the SDK nor files nor a terminal. Plain data goes in, and a `String` comes out. The
//! page of the explorer may be large, so it goes to a writer instead. No function here fails by itself.
//!
//! Equal graphs yield equal bytes. All text is cleaned of control and direction marks, escaped for its format, and
//! shortened if it does not fit. A cycle or a dependency on an unknown step is drawn, not rejected, because readers
//! often use a picture to find exactly such errors.

#![deny(missing_docs)]

mod card;
mod escape;
#[cfg(feature = "explorer")]
pub mod explorer;
mod flowchart;
pub mod graph;
mod graphviz;
mod html;
mod labelled;
mod layout;
#[cfg(test)]
mod markup;
mod measure;
pub mod number;
pub mod steps;
mod svg;
mod terminal;
mod theme;
pub mod types;

pub use escape::is_hidden;
pub use steps::{Dependency, RunStatus, StepGraph, StepNode, StepRun, StepState};
pub use types::{TypeEdge, TypeGraph, TypeNode};
