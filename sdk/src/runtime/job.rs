//! The options of a job, and its frame: verify, begin, execute, summarize, end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use crate::config::Values;
use crate::graph::history::{self, SnapshotGap};
use crate::graph::run::{
    DisabledReason, Failure, Gap, JobState, Metadata, PartialDatasets, StepReport, StepStatus, Summary, Usage, VANISHED,
};
use crate::graph::{InstanceId, ObjectType, StepId, Timestamp};
use crate::http::{Connector, Http, Network, NetworkConnector, ProviderErrorKind};
use crate::integration::{Connection, Integration, SetupError};
use crate::plan::{Plan, PlanError, PlanErrors, StartState};
use crate::schema::{SchemaError, Schemas, Validation};
use crate::step::{IngestPolicy, PartitionPermits, StepError, Watermark};
use crate::store::{
    EarlierGaps, JobRow, JobStore, Kind, Publication, Snapshot, SqliteResponseCache, Store, StoreError,
};

use super::estimate::{JobEstimate, Known, basis};
use super::event::{Event, Events, PlannedStep};
use super::execution::{Ended, Execution, PARTITIONS_AT_HAND};
use super::options::{self, Options, ResumeError};
use super::report::without_credentials;

/// The reason why a job could not start or could not be recorded.
///
/// Errors of steps are part of the summary instead.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The declarations of the steps form no valid plan.
    #[error(transparent)]
    Plan(#[from] PlanErrors),
    /// The configuration is not valid, or the provider refused the credentials.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// Cancelled before the provider confirmed the credentials.
    #[error("the job was cancelled before it started: the provider had not yet accepted the credentials")]
    Cancelled,
    /// A class schema cannot be used.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The job cannot be resumed with the current options.
    #[error(transparent)]
    Resume(#[from] ResumeError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<PlanError> for JobError {
    fn from(error: PlanError) -> Self {
        Self::Plan(error.into())
    }
}

/// One run of an integration.
///
/// ```
/// # use integration_sdk::prelude::*;
/// # use integration_sdk::{Integration, Job, config::Values, store::Store};
/// # /// A planet.
/// # #[derive(EntityKind)]
/// # #[entity(type = "space_planet", class = "Site", resource = "Planet")]
/// # struct Planet { #[entity(key)] id: String, name: String }
/// # #[step(id = "fetch-planets", name = "Fetch planets")]
/// # async fn fetch_planets(planets: Emit<Planet>) -> StepResult {
/// #     planets.add(Planet { id: "planet:earth".into(), name: "Earth".into() }).await?;
/// #     Ok(())
/// # }
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let space = Integration::without_provider::<()>("space", "Space").step(fetch_planets());
/// let directory = tempfile::tempdir()?;
/// let store = Store::open(directory.path())?;
/// let summary = Job::new(&space, &store).run(&Values::default(), Default::default()).await?;
/// assert_eq!(summary.entities, 1);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Job<'a> {
    integration: &'a Integration,
    store: &'a Store,
    instance: InstanceId,
    selection: Vec<StepId>,
    max_age: Option<Duration>,
    sources: BTreeMap<String, bool>,
    validation: Validation,
    class_schemas: BTreeMap<String, serde_json::Value>,
    concurrency: Option<usize>,
    events: Events,
    reuse_answers: bool,
    resume: Option<JobRow>,
    connector: Arc<dyn Connector>,
    network: Network,
}

impl<'a> Job<'a> {
    /// Creates a job that runs all steps.
    pub fn new(integration: &'a Integration, store: &'a Store) -> Self {
        Self {
            integration,
            store,
            instance: InstanceId::default(),
            selection: Vec::new(),
            max_age: None,
            sources: BTreeMap::new(),
            validation: Validation::default(),
            class_schemas: BTreeMap::new(),
            concurrency: None,
            events: Events::default(),
            reuse_answers: false,
            resume: None,
            connector: Arc::new(NetworkConnector),
            network: Network::default(),
        }
    }

    /// Resumes a job that was interrupted, or that ended with gaps.
    ///
    /// Completed work is kept, and the rest is collected. The stored options of the job apply, including its class
    /// schemas, and override those of this value.
    #[must_use]
    pub fn resume(mut self, job: &JobRow) -> Self {
        self.instance.clone_from(&job.instance);
        self.resume = Some(job.clone());
        self
    }

    /// Sets the instance, which distinguishes several accounts of one user.
    #[must_use]
    pub fn instance(mut self, instance: InstanceId) -> Self {
        self.instance = instance;
        self
    }

