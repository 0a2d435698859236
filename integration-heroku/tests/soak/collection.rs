//! A job in this process, with the integration's own steps and a less patient client.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use integration_heroku::client::Heroku;
use integration_heroku::config::HerokuConfig;
use integration_heroku::fake::{FakeHeroku, FakeOptions, Latency, Organisation, PageLimits};
use integration_heroku::steps;
use integration_sdk::config::Values;
use integration_sdk::dataset;
use integration_sdk::http::{
    Endpoint, Http, Provider, ProviderError, RateBudget, RetryPolicy, TimeLimits, VerifiedAccount,
};
use integration_sdk::runtime::{JobError, Summary};
use integration_sdk::store::{JobRecord, JobRow, Store};
use integration_sdk::{Integration, Job};
use serde_json::Value;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// The number of attempts at a failing request.
pub const ATTEMPTS: u32 = 3;

/// Heroku with pauses and time limits that are short enough for a test.
struct Impatient<const SILENCE_MS: u64>(Heroku);

impl<const SILENCE_MS: u64> Provider for Impatient<SILENCE_MS> {
    type Config = HerokuConfig;

    fn endpoint(config: &HerokuConfig) -> Endpoint {
        let silence = Duration::from_millis(SILENCE_MS);
        Heroku::endpoint(config)
            .retry(RetryPolicy {
                attempts: ATTEMPTS,
                rate_limited_attempts: 4,
                first_pause: Duration::from_millis(1),
                longest_pause: Duration::from_millis(3),
                ..RetryPolicy::default()
            })
            .time_limits(TimeLimits { request: silence, idle: silence, ..TimeLimits::default() })
            .rate_budget(RateBudget { capacity: 1_000_000, refill_per_minute: 60_000_000.0 })
    }

    fn new(http: Http) -> Self {
        Self(Heroku::new(http))
    }

    async fn verify(&self) -> Result<VerifiedAccount, ProviderError> {
        self.0.verify().await
    }
}

fn with_steps(integration: Integration) -> Integration {
    steps::all().into_iter().fold(integration, Integration::step)
}

/// The integration. If a response will never arrive, the client must give up early to keep the test short.
fn integration(gives_up_soon: bool) -> Integration {
    with_steps(match gives_up_soon {
        true => Integration::of::<Impatient<250>>("heroku", "Heroku"),
        false => Integration::of::<Impatient<20_000>>("heroku", "Heroku"),
    })
}

/// The conditions of a collection: the fake's behaviour and the client's concurrency.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    pub page: usize,
    pub max_in_next_range: bool,
    pub concurrency: usize,
    /// The seed and the longest delay in milliseconds.
    pub latency: Option<(u64, u64)>,
}

impl Manner {
    pub async fn serve(&self, organisation: Organisation) -> FakeHeroku {
        let latency = self
            .latency
            .map_or(Latency::None, |(seed, max)| Latency::Shuffled { seed, max: Duration::from_millis(max) });
        let options = FakeOptions {
            rate: None,
            latency,
            page_limits: PageLimits { default: self.page, maximum: self.page },
            max_in_next_range: self.max_in_next_range,
            ..FakeOptions::default()
        };
        FakeHeroku::start(organisation, options).await.expect("a socket on loopback")
    }
}

/// A data directory with one job.
pub struct Collection {
    directory: TempDir,
    integration: Integration,
    concurrency: usize,
}

impl Collection {
    pub fn new(concurrency: usize, gives_up_soon: bool) -> Self {
        let directory = tempfile::tempdir().expect("a temporary folder");
        Self { directory, integration: integration(gives_up_soon), concurrency }
    }

    /// Opens the store again, as another process would.
    pub fn store(&self) -> Store {
        Store::open(self.directory.path()).expect("the store opens")
    }

    pub async fn newest(&self) -> Option<(JobRow, JobRecord)> {
        let store = self.store();
        let row = store.job(None).await.expect("the store can be read")?;
        let job = store.open_job(&row);
        Some((row, job))
    }

    /// Runs the job, or resumes it if it exists.
    pub async fn run(&self, heroku: &FakeHeroku, cancel: CancellationToken) -> Result<Summary, JobError> {
        let values = [("HEROKU_API_KEY", heroku.token().to_owned()), ("HEROKU_API_URL", heroku.url())];
        let values = Values::new("heroku", values.map(|(name, value)| (name.to_owned(), value)));
        let store = self.store();
        let begun = store.job(None).await.expect("the store can be read");
        let job = Job::new(&self.integration, &store).concurrency(self.concurrency);
        let job = begun.iter().fold(job, Job::resume);
        job.run(&values, cancel).await
    }

    /// The files of the exchange layout by path.
    pub async fn export(&self, summary: &Summary) -> BTreeMap<String, Vec<u8>> {
        let out = tempfile::tempdir().expect("a temporary folder");
        let store = self.store();
        let row = store.job(None).await.expect("the store can be read").expect("a job");
        let snapshot = store.snapshot_of(&row).await.expect("the store can be read").expect("a published graph");
        dataset::export(&snapshot.collected(), out.path(), summary).await.expect("an export");
        let mut files = BTreeMap::new();
        read_below(&out.path().join("graph"), "", &mut files);
        files
    }
}

fn read_below(folder: &Path, name: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")) {
        let name = format!("{name}/{}", entry.file_name().to_string_lossy());
        match entry.path().is_dir() {
            true => read_below(&entry.path(), &name, files),
            false => drop(files.insert(name, std::fs::read(entry.path()).expect("a file"))),
        }
    }
}

/// All objects of an export by key.
pub fn objects(files: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Value> {
    let documents = files.values().map(|file| serde_json::from_slice::<Value>(file).expect("JSON"));
    let lists = documents.filter_map(|document| document.as_object()?.values().next().cloned());
    let objects = lists.flat_map(|list| list.as_array().cloned().unwrap_or_default());
    objects.map(|object| (object["_key"].as_str().expect("a key").to_owned(), object)).collect()
}
