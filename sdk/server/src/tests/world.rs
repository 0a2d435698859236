//! A simulated world: a clock that jumps, instances, runs, and an observer.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use integration_scheduler::{Cadence, PollingInterval, RunEnd, Settings, StartReason};
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    Clock, Metrics, Notice, Observed, Observer, ObserverError, Options, Order, Parts, Reload, RunResult, Runner,
    Server, ServerError, Source, SourceError, Stopped,
};

pub(super) fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// A clock that advances with the paused clock of the runtime, and jumps on request.
///
/// The runtime's clock stands for the monotonic clock of the machine, which stops while the machine is suspended.
pub(super) struct SimulatedClock {
    begin: Timestamp,
    since: Instant,
    jumped: Mutex<SignedDuration>,
}

impl SimulatedClock {
    pub(super) fn at(begin: &str) -> Arc<Self> {
        Arc::new(Self { begin: time(begin), since: Instant::now(), jumped: Mutex::default() })
    }

    pub(super) fn jump(&self, by: SignedDuration) {
        *self.jumped.lock().expect("a clock") += by;
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        let elapsed = SignedDuration::try_from(self.since.elapsed()).expect("short");
        self.begin + elapsed + *self.jumped.lock().expect("a clock")
    }

    fn sleep_until(&self, time: Timestamp) -> BoxFuture<'_, ()> {
        let wait = Duration::try_from(time.duration_since(self.now())).unwrap_or_default();
        tokio::time::sleep(wait.min(Duration::from_secs(60))).boxed()
    }
}

/// A run as the runner saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) instance: String,
    pub(super) reason: StartReason,
    pub(super) at: Timestamp,
}

/// The state of the world, which outlives the processes.
#[derive(Default)]
pub(super) struct State {
    pub(super) settings: BTreeMap<String, Settings>,
    pub(super) is_unread: bool,
    pub(super) configuration_error: Option<String>,
    pub(super) runs: Vec<Seen>,
    /// The instances with a run in progress.
    pub(super) running: BTreeSet<String>,
    pub(super) most_running: usize,
    /// The number of runs that ended, by instance.
    pub(super) ended: BTreeMap<String, u64>,
    pub(super) observed: Vec<Notice>,
    pub(super) ticks: u64,
}

type RunScript = Box<dyn Fn(&Order, &State) -> RunEnd + Send + Sync>;
type ObserverScript = Box<dyn Fn(&Notice) -> Watching + Send + Sync>;

/// The behaviour of an observation.
pub(super) enum Watching {
    Well,
    Error,
    Hang,
    Panic,
}

pub(super) struct Script {
    pub(super) takes: Duration,
    /// Whether a cancelled run ends.
    pub(super) obeys: bool,
    pub(super) end: RunScript,
    pub(super) watch: ObserverScript,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            takes: Duration::from_millis(100),
            obeys: true,
            end: Box::new(|_, _| RunEnd::Published),
            watch: Box::new(|_| Watching::Well),
        }
    }
}

/// The world of one test.
pub(super) struct World {
    folder: TempDir,
    pub(super) clock: Arc<SimulatedClock>,
    pub(super) options: Options,
    shared: Arc<Shared>,
}

struct Shared {
    clock: Arc<SimulatedClock>,
    script: Script,
    state: Mutex<State>,
}

/// A server in progress.
pub(super) struct Process {
    stop: CancellationToken,
    pub(super) reload: Reload,
    pub(super) metrics: Metrics,
    task: JoinHandle<Result<Stopped, ServerError>>,
}

impl World {
    pub(super) fn new(begin: &str, script: Script) -> Self {
        let clock = SimulatedClock::at(begin);
        let shared = Shared { clock: Arc::clone(&clock), script, state: Mutex::default() };
        let folder = tempfile::tempdir().expect("a folder");
        Self { folder, clock, options: Options::default(), shared: Arc::new(shared) }
    }

