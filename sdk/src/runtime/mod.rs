//! A job: one run of a plan on a store.
//!
//! ```text
//!   Job ──verify──▶ provider                      Event ──▶ terminal, log
//!    │                                              ▲
//!    └─ begin ─▶ execution: steps whose dependencies have ended run at once, each a task
//!                  │  StepContext (intake, store, http)
//!                  └─ ended ─▶ books: status, gaps, what dependents inherit ─▶ Summary ─▶ store
//! ```
//!
//! All concurrency of a collection is here and in what steps ask for; everything below is plain functions. A step that
//! fails stops no other; only refused credentials and the user end a job early, and then too everything collected is
//! committed and the summary says what is missing.

mod books;
mod event;
mod execution;
mod forecast;
mod job;
mod late;
mod options;

pub use crate::summary::{Failure, Metadata, PartialDatasets, StepReport, StepStatus, Summary};
pub use event::{Announced, Event};
pub use forecast::{Forecast, StepForecast};
pub use job::{Job, JobError};
pub use options::ResumeError;

#[cfg(test)]
mod tests;
