//! Gaps: data that could not be collected.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{ObjectKey, ObjectType, StepId};

use super::ErrorCode;

/// A parent entity: the members of team T belong to the parent team T.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parent {
    /// The type of the parent.
    #[serde(rename = "type")]
    pub object_type: ObjectType,
    /// The key of the parent.
    pub key: ObjectKey,
}

/// A gap: objects that may exist at the provider but are not in the graph.
///
/// A consumer of the graph must not delete objects of these types. If a parent is given, this concerns only the objects
/// under that parent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Gap {
    /// The affected types; empty if the failed step emits nothing.
    pub types: BTreeSet<ObjectType>,
    /// The parent to which the gap is limited; absent if it is unlimited.
    #[serde(rename = "under", skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// The code of the error.
    pub code: ErrorCode,
    /// The cause, as text for users.
    pub cause: String,
    /// The step that caused the gap, if it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inherited_from: Option<StepId>,
    /// Whether resuming the job may close the gap; absent from JSON if so.
    #[serde(default = "resumable", skip_serializing_if = "is_resumable")]
    pub resumable: bool,
}

fn resumable() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_resumable(resumable: &bool) -> bool {
    *resumable
}

impl Gap {
    /// Creates a gap that the step itself caused, without a parent, and that a resume may close.
    pub fn new(types: impl IntoIterator<Item = ObjectType>, code: ErrorCode, cause: impl Into<String>) -> Self {
        let (types, cause) = (types.into_iter().collect(), cause.into());
        Self { types, parent: None, code, cause, inherited_from: None, resumable: true }
    }

    /// Limits the gap to a parent, if there is one.
    #[must_use]
    pub fn under(self, parent: Option<Parent>) -> Self {
        Self { parent, ..self }
    }

    /// Marks the gap as one that a resume does not close.
    #[must_use]
    pub fn not_resumable(self) -> Self {
        Self { resumable: false, ..self }
    }

    /// Returns whether the step that reports the gap caused it.
    pub fn is_own(&self) -> bool {
        self.inherited_from.is_none()
    }
}
