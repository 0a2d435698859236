//! Gaps that are detected after all steps have ended: displaced objects, relationships without ends, and parents that
//! the provider did not find. Relationships of replaced descriptions are removed at the same time.
//!
//! The objects of a parent that is gone are removed from the graph, so one response is not enough: a parent is gone only
//! if, in the same run, at least two steps requested data of it, and none of them found it. A 404 is also the answer for
//! a parent that is hidden from the credentials. Unless another step received a 410 for the parent, which states that it
//! was removed, each of the steps must therefore have found other parents. In all other cases the response is a gap.
//!
//! A parent under which an earlier run of the job left a gap is never gone, because only collected data closes a gap.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::graph::run::{ErrorCode, Parent, StepReport};
use crate::graph::{ObjectKey, ObjectType, StepId};
use crate::plan::Plan;
use crate::step::{FoundParents, ObjectError, Step, Vanished};
use crate::store::{Conflict, DeclaredEnds, EarlierGaps, Reconciled, StoreError, Unattached};

use super::late_gap::{Late, LateGap};
use super::report::{self, StepOutcome};
use super::schedule::Schedule;
use super::step_run::StepEnvironment;

/// The parents that the provider did not find in a step.
struct VanishedIn {
    step: StepId,
    parents: Vec<Vanished>,
    /// The number of all parents of the step.
    partitions: u64,
}

/// Observations of the steps that have a meaning only after all steps have ended.
#[derive(Default)]
pub(super) struct Evidence {
    /// Objects that were rejected after their steps had added them.
    displaced: Vec<Conflict>,
    /// Parents that the provider did not find.
    vanished: Vec<VanishedIn>,
    /// Parents that the provider found, by step.
    found: BTreeMap<StepId, FoundParents>,
}

impl Evidence {
    /// Moves the observations of a step from its outcome.
    pub(super) fn take(&mut self, outcome: &mut StepOutcome) {
        let stats = &mut outcome.stats;
        self.displaced.append(&mut stats.displaced);
        self.found.insert(outcome.step.clone(), std::mem::take(&mut stats.found));
        let parents = std::mem::take(&mut stats.vanished);
        if !parents.is_empty() {
            self.vanished.push(VanishedIn { step: outcome.step.clone(), parents, partitions: stats.partitions });
        }
    }
}

/// Returns the corrections of each step from the observations of all steps.
pub(super) async fn corrections(
    environment: &StepEnvironment,
    schedule: &Schedule,
    evidence: Evidence,
    earlier_gaps: &EarlierGaps,
) -> Result<BTreeMap<StepId, Late>, StoreError> {
    let mut late: BTreeMap<StepId, Late> = BTreeMap::new();
    for (step, gap) in displaced(evidence.displaced) {
        late.entry(step).or_default().gaps.push(gap);
    }
    let reconciled = environment.job.reconcile(declared_ends(&environment.plan)).await?;
    let Reconciled { unattached, superseded } = reconciled;
    for Unattached { step, object_type, count, first } in unattached {
        let cause = format!(
            "{count} relationship(s) are omitted because an entity at one of their ends was rejected or removed; the \
             first: {first:?}"
        );
        let gap = LateGap::of_added(object_type, count, ErrorCode::Unexpected, cause);
        late.entry(step).or_default().gaps.push(gap);
    }
    for superseded in superseded {
        late.entry(superseded.step.clone()).or_default().superseded.push(superseded);
    }
    if !evidence.vanished.is_empty() {
        let answered = environment.job.completed_parents(None).await?;
        let gaps = schedule.reports().flat_map(StepReport::own_gaps);
        let of_gaps = gaps.filter_map(|gap| gap.parent.as_ref()).map(|parent| parent.key.clone());
        let seen: HashSet<ObjectKey> = answered.into_iter().chain(of_gaps).collect();
        let judge = Judge { plan: &environment.plan, seen, found: evidence.found, earlier_gaps };
        judge.vanished(&evidence.vanished, &mut late);
    }
    Ok(late)
}

