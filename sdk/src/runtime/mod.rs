//! A job: one run of a plan on a store.
//!
//! ```text
//!   Job ──verify──▶ provider                      Event ──▶ terminal, log
//!    │                                              ▲
//!    └─ begin ─▶ execution: steps run as tasks once their dependencies have ended
//!                  │  StepContext (ingest, store, http)
//!                  └─ ended ─▶ report: status, gaps, inherited gaps ─▶ Summary ─▶ store
//! ```
//!
//! All concurrency of a collection is in this module and in the requests of steps; everything below consists of plain
//! functions. A failed step stops no other step. Only refused credentials and the user end a job early. Even then, all
//! collected objects are committed, and the summary lists the gaps.

mod estimate;
mod event;
mod execution;
mod job;
mod late;
mod options;
mod report;

pub use crate::graph::run::{
    ErrorCode, Failure, Gap, JobState, Metadata, PartialDatasets, StepReport, StepStatus, Summary,
};
pub use estimate::{JobEstimate, StepEstimate};
pub use event::{Event, PlannedStep};
pub use job::{Job, JobError};
pub use options::ResumeError;

#[cfg(test)]
mod tests;
