//! The account graph: the index of each snapshot, and their union.
//!
//! ```text
//!   GraphReader ──scan──▶ SnapshotIndex ─┐
//!   GraphReader ──scan──▶ SnapshotIndex ─┴─▶ AccountGraph ──▶ columns, neighbours, objects
//! ```
//!
//! An index of a snapshot consists of columns and of adjacency lists. A [`Column`] holds the values of one property over
//! the objects of one [`Segment`]; an [`Adjacency`] holds the edges of each node. Nodes and edges have dense numbers, so
//! that sets of them are bitsets. The account graph numbers the objects of all instances together, and resolves mapped
//! relationships.

mod account;
mod adjacency;
mod cache;
mod column;
mod error;
mod index;
mod mapped;
#[cfg(test)]
mod mapped_tests;
mod objects;
mod segment;
#[cfg(test)]
mod tests;
mod value;

pub use account::{AccountGraph, UnpublishedInstance};
pub use adjacency::{Adjacency, Direction, Neighbours};
pub use cache::{FileCache, IndexCache, IndexSink, IndexSource, MemoryCache};
pub use column::Column;
pub use error::GraphError;
pub use segment::{EdgeId, NodeId, Segment};
pub use value::ValueRef;
