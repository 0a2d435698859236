//! Transitions of alerts.

use serde::{Deserialize, Serialize};

/// The kind of a transition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AlertChange {
    /// The alert is new.
    Opened,
    /// The level or the rows have changed.
    Updated,
    /// The condition holds no more.
    Resolved,
    /// A person has dismissed the alert.
    Dismissed,
    /// The alert is active again.
    Reopened,
}
