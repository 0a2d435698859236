//! The summary of a job: the report that other tools read, with further details.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::published::Published;
use crate::{InstanceId, JobId, ObjectType, Timestamp};

use super::{AccountCoverage, Failure, JobState, StepReport, StepStatus, Usage};

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
    /// The instance.
    pub instance: InstanceId,
    /// The final state of the job.
    pub state: JobState,
    /// Whether an earlier process started the job. Times and requests are then those of the last process.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub resumed: bool,
    /// The time of its start.
    #[serde(deserialize_with = "super::report::time")]
    pub start_time: Timestamp,
    /// The time of its end.
    #[serde(deserialize_with = "super::report::time")]
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
    /// The kinds of accounts that the job covered; empty if the integration names none.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub accounts: Vec<AccountCoverage>,
    /// The results of the steps, in the order of the plan.
    pub integration_step_results: Vec<StepReport>,
    /// Information about the job as a whole.
    pub metadata: Metadata,
    /// The requests to the provider, including the verification of the credentials.
    pub usage: Usage,
    /// The changes to the graph of the instance; `None` if the job published nothing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub published: Option<Published>,
}

impl Summary {
    /// Creates the summary of an empty job that ended when it started.
    pub fn new(job: JobId, integration: impl Into<String>, instance: InstanceId, state: JobState) -> Self {
        let now = Timestamp::now();
        Self {
            job,
            integration: integration.into(),
            instance,
            state,
            resumed: false,
            start_time: now,
            end_time: now,
            duration: 0,
            entities: 0,
            relationships: 0,
            error: None,
            accounts: Vec::new(),
            integration_step_results: Vec::new(),
            metadata: Metadata::default(),
            usage: Usage::default(),
            published: None,
        }
    }

    /// Returns whether the job collected everything itself.
    ///
    /// Only then do its figures describe a whole collection.
    pub fn is_whole(&self) -> bool {
        let cached = self.integration_step_results.iter().any(|step| step.status == StepStatus::Cached);
        self.state == JobState::Complete && !self.resumed && !cached
    }

    /// Returns whether the job has a gap.
    pub fn is_partial(&self) -> bool {
        self.integration_step_results.iter().any(|step| !step.gaps.is_empty())
    }

    /// Returns whether the job collected everything it selected, so that nothing is left to resume.
    pub fn is_settled(&self) -> bool {
        matches!(self.state, JobState::Complete | JobState::Partial) && !self.is_partial()
    }

    /// Returns whether the job ran only selected steps, and its graph is incomplete on purpose.
    pub fn is_selection(&self) -> bool {
        self.integration_step_results.iter().any(StepReport::is_not_selected)
    }
}
