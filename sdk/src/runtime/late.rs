//! Gaps that are detected after all steps have ended: displaced objects and relationships without ends.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph::{ObjectKey, ObjectType, StepId};
use crate::step::ObjectError;
use crate::store::{Conflict, StoreError, Unattached};
use crate::summary::StepReport;

use super::books;
use super::execution::Execution;

/// Objects of one type that a step added but the graph does not contain.
pub(super) struct LateGap {
    pub(super) object_type: ObjectType,
    pub(super) count: u64,
    pub(super) code: &'static str,
    pub(super) cause: String,
}

impl Execution<'_> {
    /// Adds late gaps to the reports, and passes them on to dependent steps.
    pub(super) async fn settle(&mut self, reports: &mut [StepReport]) -> Result<(), StoreError> {
        let mut late: BTreeMap<StepId, Vec<LateGap>> = BTreeMap::new();
        for (step, gap) in displaced(std::mem::take(&mut self.displaced)) {
            late.entry(step).or_default().push(gap);
        }
        for Unattached { step, object_type, count, first } in self.job.detach().await? {
            let cause = format!(
                "{count} relationship(s) are omitted because an entity at one of their ends was rejected or removed; the \
                 first: {first:?}"
            );
            late.entry(step).or_default().push(LateGap { object_type, count, code: "UNEXPECTED_ERROR", cause });
        }
        if late.is_empty() {
            return Ok(());
        }
        for report in self.corrected(reports, late) {
            self.record(report).await?;
        }
        Ok(())
    }

    /// Corrects the reports, which are in the order of the plan, and returns those that changed.
    fn corrected<'a>(
        &self,
        reports: &'a mut [StepReport],
        mut late: BTreeMap<StepId, Vec<LateGap>>,
    ) -> Vec<&'a StepReport> {
        let mut changed: BTreeSet<usize> = BTreeSet::new();
        for (at, step) in self.plan.steps().enumerate() {
            let (above, rest) = reports.split_at_mut(at);
            let Some(report) = rest.first_mut().filter(|report| report.start_time.is_some()) else { continue };
            let dependencies = self.plan.dependencies(step.id()).into_iter();
            let above = dependencies.filter_map(|(id, edge)| Some((above.iter().find(|above| above.id == *id)?, edge)));
            let inherited = books::inherited(step.declaration(), above);
            if books::correct(report, late.remove(step.id()).unwrap_or_default(), inherited) {
                changed.insert(at);
            }
        }
        reports.iter().enumerate().filter(|(at, _)| changed.contains(at)).map(|(_, report)| report).collect()
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
        let cause = books::refused(count, &error.to_string());
        (step, LateGap { object_type, count, code: error.code(), cause })
    })
}
