//! Uploads of graphs to JupiterOne, through its synchronization API.
//!
//! ```text
//!   transfer ─▶ JupiterOneSink ─▶ SyncSession ─▶ Uploader ─▶ SyncApi ─▶ integration-http ─▶ JupiterOne
//!                 snapshots        one job        batches     requests    attempts, pauses
//!                                     └── Journal: the open job, in a file
//! ```
//!
//! A transfer is one synchronization job. The service changes its graph only when the job is closed, so an upload that fails
//! or is killed changes nothing there. A job replaces the graph of one integration instance: objects that are not uploaded
//! are deleted, except those of partial types. Therefore whole snapshots are uploaded, stale objects included, and every type
//! with a gap is partial.
//!
//! ```no_run
//! use std::future::pending;
//! use std::sync::Arc;
//!
//! use integration_sink::{Events, SnapshotSource, SourceOptions, transfer};
//! use integration_sink_jupiterone::{JobSource, JupiterOneSink, SyncOptions, Target};
//! use integration_store::MemoryGraph;
//!
//! # async fn example(key: secrecy::SecretString) -> Result<(), Box<dyn std::error::Error>> {
//! let graph = MemoryGraph::of([])?;
//! let options = SourceOptions { with_raw: true, ..SourceOptions::default() };
//! let source = SnapshotSource::open(vec![Arc::new(graph)], &options).await?;
//! let owner = JobSource::Api { scope: "acme".to_owned() };
//! let mut sink = JupiterOneSink::new(&Target::new("my-account", key), SyncOptions::new(owner))?;
//! transfer(&mut sink, &source, &Events::ignored(), pending()).await?;
//! println!("{:?}", sink.outcome());
//! # Ok(())
//! # }
//! ```
//!
//! Failures name the job and the correlation id of the request. The API key is part of no error and no log.
#![deny(missing_docs)]

mod announcement;
mod api;
mod batch;
mod error;
mod events;
mod job;
mod journal;
mod session;
mod shrink;
mod sink;
mod target;
#[cfg(test)]
mod tests;
mod upload;
mod waiting;

pub use announcement::Announcement;
pub use api::SyncApi;
pub use batch::Kind as UploadKind;
pub use error::SyncError;
pub use job::{EventLevel, JobEvent, JobSource, SyncJob, SyncStatus};
pub use journal::JournalError;
pub use session::{SyncOptions, SyncOutcome, SyncSession};
pub use sink::JupiterOneSink;
pub use target::{IN_FLIGHT, Target, US_BASE};
pub use upload::{BatchLimits, Uploaded};
pub use waiting::Waiting;
