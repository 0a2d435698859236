//! The server: the loop that connects the scheduler with the clock, the runs, the observer, and the stored state.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use integration_scheduler::{RunEnd, Scheduler, Settings, Start};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::background::{Background, BackgroundTask};
use crate::clock::Clock;
use crate::error::ServerError;
use crate::health::{Health, Phase};
use crate::journal::{Changes, Journal};
use crate::lock::SchedulerLock;
use crate::metrics::Metrics;
use crate::observation::{Observation, Work};
use crate::observer::{Notice, Observed, Observer, ObserverError};
use crate::pending::PendingNotices;
use crate::requests::RequestFolder;
use crate::runner::{Order, Runner};
use crate::runs::{EndedRun, Runs};
use crate::source::Source;
use crate::touched::Touched;

/// The shortest wait, so that a clock that returns too early does not keep a processor busy.
const SHORTEST_WAIT: SignedDuration = SignedDuration::from_millis(10);
/// The delay after a tick that failed.
const TICK_DELAY: SignedDuration = SignedDuration::from_mins(1);

/// The options of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The maximum number of runs at once.
    pub jobs: usize,
    /// The maximum time between the request to stop and the end of the server.
    pub stop_within: Duration,
    /// The maximum time of one observation.
    pub observe_within: Duration,
    /// The time between two checks of the configuration and the requests of people.
    pub poll: Duration,
}

impl Default for Options {
    /// Four runs at once, 25 seconds to stop, 5 minutes for an observation, and 2 seconds between two checks.
    ///
    /// Service managers and container engines wait between 10 and 90 seconds before they kill a process.
    fn default() -> Self {
        Self {
            jobs: 4,
            stop_within: Duration::from_secs(25),
            observe_within: Duration::from_secs(300),
            poll: Duration::from_secs(2),
        }
    }
}

/// The parts that a server connects.
pub struct Parts {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The configured instances.
    pub source: Box<dyn Source>,
    /// The execution of runs.
    pub runner: Arc<dyn Runner>,
    /// The consumer of ended runs.
    pub observer: Arc<dyn Observer>,
    /// Work beside the runs and the observations, if there is any.
    pub background: Option<Arc<dyn Background>>,
}

/// A server, which has the exclusive right to schedule the instances of a data directory.
pub struct Server {
    directory: PathBuf,
    options: Options,
    parts: Parts,
    journal: Journal,
    health: Health,
    metrics: Metrics,
    reload: Arc<Notify>,
    lock: SchedulerLock,
}

/// The end of a server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stopped {
    /// The instances whose run ended because the server stopped. They are resumed at the next start.
    pub interrupted: Vec<String>,
    /// The instances whose run did not end in time and was aborted. They are resumed at the next start as well.
    pub aborted: Vec<String>,
}

/// A handle that makes a server check its configuration and the requests of people at once.
#[derive(Debug, Clone)]
pub struct Reload(Arc<Notify>);

impl Reload {
    /// Requests the check.
    pub fn request(&self) {
        self.0.notify_one();
    }
}

impl Server {
    /// Opens the state of a data directory, which must exist.
    ///
    /// # Errors
    /// [`ServerError::Locked`] if another scheduler works on the directory, or another [`ServerError`] if the state cannot be
    /// read and written.
    pub fn open(directory: &Path, options: Options, parts: Parts) -> Result<Self, ServerError> {
        let lock = SchedulerLock::take(directory)?;
        let (journal, damage) = Journal::open(directory)?;
        if let Some(damage) = damage {
            let (line, copy) = (damage.line, damage.copy.display());
            tracing::error!(line, %copy, "the state of the scheduler was damaged; the lines before the damage apply");
        }
        Ok(Self {
            directory: directory.to_owned(),
            options,
            parts,
            journal,
            health: Health::new(),
            metrics: Metrics::new(),
            reload: Arc::default(),
            lock,
        })
    }

