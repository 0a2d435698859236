//! A thousand instances of 100 objects each on one scheduler: lateness, memory, and the processor time of an idle hour.
//!
//! `cargo bench -p integration-cli --bench serving [-- INSTANCES SPEED IDLE]`. First all new instances run at once. Then the
//! clock moves to the next hour, and each instance runs at its time within the six minutes of the jitter, which pass SPEED
//! times as fast. Then nothing is due for IDLE seconds of real time. Only systems with `/proc` have the figures of the
//! process.

use std::fs;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use integration_cli::Program;
use integration_sdk::Integration;
use integration_sdk::prelude::*;
use integration_server::{Clock, Metrics, Options};
use jiff::{SignedDuration, Timestamp as Moment};
use serde_json::json;
use tokio_util::sync::CancellationToken;

/// The entity to which all others are related.
#[derive(Clone, EntityKind)]
#[entity(type = "bench_root", class = "Account", resource = "Root")]
struct Root {
    #[entity(key)]
    id: String,
    name: String,
}

/// An entity with some properties.
#[derive(Clone, EntityKind)]
#[entity(type = "bench_thing", class = "Application", resource = "Thing")]
struct Thing {
    #[entity(key)]
    id: String,
    name: String,
    owner: String,
}

relationship!(RootHasThing: Root -[HAS]-> Thing);

/// Emits a root with 50 things and 50 relationships.
#[step(id = "make", name = "Make")]
async fn make(roots: Emit<Root>, things: Emit<Thing>, has: Emit<RootHasThing>) -> StepResult {
    let root = Root { id: "root:00000001".to_owned(), name: "Root".to_owned() };
    roots.add(root.clone()).await?;
    for number in 0..50 {
        let name = format!("application-{number:04}");
        let thing = Thing { id: format!("thing:{number:08}"), owner: format!("{name}@example.com"), name };
        has.add(&root, &thing).await?;
        things.add(thing).await?;
    }
    Ok(())
}

/// A clock that can be moved, and runs at another speed.
struct Scaled(Mutex<(Moment, Instant, f64)>);

impl Scaled {
    fn set(&self, time: Moment, speed: f64) {
        *self.0.lock().expect("a clock") = (time, Instant::now(), speed);
    }
}

impl Clock for Scaled {
    fn now(&self) -> Moment {
        let (begin, since, speed) = *self.0.lock().expect("a clock");
        begin + SignedDuration::from_secs_f64(since.elapsed().as_secs_f64() * speed)
    }

    fn sleep_until(&self, time: Moment) -> BoxFuture<'_, ()> {
        let speed = self.0.lock().expect("a clock").2;
        let wait = time.duration_since(self.now()).as_secs_f64().max(0.0) / speed;
        Box::pin(tokio::time::sleep(Duration::from_secs_f64(wait.min(1.0))))
    }
}

/// Returns a figure of the process in kilobytes.
fn memory(name: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// Returns the processor time of the process in seconds.
fn processor_time() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    // All Linux systems report hundredths of a second here.
    Some(ticks as f64 / 100.0)
}

fn published(metrics: &Metrics) -> usize {
    let text = metrics.encode();
    let ends = text.lines().filter(|line| line.starts_with("integration_jobs_total{"));
    ends.filter(|line| line.contains(r#"end="published""#))
        .filter_map(|line| line.rsplit_once(' ')?.1.parse::<usize>().ok())
        .sum()
}

async fn until(metrics: &Metrics, jobs: usize) -> Duration {
    let begun = Instant::now();
    while published(metrics) < jobs {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    begun.elapsed()
}

fn report(what: &str, figure: impl std::fmt::Display) {
    println!("{what:<60} {figure}");
}

fn show_memory(when: &str) {
    if let (Some(now), Some(peak)) = (memory("VmRSS"), memory("VmHWM")) {
        report(&format!("memory {when}, and its peak"), format!("{} MiB, {} MiB", now / 1024, peak / 1024));
    }
}

#[tokio::main]
async fn main() {
    // Cargo passes options of its own.
    let numbers: Vec<u32> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let number = |at: usize, default: u32| numbers.get(at).copied().unwrap_or(default);
    let (instances, speed, idle) = (number(0, 1_000), f64::from(number(1, 1)), number(2, 60));
    let folder = tempfile::tempdir().expect("a folder");
    let instance = |at: u32| json!({"name": format!("instance-{at}"), "pollingInterval": "ONE_HOUR"});
    let document = json!({"instances": (0..instances).map(instance).collect::<Vec<_>>()});
    fs::write(folder.path().join("instances.yaml"), document.to_string()).expect("a file");
    let begin: Moment = "2026-01-05T08:00:00Z".parse().expect("a time");
    let clock = Arc::new(Scaled(Mutex::new((begin, Instant::now(), 1.0))));
    let program = Program::new(Integration::without_provider::<()>("bench", "Bench").step(make()));
    let server = program.server(folder.path(), clock.clone(), Options::default()).expect("a server");
    let (metrics, stop) = (server.metrics(), CancellationToken::new());
    show_memory("at the start");
    let serving = tokio::spawn(server.run(stop.clone()));

    let all = instances as usize;
    let took = until(&metrics, all).await.as_secs_f64();
    report(
        "first jobs of all instances, which are due at once",
        format!("{took:.1} s, {:.0} ms a job", took * 1e3 / all as f64),
    );
    show_memory("after them");

    let lateness = |text: &str| -> Vec<String> {
        text.lines().filter(|line| line.starts_with("integration_job_lateness_seconds")).map(str::to_owned).collect()
    };
    let before = lateness(&metrics.encode());
    clock.set(begin + SignedDuration::from_mins(59), speed);
    let took = until(&metrics, 2 * all).await.as_secs_f64();
    report("jobs of the next hour, with the clock at this speed", format!("{took:.1} s, {speed}"));
    println!(
        "lateness beyond the jitter, in seconds of the clock; first all jobs before, then with those of the hour:"
    );
    before.iter().chain(&lateness(&metrics.encode())).for_each(|line| println!("  {line}"));
    show_memory("after them");

    // Nothing is due until the next hour.
    clock.set(begin + SignedDuration::from_mins(80), 1.0);
    let before = processor_time();
    tokio::time::sleep(Duration::from_secs(idle.into())).await;
    if let (Some(before), Some(after)) = (before, processor_time()) {
        let hour = (after - before) * 3_600.0 / f64::from(idle.max(1));
        report("processor time of an idle hour, extrapolated", format!("{hour:.1} s"));
    }
    stop.cancel();
    serving.await.expect("no panic").expect("a server");
}
