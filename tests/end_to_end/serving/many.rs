//! A thousand instances on one scheduler: lateness, memory, and processor time.
//!
//! `cargo test -p integration-heroku --test end_to_end a_thousand_instances -- --ignored --nocapture` takes ten minutes or
//! longer. `MANY_INSTANCES` is another number.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use integration_cli::Program;
use integration_heroku::fake::{FakeOptions, Organisation, OrganisationSize};
use integration_server::{Clock, Options, SystemClock};
use jiff::{SignedDuration, Timestamp};
use tokio::runtime::Builder;

use super::{child, get, instances};
use crate::harness::{Heroku, Place};

/// A limit that only a program that hangs reaches.
const PATIENCE: Duration = Duration::from_secs(3_600);
/// The time in which the processor time of an idle process is measured.
const IDLE: Duration = Duration::from_secs(120);
/// The longest jitter of an hourly instance, in seconds.
const JITTER: f64 = 360.0;

/// The clock of the system, advanced by the seconds in a file.
struct AdvancedClock(PathBuf);

impl Clock for AdvancedClock {
    fn now(&self) -> Timestamp {
        let text = fs::read_to_string(&self.0).expect("the driver sets the advance");
        SystemClock.now() + SignedDuration::from_secs(text.trim().parse().expect("seconds"))
    }

    fn sleep_until(&self, time: Timestamp) -> BoxFuture<'_, ()> {
        let wait = Duration::try_from(time.duration_since(self.now())).unwrap_or_default();
        // The clock may be advanced meanwhile.
        Box::pin(tokio::time::sleep(wait.min(Duration::from_secs(2))))
    }
}

/// A number of `/proc/PID/FILE`.
fn memory_mib(process: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("the process runs");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a peak");
    line.split_whitespace().nth(1).expect("a number").parse::<f64>().expect("a number") / 1024.0
}

fn processor_seconds(process: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).expect("the process runs");
    // The name may contain spaces. User and system time are the 12th and 13th field after it, in hundredths of a second.
    let fields: Vec<&str> = stat.rsplit_once(')').expect("a name").1.split_whitespace().collect();
    (fields[11].parse::<f64>().expect("a number") + fields[12].parse::<f64>().expect("a number")) / 100.0
}

struct Metrics(String);

impl Metrics {
    fn of(place: &Place) -> Self {
        Self(get(&fs::read_to_string(place.path("address")).expect("an address"), "/metrics"))
    }

    /// The sum of all series whose line begins and ends in this way.
    fn sum(&self, begin: &str, within: &str) -> f64 {
        let lines = self.0.lines().filter(|line| line.starts_with(begin) && line.contains(within));
        lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
    }

    fn published(&self) -> f64 {
        self.sum("integration_jobs_total{", "end=\"published\"")
    }

    /// The number of runs that were late by more than the longest jitter.
    fn late(&self) -> f64 {
        let within = self.0.lines().filter_map(|line| {
            let (bound, count) =
                line.strip_prefix("integration_job_lateness_seconds_bucket{le=\"")?.split_once("\"} ")?;
            Some((bound.parse::<f64>().ok()?, count.parse::<f64>().ok()?))
        });
        let in_time = within.filter(|(bound, _)| *bound <= JITTER).map(|(_, count)| count).fold(0.0, f64::max);
        self.sum("integration_job_lateness_seconds_count", "") - in_time
    }
}

fn until(what: &str, place: &Place, wanted: impl Fn(&Metrics) -> bool) {
    let begun = Instant::now();
    while !wanted(&Metrics::of(place)) {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(500));
    }
}

#[test]
#[ignore = "measures for ten minutes or longer"]
fn a_thousand_instances_are_in_time_within_200_mib() {
    let number: usize = env::var("MANY_INSTANCES").map_or(1_000, |text| text.parse().expect("a number"));
    let size = OrganisationSize { accounts: 1, teams: 4, people: 20, apps: 12, addons: 10, seed: 1 };
    let options = FakeOptions { rate: None, keeps_pages: true, ..FakeOptions::default() };
    let heroku = Heroku::of(Organisation::of_size(size), options);
    let place = Place::alone().with("KEY", heroku.token());
    let names: Vec<String> = (0..number).map(|at| format!("account-{at:04}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    place.write(".integration/instances.yaml", &instances(&names, "env:KEY", &heroku.url()));
    place.write("advance", "0");
    let process = child::start(&place, "serving::many::process_of_many", Stdio::inherit());
    let id = process.0.id();
    let begun = Instant::now();
    while !place.path("address").exists() {
        assert!(begun.elapsed() < PATIENCE, "the endpoint exists");
        std::thread::sleep(Duration::from_millis(50));
    }

    let all = number as f64;
    let is_quiet = |metrics: &Metrics| metrics.sum("integration_pending_notices ", "") == 0.0;
    until("all instances have run", &place, |metrics| metrics.published() >= all && is_quiet(metrics));
    let objects: f64 = Metrics::of(&place).sum("integration_changes_total{", "kind=\"added\"") / all;
    eprintln!("{number} instances of {objects} objects");
    eprintln!("first runs: {:.0} s, {:.1} s of processor time", begun.elapsed().as_secs_f64(), processor_seconds(id));
    eprintln!("peak memory after the first runs: {:.0} MiB", memory_mib(id));

    let before = processor_seconds(id);
    std::thread::sleep(IDLE);
    let idle = (processor_seconds(id) - before) * 3_600.0 / IDLE.as_secs_f64();
    eprintln!("processor time of an idle hour: {idle:.1} s");

    // The first runs were due at once, and most had to wait. The regular ones are spread by the jitter.
    let late = Metrics::of(&place).late();
    let before = processor_seconds(id);
    let advance = 3_600u64.saturating_sub(begun.elapsed().as_secs());
    place.write("advance.incomplete", &advance.to_string());
    fs::rename(place.path("advance.incomplete"), place.path("advance")).expect("a file");
    until("all instances have run again", &place, |metrics| metrics.published() >= 2.0 * all && is_quiet(metrics));
    let metrics = Metrics::of(&place);
    eprintln!("runs that were late by more than the jitter: {}", metrics.late() - late);
    eprintln!("processor time of an hour with all runs: {:.1} s", processor_seconds(id) - before + idle);
    eprintln!("peak memory: {:.0} MiB", memory_mib(id));
    for line in metrics.0.lines().filter(|line| line.starts_with("integration_job_lateness_seconds")) {
        eprintln!("{line}");
    }
    assert_eq!(metrics.late() - late, 0.0);
    assert!(memory_mib(id) <= 200.0);
}

/// The process of the measurement.
#[test]
#[ignore = "the measurement starts it"]
fn process_of_many() {
    let Some(folder) = child::folder() else { return };
    let program = Program::new(integration_heroku::integration()).rules(integration_heroku::RULES);
    let clock = Arc::new(AdvancedClock(folder.join("advance")));
    let mut runtime = Builder::new_multi_thread();
    child::serve(runtime.max_blocking_threads(8), &folder, &program, clock, Options::default());
}