    pub(super) fn directory(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn state<R>(&self, read: impl FnOnce(&mut State) -> R) -> R {
        read(&mut self.shared.state.lock().expect("a state"))
    }

    pub(super) fn configure(&self, instances: &[(&str, Cadence, &str)]) {
        self.state(|state| {
            let settings = |(name, cadence, revision): &(&str, Cadence, &str)| {
                ((*name).to_owned(), Settings { cadence: cadence.clone(), revision: (*revision).to_owned() })
            };
            state.settings = instances.iter().map(settings).collect();
            state.is_unread = true;
        });
    }

    pub(super) fn server(&self) -> Result<Server, ServerError> {
        self.state(|state| {
            state.is_unread = true;
            // The runs of a killed process have ended with it.
            state.running.clear();
        });
        let parts = Parts {
            clock: self.clock.clone(),
            source: Box::new(Instances(Arc::clone(&self.shared))),
            runner: Arc::new(Runs(Arc::clone(&self.shared))),
            observer: Arc::new(Watch(Arc::clone(&self.shared))),
            background: None,
        };
        Server::open(self.directory(), self.options, parts)
    }

    pub(super) fn start(&self) -> Process {
        let server = self.server().expect("no other server");
        let (stop, reload, metrics) = (CancellationToken::new(), server.reload(), server.metrics());
        let task = tokio::spawn(server.run(stop.clone()));
        Process { stop, reload, metrics, task }
    }

    /// The starts of an instance.
    pub(super) fn starts(&self, instance: &str) -> Vec<Timestamp> {
        self.state(|state| state.runs.iter().filter(|run| run.instance == instance).map(|run| run.at).collect())
    }

    pub(super) fn reasons(&self, instance: &str) -> Vec<StartReason> {
        self.state(|state| state.runs.iter().filter(|run| run.instance == instance).map(|run| run.reason).collect())
    }
}

impl Process {
    pub(super) async fn stop(self) -> Stopped {
        self.stop.cancel();
        self.task.await.expect("no panic").expect("a server")
    }

    /// Ends the server as `kill -9` does: nothing is stored any more.
    pub(super) async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.expect_err("killed").is_cancelled());
    }
}

pub(super) async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

pub(super) fn every(interval: PollingInterval) -> Cadence {
    Cadence::Every(interval)
}

struct Instances(Arc<Shared>);

impl Source for Instances {
    fn poll(&mut self) -> BoxFuture<'_, Result<Option<BTreeMap<String, Settings>>, SourceError>> {
        let mut state = self.0.state.lock().expect("a state");
        let polled = match state.configuration_error.clone() {
            Some(error) => Err(SourceError(error)),
            None if std::mem::take(&mut state.is_unread) => Ok(Some(state.settings.clone())),
            None => Ok(None),
        };
        std::future::ready(polled).boxed()
    }
}

struct Runs(Arc<Shared>);

/// Marks the end of a run, also of one that was dropped.
struct Guard(Arc<Shared>, String);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.state.lock().expect("a state").running.remove(&self.1);
    }
}

impl Runner for Runs {
    fn run(&self, order: Order, cancel: CancellationToken) -> BoxFuture<'static, RunResult> {
        let shared = Arc::clone(&self.0);
        async move {
            let guard = {
                let mut state = shared.state.lock().expect("a state");
                let is_alone = state.running.insert(order.instance.clone());
                assert!(is_alone, "{} runs twice", order.instance);
                state.most_running = state.most_running.max(state.running.len());
                let at = shared.clock.now();
                state.runs.push(Seen { instance: order.instance.clone(), reason: order.reason, at });
                Guard(Arc::clone(&shared), order.instance.clone())
            };
            let cancelled = async {
                match shared.script.obeys {
                    true => cancel.cancelled().await,
                    false => std::future::pending().await,
                }
            };
            tokio::select! {
                () = tokio::time::sleep(shared.script.takes) => {}
                () = cancelled => return RunResult::failed(RunEnd::Interrupted, "cancelled"),
            }
            assert_ne!(order.instance, "panics", "a defect");
            let mut state = shared.state.lock().expect("a state");
            let end = (shared.script.end)(&order, &state);
            let number = state.ended.entry(order.instance.clone()).or_default();
            *number += 1;
            let job = Some(number.to_string());
            drop(state);
            drop(guard);
            RunResult { end, job, message: None, numbers: None }
        }
        .boxed()
    }
}

struct Watch(Arc<Shared>);

impl Observer for Watch {
    fn observe(&self, notice: Notice) -> BoxFuture<'_, Result<Observed, ObserverError>> {
        async move {
            match (self.0.script.watch)(&notice) {
                Watching::Well => {}
                Watching::Error => return Err(ObserverError("a query failed".to_owned())),
                Watching::Hang => std::future::pending().await,
                Watching::Panic => panic!("a defect"),
            }
            self.0.state.lock().expect("a state").observed.push(notice);
            Ok(Observed { evaluations: [("met", 1)].into(), ..Observed::default() })
        }
        .boxed()
    }

    fn tick(&self, now: Timestamp) -> BoxFuture<'_, Result<Observed, ObserverError>> {
        self.0.state.lock().expect("a state").ticks += 1;
        let next = Some(now + SignedDuration::from_hours(1));
        std::future::ready(Ok(Observed { next, ..Observed::default() })).boxed()
    }
}
