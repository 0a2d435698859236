//! Running the steps: those whose dependencies have ended run at once, each in a task of its own.

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

use crate::graph::{EqualKeys, ObjectKey, ObjectType, StepId, Timestamp};
use crate::http::Http;
use crate::integration::Connection;
use crate::plan::{Edge, Plan, StartState};
use crate::room::Work;
use crate::step::{
    Intake, Ledger, OnPartFailed, PartBooks, PartTurns, Places, Record, Scope, Step, StepContext, StepError,
    StepIntake, StepResult, StepServices, Tail,
};
use crate::store::{Conflict, JobStore, Rewound, Row, StoreError};

use super::books::{self, Closing};
use super::event::{Event, Events};
use crate::summary::StepReport;

/// Parents that are worked on at once beyond those whose answers are on their way: enough to have work at hand for every
/// processor, and no more pages in memory than that.
pub(super) const PARTS_AT_HAND: usize = 8;
/// How often running steps tell how far they are.
const PROGRESS: Duration = Duration::from_millis(100);
/// Shorter waits are nobody's business.
const WORTH_TELLING: Duration = Duration::from_secs(1);
/// Objects of an earlier job that are in memory at once.
const PAGE: usize = 500;

/// What is left when no step runs any more.
pub(super) struct Ended {
    /// A report for each step, in the order of the plan.
    pub(super) reports: Vec<StepReport>,
    /// What ended the job as a whole.
    pub(super) fatal: Option<StepError>,
}

pub(super) struct Execution<'a> {
    pub(super) plan: &'a Plan,
    pub(super) starts: &'a BTreeMap<StepId, StartState>,
    pub(super) cache: BTreeMap<StepId, JobStore>,
    /// Steps that ended before the job was resumed, and need not run again.
    pub(super) ended: BTreeMap<StepId, StepReport>,
    pub(super) resumed: bool,
    pub(super) asked_for: BTreeSet<StepId>,
    pub(super) intake: Arc<Intake>,
    pub(super) job: JobStore,
    pub(super) connection: Connection,
    pub(super) places: Arc<Places>,
    pub(super) events: Events,
    /// The types that some step follows while others add them.
    pub(super) tails: BTreeMap<ObjectType, Arc<Tail>>,
    /// Objects that were refused after their steps had added them.
    pub(super) displaced: Vec<Conflict>,
}

/// A step at work.
struct Running {
    id: StepId,
    ledger: Arc<Ledger>,
    http: Option<Http>,
    started: Timestamp,
    cached: bool,
    told: (u64, u64),
}

type Outcome = (StepId, StepResult);

