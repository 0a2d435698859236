//! The start of a job, and its frame: verify, begin, execute, summarize, end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use crate::config::Values;
use crate::graph::history::{self, SnapshotGap};
use crate::graph::run::{DisabledReason, JobState, Metadata, PartialDatasets, StepReport, Summary, VANISHED};
use crate::graph::{InstanceId, JobId, ObjectType, StepId, Timestamp};
use crate::http::Http;
use crate::integration::{Connection, Integration};
use crate::plan::{Plan, PlanError, StartState};
use crate::schema::Schemas;
use crate::step::{EntityHook, IngestPolicy, PartitionPermits, Watermark};
use crate::store::{
    EarlierGaps, GraphReader, JobRow, JobWriter, Kind, NewJob, Publication, ResponseStore, Resumed, StoreError,
};

use super::engine::{Ended, LocalEngine, PARTITIONS_AT_HAND};
use super::event::{Event, Events, PlannedStep};
use super::handle::JobHandle;
use super::job::{Job, JobError};
use super::late::Evidence;
use super::options::{self, Options, ResumeError};
use super::report::without_credentials;
use super::responses::AccountResponses;
use super::schedule::Schedule;
use super::step_run::{Meters, StepEnvironment};

/// The property that names the account of an entity. JupiterOne has the same one.
const ACCOUNT_TAG: &str = "tag.AccountName";

/// Results of earlier jobs that a job may copy.
#[derive(Default)]
struct Reusable {
    steps: BTreeMap<StepId, JobId>,
    jobs: BTreeMap<JobId, Arc<dyn GraphReader>>,
}

impl Job {
    /// Runs the job to its end.
    ///
    /// `cancel` ends it early; everything collected so far is kept, and the summary is written.
    ///
    /// # Errors
    /// [`JobError`] if the job cannot start or cannot be recorded. A job that starts and then fails returns a summary.
    pub async fn run(self, values: &Values, cancel: CancellationToken) -> Result<Summary, JobError> {
        self.start_until(values, cancel).await?.join().await
    }

    /// Starts the job in the background, once the provider has accepted the credentials.
    ///
    /// # Errors
    /// [`JobError`] if the job cannot start.
    pub async fn start(self, values: &Values) -> Result<JobHandle, JobError> {
        self.start_until(values, CancellationToken::new()).await
    }

    async fn start_until(mut self, values: &Values, cancel: CancellationToken) -> Result<JobHandle, JobError> {
        let options = self.options(values)?;
        let plan = Arc::new(Plan::new(&self.integration)?);
        let schemas = self.integration.schemas(self.class_schemas.clone())?;
        let chosen = plan.closure(&self.selection)?;
        self.check_sources()?;
        let mut connection = tokio::select! {
            biased;
            connection = self.integration.connect(values, self.concurrency, &*self.connector, &self.network) => connection?,
            () = cancel.cancelled() => return Err(JobError::Cancelled),
        };
        if let Some(reason) = connection.access.as_ref().and_then(|access| access.subject_unknown.as_deref()) {
            tracing::warn!(reason, "the owner of the credentials is unknown; the collection continues");
        }
        let starts = self.starts(&plan, &connection, &chosen)?;
        let reusable = self.reusable(&chosen).await?;
        let newest = self.newest_snapshot(&options).await?;
        let responses = self.store.responses();
        let answers = self.answers(responses.as_ref(), connection.http.as_ref()).await;
        if let (Some(http), Some(answers)) = (&mut connection.http, answers) {
            *http = http.conditional(answers);
        }
        let (job, mut completed, earlier_gaps) = self.begin(&options).await?;
        if self.resume.as_ref().is_some_and(|row| row.ended.is_none()) {
            forget_unjudged(&plan, &mut completed);
        }
        let started = Timestamp::now();
        let steps = plan.steps().map(|step| {
            let (id, name) = (step.id().clone(), step.declaration().name.clone());
            PlannedStep { start: starts[&id].clone(), id, name }
        });
        let events = self.events.clone().of(job.lease().job.clone());
        events.publish(Event::JobStarted { steps: steps.collect() });
        let http = connection.http.clone();
        let in_flight = http.as_ref().map_or(0, Http::most_in_flight);
        let environment = StepEnvironment {
            policy: Arc::new(self.ingest_policy(Arc::clone(&job), schemas)),
            job: Arc::clone(&job),
            earlier: reusable.jobs,
            newest,
            connection,
            permits: PartitionPermits::new(PARTITIONS_AT_HAND, in_flight + PARTITIONS_AT_HAND),
            events: events.clone(),
            watermarks: watermarks(&plan),
            meters: Meters::default(),
            plan: Arc::clone(&plan),
        };
        let engine = LocalEngine {
            environment: Arc::new(environment),
            schedule: Schedule::new(plan, starts),
            reuse: reusable.steps,
            resumed: self.resume.is_some(),
            earlier_gaps,
            evidence: Evidence::default(),
            interrupted: BTreeSet::new(),
        };
        let (id, log) = (job.lease().job.clone(), events.log().clone());
        let frame = Frame {
            resumed: self.resume.is_some(),
            integration: self.integration,
            instance: self.instance,
            cancel: cancel.clone(),
            job,
            started,
            responses,
            http,
            events,
        };
        let task = tokio::spawn(frame.run(engine, completed).in_current_span());
        Ok(JobHandle { id, cancel, events: log, task: AbortOnDropHandle::new(task) })
    }