    /// Runs only the given steps and their dependencies.
    ///
    /// The results of dependencies are copied from the newest job of the instance in which they are complete, if they
    /// are not older than `max_age`.
    #[must_use]
    pub fn select(mut self, steps: Vec<StepId>, max_age: Duration) -> Self {
        self.selection = steps;
        self.max_age = Some(max_age);
        self
    }

    /// Switches an ingestion source on or off.
    #[must_use]
    pub fn source(mut self, id: impl Into<String>, on: bool) -> Self {
        self.sources.insert(id.into(), on);
        self
    }

    /// Sets the treatment of objects that violate their schema.
    #[must_use]
    pub fn validation(mut self, validation: Validation) -> Self {
        self.validation = validation;
        self
    }

    /// Adds class schemas. They replace built-in schemas of the same name.
    #[must_use]
    pub fn class_schemas(mut self, schemas: BTreeMap<String, serde_json::Value>) -> Self {
        self.class_schemas = schemas;
        self
    }

    /// Sets the maximum number of concurrent requests. The actual number adapts to the provider.
    #[must_use]
    pub fn concurrency(mut self, limit: usize) -> Self {
        self.concurrency = Some(limit.max(1));
        self
    }

    /// Stores responses, and requests only changed ones from the provider in later jobs.
    ///
    /// Requests contain the entity tag of the stored response (`If-None-Match`), and a response 304 is answered from
    /// the store. The number of requests stays the same, but less is transferred. The option is off by default, and has
    /// no effect on recordings, replays, and the verification of the credentials. Responses are kept for 35 days after
    /// their last use, separately for each instance and its credentials. A response that contains a secret is never
    /// stored.
    #[must_use]
    pub fn reuse_answers(mut self, on: bool) -> Self {
        self.reuse_answers = on;
        self
    }

    /// Sets the proxies and certificates of the machine for connections to the provider.
    #[must_use]
    pub fn network(mut self, network: Network) -> Self {
        self.network = network;
        self
    }

    /// Sends the events of the job to a channel.
    #[must_use]
    pub fn events(mut self, sender: mpsc::Sender<Event>) -> Self {
        self.events = Events::to(sender);
        self
    }

    /// Sets the transport of all requests, which is the network by default.
    ///
    /// A transport can record the exchanges with the provider, or respond instead of it. If it is
    /// [offline](Connector::is_offline), the job needs no credentials.
    #[must_use]
    pub fn transport(mut self, connector: impl Connector + 'static) -> Self {
        self.connector = Arc::new(connector);
        self
    }

    /// Runs the job.
    ///
    /// `cancel` ends it early; everything collected so far is kept, and the summary is written.
    ///
    /// # Errors
    /// [`JobError`] if the job cannot start or cannot be recorded. A job that starts and then fails returns a summary.
    pub async fn run(mut self, values: &Values, cancel: CancellationToken) -> Result<Summary, JobError> {
        let options = self.options(values)?;
        let plan = Plan::new(self.integration)?;
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
        let cache = self.cache(&chosen).await?;
        let answers = self.answers(connection.http.as_ref()).await;
        if let (Some(http), Some(answers)) = (&mut connection.http, &answers) {
            *http = http.conditional(answers.clone());
        }
        let (job, mut ended, earlier_gaps) = self.begin(&options).await?;
        if self.resume.as_ref().is_some_and(|row| row.ended.is_none()) {
            forget_unjudged(&plan, &mut ended);
        }
        let started = Timestamp::now();
        let steps = plan.steps().map(|step| {
            let (id, name) = (step.id().clone(), step.declaration().name.clone());
            PlannedStep { start: starts[&id].clone(), id, name }
        });
        self.events.tell(Event::JobStarted { job: job.id().clone(), steps: steps.collect() }).await;
        let http = connection.http.clone();
        let policy = self.ingest_policy(job.clone(), schemas);
        let in_flight = http.as_ref().map_or(0, Http::most_in_flight);
        let execution = Execution {
            plan: &plan,
            starts: &starts,
            cache,
            ended,
            resumed: self.resume.is_some(),
            asked_for: self.selection.iter().cloned().collect(),
            policy: Arc::new(policy),
            job: job.clone(),
            connection,
            places: PartitionPermits::new(PARTITIONS_AT_HAND, in_flight + PARTITIONS_AT_HAND),
            events: self.events.clone(),
            watermarks: watermarks(&plan),
            displaced: Vec::new(),
            vanished: Vec::new(),
            found: BTreeMap::new(),
            earlier_gaps,
        };
        let ended = execution.run(&cancel).await?;
        if let Some(answers) = answers {
            answers.note_use().await;
        }
        self.store.prune_answers().await;
        let usage = http.map(|http| http.usage()).unwrap_or_default();
        let summary = self.sum_up(&job, started, ended, cancel.is_cancelled(), usage).await?;
        let summary = Arc::new(self.publish(&job, summary).await?);
        self.events.tell(Event::JobFinished { summary: Arc::clone(&summary) }).await;
        for hook in &self.integration.after_job {
            hook(Arc::clone(&summary)).await;
        }
        Ok(Arc::unwrap_or_clone(summary))
    }

