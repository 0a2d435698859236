//! What a job will do, told before it runs: steps, requests, time, budget, scopes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;

use crate::graph::{JobId, StepId};
use crate::http::{Access, BudgetState};
use crate::plan::{Plan, StartState};
use crate::store::JobState;
use crate::summary::{StepReport, Summary};

/// What is to be expected of one step.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepForecast {
    /// The step's id.
    pub id: StepId,
    /// Its name.
    pub name: String,
    /// Whether it takes part.
    pub start: StartState,
    /// The scopes that it needs.
    pub scopes: BTreeSet<String>,
    /// Those among them that the credentials are known to lack.
    pub missing_scopes: BTreeSet<String>,
    /// What the last job asked for it.
    pub requests: Option<u64>,
    /// What the last job got from it.
    pub objects: Option<u64>,
    /// How long it took in the last job, in milliseconds.
    pub duration: Option<u64>,
}

/// What is to be expected of a job.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Forecast {
    /// The owner of the credentials; `None` without a provider, or if the provider names none.
    pub subject: Option<String>,
    /// The reason why the owner is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_unknown: Option<String>,
    /// The scopes of the credentials, as far as they are known.
    pub scopes: Option<BTreeSet<String>>,
    /// The reason why a check of the scopes failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes_unknown: Option<String>,
    /// The steps in the order of the plan.
    pub steps: Vec<StepForecast>,
    /// The job that the figures are taken from: the newest of the instance that collected everything, or else the one that
    /// comes nearest to that.
    pub based_on: Option<JobId>,
    /// How that job ended.
    pub based_on_state: Option<JobState>,
    /// Whether more is to be expected than the figures say: that job did not collect everything by itself, or there are no
    /// figures for a step that takes part.
    pub lower_bound: bool,
    /// Requests of all steps that take part, as many as in that job.
    pub requests: Option<u64>,
    /// How long that job took, in milliseconds.
    pub duration: Option<u64>,
    /// Requests that the provider's budget has left.
    pub remaining: Option<u64>,
    /// How long the budget makes so many requests take at least, in milliseconds; `None` without a budget or figures.
    pub budget_time: Option<u64>,
}

/// What is known without running anything.
pub(super) struct Known<'a> {
    pub(super) plan: &'a Plan,
    pub(super) starts: BTreeMap<StepId, StartState>,
    /// `None` without a provider.
    pub(super) access: Option<Access>,
    pub(super) scopes: Option<BTreeSet<String>>,
    pub(super) scopes_unknown: Option<String>,
    pub(super) remaining: Option<u64>,
    pub(super) budget: Option<BudgetState>,
    pub(super) basis: Option<Summary>,
}

impl Known<'_> {
    pub(super) fn forecast(self) -> Forecast {
        let reports: BTreeMap<&StepId, &StepReport> =
            self.basis.iter().flat_map(|job| &job.integration_step_results).map(|step| (&step.id, step)).collect();
        let steps: Vec<StepForecast> = self
            .plan
            .steps()
            .map(|step| {
                let declaration = step.declaration();
                let report = reports.get(step.id()).filter(|report| report.start_time.is_some());
                let lacks = |scope: &&String| self.scopes.as_ref().is_some_and(|held| !held.contains(*scope));
                StepForecast {
                    id: step.id().clone(),
                    name: declaration.name.clone(),
                    start: self.starts[step.id()].clone(),
                    scopes: declaration.scopes.clone(),
                    missing_scopes: declaration.scopes.iter().filter(lacks).cloned().collect(),
                    requests: report.map(|report| report.usage.total.requests),
                    objects: report.map(|report| report.objects()),
                    duration: report.map(|report| report.duration),
                }
            })
            .collect();
        let running = || steps.iter().filter(|step| step.start == StartState::Enabled);
        let requests = self.basis.is_some().then(|| running().filter_map(|step| step.requests).sum());
        let lacks_figures = running().any(|step| step.requests.is_none());
        let budget_time = requests.zip(self.budget.as_ref()).map(|(requests, budget)| budget.time_for(requests));
        let Access { subject, subject_unknown, .. } = self.access.unwrap_or_default();
        Forecast {
            subject,
            subject_unknown,
            scopes: self.scopes,
            scopes_unknown: self.scopes_unknown,
            steps,
            based_on: self.basis.as_ref().map(|job| job.job.clone()),
            based_on_state: self.basis.as_ref().map(|job| job.state),
            lower_bound: self.basis.as_ref().is_some_and(|job| !job.is_whole() || lacks_figures),
            requests,
            duration: self.basis.as_ref().map(|job| job.duration),
            remaining: self.remaining,
            budget_time: budget_time.map(milliseconds),
        }
    }
}

/// The job whose figures are those of a collection, from a list that begins with the newest: the newest whole one, or else
/// one of those that collected most.
pub(super) fn basis(jobs: impl Iterator<Item = Summary>) -> Option<Summary> {
    let rank = |job: &Summary| match job.state {
        _ if job.is_whole() => 3,
        JobState::Complete => 2,
        JobState::Partial => 1,
        _ => 0,
    };
    let mut best: Option<Summary> = None;
    for job in jobs {
        if best.as_ref().is_none_or(|best| rank(best) < rank(&job)) {
            best = Some(job);
        }
    }
    best
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
