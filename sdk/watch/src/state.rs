//! The state of a rule between two evaluations.

use std::collections::BTreeMap;

use integration_rules::Memory;
use integration_sdk::graph::JobId;
use integration_sdk::store::SnapshotInfo;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::position::Position;

/// The state of a rule between two evaluations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleState {
    /// The identifier of this state, a part of the identifiers of its evaluations.
    pub id: String,
    /// The place from which the rule was read last. If it is no longer there, it does not exist any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// The number of recorded evaluations.
    #[serde(default)]
    pub evaluations: u64,
    /// The time of the last recorded evaluation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluated_on: Option<Timestamp>,
    /// The rows of the last evaluation.
    #[serde(default)]
    pub memory: Memory,
    /// The snapshots up to which the rule has seen the changes, by instance.
    #[serde(default)]
    pub positions: BTreeMap<String, Position>,
    /// The reason why the last evaluation failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

impl RuleState {
    /// Creates the state of a rule that was never evaluated.
    pub(crate) fn new() -> Self {
        Self {
            id: JobId::generate().to_string(),
            origin: None,
            evaluations: 0,
            evaluated_on: None,
            memory: Memory::default(),
            positions: BTreeMap::new(),
            failure: None,
        }
    }

    /// Returns the identifier of the next evaluation.
    ///
    /// Deliveries have idempotency keys of their evaluation and action. They are recorded together with the evaluation, so an
    /// evaluation that was not recorded, because its process was killed, has sent nothing under this identifier.
    pub(crate) fn next_evaluation(&self) -> String {
        format!("{}-{}", self.id, self.evaluations + 1)
    }
}

/// Returns the name of an instance in the positions of rules.
pub(crate) fn instance_name(info: &SnapshotInfo) -> String {
    format!("{}/{}", info.integration, info.instance_id.as_str())
}
