//! The metrics of the server, in the text format of Prometheus.
//!
//! The values of labels are the names of configured instances and fixed words, so the number of series is bounded. The
//! series of an instance disappear with its configuration.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use integration_scheduler::{InstanceState, RunEnd};
use jiff::{SignedDuration, Timestamp};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};

use crate::observer::{Observed, SnapshotNumbers};
use crate::runner::{RunNumbers, RunResult};

/// The bounds of durations, in seconds: from a fraction of a second to hours.
const DURATIONS: [f64; 10] = [0.5, 2.0, 10.0, 30.0, 60.0, 300.0, 900.0, 1_800.0, 3_600.0, 14_400.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfInstance {
    instance: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfEnd {
    instance: String,
    end: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfKind {
    instance: String,
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfOutcome {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfLevel {
    level: &'static str,
}

type Seconds = Gauge<f64, AtomicU64>;
type Counters = Family<OfInstance, Counter>;
type Gauges = Family<OfInstance, Gauge>;
type Times = Family<OfInstance, Seconds>;

/// The metrics. Clones share the values.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    instances: Gauge,
    running: Gauge,
    ended: Family<OfEnd, Counter>,
    durations: Histogram,
    lateness: Histogram,
    last_duration: Times,
    last_publication: Times,
    next_run: Times,
    failures: Gauges,
    refused: Gauges,
    requests: Counters,
    retries: Counters,
    budget_left: Gauges,
    gaps: Gauges,
    stale: Gauges,
    changes: Family<OfKind, Counter>,
    evaluations: Family<OfOutcome, Counter>,
    unusable_rules: Gauge,
    open_alerts: Family<OfLevel, Gauge>,
    observation_failures: Counter,
    pending_notices: Gauge,
    store_bytes: Gauge,
    state_valid: Gauge,
    configuration_valid: Gauge,
}

/// The names of the metrics, with their descriptions.
struct Names(Registry);

impl Names {
    fn register<M: Metric + Clone>(&mut self, name: &'static str, help: &'static str, metric: M) -> M {
        self.0.register(name, help, metric.clone());
        metric
    }
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut names = Names(Registry::with_prefix("integration"));
        let durations = || Histogram::new(DURATIONS);
        Self {
            instances: names.register("instances", "Configured instances", Gauge::default()),
            running: names.register("jobs_running", "Jobs in progress", Gauge::default()),
            ended: names.register("jobs", "Ended jobs by their end", Family::default()),
            durations: names.register("job_duration_seconds", "Durations of jobs", durations()),
            lateness: names.register("job_lateness_seconds", "Delays between due times and starts", durations()),
            last_duration: names.register("job_last_duration_seconds", "Duration of the last job", Family::default()),
            last_publication: names.register(
                "last_publication_timestamp_seconds",
                "Time of the last published snapshot",
                Family::default(),
            ),
            next_run: names.register("next_run_timestamp_seconds", "Time of the next regular job", Family::default()),
            failures: names.register("failures", "Failed jobs since the last successful one", Family::default()),
            refused: names.register("credentials_refused", "1 if the credentials were refused", Family::default()),
            requests: names.register("requests", "Requests to the provider", Family::default()),
            retries: names.register("request_retries", "Repeated requests to the provider", Family::default()),
            budget_left: names.register(
                "rate_budget_left",
                "Remaining requests of the provider's rate limit after the last job",
                Family::default(),
            ),
            gaps: names.register("gaps", "Gaps of the last snapshot", Family::default()),
            stale: names.register("stale_objects", "Stale objects of the last snapshot", Family::default()),
            changes: names.register("changes", "Changes of published snapshots by their kind", Family::default()),
            evaluations: names.register("rule_evaluations", "Evaluations of rules by outcome", Family::default()),
            unusable_rules: names.register("unusable_rules", "Added rules that cannot be evaluated", Gauge::default()),
            open_alerts: names.register("alerts_open", "Open alerts by level", Family::default()),
            observation_failures: names.register(
                "observation_failures",
                "Failed attempts to evaluate rules and deliver messages",
                Counter::default(),
            ),
            pending_notices: names.register(
                "pending_notices",
                "Ended jobs whose rules are not evaluated yet",
                Gauge::default(),
            ),
            store_bytes: names.register("store_bytes", "Size of the store", Gauge::default()),
            state_valid: names.register("state_valid", "1 if the scheduler's state is stored", Gauge::default()),
            configuration_valid: names.register(
                "configuration_valid",
                "1 if the configuration was read without an error",
                Gauge::default(),
            ),
            registry: Arc::new(names.0),
        }
    }

    /// Returns all values as text.
    pub fn encode(&self) -> String {
        let mut buffer = String::new();
        // Writing to a string does not fail.
        let _ = text::encode(&mut buffer, &self.registry);
        buffer
    }

    pub(crate) fn started(&self, lateness: SignedDuration) {
        self.lateness.observe(lateness.as_secs_f64().max(0.0));
    }

    pub(crate) fn ended(&self, instance: &str, result: &RunResult, took: Duration) {
        let end = OfEnd { instance: instance.to_owned(), end: name_of(result.end) };
        self.ended.get_or_create(&end).inc();
        self.durations.observe(took.as_secs_f64());
        let of = OfInstance { instance: instance.to_owned() };
        self.last_duration.get_or_create(&of).set(took.as_secs_f64());
        if let Some(numbers) = &result.numbers {
            self.count(&of, numbers, result.end == RunEnd::Published);
        }
    }

    fn count(&self, of: &OfInstance, numbers: &RunNumbers, is_published: bool) {
        self.requests.get_or_create(of).inc_by(numbers.requests);
        self.retries.get_or_create(of).inc_by(numbers.retries);
        if let Some(left) = numbers.budget_left {
            self.budget_left.get_or_create(of).set(number(left));
        }
        if let Some(bytes) = numbers.store_bytes {
            self.store_bytes.set(number(bytes));
        }
        if !is_published {
            return;
        }
        self.gaps.get_or_create(of).set(number(numbers.gaps));
        self.stale.get_or_create(of).set(number(numbers.stale));
        let changes = &numbers.changes;
        let kinds = [
            ("added", changes.added),
            ("changed", changes.changed),
            ("removed", changes.removed),
            ("unknown", changes.unknown),
        ];
        for (kind, count) in kinds {
            let of = OfKind { instance: of.instance.clone(), kind };
            self.changes.get_or_create(&of).inc_by(count);
        }
    }

    pub(crate) fn observed(&self, observed: &Observed) {
        for (outcome, count) in &observed.evaluations {
            self.evaluations.get_or_create(&OfOutcome { outcome }).inc_by(*count);
        }
        for (level, count) in observed.open_alerts.iter().flatten() {
            self.open_alerts.get_or_create(&OfLevel { level }).set(number(*count));
        }
        if let Some(rules) = observed.unusable_rules {
            self.unusable_rules.set(number(rules));
        }
        if let Some(bytes) = observed.store_bytes {
            self.store_bytes.set(number(bytes));
        }
    }

    /// Shows the numbers of a snapshot of an earlier process. Those of a job that ended since then are newer.
    pub(crate) fn show_snapshot(&self, instance: &str, numbers: SnapshotNumbers) {
        let of = OfInstance { instance: instance.to_owned() };
        for (family, count) in [(&self.gaps, numbers.gaps), (&self.stale, numbers.stale)] {
            if family.get(&of).is_none() {
                family.get_or_create(&of).set(number(count));
            }
        }
    }

    pub(crate) fn observation_failed(&self) {
        self.observation_failures.inc();
    }

    pub(crate) fn show_problems(&self, of_configuration: bool, of_state: bool) {
        self.configuration_valid.set(i64::from(!of_configuration));
        self.state_valid.set(i64::from(!of_state));
    }

    /// Shows the numbers of instances, of jobs in progress, and of pending notices.
    pub(crate) fn show_work(&self, instances: usize, running: usize, pending: usize) {
        self.instances.set(number(instances as u64));
        // A run that has ended becomes a notice, and is never absent from both numbers.
        self.pending_notices.set(number(pending as u64));
        self.running.set(number(running as u64));
    }

    /// Shows the state of an instance. Without a state, the series of the instance are removed.
    pub(crate) fn show_state(&self, instance: &str, state: Option<&InstanceState>) {
        let Some(state) = state else { return self.forget(instance) };
        let of = OfInstance { instance: instance.to_owned() };
        let next = [state.retry, state.next].into_iter().flatten().next();
        match next.filter(|_| state.refused.is_none()) {
            Some(next) => drop(self.next_run.get_or_create(&of).set(seconds(next))),
            None => drop(self.next_run.remove(&of)),
        }
        self.failures.get_or_create(&of).set(i64::from(state.failures));
        self.refused.get_or_create(&of).set(i64::from(state.refused.is_some()));
        if let Some(last) = state.last.as_ref().filter(|last| last.end == RunEnd::Published) {
            self.last_publication.get_or_create(&of).set(seconds(last.ended));
        }
    }

    fn forget(&self, instance: &str) {
        let of = OfInstance { instance: instance.to_owned() };
        for family in [&self.requests, &self.retries] {
            family.remove(&of);
        }
        for family in [&self.failures, &self.refused, &self.budget_left, &self.gaps, &self.stale] {
            family.remove(&of);
        }
        for family in [&self.last_duration, &self.last_publication, &self.next_run] {
            family.remove(&of);
        }
        for kind in ["added", "changed", "removed", "unknown"] {
            self.changes.remove(&OfKind { instance: instance.to_owned(), kind });
        }
        for end in ENDS {
            self.ended.remove(&OfEnd { instance: instance.to_owned(), end: name_of(end) });
        }
    }
}

const ENDS: [RunEnd; 5] =
    [RunEnd::Published, RunEnd::Failed, RunEnd::CredentialsRefused, RunEnd::Interrupted, RunEnd::Cancelled];

fn name_of(end: RunEnd) -> &'static str {
    match end {
        RunEnd::Published => "published",
        RunEnd::Failed => "failed",
        RunEnd::CredentialsRefused => "credentials_refused",
        RunEnd::Interrupted => "interrupted",
        RunEnd::Cancelled => "cancelled",
    }
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn seconds(time: Timestamp) -> f64 {
    time.as_duration().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use integration_scheduler::{Cadence, PollingInterval, Scheduler, Settings};

    use super::*;
    use crate::runner::ChangeNumbers;

    fn scheduler(names: &[&str]) -> Scheduler {
        let settings = Settings { cadence: Cadence::Every(PollingInterval::OneHour), revision: "1".to_owned() };
        let mut scheduler = Scheduler::new(1, BTreeMap::new());
        let now = "2026-01-01T00:00:00Z".parse().expect("a time");
        scheduler.configure(names.iter().map(|name| ((*name).to_owned(), settings.clone())).collect(), now);
        scheduler
    }

    #[test]
    fn values_have_the_text_format_and_disappear_with_their_instance() {
        let metrics = Metrics::new();
        let numbers = RunNumbers {
            requests: 12,
            retries: 2,
            budget_left: Some(4_000),
            gaps: 1,
            stale: 3,
            changes: ChangeNumbers { added: 5, changed: 4, removed: 3, unknown: 2 },
            store_bytes: Some(8_192),
        };
        let result = RunResult { end: RunEnd::Published, job: Some("1".into()), message: None, numbers: Some(numbers) };
        metrics.ended("a\"b\n", &result, Duration::from_secs(3));
        metrics.show_snapshot("a\"b\n", SnapshotNumbers { gaps: 9, stale: 9 });
        metrics.show_snapshot("c", SnapshotNumbers { gaps: 7, stale: 0 });
        metrics.show_work(2, 1, 0);
        let scheduler = scheduler(&["a\"b\n", "c"]);
        scheduler.states().for_each(|(name, state)| metrics.show_state(name, Some(state)));
        let text = metrics.encode();
        for line in [
            "# TYPE integration_jobs counter",
            r#"integration_jobs_total{instance="a\"b\n",end="published"} 1"#,
            r#"integration_changes_total{instance="a\"b\n",kind="unknown"} 2"#,
            r#"integration_request_retries_total{instance="a\"b\n"} 2"#,
            r#"integration_rate_budget_left{instance="a\"b\n"} 4000"#,
            r#"integration_stale_objects{instance="a\"b\n"} 3"#,
            r#"integration_gaps{instance="c"} 7"#,
            r#"integration_next_run_timestamp_seconds{instance="c"} 1767225600"#,
            "integration_store_bytes 8192",
            "integration_jobs_running 1",
            "# EOF",
        ] {
            assert!(text.lines().any(|found| found.starts_with(line)), "{line}: {text}");
        }
        metrics.show_state("a\"b\n", None);
        let text = metrics.encode();
        assert!(!text.contains("a\\\"b") && text.contains(r#"{instance="c"}"#), "{text}");
    }
}
