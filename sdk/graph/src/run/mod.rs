//! The report of a run: states, gaps, counts, and error codes, as plain data.
//!
//! ```text
//!   Summary                  one job: state, totals, error
//!     ├─ AccountCoverage     one kind of account: extent, number, reason
//!     └─ StepReport          one step: status, counts, requests
//!          ├─ Gap            data that could not be collected: types, parent, code, cause
//!          ├─ FindingCount   similar violations of a schema
//!          └─ NamedCount     missing objects with the names of some of them
//! ```
//!
//! The runtime creates these values, the store keeps them, and programs display them. Each value is parsed once, when it
//! is read from a file or from the store. States and codes are enums with one text per variant; no code compares texts.
//!
//! ```
//! use integration_graph::run::{ErrorCode, Gap, JobState, StepReport, StepStatus, Summary};
//! use integration_graph::{InstanceId, JobId, ObjectType, StepId};
//!
//! let users = ObjectType::literal("acme_user");
//! let mut report = StepReport::new(StepId::literal("fetch-users"), "Fetch users", StepStatus::Partial);
//! report.gaps.push(Gap::new([users], ErrorCode::ProviderAuthorization, "403 Forbidden"));
//!
//! let mut summary = Summary::new(JobId::generate(), "acme", InstanceId::default(), JobState::Partial);
//! summary.integration_step_results.push(report);
//! assert!(summary.is_partial());
//!
//! let json = serde_json::to_value(&summary)?;
//! assert_eq!(json["integrationStepResults"][0]["incomplete"][0]["code"], "PROVIDER_AUTHORIZATION_ERROR");
//! assert_eq!(serde_json::from_value::<Summary>(json)?, summary);
//! # Ok::<(), serde_json::Error>(())
//! ```

#[macro_use]
mod texts;

mod code;
mod coverage;
mod finding;
mod gap;
mod named;
mod partition;
mod report;
mod status;
mod summary;
mod usage;

pub use code::{ErrorCode, OtherCode};
pub use coverage::{AccountCoverage, Coverage};
pub use finding::{Finding, FindingCount};
pub use gap::{Gap, Parent};
pub use named::{MAX_NAMES, NamedCount, keep_name};
pub use partition::{PartitionId, PartitionRef, Position};
pub use report::{Failure, StepReport, VANISHED};
pub use status::{DisabledReason, JobState, StepStatus};
pub use summary::{Metadata, PartialDatasets, Summary};
pub use texts::UnknownText;
pub use usage::{RequestCounts, Usage};

#[cfg(test)]
mod tests;
