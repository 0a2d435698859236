//! The local engine: runs the steps of a schedule as tasks of this process.
//!
//! The schedule decides, and this module acts: it records reports, publishes events, ends watermarks, and adjusts the
//! permits. Another engine would run the same units on other machines.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::graph::run::{Failure, StepReport};
use crate::graph::{JobId, StepId, Timestamp};
use crate::http::Http;
use crate::step::PartitionPermits;
use crate::store::{EarlierGaps, ResumePoint, RewindTo, StoreError};

use super::event::Event;
use super::late::{self, Evidence};
use super::report::StepOutcome;
use super::schedule::Schedule;
use super::step_run::{StepEnvironment, StepInvocation, run_step};

/// The number of partitions that may process concurrently, in addition to those waiting for a response.
///
/// It is enough to keep every processor busy, and bounds the pages in memory.
pub(super) const PARTITIONS_AT_HAND: usize = 8;
/// The interval of progress events.
const PROGRESS: Duration = Duration::from_millis(100);
/// The minimum duration of a wait that is reported.
const SHORTEST_REPORTED_WAIT: Duration = Duration::from_secs(1);

/// The result of all steps.
pub(super) struct Ended {
    /// A report for each step, in the order of the plan.
    pub(super) reports: Vec<StepReport>,
    /// The error that ended the whole job.
    pub(super) fatal: Option<Failure>,
}

pub(super) struct LocalEngine {
    pub(super) environment: Arc<StepEnvironment>,
    pub(super) schedule: Schedule,
    /// The steps whose objects are copied from an earlier job.
    pub(super) reuse: BTreeMap<StepId, JobId>,
    /// Whether an earlier process started the job.
    pub(super) resumed: bool,
    /// Gaps that earlier runs of the job left.
    pub(super) earlier_gaps: EarlierGaps,
    pub(super) evidence: Evidence,
    /// The steps that were ended from outside. They are not recorded as ended, so that resuming the job continues them.
    pub(super) interrupted: BTreeSet<StepId>,
}

type Tasks = JoinSet<Result<StepOutcome, StoreError>>;

impl LocalEngine {
    /// Runs until every step has ended, or until the job is cancelled.
    ///
    /// `completed` are the reports of steps that need not run again.
    pub(super) async fn run(
        mut self,
        completed: BTreeMap<StepId, StepReport>,
        cancel: &CancellationToken,
    ) -> Result<Ended, StoreError> {
        // This token cancels the steps when the user cancels the job, or when the provider refuses the credentials.
        let stop = cancel.child_token();
        let mut tasks = Tasks::new();
        let (mut fatal, mut reported_wait) = (None, None);
        let mut progress = tokio::time::interval(PROGRESS);
        let environment = Arc::clone(&self.environment);
        let in_flight = environment.connection.http.as_ref().map(Http::watch_in_flight);
        let mut adjusting = pin!(adjust_permits(Arc::clone(&environment.permits), in_flight));
        if self.resumed {
            for stale in self.schedule.resume(completed) {
                environment.job.rewind(stale, RewindTo::Start).await?;
            }
        }
        for (start, report) in self.schedule.skip() {
            environment.job.end_step(report.clone()).await?;
            environment.events.publish(Event::StepSkipped { step: report.id, start });
        }
        self.end_watermarks();
        loop {
            if stop.is_cancelled() {
                self.schedule.cancel();
            }
            self.start_ready(&mut tasks, &stop).await?;
            tokio::select! {
                ended = tasks.join_next() => {
                    let Some(ended) = ended else { break };
                    // A step cannot panic, and its task is never aborted while the engine runs.
                    let Ok(outcome) = ended else { continue };
                    let error = self.end(outcome?, &stop).await?;
                    fatal = fatal.or(error);
                }
                never = &mut adjusting => match never {},
                _ = progress.tick() => {
                    environment.meters.publish(&environment.events);
                    self.publish_wait(&mut reported_wait);
                }
            }
        }
        self.schedule.finish();
        let evidence = std::mem::take(&mut self.evidence);
        let late = late::corrections(&environment, &self.schedule, evidence, &self.earlier_gaps).await?;
        let changed = self.schedule.correct(late);
        for report in changed.iter().filter(|report| !self.interrupted.contains(&report.id)) {
            environment.job.end_step(report.clone()).await?;
        }
        Ok(Ended { reports: self.schedule.reports().cloned().collect(), fatal })
    }

