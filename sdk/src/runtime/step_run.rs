//! The unit of work that an engine executes: one step of one job.
//!
//! A [`StepInvocation`] is data, so an engine can pass it to a task or to another machine. The environment belongs to
//! the worker: its plan, its store, and its client with the credentials, which never travel.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::{FutureExt, TryStreamExt};
use tokio_util::sync::CancellationToken;

use crate::graph::run::{Failure, Parent};
use crate::graph::{JobId, ObjectType, OnDuplicateKey, StepId, Timestamp};
use crate::http::{Http, Work};
use crate::integration::Connection;
use crate::plan::Plan;
use crate::step::{
    Ingest, IngestPolicy, OnPartitionFailed, PartitionPermits, PartitionStats, PartitionTurns, Step, StepContext,
    StepError, StepResult, StepServices, StepStats, Unchanged, Watermark,
};
use crate::store::{GraphReader, JobWriter, ReadError, ResumePoint, Selection, StoreError};

use super::event::{Event, Events};
use super::report::{FailureKind, StepOutcome};

/// The order to run one step.
#[derive(Debug, Clone)]
pub(super) struct StepInvocation {
    pub(super) step: StepId,
    /// The earlier job whose objects are copied instead of running the step.
    pub(super) reuse: Option<JobId>,
    /// Whether an earlier process started the job, so that the store may contain objects of the step.
    pub(super) resumed: bool,
    /// The completed work of the step.
    pub(super) resume_point: ResumePoint,
}

/// The services of a worker, common to all steps of a job.
pub(super) struct StepEnvironment {
    pub(super) plan: Arc<Plan>,
    pub(super) policy: Arc<IngestPolicy>,
    pub(super) job: Arc<dyn JobWriter>,
    /// The earlier jobs whose objects may be copied.
    pub(super) earlier: BTreeMap<JobId, Arc<dyn GraphReader>>,
    /// The newest snapshot, if the objects under unchanged parents are kept.
    pub(super) newest: Option<Arc<dyn GraphReader>>,
    pub(super) connection: Connection,
    pub(super) permits: Arc<PartitionPermits>,
    pub(super) events: Events,
    /// The watermarks of all followed types.
    pub(super) watermarks: BTreeMap<ObjectType, Arc<Watermark>>,
    pub(super) meters: Meters,
}

/// The counters of the running steps, for progress events.
#[derive(Debug, Default)]
pub(super) struct Meters(Mutex<BTreeMap<StepId, Meter>>);

#[derive(Debug)]
struct Meter {
    stats: Arc<StepStats>,
    http: Option<Http>,
    published: (u64, u64),
}

impl Meters {
    fn open(&self) -> MutexGuard<'_, BTreeMap<StepId, Meter>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self, step: &StepId, stats: &Arc<StepStats>, http: Option<&Http>) {
        let meter = Meter { stats: Arc::clone(stats), http: http.cloned(), published: (0, 0) };
        self.open().insert(step.clone(), meter);
    }

    fn stop(&self, step: &StepId) {
        self.open().remove(step);
    }

    /// Publishes the progress of each step whose counters changed.
    pub(super) fn publish(&self, events: &Events) {
        for (step, meter) in &mut *self.open() {
            let now = (meter.stats.offered(), meter.http.as_ref().map_or(0, |http| http.usage().total.requests));
            if now != meter.published {
                meter.published = now;
                let (objects, requests) = now;
                let in_flight = meter.http.as_ref().map_or(0, Http::in_flight);
                events.publish(Event::StepProgress { step: step.clone(), objects, requests, in_flight });
            }
        }
    }
}

