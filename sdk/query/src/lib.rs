//! J1QL over collected graphs, offline.
//!
//! ```text
//! text ─► parse ─► bind ─► plan ─► optimise ─► execute ─► result
//!         syntax   names    │                   │
//!                           types of the graph  graph index: columns and adjacency
//! ```
//!
//! Each phase is a function from one type to the next. The phase of a query is its type: [`syntax::Query`] is text with
//! positions, and nothing in it has been looked up.
#![deny(missing_docs)]

pub mod diagnostic;
pub mod graph;
pub mod syntax;
