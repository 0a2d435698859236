//! The summary of a job: the report that other tools read, with further details.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

use crate::graph::{JobId, ObjectType, StepId, Timestamp};
use crate::http::Usage;
use crate::redact::clean_strings;
use crate::secrets;
use crate::step::{FindingCount, Incomplete, Named};
use crate::store::JobState;

/// The status of a step at the end of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StepStatus {
    /// Completed without gaps.
    #[serde(rename = "success")]
    Success,
    /// Completed with the sufficiently recent result of an earlier job.
    #[serde(rename = "cached")]
    Cached,
    /// Failed: none of its types can be assumed to be complete.
    #[serde(rename = "failure")]
    Failure,
    /// Ran, but with a gap in its input or in its own partitions.
    #[serde(rename = "partial_success_due_to_dependency_failure")]
    Partial,
    /// Did not run, because it was disabled or not selected.
    #[serde(rename = "disabled")]
    Disabled,
    /// Did not run, because the job ended first.
    #[serde(rename = "pending_evaluation")]
    Pending,
}

impl StepStatus {
    /// The value in the store and in summaries.
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

    /// A short word for users.
    pub fn label(self) -> &'static str {
        match self {
            Self::Partial => "partial",
            Self::Pending => "not run",
            other => other.as_str(),
        }
    }
}

/// Reads a stored time, which the clock of a machine may have set to any year.
fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    i64::deserialize(deserializer).map(Timestamp::from_millis)
}

fn some_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    Option::deserialize(deserializer).map(|millis| millis.map(Timestamp::from_millis))
}

/// An error in a summary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The code of the error.
    pub code: String,
    /// A sentence that describes the event.
    pub message: String,
}

/// The result of one step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepReport {
    /// The id of the step.
    pub id: StepId,
    /// The name of the step.
    pub name: String,
    /// The steps on which it depends.
    pub depends_on: Vec<StepId>,
    /// Every type that the step may add.
    pub declared_types: BTreeSet<ObjectType>,
    /// The types of other steps to whose entities it adds properties.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub amends: BTreeSet<ObjectType>,
    /// The names of the properties that it added to them.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub amended_properties: BTreeSet<String>,
    /// The types whose entities are merged from several descriptions.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub merges: BTreeSet<ObjectType>,
    /// The types with a gap.
    pub partial_types: BTreeSet<ObjectType>,
    /// The types of the added objects.
    pub encountered_types: BTreeSet<ObjectType>,
    /// The number of added objects of each type.
    pub encountered_type_counts: BTreeMap<ObjectType, u64>,
    /// The status of the step.
    pub status: StepStatus,
    /// The reason why the step did not run.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub disabled_reason: Option<String>,
    /// The time of its start.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "some_time")]
    pub start_time: Option<Timestamp>,
    /// The time of its end.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "some_time")]
    pub end_time: Option<Timestamp>,
    /// The duration in milliseconds.
    pub duration: u64,
    /// The error that ended the step.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<Failure>,
    /// The gaps.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub incomplete: Vec<Incomplete>,
    /// The numbers of skipped objects, by type and reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub skipped: BTreeMap<ObjectType, BTreeMap<String, u64>>,
    /// Named objects that are missing because of a gap, by type and reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub missed: BTreeMap<ObjectType, BTreeMap<String, Named>>,
    /// The names of skipped objects, by type and reason; at most one hundred of each.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub skipped_details: BTreeMap<ObjectType, BTreeMap<String, BTreeSet<String>>>,
    /// The schema findings, with similar ones counted together.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub findings: Vec<FindingCount>,
    /// The numbers of quarantined objects, by type.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub quarantined: BTreeMap<ObjectType, u64>,
    /// The keys of quarantined objects, by type; at most one hundred of each.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub quarantined_details: BTreeMap<ObjectType, BTreeSet<String>>,
    /// The requests to the provider.
    pub usage: Usage,
}

/// The reason of a step that is disabled because it was not selected.
pub(crate) const NOT_SELECTED: &str = "not_selected";
/// The reason why the objects of a parent are left out that is gone.
pub(crate) const VANISHED: &str = "parent vanished while it was collected";

impl StepReport {
    /// Returns whether the job did not select the step.
    pub fn is_left_out(&self) -> bool {
        self.status == StepStatus::Disabled && self.disabled_reason.as_deref() == Some(NOT_SELECTED)
    }

    /// Returns the number of objects that the step added.
    pub fn objects(&self) -> u64 {
        self.encountered_type_counts.values().sum()
    }
}

/// The types with a gap.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartialDatasets {
    /// The types. A consumer of the graph must not delete objects of these types.
    pub types: BTreeSet<ObjectType>,
}

/// Information about the job as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// The types with a gap.
    pub partial_datasets: PartialDatasets,
}

/// The result of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// The id of the job.
    pub job: JobId,
    /// The id of the integration.
    pub integration: String,
    /// The name of the instance.
    pub instance: String,
    /// The final state of the job.
    pub state: JobState,
    /// Whether an earlier process started the job. Times and requests are then those of the last process.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub resumed: bool,
    /// The time of its start.
    #[serde(deserialize_with = "time")]
    pub start_time: Timestamp,
    /// The time of its end.
    #[serde(deserialize_with = "time")]
    pub end_time: Timestamp,
    /// The duration in milliseconds.
    pub duration: u64,
    /// The number of entities in the graph.
    pub entities: u64,
    /// The number of relationships in the graph, including mapped ones.
    pub relationships: u64,
    /// The error that ended the whole job.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<Failure>,
    /// The results of the steps, in the order of the plan.
    pub integration_step_results: Vec<StepReport>,
    /// Information about the job as a whole.
    pub metadata: Metadata,
    /// The requests to the provider, including the verification of the credentials.
    pub usage: Usage,
}

/// Removes credentials from the texts of a report, which may quote a provider or an author.
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
    /// Returns whether the job collected everything itself.
    ///
    /// Only then do its figures describe a whole collection.
    pub fn is_whole(&self) -> bool {
        let cached = self.integration_step_results.iter().any(|step| step.status == StepStatus::Cached);
        self.state == JobState::Complete && !self.resumed && !cached
    }

    /// Returns whether the job has a gap.
    pub fn is_partial(&self) -> bool {
        self.integration_step_results.iter().any(|step| !step.incomplete.is_empty())
    }

    /// Returns whether the job ran only selected steps, and its graph is incomplete on purpose.
    pub fn is_selection(&self) -> bool {
        self.integration_step_results.iter().any(StepReport::is_left_out)
    }
}
