//! The persistent state of jobs: one SQLite file per data directory.
//!
//! ```text
//!   steps ──batches──▶ bounded queue ──▶ the writer's thread ──▶ state.sqlite (WAL)
//!   steps ◀──pages────────────────────── readers, one connection each
//! ```
//!
//! A single thread writes, with many batches in one transaction; readers never wait for it. Each object is stored
//! as two texts, its properties and its raw data. A process that is killed at any moment leaves only whole transactions
//! behind. The store knows nothing about step functions, schemas, or the network. It keeps responses for
//! [`http`](crate::http) without interpreting them.
//!
//! An ended job publishes its graph as a snapshot. Readers open one and scan its objects:
//!
//! ```
//! # use integration_sdk::prelude::*;
//! # /// A planet.
//! # #[derive(EntityKind)]
//! # #[entity(type = "space_planet", class = "Site", resource = "Planet")]
//! # struct Planet { #[entity(key)] id: String, name: String }
//! # #[step(id = "fetch-planets", name = "Fetch planets")]
//! # async fn fetch_planets(planets: Emit<Planet>) -> StepResult {
//! #     planets.add(Planet { id: "planet:earth".into(), name: "Earth".into() }).await?;
//! #     Ok(())
//! # }
//! use integration_sdk::graph::{InstanceId, ObjectType};
//! use integration_sdk::store::{GraphReader, Selection, Store};
//! use integration_sdk::{Integration, Job, config::Values};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # let space = Integration::without_provider::<()>("space", "Space").step(fetch_planets());
//! let store = Store::open(directory.path())?;
//! Job::new(&space, &store).run(&Values::default(), Default::default()).await?;
//!
//! let newest = store.snapshots("space", &InstanceId::default()).await?.remove(0);
//! let snapshot = store.snapshot(newest);
//! let mut batches = snapshot.scan(Selection::of_type(ObjectType::literal("space_planet")));
//! while let Some(planets) = batches.try_next().await? {
//!     assert_eq!(planets[0].key.as_str(), "planet:earth");
//!     assert!(planets[0].properties.contains(r#""name":"Earth""#));
//! }
//! # Ok(()) }
//! ```

mod checkpoints;
mod columns;
mod content_hash;
mod dropped;
mod duplicates;
mod earlier_gaps;
mod ends;
mod ends_of;
mod file;
mod job;
mod job_reader;
mod jobs;
mod key_index;
mod keys;
mod lock;
mod migrations;
#[cfg(test)]
mod model_tests;
mod object;
mod page;
mod partitions;
mod previous;
mod prune;
mod publish;
mod reader;
#[cfg(test)]
mod reader_tests;
mod record;
mod removal;
mod response_cache;
mod rewind;
mod snapshot;
mod sorted;
mod sqlite;
mod stored;
mod sweep;
#[cfg(test)]
mod testing;
mod versions;
mod working_data;
mod writer;

pub use crate::graph::run::JobState;
pub(crate) use dropped::Dropped;
pub use dropped::StaleGroup;
pub use integration_store::{
    AmendOutcome, Amendment, Answer, AppendReport, CollectedEntity, CollectedObject, CollectedPage, CompletedPartition,
    Conflict, DeclaredEnds, DescribedAgain, EarlierGaps, Epoch, GraphReader, JobReader, JobRow, JobStore, JobWriter,
    Kind, Lease, NewJob, ObjectBatch, Publication, ReadError, Receipt, Reconciled, ResponseStore, ResumePoint, Resumed,
    Revision, RewindTo, Row, ScanCursor, Selection, SnapshotId, StepBatch, StoreError, StoredObject, StoredResponse,
    Superseded, TypeCount, Unattached, Unreadable,
};
#[cfg(test)]
pub(crate) use job::SqliteJob;
pub use object::Quarantined;
pub use page::Page;
pub use prune::{Pruned, Retention};
pub use record::{JobRecord, StepRow};
pub use snapshot::{Count, PageSelection, Snapshot, SnapshotInfo};
pub use sqlite::Store;
pub use stored::Stored;
pub use versions::{PublishedInstance, StalePeriod, Version};
