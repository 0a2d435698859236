//! A fake Heroku with its own threads, for tests in blocking code.

use std::ops::Deref;
use std::time::{Duration, Instant};

use integration_heroku::fake::{FakeHeroku, FakeOptions, Organisation};
use integration_testing::LoggedRequest;
use tokio::runtime::Runtime;

/// A limit far beyond the needs of the slowest machine. Only a program that hangs reaches it.
const PATIENCE: Duration = Duration::from_secs(120);

/// A fake Heroku and its threads.
pub struct Heroku {
    fake: FakeHeroku,
    _runtime: Runtime,
}

impl Heroku {
    /// Serves the sample's organisation.
    pub fn sample() -> Self {
        Self::with(FakeOptions::default())
    }

    /// Serves the sample's organisation with other options.
    pub fn with(options: FakeOptions) -> Self {
        Self::of(Organisation::sample(), options)
    }

    /// Serves any organisation.
    pub fn of(organisation: Organisation, options: FakeOptions) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let fake = runtime.block_on(FakeHeroku::start(organisation, options)).expect("a free port");
        Self { fake, _runtime: runtime }
    }

    /// The key of the team with this name.
    pub fn team(&self, name: &str) -> String {
        let team = self.organisation().teams().find(|team| team.name == name);
        team.expect("the sample has a team of this name").id.to_string()
    }

    /// The number of requests for a path.
    pub fn asked(&self, path: &str) -> usize {
        self.log().iter().filter(|request| request.path == path).count()
    }

    /// The requests after the first `requests` requests.
    pub fn asked_since(&self, requests: usize) -> Vec<LoggedRequest> {
        self.log().split_off(requests)
    }

    /// Waits until a condition holds.
    pub fn until(&self, wanted: impl Fn(&FakeHeroku) -> bool) {
        let begun = Instant::now();
        while !wanted(&self.fake) {
            assert!(begun.elapsed() < PATIENCE, "the condition does not hold after {} requests", self.requests());
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Deref for Heroku {
    type Target = FakeHeroku;
    fn deref(&self) -> &FakeHeroku {
        &self.fake
    }
}