/// Returns the types of the ends of all relationships that the steps declare.
fn declared_ends(plan: &Plan) -> DeclaredEnds {
    let mut ends = DeclaredEnds::default();
    for declaration in plan.steps().map(Step::declaration) {
        for of in &declaration.relationships {
            ends.add(&of.object_type, &of.from, Some(&of.to));
        }
        for of in &declaration.mapped_relationships {
            ends.add(&of.object_type, &of.source, None);
        }
    }
    ends
}

/// The knowledge about the parents of a job after all its steps have ended.
struct Judge<'a> {
    plan: &'a Plan,
    /// The parents of completed partitions and of gaps.
    seen: HashSet<ObjectKey>,
    /// Parents that the provider found, by step.
    found: BTreeMap<StepId, FoundParents>,
    earlier_gaps: &'a EarlierGaps,
}

impl Judge<'_> {
    /// Adds a gap for each parent that the provider did not find and that is not gone.
    fn vanished(&self, vanished: &[VanishedIn], late: &mut BTreeMap<StepId, Late>) {
        let is_seen = |parent: &Parent| {
            self.seen.contains(&parent.key)
                || self.earlier_gaps.are_under(&parent.key)
                || self.found.values().any(|found| found.contains(parent))
        };
        let finds_others = |step: &StepId, parent: &Parent| {
            self.found.get(step).is_some_and(|found| found.has_any(&parent.object_type))
        };
        let mut steps: BTreeMap<&ObjectKey, BTreeSet<&StepId>> = BTreeMap::new();
        let mut removed: HashSet<&ObjectKey> = HashSet::new();
        for VanishedIn { step, parents, .. } in vanished {
            for Vanished { parent, is_gone, .. } in parents {
                steps.entry(&parent.key).or_default().insert(step);
                if *is_gone {
                    removed.insert(&parent.key);
                }
            }
        }
        for VanishedIn { step, parents, partitions } in vanished {
            let types = self.plan.step(step).map(|step| step.declaration().emits()).unwrap_or_default();
            let found_nothing = parents.len() as u64 == *partitions;
            let is_gone = |Vanished { parent, .. }: &Vanished| {
                let asked = &steps[&parent.key];
                let is_confirmed =
                    || removed.contains(&parent.key) || asked.iter().all(|step| finds_others(step, parent));
                let may_be_gone = asked.len() > 1 && !self.earlier_gaps.concern(step, &parent.key);
                may_be_gone && !is_seen(parent) && is_confirmed()
            };
            let left = parents.iter().filter(|parent| !is_gone(parent));
            let gaps: Vec<LateGap> = left
                .map(|Vanished { parent, code, cause, .. }| LateGap {
                    types: types.clone(),
                    parent: Some(parent.clone()),
                    code: code.clone(),
                    cause: cause.clone(),
                    added: 0,
                    vanished: true,
                })
                .collect();
            if !gaps.is_empty() {
                let late = late.entry(step.clone()).or_default();
                late.found_nothing = found_nothing;
                late.gaps.extend(gaps);
            }
        }
    }
}

/// Returns the gaps of displaced objects with the steps that added them.
fn displaced(conflicts: Vec<Conflict>) -> impl Iterator<Item = (StepId, LateGap)> {
    let mut groups: BTreeMap<(StepId, ObjectType), (u64, ObjectKey, ObjectError)> = BTreeMap::new();
    for Conflict { key, object_type, step, other_type, other_step } in conflicts {
        let group = (step, object_type.clone());
        let error = ObjectError::DuplicateKey { key: key.clone(), object_type, other_type, other_step };
        match groups.get_mut(&group) {
            Some((count, first, cause)) => {
                *count += 1;
                if key < *first {
                    (*first, *cause) = (key, error);
                }
            }
            None => drop(groups.insert(group, (1, key, error))),
        }
    }
    groups.into_iter().map(|((step, object_type), (count, _, error))| {
        let cause = report::rejected(count, &error.to_string());
        (step, LateGap::of_added(object_type, count, error.code(), cause))
    })
}
