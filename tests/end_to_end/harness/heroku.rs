//! A fake Heroku with its own threads, for tests in blocking code.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use integration_heroku::fake::{FakeHeroku, FakeOptions, Fault, FaultId, Organisation, Reply};
use integration_testing::LoggedRequest;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::Graph;

/// A limit far beyond the needs of the slowest machine. Only a program that hangs reaches it.
const PATIENCE: Duration = Duration::from_secs(120);

/// A fake Heroku and its threads.
pub struct Heroku {
    fake: FakeHeroku,
    replaced: Mutex<Replaced>,
    _runtime: Runtime,
}

/// The lists of applications that a test replaced.
#[derive(Default)]
struct Replaced {
    of_teams: BTreeMap<String, Vec<Value>>,
    /// The faults that replace them and the list of all applications.
    faults: Vec<FaultId>,
}

/// The response to a key without access.
pub fn refusal() -> Fault {
    Fault::Status(Reply::json(403, &json!({"id": "forbidden", "message": "Not this time."})))
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
        Self { fake, replaced: Mutex::default(), _runtime: runtime }
    }

    /// The key of the team with this name.
    pub fn team(&self, name: &str) -> String {
        let team = self.organisation().teams().find(|team| team.name == name);
        team.expect("the sample has a team of this name").id.to_string()
    }

    /// Refuses the applications of a team.
    pub fn refuse_apps(&self, team: &str) -> FaultId {
        self.fault(refusal().on(&format!("/teams/{team}/apps")))
    }

    /// Deletes one of the applications that a graph has under a team, and returns its key.
    pub fn delete_an_app(&self, graph: &Graph, team: &str) -> String {
        let mut apps = graph.apps_of(team);
        let deleted = apps.pop().expect("an application")["id"].as_str().expect("an id").to_owned();
        self.serve_apps(graph, team, &apps);
        deleted
    }

    /// Replaces the applications of a team in its list and in that of all applications, as the provider would.
    ///
    /// The graph contains the applications of the other teams.
    pub fn serve_apps(&self, graph: &Graph, team: &str, apps: &[Value]) {
        let mut replaced = self.replaced.lock().unwrap_or_else(PoisonError::into_inner);
        replaced.of_teams.insert(team.to_owned(), apps.to_vec());
        let is_replaced = |app: &Value| app["teamId"].as_str().is_some_and(|team| replaced.of_teams.contains_key(team));
        let others = graph.of_type("heroku_application").into_values().filter(|app| !is_replaced(app));
        let others = others.map(|app| app["_rawData"][0]["rawData"].clone());
        let all: Vec<Value> = others.chain(replaced.of_teams.values().flatten().cloned()).collect();
        let serve = |list: &[Value], path: &str| self.fault(Fault::Status(Reply::json(200, &json!(list))).on(path));
        let mut faults = vec![serve(&all, "/apps")];
        faults.extend(replaced.of_teams.iter().map(|(team, apps)| serve(apps, &format!("/teams/{team}/apps"))));
        // The first of several faults of a path decides.
        for earlier in std::mem::replace(&mut replaced.faults, faults) {
            self.server().lift(earlier);
        }
    }

    /// Serves the applications of all teams again.
    pub fn restore_apps(&self) {
        let replaced = std::mem::take(&mut *self.replaced.lock().unwrap_or_else(PoisonError::into_inner));
        replaced.faults.into_iter().for_each(|fault| self.server().lift(fault));
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
