//! A soak test of kills: the program is killed at random instants of a collection, a publication, and a pruning.
//!
//! Each case starts with a copy of the same history of four jobs. After a kill, the work is done again, and everything
//! that users can read must equal the result of an undisturbed run: the exported graph byte for byte, the changes since
//! the job before, and the history of several objects.
//!
//! A publication and a pruning take a few milliseconds, so their kills are timed from the observed start: the end of the
//! last step, and the removal of the first lock file. The store of the killed program shows the phase. A kill that missed
//! its phase is checked and counted like the others, and another one is tried.
//!
//! `KILLS=240 cargo test -p integration-heroku --test end_to_end soak_of_kills -- --nocapture` kills more often;
//! `KILL_SEED` selects other instants.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use integration_heroku::fake::{FakeOptions, Organisation, OrganisationSize, PageLimits};
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

use crate::harness::{Graph, Heroku, Place, Running, assert_same, steady_json};

/// The number of kills without `KILLS`.
const KILLS: usize = 6;
/// The maximum numbers of attempts for each kill, with `KILLS` and without.
const ATTEMPTS: usize = 20;
const FEW_ATTEMPTS: usize = 4;
/// A limit that only a program that hangs reaches.
const PATIENCE: Duration = Duration::from_secs(60);
/// The number of jobs before the one that is killed.
const JOBS: i64 = 4;
/// The steps of a collection. A publication starts when all of them have ended.
const STEPS: [&str; 27] = [
    "fetch-account: ",
    "fetch-teams: ",
    "fetch-members: ",
    "fetch-apps: ",
    "fetch-addons: ",
    "fetch-spaces: ",
    "fetch-team-members: ",
    "fetch-access: ",
    "fetch-invitations: ",
    "build-relationships: ",
    "build-placements: ",
    "fetch-independent-teams: ",
    "fetch-identity-providers: ",
    "fetch-personal-apps: ",
    "fetch-personal-addons: ",
    "fetch-space-rules: ",
    "fetch-space-addresses: ",
    "fetch-space-peerings: ",
    "fetch-space-vpn-connections: ",
    "fetch-team-preferences: ",
    "fetch-team-features: ",
    "fetch-pipelines: ",
    "fetch-pipeline-stages: ",
    "build-pipeline-owners: ",
    "build-application-owners: ",
    "fetch-attachments: ",
    "fetch-addon-services: ",
];

/// The phase in which a program was killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// The job did not exist yet.
    Start,
    /// A step had not ended.
    Collection,
    /// All steps had ended, and the objects were not published yet.
    Publication,
    /// The objects were published, and the program had not ended.
    AfterPublication,
    /// No job was deleted yet.
    BeforePruning,
    /// The jobs were deleted, and their versions were not.
    Pruning,
    /// The versions were deleted, and their space was being returned.
    Reclaiming,
}

/// Everything that users can read of the newest job.
struct Readable {
    graph: Graph,
    changes: Value,
    histories: Vec<Value>,
}

/// A history of four jobs, and the provider for the fifth.
struct History {
    heroku: Heroku,
    place: Place,
    /// The keys of an application that changes, of one that is deleted, of a new one, and of one that becomes stale.
    keys: Vec<String>,
}

/// The numbers of rows in the tables that pruning deletes from.
type Rows = BTreeMap<&'static str, i64>;

/// Sleeps for a random part of a time.
fn sleep_up_to(random: &mut fastrand::Rng, at_most: Duration) {
    std::thread::sleep(Duration::from_micros(random.u64(..at_most.as_micros().max(1) as u64)));
}

