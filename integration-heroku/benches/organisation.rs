//! A large organisation collected by the real program from the imitation of Heroku, against the bound that the requests set.
//!
//! `cargo bench -p integration-heroku --bench organisation [-- TEAMS APPS ADDONS LATENCY_MS CONCURRENCY]`. The imitation runs in
//! this process, the collection in one of its own, whose peak of memory is read while it runs.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use integration_heroku::fake::{FakeHeroku, FakeOptions, Latency, Organisation, OrganisationSize};

/// The peak of a process's memory in MiB, while it runs; `None` where the system does not tell it in this way.
fn peak(process: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}

fn main() {
    let given: Vec<usize> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .map(|text| text.parse().expect("a number"))
        .collect();
    let figure = |at: usize, default: usize| given.get(at).copied().unwrap_or(default);
    let (teams, apps, addons, latency, concurrency) =
        (figure(0, 100), figure(1, 10_000), figure(2, 30_000), figure(3, 20), figure(4, 16));
    let size = OrganisationSize { accounts: 1, teams, people: 20 * teams, apps, addons, seed: 1 };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let options = FakeOptions {
        rate: None,
        latency: Latency::Fixed(Duration::from_millis(latency as u64)),
        ..FakeOptions::default()
    };
    let heroku = runtime.block_on(FakeHeroku::start(Organisation::of_size(size), options)).expect("the imitation");
    let directory = tempfile::tempdir().expect("a temporary folder");
    let begun = Instant::now();
    let mut program = Command::new(env!("CARGO_BIN_EXE_integration-heroku"))
        .args(["collect", "--format", "json", "--concurrency", &concurrency.to_string(), "--data-dir"])
        .arg(directory.path())
        .env("HEROKU_API_KEY", heroku.token())
        .env("HEROKU_API_URL", heroku.url())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("the program");
    let mut highest: f64 = 0.0;
    let status = loop {
        highest = highest.max(peak(program.id()).unwrap_or(0.0));
        match program.try_wait().expect("a child of this process") {
            Some(status) => break status,
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    let took = begun.elapsed().as_secs_f64();
    let requests = heroku.requests();
    // The credentials, the accounts and the first page of teams come one after the other; the rest flies together.
    let rounds = 3.0 + (requests.saturating_sub(3) as f64 / concurrency as f64).ceil();
    let bound = rounds * latency as f64 / 1000.0;
    println!("{teams} teams, {apps} apps, {addons} add-ons, {latency} ms a request, {concurrency} at once: {status}");
    println!("{requests} requests, {took:.2} s, bound {bound:.2} s, ratio {:.2}, peak {highest:.1} MiB", took / bound);
}
