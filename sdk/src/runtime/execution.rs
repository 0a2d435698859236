//! Execution of the steps, each in its own task once its dependencies have ended.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::graph::run::{Parent, StepReport};
use crate::graph::{ObjectKey, ObjectType, OnDuplicateKey, StepId, Timestamp};
use crate::http::Http;
use crate::http::Work;
use crate::integration::Connection;
use crate::plan::{Edge, Plan, StartState};
use crate::step::{
    FoundParents, Ingest, IngestPolicy, OnPartitionFailed, PartitionPermits, PartitionStats, PartitionTurns, Step,
    StepContext, StepError, StepResult, StepServices, StepStats, StepStatsSnapshot, Watermark,
};
use crate::store::{Conflict, EarlierGaps, JobStore, ResumePoint, Row, Selection, Snapshot, StoreError};

use super::event::{Event, Events};
use super::late::VanishedIn;
use super::report::{self, StepOutcome};

/// The number of partitions that may process concurrently, in addition to those waiting for a response.
///
/// It is enough to keep every processor busy, and bounds the pages in memory.
pub(super) const PARTITIONS_AT_HAND: usize = 8;
/// The interval of progress events.
const PROGRESS: Duration = Duration::from_millis(100);
/// The minimum duration of a wait that is reported.
const WORTH_TELLING: Duration = Duration::from_secs(1);
/// The maximum number of objects of an earlier job in memory.
const PAGE: usize = 500;

/// The result of all steps.
pub(super) struct Ended {
    /// A report for each step, in the order of the plan.
    pub(super) reports: Vec<StepReport>,
    /// The error that ended the whole job.
    pub(super) fatal: Option<StepError>,
}

pub(super) struct Execution<'a> {
    pub(super) plan: &'a Plan,
    pub(super) starts: &'a BTreeMap<StepId, StartState>,
    pub(super) cache: BTreeMap<StepId, Snapshot>,
    /// The reports of steps that completed before the job was resumed and need not run again.
    pub(super) ended: BTreeMap<StepId, StepReport>,
    pub(super) resumed: bool,
    pub(super) asked_for: BTreeSet<StepId>,
    pub(super) policy: Arc<IngestPolicy>,
    pub(super) job: JobStore,
    pub(super) connection: Connection,
    pub(super) places: Arc<PartitionPermits>,
    pub(super) events: Events,
    /// The watermarks of all followed types.
    pub(super) watermarks: BTreeMap<ObjectType, Arc<Watermark>>,
    /// Objects that were rejected after their steps had added them.
    pub(super) displaced: Vec<Conflict>,
    /// Parents that the provider did not find.
    pub(super) vanished: Vec<VanishedIn>,
    /// Parents that the provider found, by step.
    pub(super) found: BTreeMap<StepId, FoundParents>,
    /// Gaps that earlier runs of the job left.
    pub(super) earlier_gaps: EarlierGaps,
}

/// A running step.
struct Running {
    id: StepId,
    stats: Arc<StepStats>,
    http: Option<Http>,
    started: Timestamp,
    cached: bool,
    told: (u64, u64),
}

type Outcome = (StepId, StepResult);