impl History {
    fn new() -> Self {
        let size = OrganisationSize { accounts: 1, teams: 8, people: 80, apps: 300, addons: 600, seed: 5 };
        let page_limits = PageLimits { default: 50, maximum: 50 };
        let heroku = Heroku::of(Organisation::of_size(size), FakeOptions { page_limits, ..FakeOptions::default() });
        let place = Place::before(&heroku);
        let (_, graph) = place.collect("");
        let mut teams: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for app in graph.of_type("heroku_application").into_values() {
            let team = app["teamId"].as_str().expect("a team").to_owned();
            teams.entry(team).or_default().push(app["_rawData"][0]["rawData"].clone());
        }
        let teams: Vec<(String, Vec<Value>)> = teams.into_iter().filter(|(_, apps)| apps.len() > 3).collect();
        let [(one, apps), (two, others), ..] = teams.as_slice() else { panic!("two teams with applications") };
        // One object is stale in the third job, and confirmed by the fourth.
        assert_eq!(place.run("collect").code, 0);
        let refusal = heroku.refuse_apps(two);
        assert_eq!(place.run("collect").code, 3);
        heroku.server().lift(refusal);
        assert_eq!(place.run("collect").code, 0);
        // The fifth job finds a changed, a deleted, and a new application, and cannot read the other team.
        let mut now = apps.clone();
        let deleted = now.pop().expect("an application");
        now[0]["stack"]["name"] = json!("heroku-99");
        let mut new = now[1].clone();
        new["id"] = json!("01234567-89ab-4def-8123-456789abcdef");
        new["name"] = json!("kestrel-new");
        let keys = [&now[0], &deleted, &new, &others[0]].map(|app| app["id"].as_str().expect("an id").to_owned());
        now.push(new);
        heroku.serve_apps(&graph, one, &now);
        heroku.refuse_apps(two);
        Self { heroku, place, keys: keys.into() }
    }

    /// Copies the data directory of a place to a new place.
    fn copy_of(&self, place: &Place) -> Place {
        let copy = Place::before(&self.heroku);
        let (from, to) = (place.path(".integration"), copy.path(".integration"));
        std::fs::create_dir(&to).expect("a folder");
        for entry in std::fs::read_dir(from).expect("a folder") {
            let path = entry.expect("an entry").path();
            std::fs::copy(&path, to.join(path.file_name().expect("a name"))).expect("a copy");
        }
        copy
    }

    fn read(&self, place: &Place) -> Readable {
        let said = place.run("export --output whole");
        assert!([0, 3].contains(&said.code), "{}", said.all());
        let said = place.run("diff --raw --format json");
        assert_eq!(said.code, 0, "{}", said.all());
        let histories = self.keys.iter().map(|key| {
            let said = place.run(&format!("history {key} --format json"));
            match said.code {
                0 => steady(said.json()),
                _ => Value::Null,
            }
        });
        Readable {
            graph: Graph::read(&place.path("whole/graph")),
            changes: steady(said.json()),
            histories: histories.collect(),
        }
    }
}

/// Removes the parts of a document that vary between runs: jobs, times, and the numbers of requests.
fn steady(mut value: Value) -> Value {
    if let Some(events) = value.get_mut("events").and_then(Value::as_array_mut) {
        events.iter_mut().for_each(|event| drop(event["at"].take()));
    }
    let without_request = |text: &str| text.split_once("(request ").map(|(before, _)| before.to_owned());
    fn each(value: &mut Value, change: &impl Fn(&str) -> Option<String>) {
        match value {
            Value::String(text) => *text = change(text).unwrap_or_else(|| std::mem::take(text)),
            Value::Array(items) => items.iter_mut().for_each(|item| each(item, change)),
            Value::Object(members) => members.values_mut().for_each(|member| each(member, change)),
            _ => {}
        }
    }
    each(&mut value, &without_request);
    steady_json(value)
}

fn assert_equal(readable: &Readable, expected: &Readable, case: &str) {
    eprintln!("{case}");
    assert_same(&readable.graph, &expected.graph);
    assert_eq!(readable.changes, expected.changes, "{case}");
    assert_eq!(readable.histories, expected.histories, "{case}");
}

fn store(place: &Place) -> Connection {
    let path = place.path(".integration/state.sqlite");
    // The connection writes nothing, but has to recover the log of the killed process.
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).expect("a store")
}

fn sound_store(place: &Place) -> Connection {
    let store = store(place);
    let checked: String = store.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("a result");
    assert_eq!(checked, "ok");
    store
}