/// Runs one step until it ends, panics, or is cancelled, and commits everything that it added.
///
/// # Errors
/// [`StoreError`] if the store fails. Every other failure is part of the outcome.
pub(super) async fn run_step(
    environment: &StepEnvironment,
    invocation: StepInvocation,
    cancel: CancellationToken,
) -> Result<StepOutcome, StoreError> {
    let StepInvocation { step: id, reuse, resumed, resume_point } = invocation;
    let unknown = || StoreError::Corrupt(format!("unknown step {id}"));
    let step = environment.plan.step(&id).ok_or_else(unknown)?.clone();
    let started = Timestamp::now();
    let (stats, http) = (Arc::new(StepStats::default()), environment.connection.http.as_ref().map(Http::for_step));
    let earlier = reuse.as_ref().and_then(|job| environment.earlier.get(job));
    let context = environment.context(&step, Arc::clone(&stats), http.clone(), resume_point)?;
    environment.meters.start(&id, &stats, http.as_ref());
    let result = work(&step, context, earlier, cancel).await;
    environment.meters.stop(&id);
    let failure = match result {
        Ok(()) => None,
        Err(StepError::Store(error)) => return Err(error),
        Err(error) => {
            let failure = Failure { code: error.code(), message: error.to_string() };
            Some((FailureKind::from(&error), failure))
        }
    };
    // Objects behind the one that failed the step were counted during validation, but never stored.
    if resumed || failure.is_some() {
        let counts = environment.job.counts(Some(id.clone())).await?.into_iter();
        stats.recount(counts.map(|count| (count.object_type, count.objects)));
    }
    stats.described_again(environment.job.duplicates(id.clone()).await?);
    Ok(StepOutcome {
        step: id,
        started,
        ended: Timestamp::now(),
        usage: http.as_ref().map(Http::usage).unwrap_or_default(),
        cached: earlier.is_some(),
        stats: stats.snapshot(),
        failure,
    })
}

impl StepEnvironment {
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
        let (policy, next_partition) = (Arc::clone(&self.policy), resume_point.next_partition);
        Ok(StepContext::new(StepServices {
            ingest: Ingest::new(policy, &declaration, Arc::clone(&stats), next_partition, followed),
            watermarks: watermarks(&|object_type| declaration.follows.contains(object_type)),
            done: resume_point.done,
            unchanged: self.newest.as_ref().and_then(|newest| Unchanged::of(step, newest, &self.connection.config)),
            declaration,
            stats,
            job: Arc::clone(&self.job),
            http,
            config: Arc::clone(&self.connection.config),
            permits: Arc::clone(&self.permits),
            rank: self.plan.rank(step.id()),
            on_partition_failed: self.on_partition_failed(step.id()),
            turns: PartitionTurns::default(),
        }))
    }

    fn on_partition_failed(&self, step: &StepId) -> OnPartitionFailed {
        let (events, step) = (self.events.clone(), step.clone());
        Arc::new(move |parent: &Parent, types: &BTreeSet<ObjectType>, error: &StepError| {
            events.publish(Event::PartitionMissing {
                step: step.clone(),
                parent: parent.clone(),
                types: types.iter().cloned().collect(),
                cause: error.to_string(),
            });
        })
    }
}

async fn work(
    step: &Step,
    context: StepContext,
    earlier: Option<&Arc<dyn GraphReader>>,
    cancel: CancellationToken,
) -> StepResult {
    let steps_own = async {
        match earlier {
            Some(earlier) => reuse(step, &context, earlier.as_ref()).await,
            None => step.run(context.clone()).await,
        }
    };
    let guarded = std::panic::AssertUnwindSafe(Work::step().scope(steps_own)).catch_unwind();
    let outcome = tokio::select! {
        biased;
        () = cancel.cancelled() => Err(StepError::Cancelled),
        outcome = guarded => outcome.unwrap_or_else(|panic| Err(panicked(&*panic))),
    };
    let committed = context.ingest().finish().await;
    outcome.and(committed)
}

fn panicked(panic: &(dyn Any + Send)) -> StepError {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    StepError::Other(format!("the step panicked: {text}"))
}

/// Copies the objects that the step added in an earlier job.
async fn reuse(step: &Step, context: &StepContext, earlier: &dyn GraphReader) -> StepResult {
    let unreadable = |error: ReadError| StepError::Other(format!("an earlier job cannot be read: {error}"));
    for object_type in step.declaration().emits() {
        let mut entities = step.declaration().entities.iter();
        let merge = entities.any(|of| of.object_type == object_type && of.on_duplicate_key == OnDuplicateKey::Merge);
        let mut batches = earlier.scan(Selection::of_type(object_type).by(step.id().clone()).with_raw());
        while let Some(batch) = batches.try_next().await.map_err(unreadable)? {
            for object in batch {
                context.ingest().reuse(object, merge).await?;
            }
        }
    }
    Ok(())
}
