//! Corrections of the reports of steps that are known only after all steps have ended.

use std::collections::BTreeSet;

use crate::graph::ObjectType;
use crate::graph::run::{ErrorCode, Parent};
use crate::store::Superseded;

/// Results of a step that are known only after all steps have ended.
#[derive(Default)]
pub(super) struct Late {
    pub(super) gaps: Vec<LateGap>,
    pub(super) superseded: Vec<Superseded>,
    /// Whether the provider found none of the step's parents, although they still exist.
    pub(super) found_nothing: bool,
}

/// Objects of one type that a step added but the graph does not contain.
pub(super) struct LateGap {
    pub(super) types: BTreeSet<ObjectType>,
    pub(super) parent: Option<Parent>,
    pub(super) code: ErrorCode,
    pub(super) cause: String,
    /// The number of objects of each type that were counted as added.
    pub(super) added: u64,
    /// The parent was counted as gone.
    pub(super) vanished: bool,
}

impl LateGap {
    pub(super) fn of_added(object_type: ObjectType, added: u64, code: ErrorCode, cause: String) -> Self {
        Self { types: [object_type].into(), parent: None, code, cause, added, vanished: false }
    }
}
