//! A Heroku on loopback that lives beside the test, which itself is plain blocking code.

use std::ops::Deref;
use std::time::{Duration, Instant};

use integration_heroku::fake::{FakeHeroku, FakeOptions, Organisation};
use integration_testing::LoggedRequest;
use tokio::runtime::Runtime;

/// Far beyond what the slowest machine needs: only a program that hangs gets there.
const PATIENCE: Duration = Duration::from_secs(120);

/// A fake Heroku and the threads that it runs on.
pub struct Heroku {
    fake: FakeHeroku,
    _runtime: Runtime,
}

impl Heroku {
    /// The sample's organisation.
    pub fn sample() -> Self {
        Self::with(FakeOptions::default())
    }

    /// The sample's organisation, served in another way.
    pub fn with(options: FakeOptions) -> Self {
        Self::of(Organisation::sample(), options)
    }

    /// Any organisation.
    pub fn of(organisation: Organisation, options: FakeOptions) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let fake = runtime.block_on(FakeHeroku::start(organisation, options)).expect("a free port");
        Self { fake, _runtime: runtime }
    }

    /// The key of the team of that name.
    pub fn team(&self, name: &str) -> String {
        let team = self.organisation().teams().find(|team| team.name == name);
        team.expect("the sample has a team of this name").id.to_string()
    }

    /// How often a path was asked for.
    pub fn asked(&self, path: &str) -> usize {
        self.log().iter().filter(|request| request.path == path).count()
    }

    /// What was asked for after so many requests.
    pub fn asked_since(&self, requests: usize) -> Vec<LoggedRequest> {
        self.log().split_off(requests)
    }

    /// Waits until the log is as wanted.
    pub fn until(&self, wanted: impl Fn(&FakeHeroku) -> bool) {
        let begun = Instant::now();
        while !wanted(&self.fake) {
            assert!(begun.elapsed() < PATIENCE, "after {} requests, none of them wanted", self.requests());
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