    /// Ends the job. Its objects become the next snapshot of the instance, unless no step has run.
    async fn publish(&self, job: &JobStore, summary: Summary) -> Result<Summary, JobError> {
        let has_run = |report: &StepReport| !matches!(report.status, StepStatus::Pending | StepStatus::Disabled);
        if !summary.integration_step_results.iter().any(has_run) {
            job.end_job(&summary).await?;
            return Ok(summary);
        }
        let publication = Publication {
            gaps: SnapshotGap::of(&summary),
            lacking_properties: history::lacking_properties(&summary),
            resumable: summary.is_partial()
                || summary.state != JobState::Partial && summary.state != JobState::Complete,
        };
        let summary = job.publish(summary, publication).await?;
        if let Some(published) = &summary.published {
            self.events.tell(Event::Published { job: job.id().clone(), published: Arc::new(published.clone()) }).await;
        }
        Ok(summary)
    }

    /// Estimates the job without running it. Only the credentials and their scopes are requested.
    ///
    /// # Errors
    /// [`JobError`] if the job could not start.
    pub async fn estimate(&self, values: &Values) -> Result<JobEstimate, JobError> {
        let plan = Plan::new(self.integration)?;
        let chosen = plan.closure(&self.selection)?;
        self.check_sources()?;
        let connection = self.integration.connect(values, self.concurrency, &*self.connector, &self.network).await?;
        let starts = self.starts(&plan, &connection, &chosen)?;
        let (scopes, scopes_unknown) = self.scopes(&connection).await?;
        let jobs = self.store.jobs().await?.into_iter();
        let ours = jobs.filter(|job| job.integration == self.integration.id() && job.instance == self.instance);
        let basis = basis(ours.filter_map(|job| job.summary?.ok()));
        let known = Known {
            plan: &plan,
            starts,
            access: connection.access,
            scopes,
            scopes_unknown,
            remaining: connection.http.as_ref().and_then(|http| http.usage().rate_remaining),
            budget: connection.http.as_ref().and_then(Http::budget),
            basis,
        };
        Ok(known.estimate())
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

    /// Returns the options of the job. A resumed job keeps those with which it began.
    fn options(&mut self, values: &Values) -> Result<Options, ResumeError> {
        let now = Options {
            steps: self.selection.clone(),
            sources: self.sources.clone(),
            validation: self.validation,
            reuse_answers: self.reuse_answers,
            class_schemas: self.class_schemas.clone(),
            secret_fields: self.integration.redaction.fields().clone(),
            configuration: options::configuration(self.integration, values),
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
        (self.validation, self.reuse_answers) = (begun.validation, begun.reuse_answers);
        Ok(begun)
    }

    /// Creates a new job, or reopens the resumed one with the reports of its completed steps.
    /// Creates or reopens the job; returns the reports of complete steps, and the gaps of earlier runs.
    async fn begin(&self, options: &Options) -> Result<Begun, StoreError> {
        if let Some(row) = &self.resume {
            let job = self.store.resume_job(row).await?;
            let mut ended: BTreeMap<StepId, StepReport> = BTreeMap::new();
            for row in job.steps().await? {
                ended.insert(row.step.clone(), row.into_report()?);
            }
            let parent = |gap: &Gap| gap.parent.as_ref().map(|parent| parent.key.clone());
            let own = ended.iter().flat_map(|(step, report)| report.own_gaps().map(move |gap| (step, gap)));
            let gaps = own.map(|(step, gap)| (step.clone(), parent(gap)));
            let earlier_gaps = job.note_gaps(gaps.collect()).await?;
            ended.retain(|_, report| report.status.is_complete());
            return Ok((job, ended, earlier_gaps));
        }
        let options = serde_json::to_value(options).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let job = self.store.begin_job(self.integration.id(), &self.instance, &options).await?;
        Ok((job, BTreeMap::new(), EarlierGaps::default()))
    }

    fn check_sources(&self) -> Result<(), PlanError> {
        let known: Vec<String> = self.integration.sources().iter().map(|source| source.id.clone()).collect();
        match self.sources.keys().find(|source| !known.contains(source)) {
            Some(unknown) => Err(PlanError::UnknownSourceSelection { source_id: unknown.clone(), known }),
            None => Ok(()),
        }
    }

    fn starts(
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
    async fn cache(&self, chosen: &BTreeSet<StepId>) -> Result<BTreeMap<StepId, Snapshot>, StoreError> {
        let mut cache = BTreeMap::new();
        let Some(max_age) = self.max_age else { return Ok(cache) };
        let now = Timestamp::now().millis();
        let oldest = now.saturating_sub(i64::try_from(max_age.as_millis()).unwrap_or(i64::MAX));
        let jobs = self.store.jobs().await?.into_iter().filter(|job| {
            job.integration == self.integration.id() && job.instance == self.instance && job.ended.is_some()
        });
        for job in jobs {
            let Some(earlier) = self.store.snapshot_of(&job).await?.map(Snapshot::collected) else { continue };
            for row in self.store.open_job(&job).steps().await? {
                // A result from the future was produced with a wrong clock, so its age is unknown.
                let complete = row.report.as_ref().is_ok_and(|report| report.status.is_complete());
                let fresh = complete && (oldest..=now).contains(&row.ended.millis());
                if fresh && chosen.contains(&row.step) && !self.selection.contains(&row.step) {
                    cache.entry(row.step).or_insert_with(|| earlier.clone());
                }
            }
        }
        Ok(cache)
    }

    /// Opens the stored responses that these credentials received in earlier jobs of the instance.
    async fn answers(&self, http: Option<&Http>) -> Option<Arc<SqliteResponseCache>> {
        let http = http.filter(|_| self.reuse_answers && self.connector.allows_conditional_requests())?.clone();
        let (integration, instance) = (self.integration.id().to_owned(), self.instance.clone());
        let account = tokio::task::spawn_blocking(move || http.account(&integration, instance.as_str())).await.ok()?;
        Some(Arc::new(SqliteResponseCache::new(self.store.clone(), account)))
    }

    fn ingest_policy(&self, store: JobStore, schemas: Schemas) -> IngestPolicy {
        IngestPolicy {
            store,
            schemas: Arc::new(schemas),
            validation: self.validation,
            on_entity: self.integration.on_entity.clone(),
            on_relationship: self.integration.on_relationship.clone(),
            redaction: self.integration.redaction.clone(),
            large: Semaphore::new(1),
        }
    }

    async fn sum_up(
        &self,
        job: &JobStore,
        started: Timestamp,
        ended: Ended,
        cancelled: bool,
        usage: Usage,
    ) -> Result<Summary, StoreError> {
        let counts = job.counts().await?;
        let entities = counts.get(&Kind::Entity).copied().unwrap_or(0);
        let types = ended.reports.iter().flat_map(|report| report.partial_types.iter().cloned()).collect();
        let lacks = |report: &StepReport| !report.gaps.is_empty() || report.is_not_selected();
        let partial = ended.reports.iter().any(lacks);
        let state = match (&ended.fatal, cancelled, partial) {
            (Some(_), _, _) => JobState::Failed,
            (None, true, _) => JobState::Cancelled,
            (None, false, true) => JobState::Partial,
            (None, false, false) => JobState::Complete,
        };
        let end_time = Timestamp::now();
        let failure = |error: StepError| Failure { code: error.code(), message: error.to_string() };
        let summary = Summary {
            job: job.id().clone(),
            integration: self.integration.id().to_owned(),
            instance: self.instance.clone(),
            state,
            resumed: self.resume.is_some(),
            start_time: started,
            end_time,
            duration: (end_time.millis() - started.millis()).unsigned_abs(),
            entities,
            relationships: counts.values().sum::<u64>() - entities,
            error: ended.fatal.map(failure),
            integration_step_results: ended.reports,
            metadata: Metadata { partial_datasets: PartialDatasets { types } },
            usage,
            published: None,
        };
        Ok(without_credentials(summary))
    }
}

/// The job, the reports of steps that need not run again, and the gaps of earlier runs.
type Begun = (JobStore, BTreeMap<StepId, StepReport>, EarlierGaps);

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
