//! The schedule: which steps may start, and the meaning of a step that ended.
//!
//! ```text
//!   ready ──▶ started ──▶ (engine runs the step) ──▶ ended(outcome) ──▶ report, further ready steps
//!     ▲                                                                     │
//!     └─────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! A schedule has neither clock nor I/O nor channels. The same calls in the same order give the same reports, on every
//! machine. An engine takes ready steps, runs them in any order, and returns their outcomes.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::graph::run::{Gap, StepReport};
use crate::graph::{ObjectType, StepId};
use crate::plan::{Edge, Plan, StartState};
use crate::step::Step;

use super::late_gap::Late;
use super::report::{self, StepOutcome};

/// The progress of one step.
#[derive(Debug, Clone)]
enum State {
    Waiting,
    Running,
    Ended(Box<StepReport>),
}

/// The state of all steps of a job.
#[derive(Debug, Clone)]
pub(super) struct Schedule {
    plan: Arc<Plan>,
    starts: BTreeMap<StepId, StartState>,
    states: BTreeMap<StepId, State>,
    cancelled: bool,
}

impl Schedule {
    /// Creates the schedule of a job in which no step has started.
    pub(super) fn new(plan: Arc<Plan>, starts: BTreeMap<StepId, StartState>) -> Self {
        let states = plan.steps().map(|step| (step.id().clone(), State::Waiting)).collect();
        Self { plan, starts, states, cancelled: false }
    }

    /// Takes over the reports of steps that completed before the job was resumed.
    ///
    /// Returns the steps whose earlier work is stale, because its input may change when other steps run again. Their
    /// work must be discarded before any step runs: if the process is killed in the meantime, the next resume cannot
    /// mistake it for completed work.
    pub(super) fn resume(&mut self, completed: BTreeMap<StepId, StepReport>) -> Vec<StepId> {
        for (step, report) in completed {
            self.states.insert(step, State::Ended(Box::new(report)));
        }
        let plan = Arc::clone(&self.plan);
        let mut stale: Vec<StepId> = Vec::new();
        for step in plan.steps() {
            let has_ended = self.report(step.id()).is_some();
            let changes = |(id, edge): &(&StepId, &Edge)| match has_ended {
                // Its input was complete. If a step that amends it runs again, however, the input changes.
                true => amends(&plan, id, edge),
                // A followed parent was complete when its partition ran, unless its own step is discarded.
                false => !edge.streams || stale.contains(id),
            };
            let runs = |id: &StepId| self.starts[id] == StartState::Enabled && self.report(id).is_none();
            if plan.dependencies(step.id()).iter().filter(|(id, _)| runs(id)).any(changes) {
                self.states.insert(step.id().clone(), State::Waiting);
                stale.push(step.id().clone());
            }
        }
        stale
    }

    /// Ends the steps that do not take part, and returns their start states and reports.
    pub(super) fn skip(&mut self) -> Vec<(StartState, StepReport)> {
        let plan = Arc::clone(&self.plan);
        let mut skipped = Vec::new();
        for step in plan.steps() {
            let start = self.starts[step.id()].clone();
            if start != StartState::Enabled && self.report(step.id()).is_none() {
                let report = report::not_started(step.declaration(), self.depends_on(step.id()), &start);
                self.states.insert(step.id().clone(), State::Ended(Box::new(report.clone())));
                skipped.push((start, report));
            }
        }
        skipped
    }

    /// Returns the first step that may start; `None` if steps must end before another one starts.
    ///
    /// All its dependencies have ended or, if the step follows them, started.
    pub(super) fn next_ready(&self) -> Option<&Step> {
        let begun = |(id, edge): (&StepId, &Edge)| match self.states.get(id) {
            Some(State::Ended(_)) => true,
            Some(State::Running) => edge.streams,
            Some(State::Waiting) | None => false,
        };
        let is_ready = |step: &&Step| {
            matches!(self.states.get(step.id()), Some(State::Waiting))
                && self.plan.dependencies(step.id()).into_iter().all(begun)
        };
        self.plan.steps().filter(|_| !self.cancelled).find(is_ready)
    }

