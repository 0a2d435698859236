//! An estimate of a job before it runs: steps, requests, duration, rate budget, and scopes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::account_kind::AccountKind;
use crate::config::Values;
use crate::graph::run::{AccountCoverage, JobState, StepReport, Summary};
use crate::graph::{JobId, StepId};
use crate::http::{BudgetState, Http, ProviderErrorKind, VerifiedAccount};
use crate::integration::{Connection, SetupError};
use crate::plan::{Plan, StartState};
use crate::step::StepError;
use crate::store::StoreError;

use super::expected_coverage::expected_coverage;
use super::job::{Job, JobError};

/// The estimate of one step.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepEstimate {
    /// The id of the step.
    pub id: StepId,
    /// The name of the step.
    pub name: String,
    /// The state of the step at the start.
    pub start: StartState,
    /// The scopes that the step needs.
    pub scopes: BTreeSet<String>,
    /// The needed scopes that the credentials are known to lack.
    pub missing_scopes: BTreeSet<String>,
    /// The number of requests: that of the earlier job, unless the step computes it.
    pub requests: Option<u64>,
    /// Whether the step computed the number of requests from its configuration and the newest graph.
    pub computed: bool,
    /// The number of objects in the earlier job.
    pub objects: Option<u64>,
    /// The duration of the step in the earlier job, in milliseconds.
    pub duration: Option<u64>,
}

/// The estimate of a job.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JobEstimate {
    /// The owner of the credentials; `None` without a provider, or if the provider names none.
    pub subject: Option<String>,
    /// The reason why the owner is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_unknown: Option<String>,
    /// The scopes of the credentials, if they are known.
    pub scopes: Option<BTreeSet<String>>,
    /// The reason why a check of the scopes failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes_unknown: Option<String>,
    /// The kinds of accounts: covered as in the earlier job, or expected; empty if the integration names none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<AccountCoverage>,
    /// The steps in the order of the plan.
    pub steps: Vec<StepEstimate>,
    /// The earlier job on which the estimate is based.
    ///
    /// It is the newest job of the instance that collected everything, or else the most complete one.
    pub based_on: Option<JobId>,
    /// The final state of the earlier job.
    pub based_on_state: Option<JobState>,
    /// Whether the actual figures are probably higher.
    ///
    /// This is the case if the earlier job did not collect everything itself, or has no figures for a step that takes
    /// part.
    pub lower_bound: bool,
    /// The number of requests of the participating steps: that of the earlier job, or the computed one.
    pub requests: Option<u64>,
    /// The duration of the earlier job, in milliseconds.
    pub duration: Option<u64>,
    /// The number of requests that the rate budget currently permits.
    pub remaining: Option<u64>,
    /// The minimum duration of the requests within the rate budget, in milliseconds.
    ///
    /// `None` without a budget or an earlier job.
    pub budget_time: Option<u64>,
}

impl Job {
    /// Estimates the job without running it. Only the credentials and their scopes are requested.
    ///
    /// # Errors
    /// [`JobError`] if the job could not start.
    pub async fn estimate(&self, values: &Values) -> Result<JobEstimate, JobError> {
        let plan = Plan::new(&self.integration)?;
        let chosen = plan.closure(&self.selection)?;
        self.check_sources()?;
        let connection = self.integration.connect(values, self.concurrency, &*self.connector, &self.network).await?;
        let starts = self.starts(&plan, &connection, &chosen)?;
        let (scopes, scopes_unknown) = self.scopes(&connection).await?;
        let jobs = self.store.jobs().await?.into_iter();
        let ours = jobs.filter(|job| job.is_of(self.integration.id(), &self.instance));
        let basis = basis(ours.filter_map(|job| job.summary?.ok()));
        let computed = self.computed_requests(&plan, &connection).await?;
        let known = Known {
            plan: &plan,
            account_kinds: self.integration.account_kinds(),
            starts,
            access: connection.access,
            scopes,
            scopes_unknown,
            remaining: connection.http.as_ref().and_then(|http| http.usage().rate_remaining),
            budget: connection.http.as_ref().and_then(Http::budget),
            basis,
            computed,
        };
        Ok(known.estimate())
    }

    /// Returns the numbers of requests that steps compute from their configuration and the newest graph.
    async fn computed_requests(
        &self,
        plan: &Plan,
        connection: &Connection,
    ) -> Result<BTreeMap<StepId, u64>, StoreError> {
        let mut computed = BTreeMap::new();
        let mut steps = plan.steps().filter_map(|step| Some((step.id(), step.expected_requests()?))).peekable();
        if steps.peek().is_none() {
            return Ok(computed);
        }
        let Some((_, graph)) = self.newest_published().await? else { return Ok(computed) };
        for (step, count) in steps {
            match count(Arc::clone(&connection.config), Arc::clone(&graph)).await {
                Ok(count) => computed.extend(count.map(|count| (step.clone(), count))),
                Err(StepError::Store(error)) => return Err(error),
                Err(error) => tracing::warn!(%step, %error, "the number of requests cannot be computed"),
            }
        }
        Ok(computed)
    }