    /// Returns the options of the job. A resumed job keeps those with which it began.
    fn options(&mut self, values: &Values) -> Result<Options, ResumeError> {
        let now = Options {
            steps: self.selection.clone(),
            sources: self.sources.clone(),
            validation: self.validation,
            reuse_answers: self.reuse_answers,
            class_schemas: self.class_schemas.clone(),
            secret_fields: self.integration.redaction.fields().clone(),
            configuration: options::configuration(&self.integration, values),
            account_name: self.account_name.clone(),
            only_changed: self.only_changed,
        };
        let Some(row) = &self.resume else { return Ok(now) };
        if row.integration != self.integration.id() {
            let (theirs, ours) = (row.integration.clone(), self.integration.id().to_owned());
            return Err(ResumeError::Integration { job: row.id.clone(), theirs, ours });
        }
        let begun = Options::of(row)?;
        begun.check(&row.id, &now)?;
        self.selection.clone_from(&begun.steps);
        self.sources.clone_from(&begun.sources);
        self.class_schemas.clone_from(&begun.class_schemas);
        self.account_name.clone_from(&begun.account_name);
        (self.validation, self.reuse_answers) = (begun.validation, begun.reuse_answers);
        self.only_changed = begun.only_changed;
        Ok(begun)
    }

    /// Creates or reopens the job; returns the reports of complete steps, and the gaps of earlier runs.
    async fn begin(&self, options: &Options) -> Result<Begun, StoreError> {
        if let Some(row) = &self.resume {
            let Resumed { writer, reports, earlier_gaps } = self.store.resume(row.id.clone()).await?;
            let complete = reports.into_iter().filter(|report| report.status.is_complete());
            return Ok((writer, complete.map(|report| (report.id.clone(), report)).collect(), earlier_gaps));
        }
        let options = serde_json::to_value(options).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let (integration, instance) = (self.integration.id().to_owned(), self.instance.clone());
        let writer = self.store.begin(NewJob { integration, instance, options }).await?;
        Ok((writer, BTreeMap::new(), EarlierGaps::default()))
    }

    pub(super) fn check_sources(&self) -> Result<(), PlanError> {
        let known: Vec<String> = self.integration.sources().iter().map(|source| source.id.clone()).collect();
        match self.sources.keys().find(|source| !known.contains(source)) {
            Some(unknown) => Err(PlanError::UnknownSourceSelection { source_id: unknown.clone(), known }),
            None => Ok(()),
        }
    }

    pub(super) fn starts(
        &self,
        plan: &Plan,
        connection: &Connection,
        chosen: &BTreeSet<StepId>,
    ) -> Result<BTreeMap<StepId, StartState>, PlanError> {
        let mut disabled: BTreeMap<StepId, DisabledReason> = BTreeMap::new();
        let held = connection.access.as_ref().and_then(|access| access.scopes.as_ref());
        for step in plan.steps() {
            let declaration = step.declaration();
            let source =
                declaration.source.as_ref().and_then(|id| self.integration.sources().iter().find(|s| s.id == *id));
            let on = source.is_none_or(|source| *self.sources.get(&source.id).unwrap_or(&source.on_by_default));
            if !on {
                disabled.insert(declaration.id.clone(), DisabledReason::UserConfig);
            } else if held.is_some_and(|held| !declaration.scopes.is_subset(held)) {
                disabled.insert(declaration.id.clone(), DisabledReason::Permission);
            }
        }
        for rule in &self.integration.start_rules {
            disabled.extend(rule(&*connection.config));
        }
        let mut starts = plan.start_states(&disabled)?;
        if !chosen.is_empty() {
            let others = starts.iter_mut().filter(|(step, _)| !chosen.contains(*step));
            others.for_each(|(_, state)| *state = StartState::Unselected);
        }
        Ok(starts)
    }