    /// Returns the health, which changes while the server runs.
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Returns the metrics, which change while the server runs.
    pub fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }

    /// Returns the handle for a check of the configuration.
    pub fn reload(&self) -> Reload {
        Reload(Arc::clone(&self.reload))
    }

    /// Runs instances at their times until `stop` is cancelled, and then ends within the bound.
    ///
    /// # Errors
    /// [`ServerError::Source`] if the configuration cannot be read at the start. Later errors are logged, and the server
    /// continues with the earlier configuration.
    pub async fn run(self, stop: CancellationToken) -> Result<Stopped, ServerError> {
        let Self { directory, options, parts, journal, health, metrics, reload, lock } = self;
        let Parts { clock, mut source, runner, observer, background } = parts;
        let stored = journal.stored().clone();
        let known: Vec<String> = stored.instances.keys().cloned().collect();
        let settings = source.poll().await?.unwrap_or_default();
        let mut scheduler = Scheduler::new(options.jobs, stored.instances);
        scheduler.configure(settings.clone(), clock.now());
        let mut turning = Turning {
            scheduler,
            settings,
            pending: PendingNotices::new(stored.notices),
            runs: Runs::default(),
            observation: Observation::new(observer, options.observe_within),
            background: BackgroundTask::start(background),
            requests: RequestFolder::new(&directory),
            journal: Arc::new(Mutex::new(journal)),
            next_tick: Some(Timestamp::MIN),
            next_poll: Instant::now(),
            latest: Timestamp::MIN,
            touched: Touched::all(known),
            problems: Problems::default(),
            options,
            clock,
            source,
            runner,
            health,
            metrics,
            reload,
        };
        turning.health.enter(Phase::Ready);
        while !stop.is_cancelled() {
            turning.turn().await;
            turning.wait(&stop).await;
        }
        let stopped = turning.stop().await;
        drop(lock);
        Ok(stopped)
    }
}

/// The running loop.
struct Turning {
    scheduler: Scheduler,
    settings: BTreeMap<String, Settings>,
    pending: PendingNotices,
    runs: Runs,
    observation: Observation,
    background: BackgroundTask,
    requests: RequestFolder,
    journal: Arc<Mutex<Journal>>,
    /// The time of the next tick of the observer; `None` if it has no work.
    next_tick: Option<Timestamp>,
    next_poll: Instant,
    /// The time of the last turn.
    latest: Timestamp,
    /// The changes that are not stored yet.
    touched: Touched,
    problems: Problems,
    options: Options,
    clock: Arc<dyn Clock>,
    source: Box<dyn Source>,
    runner: Arc<dyn Runner>,
    health: Health,
    metrics: Metrics,
    reload: Arc<Notify>,
}

/// The problems that persist. Each is logged when it appears or changes.
#[derive(Default)]
struct Problems {
    configuration: Option<String>,
    state: Option<String>,
}

impl Turning {
    /// Decides about the current time: configuration, requests, starts, and observations.
    async fn turn(&mut self) {
        self.health.turn();
        if self.next_poll <= Instant::now() {
            self.next_poll = Instant::now() + self.options.poll;
            self.configure().await;
            self.accept_requests();
        }
        let now = self.clock.now();
        if now < self.latest {
            // The scheduler corrects the times of all instances.
            self.touched.everything(self.settings.keys());
        }
        self.latest = now;
        let starts = self.scheduler.start(now);
        starts.iter().for_each(|start| self.touched.instance(&start.instance));
        // Work is shown before the states that lead to it, so that no reader of the metrics sees a pause in between.
        self.metrics.show_work(self.settings.len(), self.scheduler.running(), self.pending.all().len());
        // A start that is not stored would be forgotten by a kill, and its job would not be resumed.
        self.save().await;
        for start in starts {
            self.start(start, now);
        }
        self.observe(now);
        self.metrics.show_problems(self.problems.configuration.is_some(), self.problems.state.is_some());
    }

    async fn configure(&mut self) {
        match self.source.poll().await {
            Ok(Some(settings)) => {
                tracing::info!(instances = settings.len(), "the configuration was read");
                self.scheduler.configure(settings.clone(), self.clock.now());
                self.touched.everything(self.settings.keys());
                self.settings = settings;
                self.problems.configuration = None;
            }
            Ok(None) => self.problems.configuration = None,
            Err(error) => {
                let text = error.to_string();
                let is_new = self.problems.configuration.replace(text.clone()) != Some(text);
                // The metrics come first, so that a reader of the log finds the problem in them.
                self.metrics.show_problems(true, self.problems.state.is_some());
                if is_new {
                    tracing::error!(%error, "the configuration cannot be read; the earlier one applies");
                }
            }
        }
    }

