//! Alerts: their states, and the transitions between them.
//!
//! A rule has at most one open alert. [`observe`] documents the transitions.

mod change;
mod delivered;
mod history;
mod level;
mod machine;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use change::AlertChange;
pub use delivered::DeliveryRecord;
pub use history::{AlertEvent, AlertHistory};
pub use level::{AlertLevel, LevelError};
pub use machine::{Observation, dismiss, observe, reopen, resolve};

use crate::evaluate::Output;

/// The state of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum AlertStatus {
    /// The condition of the rule holds.
    Active,
    /// The condition holds no more.
    Inactive,
    /// A person has dismissed the alert.
    Dismissed,
}

/// The reason why an alert is not active.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EndReason {
    /// An evaluation found that the condition holds no more.
    Resolved,
    /// No event happened for the time that the rule names.
    Expired,
    /// A person has dismissed the alert.
    Dismissed,
}

/// The part of an evaluation that an alert shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EvaluationResult {
    /// The result as text for users.
    pub answer_text: String,
    /// The end of the evaluation.
    pub evaluation_end_on: Timestamp,
    /// The recorded outputs.
    pub outputs: Vec<Output>,
    /// The numbers of rows.
    pub raw_data_descriptors: Vec<RawDataDescriptor>,
}

/// The numbers of rows of a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RawDataDescriptor {
    /// The name of the query.
    pub name: String,
    /// The number of rows.
    pub record_count: u64,
    /// The number of rows that the previous evaluation did not return.
    pub record_create_count: u64,
    /// The number of rows with other properties.
    pub record_update_count: u64,
    /// The number of rows that are gone.
    pub record_delete_count: u64,
}

/// An alert. Its JSON has the names of JupiterOne's alerts, with times as text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// The identifier.
    pub id: String,
    /// The identifier of the rule.
    pub rule_id: String,
    /// The version of the rule at the last change.
    pub rule_version: u64,
    /// The level.
    pub level: AlertLevel,
    /// The state.
    pub status: AlertStatus,
    /// The time of the first evaluation that met the condition.
    pub created_on: Timestamp,
    /// The time of the last change.
    pub last_updated_on: Timestamp,
    /// The time at which a person dismissed the alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dismissed_on: Option<Timestamp>,
    /// The reason why the alert is not active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_reason: Option<EndReason>,
    /// The start of the last decided evaluation.
    pub last_evaluation_begin_on: Timestamp,
    /// The end of the last decided evaluation.
    pub last_evaluation_end_on: Timestamp,
    /// The time of the last evaluation that met the condition.
    pub last_met_on: Timestamp,
    /// The result of the last evaluation that met the condition.
    pub last_evaluation_result: EvaluationResult,
    /// The people who are responsible. The program keeps the list and does not use it.
    #[serde(default)]
    pub users: Vec<Value>,
    /// The changes of the alert, the oldest first.
    pub history: AlertHistory,
    /// The newest deliveries on the occasion of the alert, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deliveries: Vec<DeliveryRecord>,
}

impl Alert {
    /// Returns whether the alert demands attention.
    pub fn is_open(&self) -> bool {
        self.status == AlertStatus::Active
    }

    /// Returns whether the alert was resolved or is over.
    pub fn is_ended(&self) -> bool {
        self.status == AlertStatus::Inactive
    }
}

/// A request of a person that the state of the alert does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AlertError {
    /// Only active alerts can be dismissed.
    #[error("the alert {id} is {}, only an active alert can be dismissed", status.name())]
    NotActive {
        /// The identifier of the alert.
        id: String,
        /// The state.
        status: AlertStatus,
    },
    /// The alert is active.
    #[error("the alert {id} is active, so it cannot be reopened")]
    Active {
        /// The identifier of the alert.
        id: String,
    },
}

impl AlertStatus {
    fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "resolved",
            Self::Dismissed => "dismissed",
        }
    }
}
