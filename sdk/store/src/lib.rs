//! Read access to published graphs.
//!
//! A [`GraphReader`] reads one snapshot: the graph of an instance as a job published it. Queries, exports, and pictures
//! depend on this trait instead of a database. Data crosses it as plain values.
//!
//! ```text
//!   query · exports · pictures ──▶ GraphReader ◀── SQLite (integration-sdk), MemoryGraph
//! ```
//!
//! ```
//! # futures::executor::block_on(async {
//! use futures::TryStreamExt;
//! use integration_store::{GraphReader, Kind, MemoryGraph, Selection};
//! use serde_json::json;
//!
//! let graph = MemoryGraph::of([
//!     json!({"_key": "team:1", "_type": "acme_team", "_class": "Team", "name": "Ops"}),
//!     json!({"_key": "user:7", "_type": "acme_user", "_class": ["User"]}),
//!     json!({"_key": "team:1|has|user:7", "_type": "acme_team_has_user", "_class": "HAS",
//!            "_fromEntityKey": "team:1", "_toEntityKey": "user:7"}),
//! ])?;
//! let entities: Vec<_> = graph.scan(Selection::of_kind(Kind::Entity)).try_concat().await?;
//! assert_eq!(entities.iter().map(|entity| entity.key.as_str()).collect::<Vec<_>>(), ["team:1", "user:7"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! Every implementation passes the [`conformance`] suite.
#![deny(missing_docs)]

pub mod conformance;
mod memory;
mod object;
mod reader;

pub use integration_graph::history::ObjectKind as Kind;
pub use memory::MemoryGraph;
pub use object::{InvalidObject, StoredObject};
pub use reader::{GraphReader, ReadError, Selection, SnapshotId, TypeCount};
