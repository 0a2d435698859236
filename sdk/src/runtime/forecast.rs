//! What a job will do, told before it runs: steps, requests, time, budget, scopes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;

use crate::graph::{JobId, StepId};
use crate::http::BudgetState;
use crate::plan::{Plan, StartState};
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
    /// Who the credentials belong to; `None` where there is no provider.
    pub subject: Option<String>,
    /// The scopes that they hold, as far as the provider tells.
    pub scopes: Option<BTreeSet<String>>,
    /// The steps in the order of the plan.
    pub steps: Vec<StepForecast>,
    /// The job that the figures are taken from: the last one of the instance.
    pub based_on: Option<JobId>,
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
    pub(super) subject: Option<String>,
    pub(super) scopes: Option<BTreeSet<String>>,
    pub(super) remaining: Option<u64>,
    pub(super) budget: Option<BudgetState>,
    pub(super) last: Option<Summary>,
}

impl Known<'_> {
    pub(super) fn forecast(self) -> Forecast {
        let reports: BTreeMap<&StepId, &StepReport> =
            self.last.iter().flat_map(|last| &last.integration_step_results).map(|step| (&step.id, step)).collect();
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
        let running = steps.iter().filter(|step| step.start == StartState::Enabled);
        let requests = self.last.is_some().then(|| running.filter_map(|step| step.requests).sum());
        let budget_time = requests.zip(self.budget.as_ref()).map(|(requests, budget)| budget.time_for(requests));
        Forecast {
            subject: self.subject,
            scopes: self.scopes,
            steps,
            based_on: self.last.as_ref().map(|last| last.job.clone()),
            requests,
            duration: self.last.as_ref().map(|last| last.duration),
            remaining: self.remaining,
            budget_time: budget_time.map(milliseconds),
        }
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
