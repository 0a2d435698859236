//! Benchmark: the real program collects a large organisation from the fake Heroku.
//!
//! `cargo bench -p integration-heroku --bench organisation [-- TEAMS APPS ADDONS LATENCY_MS CONCURRENCY [COMPRESSED]]`.
//!
//! The lower bound is the number of sequential rounds of requests multiplied by the latency of a request. The fake runs
//! in this process and the collection in a child process, whose processor time and peak memory are sampled while it
//! runs. Both share the machine, so an unmeasured first collection renders the pages that the fake reuses in the second
//! one.

use std::fs::File;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use integration_heroku::fake::{FakeHeroku, FakeOptions, Latency, Organisation, OrganisationSize};
use serde_json::Value;

/// The resources that a process has used so far, on systems with `/proc`.
#[derive(Default)]
struct Used {
    /// The peak memory in MiB.
    memory: f64,
    /// The processor time in seconds.
    processor: f64,
}

impl Used {
    fn look(&mut self, process: u32) {
        self.memory = peak(process).unwrap_or(self.memory);
        self.processor = processor(process).unwrap_or(self.processor);
    }
}

fn peak(process: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}

fn processor(process: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name may contain spaces, so the fields are counted from its closing parenthesis. User and system time are the
    // 12th and 13th field after it, in hundredths of a second.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    Some(ticks / 100.0)
}

/// A finished collection.
struct Collected {
    status: ExitStatus,
    took: Duration,
    used: Used,
    /// The size of all responses on the wire, in MB.
    travelled: f64,
}

fn collect(heroku: &FakeHeroku, concurrency: usize, directory: &Path) -> Collected {
    let said = directory.with_extension("json");
    let begun = Instant::now();
    let mut program = Command::new(env!("CARGO_BIN_EXE_integration-heroku"))
        .args(["collect", "--format", "json", "--concurrency", &concurrency.to_string(), "--data-dir"])
        .arg(directory)
        .env("HEROKU_API_KEY", heroku.token())
        .env("HEROKU_API_URL", heroku.url())
        .stdout(File::create(&said).expect("a file"))
        .stderr(Stdio::inherit())
        .spawn()
        .expect("the program");
    let mut used = Used::default();
    loop {
        used.look(program.id());
        match program.try_wait().expect("a child of this process") {
            Some(status) => {
                let took = begun.elapsed();
                let said: Value = serde_json::from_reader(File::open(&said).expect("a file")).unwrap_or_default();
                let travelled = said["usage"]["answerBytes"].as_f64().unwrap_or_default() / 1e6;
                return Collected { status, took, used, travelled };
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    }
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
        keeps_pages: true,
        compresses: figure(5, 1) > 0,
        ..FakeOptions::default()
    };
    let heroku = runtime.block_on(FakeHeroku::start(Organisation::of_size(size), options)).expect("the fake starts");
    let directory = tempfile::tempdir().expect("a temporary folder");
    collect(&heroku, concurrency, &directory.path().join("first"));
    let before = heroku.requests();
    let Collected { status, took, used, travelled } = collect(&heroku, concurrency, &directory.path().join("second"));
    let (took, requests) = (took.as_secs_f64(), heroku.requests() - before);
    // The credentials, the accounts, and the first page of teams are sequential. All other requests run concurrently.
    let rounds = 3.0 + (requests.saturating_sub(3) as f64 / concurrency as f64).ceil();
    let bound = rounds * latency as f64 / 1000.0;
    println!("{teams} teams, {apps} apps, {addons} add-ons, {latency} ms a request, {concurrency} at once: {status}");
    println!("{travelled:.1} MB of responses");
    println!("{requests} requests, {took:.2} s, bound {bound:.2} s, ratio {:.2}", took / bound);
    println!("{:.2} s of processor time, peak memory {:.1} MiB", used.processor, used.memory);
}