impl Execution<'_> {
    /// Runs until every step has ended, or until the job is cancelled.
    pub(super) async fn run(mut self, cancel: &CancellationToken) -> Result<Ended, StoreError> {
        // This token cancels the steps when the user cancels the job, or when the provider refuses the credentials.
        let stop = cancel.child_token();
        let mut tasks: JoinSet<Outcome> = JoinSet::new();
        let mut running: BTreeMap<StepId, Running> = BTreeMap::new();
        self.forget_stale_work().await?;
        let mut reports = std::mem::take(&mut self.ended);
        let (mut fatal, mut told_wait) = (None, None);
        let mut progress = tokio::time::interval(PROGRESS);
        let in_flight = self.connection.http.as_ref().map(Http::watch_in_flight);
        let mut opening = pin!(open_places(Arc::clone(&self.places), in_flight));
        self.pass_over_disabled(&mut reports).await?;
        self.end_tails(&reports);
        loop {
            if !stop.is_cancelled() {
                self.start_ready(&mut tasks, &mut running, &reports, &stop).await?;
            }
            tokio::select! {
                ended = tasks.join_next() => {
                    let Some(ended) = ended else { break };
                    let Ok((step, outcome)) = ended else { continue };
                    if let Err(error) = &outcome && error.is_fatal() {
                        stop.cancel();
                    }
                    let Some(work) = running.remove(&step) else { continue };
                    let (report, error) = self.close(&step, work, outcome, &reports).await?;
                    reports.insert(step, report);
                    self.end_tails(&reports);
                    fatal = fatal.or(error.filter(StepError::is_fatal));
                }
                never = &mut opening => match never {},
                _ = progress.tick() => {
                    self.tell_progress(&mut running);
                    self.tell_wait(&mut told_wait);
                }
            }
        }
        let reports = self.plan.steps().map(|step| match reports.remove(step.id()) {
            Some(report) => report,
            None => report::not_started(step.declaration(), self.depends_on(step.id()), &StartState::Enabled),
        });
        let mut reports: Vec<StepReport> = reports.collect();
        self.settle(&mut reports).await?;
        Ok(Ended { reports, fatal })
    }

    /// Discards completed work whose input may change when the missing steps run again.
    ///
    /// The work is discarded before any step runs. If this process is killed in the meantime, the next resume therefore
    /// cannot mistake the outdated work for completed work.
    async fn forget_stale_work(&mut self) -> Result<(), StoreError> {
        let mut stale: BTreeSet<&StepId> = BTreeSet::new();
        let runs = |id: &StepId| self.starts[id] == StartState::Enabled;
        for step in self.plan.steps().filter(|_| self.resumed) {
            let has_ended = self.ended.contains_key(step.id());
            let changes = |(id, edge): &(&StepId, &Edge)| match has_ended {
                // Its input was complete. If a step that amends it runs again, however, the input changes.
                true => self.amends(id, edge),
                // A followed parent was complete when its partition ran, unless its own step is discarded.
                false => !edge.streams || stale.contains(*id),
            };
            let above = self.plan.dependencies(step.id());
            if above.iter().filter(|(id, _)| runs(id) && !self.ended.contains_key(*id)).any(changes) {
                self.job.reset_step(step.id().clone()).await?;
                self.ended.remove(step.id());
                stale.insert(step.id());
            }
        }
        Ok(())
    }

    /// Returns whether a step amends a type of one of its edges.
    fn amends(&self, step: &StepId, edge: &Edge) -> bool {
        self.plan.step(step).is_some_and(|step| !step.declaration().amends.is_disjoint(&edge.through))
    }

    async fn pass_over_disabled(&self, reports: &mut BTreeMap<StepId, StepReport>) -> Result<(), StoreError> {
        for step in self.plan.steps() {
            let start = &self.starts[step.id()];
            if *start == StartState::Enabled || reports.contains_key(step.id()) {
                continue;
            }
            let report = report::not_started(step.declaration(), self.depends_on(step.id()), start);
            self.record(&report).await?;
            self.events.tell(Event::StepSkipped { step: step.id().clone(), start: start.clone() }).await;
            reports.insert(step.id().clone(), report);
        }
        Ok(())
    }

    /// Starts all steps that are ready, and then the steps that follow them.
    async fn start_ready(
        &mut self,
        tasks: &mut JoinSet<Outcome>,
        running: &mut BTreeMap<StepId, Running>,
        reports: &BTreeMap<StepId, StepReport>,
        stop: &CancellationToken,
    ) -> Result<(), StoreError> {
        loop {
            let ready = self.plan.steps().find(|step| self.is_ready(step, running, reports)).cloned();
            let Some(step) = ready else { return Ok(()) };
            let (work, task) = self.start(step, stop.clone()).await?;
            running.insert(work.id.clone(), work);
            tasks.spawn(task);
        }
    }

    async fn start(
        &mut self,
        step: Step,
        stop: CancellationToken,
    ) -> Result<(Running, BoxFuture<'static, Outcome>), StoreError> {
        let id = step.id().clone();
        let (stats, http) = (Arc::new(StepStats::default()), self.connection.http.as_ref().map(Http::for_step));
        let earlier = self.cache.remove(&id).filter(|_| !self.asked_for.contains(&id));
        let running = Running {
            id: id.clone(),
            stats: Arc::clone(&stats),
            http: http.clone(),
            started: Timestamp::now(),
            cached: earlier.is_some(),
            told: (0, 0),
        };
        self.events.tell(Event::StepStarted { step: id.clone() }).await;
        let resume_point = match self.resumed {
            true => self.job.rewind(id.clone()).await?,
            false => ResumePoint::default(),
        };
        let context = self.context(&step, stats, http, resume_point)?;
        let span = tracing::info_span!("step", id = %id);
        let task = async move { (id, work(step, context, earlier, stop).await) }.instrument(span);
        Ok((running, task.boxed()))
    }

    /// Returns whether all dependencies of a step have ended or, if the step follows them, started.
    fn is_ready(
        &self,
        step: &Step,
        running: &BTreeMap<StepId, Running>,
        reports: &BTreeMap<StepId, StepReport>,
    ) -> bool {
        let begun = |(id, edge): (&StepId, &Edge)| reports.contains_key(id) || edge.streams && running.contains_key(id);
        !reports.contains_key(step.id())
            && !running.contains_key(step.id())
            && self.plan.dependencies(step.id()).into_iter().all(begun)
    }

    /// Completes the watermark of each type when the last step that adds it has ended.
    fn end_tails(&self, reports: &BTreeMap<StepId, StepReport>) {
        for (object_type, watermark) in &self.watermarks {
            let mut producers = self.plan.steps().filter(|step| step.declaration().emits().contains(object_type));
            if producers.all(|step| reports.contains_key(step.id())) {
                watermark.end();
            }
        }
    }

    fn context(
        &self,
        step: &Step,
        stats: Arc<StepStats>,
        http: Option<Http>,
        resume_point: ResumePoint,
    ) -> Result<StepContext, StoreError> {
        let declaration = Arc::clone(step.declaration());
        for earlier in &resume_point.stats {
            let unreadable =
                |error| StoreError::Corrupt(format!("the statistics of a partition of `{}`: {error}", step.id()));
            stats.take_over(serde_json::from_str::<PartitionStats>(earlier).map_err(unreadable)?);
        }
        let watermarks = |wanted: &dyn Fn(&ObjectType) -> bool| -> BTreeMap<ObjectType, Arc<Watermark>> {
            let watermarks = self.watermarks.iter().filter(|(object_type, _)| wanted(object_type));
            watermarks.map(|(object_type, watermark)| (object_type.clone(), Arc::clone(watermark))).collect()
        };
        let emits = declaration.emits();
        let followed = watermarks(&|object_type| emits.contains(object_type));
        Ok(StepContext::new(StepServices {
            ingest: Ingest::new(
                Arc::clone(&self.policy),
                &declaration,
                Arc::clone(&stats),
                resume_point.next_partition,
                followed,
            ),
            watermarks: watermarks(&|object_type| declaration.follows.contains(object_type)),
            done: resume_point.done,
            declaration,
            stats,
            store: self.job.clone(),
            http,
            config: Arc::clone(&self.connection.config),
            places: Arc::clone(&self.places),
            rank: self.plan.rank(step.id()),
            on_partition_failed: self.on_partition_failed(step.id()),
            turns: PartitionTurns::default(),
        }))
    }

    fn on_partition_failed(&self, step: &StepId) -> OnPartitionFailed {
        let (events, step) = (self.events.clone(), step.clone());
        Arc::new(move |parent: &Parent, types: &BTreeSet<ObjectType>, error: &StepError| {
            events.mention(|| Event::PartitionMissing {
                step: step.clone(),
                parent: parent.clone(),
                types: types.iter().cloned().collect(),
                cause: error.to_string(),
            });
        })
    }

    async fn close(
        &mut self,
        id: &StepId,
        work: Running,
        outcome: StepResult,
        reports: &BTreeMap<StepId, StepReport>,
    ) -> Result<(StepReport, Option<StepError>), StoreError> {
        let Some(step) = self.plan.step(id) else { return Err(StoreError::Corrupt(format!("unknown step {id}"))) };
        let above: Vec<(&StepId, &Edge)> = self.plan.dependencies(id);
        let above = above.into_iter().filter_map(|(id, edge)| Some((reports.get(id)?, edge)));
        let closing = StepOutcome {
            declaration: step.declaration(),
            depends_on: self.depends_on(id),
            inherited: report::inherited(step.declaration(), above),
            started: work.started,
            usage: work.http.as_ref().map(Http::usage).unwrap_or_default(),
            cached: work.cached,
        };
        // Objects behind the one that failed the step were counted during validation, but never stored.
        if self.resumed || outcome.is_err() {
            work.stats.recount(self.job.step_counts(id.clone()).await?);
        }
        work.stats.described_again(self.job.duplicates(id.clone()).await?);
        let mut record: StepStatsSnapshot = work.stats.snapshot();
        self.displaced.append(&mut record.displaced);
        self.found.insert(id.clone(), std::mem::take(&mut record.found));
        if !record.vanished.is_empty() {
            let parents = std::mem::take(&mut record.vanished);
            self.vanished.push(VanishedIn { step: id.clone(), parents, partitions: record.partitions });
        }
        let ended_from_outside =
            matches!(&outcome, Err(error) if error.is_fatal() || matches!(error, StepError::Cancelled));
        let (outcome, error) = match outcome {
            Ok(()) => (Ok(()), None),
            Err(StepError::Store(error)) => return Err(error),
            Err(error) if error.is_fatal() => {
                let message = StepError::Other(error.to_string());
                (Err(message), Some(error))
            }
            Err(error) => (Err(error), None),
        };
        let mut report = closing.report(record, outcome);
        if let (Some(fatal), Some(failure)) = (&error, &mut report.error) {
            failure.code = fatal.code();
        }
        // A cancelled step is not recorded as ended, so that resuming the job continues it.
        if !ended_from_outside {
            self.record(&report).await?;
        }
        let told = Arc::new(report.clone());
        self.events
            .tell(match report.error {
                Some(_) => Event::StepFailed { report: told },
                None => Event::StepFinished { report: told },
            })
            .await;
        Ok((report, error))
    }

    pub(super) async fn record(&self, report: &StepReport) -> Result<(), StoreError> {
        self.job.end_step(report).await
    }

    fn tell_progress(&self, running: &mut BTreeMap<StepId, Running>) {
        for (step, work) in running {
            let now = (work.stats.offered(), work.http.as_ref().map_or(0, |http| http.usage().total.requests));
            if now != work.told {
                work.told = now;
                let (objects, requests) = now;
                let in_flight = work.http.as_ref().map_or(0, Http::in_flight);
                self.events.mention(|| Event::StepProgress { step: step.clone(), objects, requests, in_flight });
            }
        }
    }

    /// Reports each wait for the rate budget once.
    fn tell_wait(&self, told: &mut Option<SystemTime>) {
        let waiting = self.connection.http.as_ref().and_then(Http::budget).and_then(|budget| budget.waiting_until);
        let Some(until) = waiting.filter(|until| *until > SystemTime::now() + WORTH_TELLING) else { return };
        if told.is_none_or(|told| until > told) {
            *told = Some(until);
            let until = until.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
            let until = Timestamp::from_millis(i64::try_from(until).unwrap_or(i64::MAX));
            self.events.mention(|| Event::Waiting { until });
        }
    }

    fn depends_on(&self, step: &StepId) -> Vec<StepId> {
        self.plan.dependencies(step).into_iter().map(|(id, _)| id.clone()).collect()
    }
}