fn number(connection: &Connection, sql: &str) -> i64 {
    connection.query_row(sql, [], |row| row.get(0)).expect("a number")
}

/// Returns the phase of a killed collection, from its records.
fn phase(place: &Place) -> Phase {
    let store = sound_store(place);
    if number(&store, "SELECT count(*) FROM job") == JOBS {
        return Phase::Start;
    }
    let newest = "(SELECT max(number) FROM job)";
    let ended_jobs =
        number(&store, &format!("SELECT count(*) FROM job WHERE number = {newest} AND state <> 'running'"));
    // Steps of sources that are off have a record as well.
    let ended_steps = "SELECT count(*) FROM step_run WHERE status <> 'disabled' AND job =";
    let ended_steps = number(&store, &format!("{ended_steps} {newest}"));
    match (ended_jobs > 0, ended_steps as usize == STEPS.len()) {
        (true, _) => Phase::AfterPublication,
        (false, true) => Phase::Publication,
        (false, false) => Phase::Collection,
    }
}

/// Returns the phase of a killed pruning of all but two jobs.
fn pruning_phase(place: &Place, pruned: &Rows) -> Phase {
    let store = sound_store(place);
    let is_deleted = number(&store, "SELECT count(*) FROM job") == pruned["job"];
    let is_swept = number(&store, "SELECT count(*) FROM snapshot") == pruned["snapshot"];
    match (is_deleted, is_swept) {
        (false, _) => Phase::BeforePruning,
        (true, false) => Phase::Pruning,
        (true, true) => Phase::Reclaiming,
    }
}

fn rows(place: &Place) -> Rows {
    let store = store(place);
    let dangling = "SELECT count(*) FROM version_order WHERE object NOT IN (SELECT number FROM object)";
    assert_eq!(number(&store, dangling), 0, "the key order refers to deleted versions");
    let tables = ["job", "step_run", "object", "ended", "stale", "snapshot", "gap", "parent", "quarantine"];
    tables.map(|table| (table, number(&store, &format!("SELECT count(*) FROM {table}")))).into()
}

/// The time of each phase of an undisturbed run.
struct Times {
    collection: Duration,
    publication: Duration,
    /// The deletion of jobs, with the start of the program.
    deletion: Duration,
    /// The deletion of versions, and the return of their space.
    pruning: Duration,
}

/// Waits until a pruning has deleted a job: its lock file is removed after the transaction.
fn until_deleted(place: &Place) {
    let locks = || {
        let entries = std::fs::read_dir(place.path(".integration")).expect("a folder");
        entries
            .filter(|entry| entry.as_ref().is_ok_and(|entry| entry.path().extension().is_some_and(|end| end == "lock")))
            .count()
    };
    let (before, begun) = (locks(), Instant::now());
    while locks() >= before && begun.elapsed() < PATIENCE {
        std::thread::yield_now();
    }
}

struct Soak {
    history: History,
    times: Times,
    /// The result of an undisturbed fifth job.
    collected: Readable,
    /// A place with the undisturbed fifth job.
    whole: Place,
    /// The result of an undisturbed pruning after it, with the rows of its store.
    pruned: (Readable, Rows),
    random: fastrand::Rng,
    hits: BTreeMap<Phase, usize>,
}

impl Soak {
    fn new(seed: u64) -> Self {
        let history = History::new();
        let whole = history.copy_of(&history.place);
        let begun = Instant::now();
        let mut running = whole.start("collect");
        running.tells(&STEPS);
        let collection = begun.elapsed();
        assert_eq!(running.end().code, 3);
        let publication = begun.elapsed() - collection;
        let pristine = history.copy_of(&whole);
        let collected = history.read(&whole);
        let place = history.copy_of(&pristine);
        let begun = Instant::now();
        let running = place.start("jobs prune --keep 2");
        until_deleted(&place);
        let deletion = begun.elapsed();
        assert_eq!(running.end().code, 0);
        let times = Times { collection, publication, deletion, pruning: begun.elapsed() - deletion };
        let rows = rows(&place);
        let pruned = (history.read(&place), rows);
        Self {
            history,
            times,
            collected,
            whole: pristine,
            pruned,
            random: fastrand::Rng::with_seed(seed),
            hits: BTreeMap::new(),
        }
    }