    /// Finds the newest recent result of each step that is needed but not selected.
    async fn reusable(&self, chosen: &BTreeSet<StepId>) -> Result<Reusable, StoreError> {
        let mut reusable = Reusable::default();
        let Some(max_age) = self.max_age else { return Ok(reusable) };
        let now = Timestamp::now();
        let oldest = now.before(max_age);
        let jobs = self.store.jobs().await?.into_iter();
        for job in jobs.filter(|job| job.is_of(self.integration.id(), &self.instance) && job.ended.is_some()) {
            let Some(earlier) = self.store.published(job.id.clone(), false).await? else { continue };
            let Some(Ok(summary)) = &job.summary else { continue };
            for report in summary.integration_step_results.iter().filter(|report| report.status.is_complete()) {
                // A result from the future was produced with a wrong clock, so its age is unknown.
                let fresh = report.end_time.is_some_and(|ended| (oldest..=now).contains(&ended));
                if fresh && chosen.contains(&report.id) && !self.selection.contains(&report.id) {
                    reusable.steps.entry(report.id.clone()).or_insert_with(|| job.id.clone());
                }
            }
            reusable.jobs.insert(job.id, earlier);
        }
        Ok(reusable)
    }

    /// Returns the newest snapshot of the instance, from which the objects under unchanged parents are kept.
    async fn newest_snapshot(&self, options: &Options) -> Result<Option<Arc<dyn GraphReader>>, StoreError> {
        if !self.only_changed {
            return Ok(None);
        }
        let Some((job, newest)) = self.newest_published().await? else { return Ok(None) };
        if !Options::of(&job).is_ok_and(|earlier| earlier.requests_like(options)) {
            tracing::warn!(job = %job.id, "everything is requested, because the configuration has changed since this job");
            return Ok(None);
        }
        Ok(Some(newest))
    }

    /// Returns the job of the instance that published last, and its snapshot.
    pub(super) async fn newest_published(&self) -> Result<Option<(JobRow, Arc<dyn GraphReader>)>, StoreError> {
        for job in self.store.jobs().await? {
            if job.is_of(self.integration.id(), &self.instance)
                && let Some(snapshot) = self.store.published(job.id.clone(), true).await?
            {
                return Ok(Some((job, snapshot)));
            }
        }
        Ok(None)
    }

    /// Opens the stored responses that these credentials received in earlier jobs of the instance.
    async fn answers(
        &self,
        responses: Option<&Arc<dyn ResponseStore>>,
        http: Option<&Http>,
    ) -> Option<Arc<AccountResponses>> {
        // A store without responses needs no account, whose computation takes long on purpose.
        let responses = Arc::clone(responses?);
        let http = http.filter(|_| self.reuse_answers && self.connector.allows_conditional_requests())?.clone();
        let (integration, instance) = (self.integration.id().to_owned(), self.instance.clone());
        let account = tokio::task::spawn_blocking(move || http.account(&integration, instance.as_str())).await.ok()?;
        Some(Arc::new(AccountResponses::of(responses, account)))
    }

    fn ingest_policy(&self, job: Arc<dyn JobWriter>, schemas: Schemas) -> IngestPolicy {
        let mut on_entity = self.integration.on_entity.clone();
        // The last hook, so that it sees the tags of all others.
        on_entity.extend(self.account_name.clone().map(tagged_with));
        IngestPolicy {
            job,
            schemas: Arc::new(schemas),
            validation: self.validation,
            on_entity,
            on_relationship: self.integration.on_relationship.clone(),
            redaction: self.integration.redaction.clone(),
            large: Semaphore::new(1),
        }
    }
}

/// Returns a hook that tags entities with the name of their account.
fn tagged_with(name: String) -> EntityHook {
    Arc::new(move |_, entity| {
        if !entity.properties.contains_key(ACCOUNT_TAG) {
            entity.properties.insert(ACCOUNT_TAG.to_owned(), name.clone().into());
        }
    })
}

/// The frame of a job that has begun.
struct Frame {
    integration: Arc<Integration>,
    instance: InstanceId,
    resumed: bool,
    job: Arc<dyn JobWriter>,
    started: Timestamp,
    responses: Option<Arc<dyn ResponseStore>>,
    http: Option<Http>,
    events: Events,
    cancel: CancellationToken,
}

