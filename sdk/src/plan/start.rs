//! Start states: whether each step takes part in a job, and the reason if not.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::graph::{ObjectType, StepId};
use crate::step::{DisabledReason, Step};

use super::{Plan, PlanError};

/// The state of a step at the start of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "state")]
pub enum StartState {
    /// The step takes part.
    Enabled,
    /// The step does not take part.
    Disabled {
        /// The reason.
        reason: DisabledReason,
        /// The dependency that causes the state, with its reason, if the step itself is not the cause.
        #[serde(skip_serializing_if = "Option::is_none")]
        because_of: Option<(StepId, DisabledReason)>,
    },
    /// The step is not part of the selection.
    Unselected,
}

impl StartState {
    /// Returns the original reason: that of the dependency, if it is the cause.
    pub fn root_reason(&self) -> Option<DisabledReason> {
        match self {
            Self::Enabled | Self::Unselected => None,
            Self::Disabled { reason, because_of } => Some(because_of.as_ref().map_or(*reason, |(_, root)| *root)),
        }
    }
}

impl Plan {
    /// Determines the state of every step from the steps that are switched off.
    ///
    /// A step that reads, follows, or amends a type is disabled if all emitters of the type are disabled. No other
    /// disabled step has this effect: dependents of an amender, of a publisher, or of a step named by `after` run
    /// without it.
    ///
    /// # Errors
    /// [`PlanError::UnknownStart`] if an id is not the id of a step.
    pub fn start_states(
        &self,
        disabled: &BTreeMap<StepId, DisabledReason>,
    ) -> Result<BTreeMap<StepId, StartState>, PlanError> {
        if let Some(unknown) = disabled.keys().find(|id| self.step(id).is_none()) {
            let known = self.steps().map(|step| step.id().clone()).collect();
            return Err(PlanError::UnknownStart { step: unknown.clone(), known });
        }
        let mut states = BTreeMap::new();
        for step in self.steps() {
            let state = match disabled.get(step.id()) {
                Some(&reason) => StartState::Disabled { reason, because_of: None },
                None => self.inherited(step.id(), &states),
            };
            states.insert(step.id().clone(), state);
        }
        Ok(states)
    }

    fn inherited(&self, step: &StepId, states: &BTreeMap<StepId, StartState>) -> StartState {
        // The first disabled emitter of each type; `None` if one of its emitters runs.
        let mut emitters: BTreeMap<ObjectType, Option<&StepId>> = BTreeMap::new();
        let own = self.step(step).map(|step| step.declaration().emits()).unwrap_or_default();
        for (id, edge) in self.dependencies(step) {
            let Some(emits) = self.step(id).map(|step| step.declaration().emits()) else { continue };
            let off = matches!(states.get(id), Some(StartState::Disabled { .. }));
            for object_type in emits.intersection(&edge.through).filter(|object_type| !own.contains(*object_type)) {
                let first = emitters.entry(object_type.clone()).or_insert(Some(id));
                *first = first.filter(|_| off);
            }
        }
        let in_order = self.steps().map(Step::id).find(|id| emitters.values().any(|off| off == &Some(*id)));
        match in_order.and_then(|id| root(id, states)) {
            Some(root) => StartState::Disabled { reason: DisabledReason::ParentDisabled, because_of: Some(root) },
            None => StartState::Enabled,
        }
    }
}

/// Returns the original cause of a disabled step, with its reason.
fn root(id: &StepId, states: &BTreeMap<StepId, StartState>) -> Option<(StepId, DisabledReason)> {
    match states.get(id)? {
        StartState::Disabled { because_of: Some(root), .. } => Some(root.clone()),
        StartState::Disabled { reason, because_of: None } => Some((id.clone(), *reason)),
        StartState::Enabled | StartState::Unselected => None,
    }
}
