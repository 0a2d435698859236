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
//! A [`TypeGraph`] says which entities there are and how they are related; the functions of [`types`] draw it in the
//! same five ways.
//!
//! A [`graph::GraphPicture`] holds a collected graph; the functions of [`graph`] draw a small one for Graphviz and Mermaid,
//! and count one of any size.
//!
//! With the feature `explorer`, `explorer::write_html` makes a page on which a collected graph is searched, filtered,
//! followed and compared.
//!
//! How a picture comes about:
//!
//! ```text
//!   StepGraph ──> links: who waits for whom ──┬──> text, dot, mermaid
//!   TypeGraph ──> links: relationships        └──> card: text and size of a box
//!                                                    └──> layout: layers, order, places, curves ──> svg ──> html
//! ```
//!
//! The crate knows neither the SDK nor a file nor a terminal: plain data in, a `String` out, or, since it may be large,
//! the explorer's page to a writer. Nothing here can fail by itself.
//! The same graph gives the same bytes. Every text is cleaned of control and direction marks, escaped for its
//! target, and shortened if it does not fit. A cycle or a dependency on an unknown step is drawn, not rejected:
//! readers of a picture often look for exactly that.

#![deny(missing_docs)]

mod card;
mod escape;
#[cfg(feature = "explorer")]
pub mod explorer;
mod flowchart;
pub mod graph;
mod graphviz;
mod html;
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
