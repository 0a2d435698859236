//! What is left to say of a job: the summary of FACTS, which other tools read, and what we know beyond it.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::graph::{JobId, ObjectType, StepId, Timestamp};
use crate::http::Usage;
use crate::redact::clean_strings;
use crate::secrets;
use crate::step::{FindingCount, Incomplete, Named};
use crate::store::JobState;

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StepStatus {
    /// All is there.
    #[serde(rename = "success")]
    Success,
    /// An earlier job's result was fresh enough.
    #[serde(rename = "cached")]
    Cached,
    /// Nothing of it can be relied on to be complete.
    #[serde(rename = "failure")]
    Failure,
    /// It ran, but something that it needs, or a part of it, is missing.
    #[serde(rename = "partial_success_due_to_dependency_failure")]
    Partial,
    /// It was not to run.
    #[serde(rename = "disabled")]
    Disabled,
    /// The job ended before its turn.
    #[serde(rename = "pending_evaluation")]
    Pending,
}

impl StepStatus {
    /// As stored and as summaries have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Cached => "cached",
            Self::Failure => "failure",
            Self::Partial => "partial_success_due_to_dependency_failure",
            Self::Disabled => "disabled",
            Self::Pending => "pending_evaluation",
        }
    }

    /// In a word, for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Partial => "partial",
            Self::Pending => "not run",
            other => other.as_str(),
        }
    }
}

/// An error, as summaries hold it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Its code.
    pub code: String,
    /// What happened, in a sentence.
    pub message: String,
}

/// The result of one step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepReport {
    /// The step's id.
    pub id: StepId,
    /// Its name.
    pub name: String,
    /// The steps it waited for.
    pub depends_on: Vec<StepId>,
    /// Every type that it may add.
    pub declared_types: BTreeSet<ObjectType>,
    /// Types whose entities of other steps it adds properties to.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub amends: BTreeSet<ObjectType>,
    /// Types whose entities are joined from several descriptions.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub merges: BTreeSet<ObjectType>,
    /// Types of which something may be missing.
    pub partial_types: BTreeSet<ObjectType>,
    /// Types of which it added something.
    pub encountered_types: BTreeSet<ObjectType>,
    /// How many objects it added of each.
    pub encountered_type_counts: BTreeMap<ObjectType, u64>,
    /// How it ended.
    pub status: StepStatus,
    /// Why it did not run.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub disabled_reason: Option<String>,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub start_time: Option<Timestamp>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub end_time: Option<Timestamp>,
    /// How long it took, in milliseconds.
    pub duration: u64,
    /// The error that ended it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<Failure>,
    /// What could not be collected.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub incomplete: Vec<Incomplete>,
    /// Objects left out on purpose, by type and reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub skipped: BTreeMap<ObjectType, BTreeMap<String, u64>>,
    /// Objects known by name that are missing because of a gap, by type and reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub missed: BTreeMap<ObjectType, BTreeMap<String, Named>>,
    /// Names of objects left out on purpose, by type and reason; at most a hundred of each.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub skipped_details: BTreeMap<ObjectType, BTreeMap<String, BTreeSet<String>>>,
    /// What schemas found, alike findings counted.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub findings: Vec<FindingCount>,
    /// Objects kept apart because of findings.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub quarantined: BTreeMap<ObjectType, u64>,
    /// What it asked of the provider.
    pub usage: Usage,
}

/// The reason of a disabled step that the job was not asked for.
pub(crate) const NOT_SELECTED: &str = "not_selected";

impl StepReport {
    /// Whether the job was asked for other steps only.
    pub fn is_left_out(&self) -> bool {
        self.status == StepStatus::Disabled && self.disabled_reason.as_deref() == Some(NOT_SELECTED)
    }

    /// How many objects it added.
    pub fn objects(&self) -> u64 {
        self.encountered_type_counts.values().sum()
    }
}

/// Types of which something may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartialDatasets {
    /// The types: whatever consumes the graph deletes nothing of them.
    pub types: BTreeSet<ObjectType>,
}

/// What summaries say beside the steps' results.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// Types of which something may be missing.
    pub partial_datasets: PartialDatasets,
}

/// The result of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// The job.
    pub job: JobId,
    /// The integration.
    pub integration: String,
    /// The instance.
    pub instance: String,
    /// How it ended.
    pub state: JobState,
    /// Whether an earlier process began the job. Times and requests are then those of the last process.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub resumed: bool,
    /// When it began.
    pub start_time: Timestamp,
    /// When it ended.
    pub end_time: Timestamp,
    /// How long it took, in milliseconds.
    pub duration: u64,
    /// Entities in the graph.
    pub entities: u64,
    /// Relationships in the graph, mapped ones included.
    pub relationships: u64,
    /// The error that ended it as a whole.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<Failure>,
    /// The results of the steps, in the order of the plan.
    pub integration_step_results: Vec<StepReport>,
    /// What else there is to know.
    pub metadata: Metadata,
    /// What the job asked of the provider, the check of the credentials included.
    pub usage: Usage,
}

/// A report without credentials in its texts, which may quote a provider or an author's own words.
pub(crate) fn without_credentials<T: Serialize + DeserializeOwned>(report: T) -> T {
    let Ok(json) = serde_json::to_string(&report) else { return report };
    if !secrets::may_be_in(&json) {
        return report;
    }
    let Ok(mut tree) = serde_json::from_str(&json) else { return report };
    clean_strings(&mut tree);
    serde_json::from_value(tree).unwrap_or(report)
}

impl Summary {
    /// Whether the job collected everything by itself, so that its figures are those of a whole collection.
    pub fn is_whole(&self) -> bool {
        let cached = self.integration_step_results.iter().any(|step| step.status == StepStatus::Cached);
        self.state == JobState::Complete && !self.resumed && !cached
    }

    /// Whether something that the job was asked for may be missing.
    pub fn is_partial(&self) -> bool {
        self.integration_step_results.iter().any(|step| !step.incomplete.is_empty())
    }

    /// Whether the job ran selected steps only, so that its graph is a part of the whole.
    pub fn is_selection(&self) -> bool {
        self.integration_step_results.iter().any(StepReport::is_left_out)
    }
}
