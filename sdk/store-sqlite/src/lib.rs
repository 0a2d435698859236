//! The persistent state of jobs: one SQLite file per data directory.
//!
//! ```text
//!   steps ──batches──▶ bounded queue ──▶ the writer's thread ──▶ state.sqlite (WAL)
//!   steps ◀──pages────────────────────── readers, one connection each
//! ```
//!
//! A single thread writes, with many batches in one transaction; readers never wait for it. Each object is stored
//! as two texts, its properties and its raw data. A process that is killed at any moment leaves only whole transactions
//! behind. The store knows nothing about step functions, schemas, or the network. It keeps responses of providers
//! without interpreting them.
//!
//! [`Store`] implements the traits of [`integration_store`]:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use integration_store::{JobStore, JobWriter, NewJob};
//! use integration_store_sqlite::Store;
//!
//! # let directory = tempfile::tempdir()?;
//! let store = Store::open(directory.path())?;
//! let job = NewJob { integration: "acme".into(), instance: Default::default(), options: Default::default() };
//! let writer = store.begin(job).await?;
//! assert_eq!(store.jobs().await?[0].id, writer.lease().job);
//! # Ok(()) }
//! ```
#![deny(missing_docs)]

mod checkpoints;
mod columns;
mod content_hash;
mod dropped;
mod duplicates;
mod earlier_gaps;
mod ends;
mod ends_of;
mod file;
mod index;
mod job;
mod job_reader;
mod jobs;
mod lock;
mod migrations;
#[cfg(test)]
mod model_tests;
mod object;
mod occupant;
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
mod settled;
mod snapshot;
mod sqlite;
mod sqlite_error;
mod stored;
mod sweep;
#[cfg(test)]
mod testing;
mod versions;
mod working_data;
mod writer;

pub use dropped::{Dropped, StaleGroup};
use integration_store::{
    AmendOutcome, Amendment, Answer, AppendReport, CollectedEntity, CollectedObject, CollectedPage, CompletedPartition,
    Conflict, DeclaredEnds, DescribedAgain, EarlierGaps, Epoch, GraphReader, JobReader, JobRow, JobStore, JobWriter,
    Kind, Lease, NewJob, ObjectBatch, Publication, Receipt, Reconciled, ResponseStore, ResumePoint, Resumed, Revision,
    RewindTo, Row, ScanCursor, StepBatch, StoreError, StoredResponse, Superseded, TypeCount, Unattached, Unreadable,
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
