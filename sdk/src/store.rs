//! Stores of jobs and graphs: [`Store`] keeps them in one SQLite file, [`MemoryStore`] in memory.
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

pub use integration_store::{
    AmendOutcome, Amendment, Answer, AppendReport, CollectedEntity, CollectedObject, CollectedPage, CompletedPartition,
    Conflict, DeclaredEnds, DescribedAgain, EarlierGaps, Epoch, GraphReader, JobReader, JobRow, JobStore, JobWriter,
    Kind, Lease, MemoryStore, NewJob, ObjectBatch, Publication, ReadError, Receipt, Reconciled, ResponseStore,
    ResumePoint, Resumed, Revision, RewindTo, Row, ScanCursor, Selection, SnapshotId, StepBatch, StoreError,
    StoredObject, StoredResponse, Superseded, TypeCount, Unattached, Unreadable,
};
pub use integration_store_sqlite::*;

pub use crate::graph::run::JobState;
