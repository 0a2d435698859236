//! The state of jobs: one SQLite file a data directory.
//!
//! ```text
//!   steps ──batches──▶ bounded queue ──▶ the writer's thread ──▶ state.sqlite (WAL)
//!   steps ◀──pages────────────────────── readers, each a connection of its own
//! ```
//!
//! One thread writes, many batches a transaction; readers never wait for it. An object is stored as the JSON that leaves the
//! program. A process killed at any instant leaves whole transactions behind. Nothing here knows steps' code, schemas or the
//! network; answers of providers are kept for [`http`](crate::http), without a look into them.

mod batch;
mod checkpoints;
mod duplicates;
mod ends;
mod file;
mod job;
mod jobs;
mod key_index;
mod keys;
mod lock;
mod object;
mod page;
mod parts;
mod provenance;
mod prune;
mod response_cache;
mod rewind;
mod sorted;
mod sqlite;
mod writer;

pub use batch::{Kind, ObjectBatch, PartitionNumber, Row};
pub(crate) use duplicates::{DescribedAgain, Superseded};
pub use ends::Unattached;
pub use job::{Count, JobState, JobStore, StepRow};
pub use jobs::JobRow;
pub use object::{CompletedPartition, Conflict, InsertReport, Quarantined};
pub use page::Page;
pub use provenance::Stored;
pub use prune::Pruned;
pub(crate) use response_cache::SqliteResponseCache;
pub use rewind::ResumePoint;
pub(crate) use sqlite::Pending;
pub use sqlite::{Store, StoreError};