    fn accept_requests(&mut self) {
        let requested = self.requests.read().unwrap_or_else(|error| {
            tracing::warn!(%error, "the requests of runs cannot be read");
            Default::default()
        });
        for instance in requested {
            match self.scheduler.request(&instance, self.clock.now()) {
                Ok(()) => {
                    tracing::info!(instance, "a run was requested");
                    self.touched.instance(&instance);
                }
                Err(error) => tracing::warn!(%error, "a run was requested and cannot be started"),
            }
        }
    }

    fn start(&mut self, start: Start, now: Timestamp) {
        let lateness = now.duration_since(start.due);
        self.metrics.started(lateness);
        let late_ms = u64::try_from(lateness.as_millis()).unwrap_or(0);
        tracing::info!(instance = start.instance, reason = ?start.reason, late_ms, "a job starts");
        let settings = self.settings.get(&start.instance);
        let revision = settings.map(|settings| settings.revision.clone()).unwrap_or_default();
        self.runs.start(&self.runner, Order { instance: start.instance, reason: start.reason }, revision);
    }

    /// Starts the next observation, unless one is in progress.
    fn observe(&mut self, now: Timestamp) {
        if self.observation.is_busy() {
            return;
        }
        if let Some(notice) = self.pending.due(now) {
            self.observation.start(Work::Notice(notice.clone()), now);
        } else if self.next_tick.is_some_and(|time| time <= now) {
            self.observation.start(Work::Tick, now);
        }
    }

    /// Stores the changes.
    async fn save(&mut self) {
        if self.touched.is_empty() {
            return self.requests.stored();
        }
        let mut changes = Changes::default();
        for name in self.touched.instances(self.scheduler.states().map(|(name, _)| name)) {
            let state = self.scheduler.state(&name).cloned();
            self.metrics.show_state(&name, state.as_ref());
            changes.instances.insert(name, state);
        }
        changes.notices = self.touched.has_notices().then(|| self.pending.all().to_vec());
        let journal = Arc::clone(&self.journal);
        let save = move || {
            let mut journal = journal.lock().unwrap_or_else(PoisonError::into_inner);
            journal.save(changes).err().map(|error| error.to_string())
        };
        // Writing waits for the disk.
        let problem = tokio::task::spawn_blocking(save).await.unwrap_or_else(|error| Some(error.to_string()));
        match &problem {
            None => {
                self.touched = Touched::default();
                self.requests.stored();
            }
            Some(error) if self.problems.state.is_none() => {
                tracing::error!(error, "the state of the scheduler cannot be stored; a kill would repeat jobs");
            }
            Some(_) => {}
        }
        self.problems.state = problem;
        self.health.report(self.problems.state.clone());
    }

    /// Waits for an event, and handles it.
    async fn wait(&mut self, stop: &CancellationToken) {
        let now = self.clock.now();
        let observes = [self.pending.wake(now), self.next_tick].into_iter().flatten().min();
        let observes = observes.filter(|_| !self.observation.is_busy());
        let wake = [self.scheduler.wake(now), observes].into_iter().flatten().min();
        // The scheduler compares times after every poll, so a wait without a time ends soon enough.
        let wake = wake.unwrap_or(Timestamp::MAX).max(now.checked_add(SHORTEST_WAIT).unwrap_or(now));
        let clock = Arc::clone(&self.clock);
        tokio::select! {
            ended = self.runs.next() => self.ended(ended, false),
            (work, outcome) = self.observation.next() => self.observed(&work, outcome),
            () = self.reload.notified() => self.next_poll = Instant::now(),
            () = stop.cancelled() => {}
            () = clock.sleep_until(wake) => {}
            () = tokio::time::sleep_until(self.next_poll) => {}
        }
        // Runs that end together are stored together.
        while let Some(ended) = self.runs.try_next() {
            self.ended(ended, false);
        }
    }