/// Adjusts the number of permits whenever the in-flight limit changes.
async fn open_places(places: Arc<PartitionPermits>, in_flight: Option<watch::Receiver<usize>>) -> Infallible {
    if let Some(mut in_flight) = in_flight {
        while in_flight.changed().await.is_ok() {
            let requests = *in_flight.borrow_and_update();
            places.open(requests + PARTITIONS_AT_HAND);
        }
    }
    std::future::pending().await
}

/// Runs one step until it ends, panics, or is cancelled; then commits everything that it added.
async fn work(step: Step, context: StepContext, earlier: Option<Snapshot>, stop: CancellationToken) -> StepResult {
    let steps_own = async {
        match earlier {
            Some(earlier) => reuse(&step, &context, &earlier).await,
            None => step.run(context.clone()).await,
        }
    };
    let outcome = tokio::select! {
        biased;
        () = stop.cancelled() => Err(StepError::Cancelled),
        outcome = std::panic::AssertUnwindSafe(Work::step().scope(steps_own)).catch_unwind() => outcome.unwrap_or_else(|panic| Err(panicked(&*panic))),
    };
    let committed = context.ingest().finish().await;
    outcome.and(committed)
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> StepError {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    StepError::Other(format!("the step panicked: {text}"))
}

/// Copies the objects that the step added in an earlier job.
async fn reuse(step: &Step, context: &StepContext, earlier: &Snapshot) -> StepResult {
    for object_type in step.declaration().emits() {
        let mut entities = step.declaration().entities.iter();
        let merge = entities.any(|of| of.object_type == object_type && of.on_duplicate_key == OnDuplicateKey::Merge);
        let mut after: Option<ObjectKey> = None;
        loop {
            let selection =
                Selection { step: Some(step.id().clone()), after, ..Selection::of(object_type.clone(), PAGE) };
            let page = earlier.page(selection).await?;
            for stored in &page.objects {
                context.ingest().reuse(Row { merge, ..stored.row.clone() }, stored.json()).await?;
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(())
}