    /// Starts all steps that are ready, and then the steps that follow them.
    async fn start_ready(&mut self, tasks: &mut Tasks, stop: &CancellationToken) -> Result<(), StoreError> {
        while let Some(step) = self.schedule.next_ready() {
            let id = step.id().clone();
            self.environment.events.publish(Event::StepStarted { step: id.clone() });
            // A follower must not read objects that are about to be discarded, so the step is rewound before it starts.
            let resume_point = match self.resumed {
                true => self.environment.job.rewind(id.clone(), RewindTo::Checkpoint).await?,
                false => ResumePoint::default(),
            };
            let (reuse, resumed) = (self.reuse.remove(&id), self.resumed);
            self.schedule.started(&id);
            let span = tracing::info_span!("step", id = %id);
            let invocation = StepInvocation { step: id, reuse, resumed, resume_point };
            let (environment, stop) = (Arc::clone(&self.environment), stop.clone());
            tasks.spawn(async move { run_step(&environment, invocation, stop).await }.instrument(span));
        }
        Ok(())
    }

    /// Records the outcome of a step, and returns the error that ends the job.
    async fn end(&mut self, mut outcome: StepOutcome, stop: &CancellationToken) -> Result<Option<Failure>, StoreError> {
        let fatal = outcome.is_fatal().then(|| outcome.failure.as_ref().map(|(_, failure)| failure.clone())).flatten();
        if fatal.is_some() {
            stop.cancel();
        }
        self.evidence.take(&mut outcome);
        let is_interrupted = outcome.is_interrupted();
        let Some(report) = self.schedule.ended(outcome) else { return Ok(fatal) };
        if is_interrupted {
            self.interrupted.insert(report.id.clone());
        } else {
            self.environment.job.end_step(report.clone()).await?;
        }
        let report = Arc::new(report);
        self.environment.events.publish(match report.error {
            Some(_) => Event::StepFailed { report },
            None => Event::StepFinished { report },
        });
        self.end_watermarks();
        Ok(fatal)
    }

    /// Completes the watermark of each type when the last step that adds it has ended.
    fn end_watermarks(&self) {
        let watermarks = &self.environment.watermarks;
        let complete = watermarks.iter().filter(|(object_type, _)| self.schedule.is_complete(object_type));
        complete.for_each(|(_, watermark)| watermark.end());
    }

    /// Publishes each wait for the rate budget once.
    fn publish_wait(&self, reported: &mut Option<SystemTime>) {
        let http = self.environment.connection.http.as_ref();
        let waiting = http.and_then(Http::budget).and_then(|budget| budget.waiting_until);
        let worth = |until: &SystemTime| *until > SystemTime::now() + SHORTEST_REPORTED_WAIT;
        let Some(until) = waiting.filter(worth) else { return };
        if reported.is_none_or(|reported| until > reported) {
            *reported = Some(until);
            let until = until.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
            let until = Timestamp::from_millis(i64::try_from(until).unwrap_or(i64::MAX));
            self.environment.events.publish(Event::Waiting { until });
        }
    }
}

/// Adjusts the number of permits whenever the in-flight limit changes.
async fn adjust_permits(permits: Arc<PartitionPermits>, in_flight: Option<watch::Receiver<usize>>) -> Infallible {
    if let Some(mut in_flight) = in_flight {
        while in_flight.changed().await.is_ok() {
            let requests = *in_flight.borrow_and_update();
            permits.open(requests + PARTITIONS_AT_HAND);
        }
    }
    std::future::pending().await
}