    fn ended(&mut self, run: EndedRun, is_stopping: bool) {
        let EndedRun { instance, revision, mut result, took } = run;
        if is_stopping && matches!(result.end, RunEnd::Failed | RunEnd::Cancelled) {
            // The stop is the likely cause, and a resumed run finds out.
            result.end = RunEnd::Interrupted;
        }
        let (now, took_ms) = (self.clock.now(), u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        let (job, cause) = (result.job.as_deref(), result.message.as_deref());
        match result.end {
            RunEnd::Failed | RunEnd::CredentialsRefused => {
                tracing::error!(instance, job, end = ?result.end, cause, took_ms, "a job failed");
            }
            _ => tracing::info!(instance, job, end = ?result.end, cause, took_ms, "a job ended"),
        }
        self.metrics.ended(&instance, &result, took);
        self.scheduler.ended(&instance, result.end, now);
        self.touched.instance(&instance);
        let is_other = self.settings.get(&instance).is_some_and(|settings| settings.revision != revision);
        if is_other && matches!(result.end, RunEnd::Failed | RunEnd::CredentialsRefused) {
            // The failure belongs to a configuration that was replaced during the run. An instance that was removed
            // meanwhile cannot be requested, and needs no run.
            let _ = self.scheduler.request(&instance, now);
        }
        if result.end != RunEnd::Interrupted {
            let failures = self.scheduler.state(&instance).map_or(0, |state| state.failures);
            let (job, message) = (result.job, result.message);
            self.touched.notices();
            self.pending.add(Notice { instance, at: now, end: result.end, job, message, failures });
        }
    }

    fn observed(&mut self, work: &Work, outcome: Result<Observed, ObserverError>) {
        let now = self.clock.now();
        match (&outcome, work) {
            (Ok(observed), _) => {
                self.metrics.observed(observed);
                for (instance, numbers) in &observed.snapshots {
                    if self.settings.contains_key(instance) {
                        self.metrics.show_snapshot(instance, *numbers);
                    }
                }
                match work {
                    Work::Notice(notice) => {
                        self.touched.notices();
                        self.pending.observed(notice);
                        let times = [self.next_tick, observed.next];
                        self.next_tick = times.into_iter().flatten().min();
                    }
                    Work::Tick => self.next_tick = observed.next,
                }
            }
            (Err(error), Work::Notice(notice)) => {
                self.metrics.observation_failed();
                tracing::error!(instance = notice.instance, %error, "the rules were not evaluated; they will be again");
                self.touched.notices();
                self.pending.failed(notice, now);
            }
            (Err(error), Work::Tick) => {
                self.metrics.observation_failed();
                tracing::error!(%error, "the regular work of alerts failed; it will be repeated");
                self.next_tick = now.checked_add(TICK_DELAY).ok();
            }
        }
    }

    /// Ends the runs and the observation within the bound, and stores the state.
    async fn stop(mut self) -> Stopped {
        self.health.enter(Phase::Stopping);
        let deadline = Instant::now() + self.options.stop_within;
        let mut stopped = Stopped::default();
        self.runs.cancel();
        self.background.cancel();
        while !self.runs.is_empty() || self.observation.is_busy() || !self.background.has_ended() {
            self.health.turn();
            let turn = Instant::now() + self.options.poll;
            tokio::select! {
                ended = self.runs.next() => {
                    let instance = ended.instance.clone();
                    self.ended(ended, true);
                    if self.scheduler.state(&instance).is_some_and(|state| state.interrupted.is_some()) {
                        stopped.interrupted.push(instance);
                    }
                }
                (work, outcome) = self.observation.next() => self.observed(&work, outcome),
                () = self.background.ended() => {}
                () = tokio::time::sleep_until(turn.min(deadline)) => {}
            }
            if deadline <= Instant::now() {
                break;
            }
        }
        for instance in self.runs.abort().await {
            tracing::warn!(instance, "the job did not end in time; it is resumed at the next start");
            self.scheduler.ended(&instance, RunEnd::Interrupted, self.clock.now());
            self.touched.instance(&instance);
            stopped.aborted.push(instance);
        }
        self.save().await;
        stopped
    }
}
