//! The kinds of accounts that a job covered.

use serde::{Deserialize, Serialize};

use crate::StepId;

texts! {
    /// The extent to which a job covered a kind of account.
    #[non_exhaustive]
    "coverage" Coverage {
        /// All accounts of the kind that the credentials can see are in the graph.
        Complete = "complete",
        /// Some accounts of the kind may be missing because of a gap.
        Incomplete = "incomplete",
        /// The kind was refused or not requested.
        None = "none",
        /// Before a job: the kind will be requested, and the number of its accounts is not known.
        Expected = "expected",
    }
}

/// A kind of account, with the extent to which a job covered it.
///
/// A provider may have several kinds of accounts, such as organisations, teams outside of organisations, and the
/// personal resources of people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountCoverage {
    /// The name of one account of the kind.
    pub kind: String,
    /// The name of several accounts of the kind.
    pub kinds: String,
    /// The step that finds the accounts.
    pub step: StepId,
    /// The extent.
    pub coverage: Coverage,
    /// The number of accounts that the step found; `None` if it did not run.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub count: Option<u64>,
    /// The reason why the kind is not completely covered.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
}
