//! The result of an evaluation.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::effect::Effect;
use super::memory::{Memory, RowCounts};
use crate::alert::AlertLevel;
use crate::condition::{Completeness, Truth};
use crate::program::Program;

/// The meaning of an evaluation for the alert of its rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "signal")]
pub enum Signal {
    /// The rule has no `CREATE_ALERT`.
    None,
    /// The rule creates an alert.
    Met,
    /// The rule certainly creates no alert.
    NotMet,
    /// No event happened. The alert about earlier events ends after this time; a person ends it if the time is absent.
    Quiet {
        /// The time.
        resolve_after: Option<SignedDuration>,
    },
    /// A failure or missing data decides. The alert stays as it is.
    Unknown {
        /// The reason, as text for users.
        reason: String,
    },
}

/// The result of an evaluation.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// The meaning for the alert.
    pub signal: Signal,
    /// The level: the value of the property `alertLevel`, or `INFO`.
    pub level: AlertLevel,
    /// Whether a query returned a row that the previous evaluation did not return.
    pub has_new_rows: bool,
    /// The actions to carry out, in this order.
    pub actions: Vec<PlannedAction>,
    /// The actions that are not carried out.
    pub skipped: Vec<SkippedAction>,
    /// The recorded outputs.
    pub outputs: Vec<Output>,
    /// The results of the queries, without their rows.
    pub queries: Vec<QueryRecord>,
    /// The truth of the conditions, by operation.
    pub conditions: Vec<ConditionRecord>,
    /// The reason of a failed evaluation, as text for users.
    pub failure: Option<String>,
    /// Whether missing data prevented actions. The rows and changes are then new in the next evaluation as well.
    pub is_undecided: bool,
    /// The rows to remember for the next evaluation. They are no part of the record.
    #[serde(skip)]
    pub memory: Memory,
}

impl Outcome {
    /// Creates the outcome of an evaluation that could not be carried out.
    pub fn failed(program: &Program, previous: Memory, reason: String) -> Self {
        let signal = match program.creates_alert() {
            true => Signal::Unknown { reason: reason.clone() },
            false => Signal::None,
        };
        Self {
            signal,
            level: AlertLevel::default(),
            has_new_rows: false,
            actions: Vec::new(),
            skipped: Vec::new(),
            outputs: Vec::new(),
            queries: Vec::new(),
            conditions: Vec::new(),
            failure: Some(reason),
            is_undecided: false,
            memory: previous,
        }
    }

    /// Returns whether the evaluation counts: it did not fail, and no missing data prevented actions.
    pub fn is_decided(&self) -> bool {
        self.failure.is_none() && !self.is_undecided
    }

    /// Returns whether the failure is to be reported because the rule demands it.
    pub fn failure_to_report(&self, notify_on_failure: bool) -> Option<&str> {
        self.failure.as_deref().filter(|_| notify_on_failure)
    }
}

/// An action to carry out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedAction {
    /// The place in the rule and the items, such as `operations[0].actions[2]` or `operations[0].actions[2].items[7].actions[0]`.
    pub at: String,
    /// The effect.
    pub effect: Effect,
}

/// An action that is not carried out.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SkippedAction {
    /// The place in the rule and the items.
    pub at: String,
    /// The type of the action.
    pub action: String,
    /// The reason.
    pub reason: SkipReason,
    /// The fields with their templates filled in; empty if that was not possible.
    pub fields: Map<String, Value>,
}

/// The reason why an action is not carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "kind", content = "message")]
pub enum SkipReason {
    /// This program does not carry out the action.
    NotCarriedOut,
    /// The rule acts on new rows only, and there are none.
    NoNewRows,
    /// Missing data decides about the items of the action.
    Uncertain,
    /// A template or a field has no suitable value, or a query failed.
    Failed(String),
}

/// A recorded value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// The dotted name.
    pub name: String,
    /// The value; `null` if there is none, or if it is too large.
    pub value: Value,
    /// Whether the value was too large.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub omitted: bool,
}

/// The result of a query, without its rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryRecord {
    /// The name of the query.
    pub name: String,
    /// The number of rows.
    pub records: u64,
    /// The differences from the previous evaluation.
    pub counts: RowCounts,
    /// The completeness.
    pub completeness: Completeness,
}

/// The truth of the conditions of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConditionRecord {
    /// The position of the operation.
    pub operation: usize,
    /// The truth.
    pub truth: Truth,
}
