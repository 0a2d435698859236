//! The model of a rule.

mod action;
mod changes;
mod form;
mod selection;

use std::collections::BTreeMap;

use integration_scheduler::PollingInterval;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use action::{Action, ActionKind};
pub(crate) use action::{FieldShape, FieldSpec};
pub use changes::GraphChange;
pub use form::InputError;
use form::RuleForm;
pub use integration_graph::history::{ChangeKind, ObjectKind, PropertyChange};
pub use selection::{ChangeSelection, LengthError, LengthOfTime, ValueCondition};

/// A rule: queries or changes, conditions about their results, and actions.
///
/// In files, a rule has the names of JupiterOne's rule instances.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RuleForm", into = "RuleForm")]
pub struct Rule {
    /// The identifier of an exported rule.
    pub id: Option<String>,
    /// The version of an exported rule.
    pub version: Option<u64>,
    /// The name, unique among all rules.
    pub name: String,
    /// The description.
    pub description: String,
    /// The version of the file form, which is 1.
    pub spec_version: u64,
    /// The time between two evaluations.
    pub polling_interval: PollingInterval,
    /// The input of the conditions.
    pub input: RuleInput,
    /// Conditions with their actions, in the order of evaluation.
    pub operations: Vec<Operation>,
    /// Dotted names of values that are recorded with each evaluation.
    pub outputs: Vec<String>,
    /// The texts of `mapTemplate`, by name.
    pub templates: BTreeMap<String, String>,
    /// Tags. JupiterOne replaced them by labels.
    pub tags: Vec<String>,
    /// Labels.
    pub labels: Vec<Label>,
    /// Whether a failed evaluation is reported.
    pub notify_on_failure: bool,
    /// Whether actions run only if a query returns a row that the previous evaluation did not return.
    pub new_entities_only: bool,
    /// Whether all rows count as new in each evaluation.
    pub ignore_previous_results: bool,
    /// The remedy, as text for users.
    pub remediation_steps: Option<String>,
    /// The resource group in JupiterOne. It has no meaning here and is kept for exports.
    pub resource_group_id: Option<String>,
}

/// The input of a rule.
#[derive(Debug, Clone, PartialEq)]
pub enum RuleInput {
    /// Queries of the rule.
    Queries(Vec<RuleQuery>),
    /// The queries of a saved question.
    Question {
        /// The identifier of the question.
        id: Option<String>,
        /// The name of the question.
        name: Option<String>,
    },
    /// Changes of a publication that match at least one selection.
    Changes {
        /// The selections.
        selections: Vec<ChangeSelection>,
        /// The time after which an alert about events ends without new ones; never if absent.
        resolve_after: Option<LengthOfTime>,
    },
}

/// A query of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleQuery {
    /// The name in conditions and templates; `query0`, `query1`, … by default.
    pub name: String,
    /// The query.
    pub query: String,
    /// Whether the query includes deleted entities.
    pub include_deleted: bool,
}

/// Actions with the conditions under which they run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Operation {
    /// The conditions, all of which must hold. Without conditions, the actions always run.
    pub when: Vec<When>,
    /// The actions, in the order of execution.
    pub actions: Vec<Action>,
}

/// A condition as it is in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct When {
    /// The kind, which is `FILTER`.
    pub kind: String,
    /// The condition: a template or a list.
    pub condition: Value,
}

/// A label of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Label {
    /// The name.
    pub label_name: String,
    /// The value.
    #[serde(default)]
    pub label_value: Option<String>,
}

impl Rule {
    /// The name of the changes among the queries of conditions and templates.
    pub const CHANGES: &'static str = "changes";

    /// Returns the names that `queries` has in conditions and templates; `None` if a saved question defines them.
    pub fn query_names(&self) -> Option<Vec<&str>> {
        match &self.input {
            RuleInput::Queries(queries) => Some(queries.iter().map(|query| query.name.as_str()).collect()),
            RuleInput::Changes { .. } => Some(vec![Self::CHANGES]),
            RuleInput::Question { .. } => None,
        }
    }
}
