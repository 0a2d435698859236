//! Stores of jobs and of the graphs that they publish.
//!
//! ```text
//!   runtime, steps ─────────────▶ JobStore, JobWriter, JobReader ◀──┐
//!                                                                   ├── SQLite, MemoryStore
//!   queries, exports, pictures ─▶ GraphReader                    ◀──┤
//!                                                                   └── MemoryGraph
//! ```
//!
//! A [`JobStore`] begins and resumes jobs. Its [`JobWriter`] holds the lease of one job and writes its objects; a
//! [`GraphReader`] reads one snapshot, the graph of an instance as a job published it. Plain data crosses these traits,
//! so that neither side knows the database or the runtime of the other one. The [`rules`] decide what several
//! descriptions of an object, and the gaps of a job, mean for the graph.
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
//! Every implementation passes the [`conformance`] suites.
#![deny(missing_docs)]

mod batch;
pub mod conformance;
mod error;
mod job;
mod memory;
mod memory_store;
mod object;
mod outcome;
mod publication;
mod reader;
mod responses;
pub mod rules;
mod working;
mod writer;

pub use batch::{CompletedPartition, ObjectBatch, Row, StepBatch};
pub use error::{StoreError, Unreadable};
pub use integration_graph::history::ObjectKind as Kind;
pub use job::{Epoch, JobRow, Lease, NewJob};
pub use memory::MemoryGraph;
pub use memory_store::MemoryStore;
pub use object::{InvalidObject, StoredObject};
pub use outcome::{
    AppendReport, Conflict, DeclaredEnds, DescribedAgain, EarlierGaps, Publication, Reconciled, ResumePoint, RewindTo,
    Superseded, Unattached,
};
pub use reader::{GraphReader, ReadError, Selection, SnapshotId, TypeCount};
pub use responses::{ResponseStore, StoredResponse};
pub use writer::{
    AmendOutcome, Amendment, Answer, CollectedEntity, CollectedObject, CollectedPage, JobReader, JobStore, JobWriter,
    Receipt, Resumed, Revision, ScanCursor,
};