impl Frame {
    /// Executes the steps, writes the summary, and calls the hooks.
    async fn run(self, engine: LocalEngine, completed: BTreeMap<StepId, StepReport>) -> Result<Summary, JobError> {
        let ended = engine.run(completed, &self.cancel).await?;
        if let Some(responses) = &self.responses {
            responses.evict().await;
        }
        let summary = self.sum_up(ended).await?;
        let summary = Arc::new(self.publish(summary).await?);
        self.events.publish(Event::JobFinished { summary: Arc::clone(&summary) });
        for hook in &self.integration.after_job {
            hook(Arc::clone(&summary)).await;
        }
        // A step may have leaked its context, which holds another publisher.
        self.events.close();
        Ok(Arc::unwrap_or_clone(summary))
    }

    /// Ends the job. Its objects become the next snapshot of the instance, unless no step has run.
    async fn publish(&self, summary: Summary) -> Result<Summary, StoreError> {
        let has_run = summary.integration_step_results.iter().any(StepReport::has_run);
        let mut collected_parents = BTreeMap::new();
        for report in summary.integration_step_results.iter().filter(|report| report.excluded_parents > 0) {
            let step = report.id.clone();
            collected_parents.insert(step.clone(), self.job.completed_parents(Some(step)).await?);
        }
        let publication = has_run.then(|| Publication {
            gaps: SnapshotGap::of(&summary),
            lacking_properties: history::lacking_properties(&summary),
            collected_parents,
            resumable: !summary.is_settled(),
        });
        let summary = self.job.end(summary, publication).await?;
        if let Some(published) = &summary.published {
            self.events.publish(Event::Published { published: Arc::new(published.clone()) });
        }
        Ok(summary)
    }

    async fn sum_up(&self, ended: Ended) -> Result<Summary, StoreError> {
        let (job, usage) = (&self.job, self.http.as_ref().map(Http::usage).unwrap_or_default());
        let counts = job.counts(None).await?;
        let of_kind = |is_wanted: fn(Kind) -> bool| {
            counts.iter().filter(|count| is_wanted(count.kind)).map(|count| count.objects).sum()
        };
        let types = ended.reports.iter().flat_map(|report| report.partial_types.iter().cloned()).collect();
        let lacks = |report: &StepReport| !report.gaps.is_empty() || report.is_not_selected();
        let partial = ended.reports.iter().any(lacks);
        let state = match (&ended.fatal, self.cancel.is_cancelled(), partial) {
            (Some(_), _, _) => JobState::Failed,
            (None, true, _) => JobState::Cancelled,
            (None, false, true) => JobState::Partial,
            (None, false, false) => JobState::Complete,
        };
        let kinds = self.integration.account_kinds();
        let accounts = kinds.iter().map(|kind| kind.covered_by(&ended.reports)).collect();
        let end_time = Timestamp::now();
        let summary = Summary {
            job: job.lease().job.clone(),
            integration: self.integration.id().to_owned(),
            instance: self.instance.clone(),
            state,
            resumed: self.resumed,
            start_time: self.started,
            end_time,
            duration: (end_time.millis() - self.started.millis()).unsigned_abs(),
            entities: of_kind(|kind| kind == Kind::Entity),
            relationships: of_kind(|kind| kind != Kind::Entity),
            error: ended.fatal,
            accounts,
            integration_step_results: ended.reports,
            metadata: Metadata { partial_datasets: PartialDatasets { types } },
            usage,
            published: None,
        };
        Ok(without_credentials(summary))
    }
}

/// The job, the reports of steps that need not run again, and the gaps of earlier runs.
type Begun = (Arc<dyn JobWriter>, BTreeMap<StepId, StepReport>, EarlierGaps);

/// Reopens steps whose missing parents no process has judged, and the steps that depend on them.
fn forget_unjudged(plan: &Plan, ended: &mut BTreeMap<StepId, StepReport>) {
    let mut unjudged: BTreeSet<&StepId> = BTreeSet::new();
    for step in plan.steps() {
        let vanished = |report: &StepReport| report.skipped.values().any(|reasons| reasons.contains_key(VANISHED));
        let rests = plan.dependencies(step.id()).into_iter().any(|(above, _)| unjudged.contains(above));
        if rests || ended.get(step.id()).is_some_and(vanished) {
            ended.remove(step.id());
            unjudged.insert(step.id());
        }
    }
}

/// Creates a watermark for every followed type.
fn watermarks(plan: &Plan) -> BTreeMap<ObjectType, Arc<Watermark>> {
    let followed = plan.steps().flat_map(|step| step.declaration().follows.iter().cloned());
    followed.map(|object_type| (object_type, Watermark::new())).collect()
}