impl Execution<'_> {
    /// Runs until every step has ended, or until the job is to end early.
    pub(super) async fn run(mut self, cancel: &CancellationToken) -> Result<Ended, StoreError> {
        // Ends the steps when the user does, and when the credentials turn out not to work.
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
            None => books::not_started(step.declaration(), self.depends_on(step.id()), &StartState::Enabled),
        });
        let mut reports: Vec<StepReport> = reports.collect();
        self.settle(&mut reports).await?;
        Ok(Ended { reports, fatal })
    }

    /// What is done rests on what could be read then. Where that changes now, it is done again: it is forgotten before
    /// anything runs, so that a job that dies half-way does not take it for sound.
    async fn forget_stale_work(&mut self) -> Result<(), StoreError> {
        let mut stale: BTreeSet<&StepId> = BTreeSet::new();
        let runs = |id: &StepId| self.starts[id] == StartState::Enabled;
        for step in self.plan.steps().filter(|_| self.resumed) {
            let has_ended = self.ended.contains_key(step.id());
            let changes = |(id, edge): &(&StepId, &Edge)| match has_ended {
                // Nothing was missing in what it read. What was amended later was not, and yet is not the same.
                true => self.amends(id, edge),
                // What is followed is a parent that was there as a whole, unless that rests on something stale itself.
                false => !edge.streams || stale.contains(*id),
            };
            let above = self.plan.dependencies(step.id());
            if above.iter().filter(|(id, _)| runs(id) && !self.ended.contains_key(*id)).any(changes) {
                self.job.start_over(step.id().clone()).await?;
                self.ended.remove(step.id());
                stale.insert(step.id());
            }
        }
        Ok(())
    }

    /// Whether a step changes what goes through one of its edges.
    fn amends(&self, step: &StepId, edge: &Edge) -> bool {
        self.plan.step(step).is_some_and(|step| !step.declaration().amends.is_disjoint(&edge.through))
    }

    async fn pass_over_disabled(&self, reports: &mut BTreeMap<StepId, StepReport>) -> Result<(), StoreError> {
        for step in self.plan.steps() {
            let start = &self.starts[step.id()];
            if *start == StartState::Enabled || reports.contains_key(step.id()) {
                continue;
            }
            let report = books::not_started(step.declaration(), self.depends_on(step.id()), start);
            self.record(&report).await?;
            self.events.tell(Event::StepSkipped { step: step.id().clone(), start: start.clone() }).await;
            reports.insert(step.id().clone(), report);
        }
        Ok(())
    }

    /// Starts what is ready, and then what follows that, until nothing more is.
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
        let (ledger, http) = (Arc::new(Ledger::default()), self.connection.http.as_ref().map(Http::for_step));
        let earlier = self.cache.remove(&id).filter(|_| !self.asked_for.contains(&id));
        let running = Running {
            id: id.clone(),
            ledger: Arc::clone(&ledger),
            http: http.clone(),
            started: Timestamp::now(),
            cached: earlier.is_some(),
            told: (0, 0),
        };
        self.events.tell(Event::StepStarted { step: id.clone() }).await;
        let rewound = match self.resumed {
            true => self.job.rewind(id.clone()).await?,
            false => Rewound { next_part: 1, ..Rewound::default() },
        };
        let context = self.context(&step, ledger, http, rewound)?;
        let span = tracing::info_span!("step", id = %id);
        let task = async move { (id, work(step, context, earlier, stop).await) }.instrument(span);
        Ok((running, task.boxed()))
    }

    /// Whether everything that a step waits for has ended or, where it follows what is added there, begun.
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

    /// Tells those who follow a type that there is no more of it, once the last step that adds it has ended.
    fn end_tails(&self, reports: &BTreeMap<StepId, StepReport>) {
        for (object_type, tail) in &self.tails {
            let mut producers = self.plan.steps().filter(|step| step.declaration().emits().contains(object_type));
            if producers.all(|step| reports.contains_key(step.id())) {
                tail.end();
            }
        }
    }

    fn context(
        &self,
        step: &Step,
        ledger: Arc<Ledger>,
        http: Option<Http>,
        rewound: Rewound,
    ) -> Result<StepContext, StoreError> {
        let declaration = Arc::clone(step.declaration());
        for books in &rewound.books {
            let unreadable = |error| StoreError::Corrupt(format!("the books of a part of `{}`: {error}", step.id()));
            ledger.take_over(serde_json::from_str::<PartBooks>(books).map_err(unreadable)?);
        }
        let tails = |wanted: &dyn Fn(&ObjectType) -> bool| -> BTreeMap<ObjectType, Arc<Tail>> {
            let tails = self.tails.iter().filter(|(object_type, _)| wanted(object_type));
            tails.map(|(object_type, tail)| (object_type.clone(), Arc::clone(tail))).collect()
        };
        let emits = declaration.emits();
        let followed = tails(&|object_type| emits.contains(object_type));
        Ok(StepContext::new(StepServices {
            intake: StepIntake::new(
                Arc::clone(&self.intake),
                &declaration,
                Arc::clone(&ledger),
                rewound.next_part,
                followed,
            ),
            tails: tails(&|object_type| declaration.follows.contains(object_type)),
            done: rewound.done,
            declaration,
            ledger,
            store: self.job.clone(),
            http,
            config: Arc::clone(&self.connection.config),
            places: Arc::clone(&self.places),
            rank: self.plan.rank(step.id()),
            on_part_failed: self.on_part_failed(step.id()),
            turns: PartTurns::default(),
        }))
    }

    fn on_part_failed(&self, step: &StepId) -> OnPartFailed {
        let (events, step) = (self.events.clone(), step.clone());
        Arc::new(move |under: &Scope, types: &BTreeSet<ObjectType>, error: &StepError| {
            events.mention(|| Event::PartMissing {
                step: step.clone(),
                under: under.clone(),
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
        let closing = Closing {
            declaration: step.declaration(),
            depends_on: self.depends_on(id),
            inherited: books::inherited(step.declaration(), above),
            started: work.started,
            usage: work.http.as_ref().map(Http::usage).unwrap_or_default(),
            cached: work.cached,
        };
        // What was checked behind an object that failed the step is counted and not there.
        if self.resumed || outcome.is_err() {
            work.ledger.recount(self.job.step_counts(id.clone()).await?);
        }
        work.ledger.described_again(self.job.duplicates(id.clone()).await?);
        let mut record: Record = work.ledger.snapshot();
        self.displaced.append(&mut record.displaced);
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
            failure.code = fatal.code().to_owned();
        }
        // A step that was ended from outside did not end itself: without a record it goes on when the job is resumed.
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
        let json = serde_json::to_value(report).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        self.job.end_step(report.id.clone(), report.status.as_str(), json).await
    }

    fn tell_progress(&self, running: &mut BTreeMap<StepId, Running>) {
        for (step, work) in running {
            let now = (work.ledger.offered(), work.http.as_ref().map_or(0, |http| http.usage().total.requests));
            if now != work.told {
                work.told = now;
                let (objects, requests) = now;
                let in_flight = work.http.as_ref().map_or(0, Http::in_flight);
                self.events.mention(|| Event::StepProgress { step: step.clone(), objects, requests, in_flight });
            }
        }
    }

    /// Tells how long the budget makes everything wait, once for each wait.
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

/// Opens a place for each request in flight beside those at hand, whenever their number changes.
async fn open_places(places: Arc<Places>, in_flight: Option<watch::Receiver<usize>>) -> Infallible {
    if let Some(mut in_flight) = in_flight {
        while in_flight.changed().await.is_ok() {
            let requests = *in_flight.borrow_and_update();
            places.open(requests + PARTS_AT_HAND);
        }
    }
    std::future::pending().await
}

/// One step, until it ends, panics or is stopped; then all that it added is committed.
async fn work(step: Step, context: StepContext, earlier: Option<JobStore>, stop: CancellationToken) -> StepResult {
    let steps_own = async {
        match earlier {
            Some(earlier) => adopt(&step, &context, &earlier).await,
            None => step.run(context.clone()).await,
        }
    };
    let outcome = tokio::select! {
        biased;
        () = stop.cancelled() => Err(StepError::Cancelled),
        outcome = std::panic::AssertUnwindSafe(Work::step().scope(steps_own)).catch_unwind() => outcome.unwrap_or_else(|panic| Err(panicked(&*panic))),
    };
    let committed = context.intake().finish().await;
    outcome.and(committed)
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> StepError {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    StepError::Other(format!("the step panicked: {text}"))
}

/// Takes over what the step added in an earlier job.
async fn adopt(step: &Step, context: &StepContext, earlier: &JobStore) -> StepResult {
    for object_type in step.declaration().emits() {
        let mut entities = step.declaration().entities.iter();
        let merge = entities.any(|of| of.object_type == object_type && of.equal_keys == EqualKeys::Merge);
        let mut after: Option<ObjectKey> = None;
        loop {
            let page = earlier.step_page(step.id().clone(), object_type.clone(), after, PAGE).await?;
            for (row, json) in page.objects.iter() {
                context.intake().adopt(Row { merge, ..row.clone() }, json).await?;
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(())
}