    /// Returns the scopes of the credentials, or the reason why they are unknown. Unknown scopes prevent no job.
    async fn scopes(&self, connection: &Connection) -> Result<(Option<BTreeSet<String>>, Option<String>), SetupError> {
        let named = connection.access.as_ref().and_then(|access| access.scopes.clone());
        let (None, Some(probe), Some(http)) = (&named, &self.integration.probe_scopes, &connection.http) else {
            return Ok((named, None));
        };
        match probe(http.clone()).await {
            Ok(scopes) => Ok((scopes, None)),
            Err(error) if error.kind == ProviderErrorKind::Authentication => Err(error.into()),
            Err(error) => Ok((None, Some(error.to_string()))),
        }
    }
}

/// The information that is available without running a step.
pub(super) struct Known<'a> {
    pub(super) plan: &'a Plan,
    pub(super) account_kinds: &'a [AccountKind],
    pub(super) starts: BTreeMap<StepId, StartState>,
    /// `None` without a provider.
    pub(super) access: Option<VerifiedAccount>,
    pub(super) scopes: Option<BTreeSet<String>>,
    pub(super) scopes_unknown: Option<String>,
    pub(super) remaining: Option<u64>,
    pub(super) budget: Option<BudgetState>,
    pub(super) basis: Option<Summary>,
    /// The numbers of requests that steps compute.
    pub(super) computed: BTreeMap<StepId, u64>,
}

impl Known<'_> {
    pub(super) fn estimate(self) -> JobEstimate {
        let reports: BTreeMap<&StepId, &StepReport> =
            self.basis.iter().flat_map(|job| &job.integration_step_results).map(|step| (&step.id, step)).collect();
        let steps: Vec<StepEstimate> = self
            .plan
            .steps()
            .map(|step| {
                let declaration = step.declaration();
                let report = reports.get(step.id()).filter(|report| report.start_time.is_some());
                let computed = self.computed.get(step.id()).copied();
                let lacks = |scope: &&String| self.scopes.as_ref().is_some_and(|held| !held.contains(*scope));
                StepEstimate {
                    id: step.id().clone(),
                    name: declaration.name.clone(),
                    start: self.starts[step.id()].clone(),
                    scopes: declaration.scopes.clone(),
                    missing_scopes: declaration.scopes.iter().filter(lacks).cloned().collect(),
                    requests: computed.or_else(|| report.map(|report| report.usage.total.requests)),
                    computed: computed.is_some(),
                    objects: report.map(|report| report.objects()),
                    duration: report.map(|report| report.duration),
                }
            })
            .collect();
        let running = || steps.iter().filter(|step| step.start == StartState::Enabled);
        let requests = self.basis.is_some().then(|| running().filter_map(|step| step.requests).sum());
        let lacks_figures = running().any(|step| step.requests.is_none());
        // A budget says nothing about a provider that has accepted no request.
        let accepts = self.scopes_unknown.is_none() || !self.access.as_ref().is_some_and(is_unknown);
        let budget_time =
            requests.filter(|_| accepts).zip(self.budget.as_ref()).map(|(requests, budget)| budget.time_for(requests));
        let earlier = self.basis.as_ref().map(|job| &*job.integration_step_results);
        let kinds = self.account_kinds.iter();
        let accounts = kinds.map(|kind| expected_coverage(kind, self.starts.get(kind.step()), earlier)).collect();
        let VerifiedAccount { subject, subject_unknown, .. } = self.access.unwrap_or_default();
        JobEstimate {
            subject,
            subject_unknown,
            scopes: self.scopes,
            scopes_unknown: self.scopes_unknown,
            accounts,
            steps,
            based_on: self.basis.as_ref().map(|job| job.job.clone()),
            based_on_state: self.basis.as_ref().map(|job| job.state),
            lower_bound: self.basis.as_ref().is_some_and(|job| !job.is_whole() || lacks_figures),
            requests,
            duration: self.basis.as_ref().map(|job| job.duration),
            remaining: self.remaining.filter(|_| accepts),
            budget_time: budget_time.map(milliseconds),
        }
    }
}

fn is_unknown(access: &VerifiedAccount) -> bool {
    access.subject.is_none() && access.subject_unknown.is_some()
}

/// Selects the job on which the estimate is based.
///
/// `jobs` begins with the newest. The newest whole collection is selected, or else one of the most complete jobs.
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
