//! A job: one run of a plan on a store.
//!
//! ```text
//!   Job ──verify, begin──▶ JobHandle: id, events, cancel, join
//!                             │
//!   Schedule ◀──ready, ended──┤  local engine: one task per step, events ──▶ EventLog ──▶ subscribers
//!   (pure)                    │
//!                             └─▶ run_step: StepInvocation ─▶ StepOutcome     the unit of any engine
//! ```
//!
//! All concurrency of a collection is in this module and in the requests of steps; everything below consists of plain
//! functions. A failed step stops no other step. Only refused credentials and the user end a job early. Even then, all
//! collected objects are committed, and the summary lists the gaps.
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
//! use integration_sdk::runtime::JobState;
//! use integration_sdk::{Integration, Job, config::Values, store::Store};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! let space = Integration::without_provider::<()>("space", "Space").step(fetch_planets());
//! let store = Store::open(directory.path())?;
//! let handle = Job::new(&space, &store).start(&Values::default()).await?;
//! let summary = handle.join().await?;
//! assert_eq!((summary.state, summary.entities), (JobState::Complete, 1));
//! # Ok(()) }
//! ```

mod engine;
mod estimate;
mod event;
mod expected_coverage;
mod handle;
mod job;
mod late;
mod late_gap;
mod options;
mod report;
mod responses;
mod schedule;
mod start;
mod step_run;

pub use crate::graph::run::{
    ErrorCode, Failure, Gap, JobState, Metadata, PartialDatasets, StepReport, StepStatus, Summary,
};
pub use estimate::{JobEstimate, StepEstimate};
pub use event::{Delivery, Envelope, Event, EventStream, PlannedStep};
pub use handle::JobHandle;
pub use job::{Job, JobError};
pub use options::ResumeError;

#[cfg(test)]
mod tests;