    /// Records that a step started.
    pub(super) fn started(&mut self, step: &StepId) {
        if let Some(state @ State::Waiting) = self.states.get_mut(step) {
            *state = State::Running;
        }
    }

    /// Records that a running step ended, and returns its report; `None` if the step is not running.
    ///
    /// The report contains the gaps that the step inherits. A step to which the provider refuses the credentials
    /// cancels the job.
    pub(super) fn ended(&mut self, outcome: StepOutcome) -> Option<StepReport> {
        let step = outcome.step.clone();
        let Some(State::Running) = self.states.get(&step) else { return None };
        let declaration = Arc::clone(self.plan.step(&step)?.declaration());
        self.cancelled |= outcome.is_fatal();
        let report = outcome.report(&declaration, self.depends_on(&step), self.inherited(&step));
        self.states.insert(step, State::Ended(Box::new(report.clone())));
        Some(report)
    }

    /// Stops the job: no further step starts.
    pub(super) fn cancel(&mut self) {
        self.cancelled = true;
    }

    /// Returns whether all steps that emit a type have ended.
    pub(super) fn is_complete(&self, object_type: &ObjectType) -> bool {
        let mut producers = self.plan.steps().filter(|step| step.declaration().emits().contains(object_type));
        producers.all(|step| self.report(step.id()).is_some())
    }

    /// Gives a report to every step that did not end. Call it when no step runs.
    pub(super) fn finish(&mut self) {
        let plan = Arc::clone(&self.plan);
        for step in plan.steps().filter(|step| self.report(step.id()).is_none()).collect::<Vec<_>>() {
            let report = report::not_started(step.declaration(), self.depends_on(step.id()), &StartState::Enabled);
            self.states.insert(step.id().clone(), State::Ended(Box::new(report)));
        }
    }

    /// Adds gaps that were detected after the end, and passes all gaps on to the steps below.
    ///
    /// Returns the changed reports. A step that ended before a step that it follows inherits the gaps of that step only
    /// here, so call this even if nothing was detected: the reports must not depend on the order of the ends.
    pub(super) fn correct(&mut self, mut late: BTreeMap<StepId, Late>) -> Vec<StepReport> {
        let plan = Arc::clone(&self.plan);
        let mut changed = Vec::new();
        for step in plan.steps() {
            let inherited = self.inherited(step.id());
            let Some(State::Ended(report)) = self.states.get_mut(step.id()) else { continue };
            let ran = report.start_time.is_some();
            if ran && report::correct(report, late.remove(step.id()).unwrap_or_default(), inherited) {
                changed.push((**report).clone());
            }
        }
        changed
    }

    /// Returns the reports of the ended steps, in the order of the plan.
    pub(super) fn reports(&self) -> impl Iterator<Item = &StepReport> {
        self.plan.steps().filter_map(|step| self.report(step.id()))
    }

    fn report(&self, step: &StepId) -> Option<&StepReport> {
        match self.states.get(step)? {
            State::Ended(report) => Some(report),
            State::Waiting | State::Running => None,
        }
    }

    fn inherited(&self, step: &StepId) -> Vec<Gap> {
        let Some(declaration) = self.plan.step(step).map(Step::declaration) else { return Vec::new() };
        let dependencies = self.plan.dependencies(step).into_iter();
        report::inherited(declaration, dependencies.filter_map(|(id, edge)| Some((self.report(id)?, edge))))
    }

    fn depends_on(&self, step: &StepId) -> Vec<StepId> {
        self.plan.dependencies(step).into_iter().map(|(id, _)| id.clone()).collect()
    }
}

/// Returns whether a step amends a type of one of its edges.
fn amends(plan: &Plan, step: &StepId, edge: &Edge) -> bool {
    plan.step(step).is_some_and(|step| !step.declaration().amends.is_disjoint(&edge.through))
}

#[cfg(test)]
mod tests;