    /// Kills once, preferably in a phase. Returns whether the phase was hit.
    fn kill(&mut self, wanted: Phase) -> bool {
        match wanted {
            Phase::Pruning => self.kill_pruning().is_some_and(|hit| hit >= wanted),
            _ => self.kill_collection(wanted) == Some(wanted),
        }
    }

    /// Kills a collection. The result is missing if it ended before.
    fn kill_collection(&mut self, wanted: Phase) -> Option<Phase> {
        let place = self.history.copy_of(&self.history.place);
        let mut running = place.start("collect");
        let at_most = match wanted {
            Phase::Publication => {
                running.tells(&STEPS);
                self.times.publication
            }
            _ => self.times.collection,
        };
        let killed = self.killed(running, &place, at_most)?;
        let mut case = format!("killed: {killed:?}");
        // The resumed job may be killed as well.
        if [Phase::Collection, Phase::Publication].contains(&killed) && self.random.u64(..2) == 0 {
            let again = place.start("collect --resume");
            if let Some(again) = self.killed(again, &place, self.times.collection) {
                case = format!("{case}, then: {again:?}");
            }
        }
        let resumes = phase(&place) != Phase::Start;
        let said = place.run(if resumes { "collect --resume" } else { "collect" });
        assert_eq!(said.code, 3, "{case}: {}", said.all());
        assert_equal(&self.history.read(&place), &self.collected, &case);
        Some(killed)
    }

    /// Kills a running collection at a random instant, and counts its phase.
    fn killed(&mut self, running: Running, place: &Place, at_most: Duration) -> Option<Phase> {
        sleep_up_to(&mut self.random, at_most);
        let killed = running.kill_if_running().then(|| phase(place))?;
        *self.hits.entry(killed).or_default() += 1;
        Some(killed)
    }

    /// Kills a pruning at a random instant. The result is missing if it ended before.
    fn kill_pruning(&mut self) -> Option<Phase> {
        let place = self.history.copy_of(&self.whole);
        let running = place.start("jobs prune --keep 2");
        // Most kills hit the deletion of versions, which is the longest part, and some the deletion of the jobs.
        if self.random.u64(..4) > 0 {
            until_deleted(&place);
            sleep_up_to(&mut self.random, self.times.pruning);
        } else {
            sleep_up_to(&mut self.random, self.times.deletion);
        }
        if !running.kill_if_running() {
            return None;
        }
        let killed = pruning_phase(&place, &self.pruned.1);
        *self.hits.entry(killed).or_default() += 1;
        let case = format!("killed: {killed:?}");
        let said = place.run("export --output whole");
        assert_eq!(said.code, 3, "{case}: {}", said.all());
        assert_same(&Graph::read(&place.path("whole/graph")), &self.collected.graph);
        assert_eq!(place.run("jobs prune --keep 2").code, 0);
        assert_eq!(rows(&place), self.pruned.1, "{case}");
        assert_equal(&self.history.read(&place), &self.pruned.0, &case);
        Some(killed)
    }
}

fn given(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

#[test]
fn soak_of_kills_at_random_instants() {
    let is_full = given("KILLS").is_some();
    let kills = given("KILLS").map_or(KILLS, |kills| kills as usize);
    let mut soak = Soak::new(given("KILL_SEED").unwrap_or(1));
    for at in 0..kills {
        let wanted = [Phase::Collection, Phase::Publication, Phase::Pruning][at % 3];
        let hit = (0..if is_full { ATTEMPTS } else { FEW_ATTEMPTS }).any(|_| soak.kill(wanted));
        // Every kill is checked; if one of them hits a phase of a few milliseconds depends on the machine.
        assert!(hit || !is_full, "no kill of {ATTEMPTS} hit the phase {wanted:?}: {:?}", soak.hits);
    }
    eprintln!("kills by phase: {:?}", soak.hits);
    assert!(soak.hits.values().sum::<usize>() >= kills);
}
