//! A month of hourly jobs on one store, of which each changes a part of the objects.
//!
//! `cargo bench -p integration-sdk --bench month [-- OBJECTS JOBS CHANGED]`. Half of the objects are entities with raw
//! data, and half are relationships. Each job changes CHANGED objects: of ten, eight have another value, one is deleted,
//! and one is new. Each job opens the store anew, as a program does. The output is the size of the file and the time of
//! some jobs, the time of `diff` between the first and the last snapshot, the time of the history of one object, and the
//! bytes of each table.

use std::path::Path;
use std::time::{Duration, Instant};

use integration_sdk::config::Values;
use integration_sdk::diff::{self, ChangeOptions, Coverage, ObjectHistory, Side};
use integration_sdk::graph::{InstanceId, ObjectKey};
use integration_sdk::prelude::*;
use integration_sdk::step::Step;
use integration_sdk::store::Store;
use integration_sdk::{Integration, Job};
use rusqlite::Connection;
use serde_json::json;

/// The entity to which all others are related.
#[derive(Clone, EntityKind)]
#[entity(type = "bench_root", class = "Account", resource = "Root")]
struct Root {
    #[entity(key)]
    id: String,
    name: String,
}

/// An entity with some properties, of which one changes.
#[derive(Clone, EntityKind)]
#[entity(type = "bench_thing", class = "Application", resource = "Thing")]
struct Thing {
    #[entity(key)]
    id: String,
    name: String,
    team_id: String,
    owner: String,
    region: String,
    stack: String,
    web_link: String,
    repo_size: i64,
    created_on: Timestamp,
    updated_on: Timestamp,
}

relationship!(RootHasThing: Root -[HAS]-> Thing);

/// An object of the provider.
#[derive(Clone, Copy)]
struct State {
    /// The number of the object, which is new if another one was deleted.
    number: u64,
    version: u64,
}

/// The provider's objects.
struct World {
    states: Vec<State>,
    next: u64,
    dice: u64,
}

impl World {
    fn of(entities: u64) -> Self {
        let states = (0..entities).map(|number| State { number, version: 0 }).collect();
        Self { states, next: entities, dice: 1 }
    }

    fn below(&mut self, limit: usize) -> usize {
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.dice >> 33) as usize % limit
    }

    /// Changes some objects. The first object changes every time.
    fn change(&mut self, objects: usize) {
        self.states[0].version += 1;
        for at in 1..objects {
            let object = 1 + self.below(self.states.len() - 1);
            if at % 10 < 8 {
                self.states[object].version += 1;
            } else if at % 10 == 8 {
                // A deleted and a new object, each with its relationship.
                self.states[object] = State { number: self.next, version: 0 };
                self.next += 1;
            }
        }
    }
}

fn id(number: u64) -> String {
    let scattered = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("{:08x}-{:04x}-4000-8000-{number:012x}", scattered >> 32, (scattered >> 16) & 0xffff)
}

fn thing(State { number, version }: State) -> Thing {
    let name = format!("application-{number}");
    let time = |number: u64| Timestamp::from_millis(1_700_000_000_000 + i64::try_from(number).unwrap_or(0));
    Thing {
        id: id(number),
        team_id: id(number % 100),
        owner: format!("owner-{}@example.com", number % 1000),
        region: "us".into(),
        stack: format!("heroku-{}", 20 + version % 5),
        web_link: format!("https://dashboard.example.com/apps/{name}"),
        repo_size: i64::try_from(number + version).unwrap_or(0) * 1024,
        created_on: time(number),
        updated_on: time(number + version * 3_600_000),
        name,
    }
}

fn raw(thing: &Thing) -> serde_json::Value {
    json!({
        "id": thing.id, "name": thing.name, "team": {"id": thing.team_id, "name": "team"}, "region": {"name": thing.region},
        "owner": {"email": thing.owner, "id": thing.team_id}, "stack": {"name": thing.stack}, "web_url": thing.web_link,
        "repo_size": thing.repo_size, "updated_at": thing.updated_on.millis(), "git_url": format!("{}.git", thing.web_link),
    })
}

fn integration(states: Vec<State>) -> Integration {
    let root = || Root { id: "root:00000001".into(), name: "Root".into() };
    let make = move |roots: Emit<Root>, emit: Emit<Thing>, has: Emit<RootHasThing>| {
        let states = states.clone();
        async move {
            let root = root();
            roots.add(root.clone()).await?;
            for state in states {
                let thing = thing(state);
                has.add(&root, &thing).await?;
                let raw = raw(&thing);
                emit.add(thing.with_raw(raw)).await?;
            }
            Ok(())
        }
    };
    Integration::without_provider::<()>("bench", "Bench").step(Step::function("make", "Make", make))
}

async fn run_job(world: &World, directory: &Path) -> Duration {
    let integration = integration(world.states.clone());
    let begun = Instant::now();
    let store = Store::open(directory).expect("a store in a temporary folder");
    let summary = Job::new(&integration, &store).run(&Values::default(), Default::default()).await.expect("a job");
    drop(store);
    assert!(!summary.is_partial(), "{summary:?}");
    begun.elapsed()
}

/// Counts the changes between two snapshots, with the time of opening the store and of the comparison.
async fn compare(directory: &Path, older: usize, newer: usize) -> (Duration, u64) {
    let begun = Instant::now();
    let store = Store::open(directory).expect("a store");
    let mut snapshots = store.snapshots("bench", &InstanceId::default()).await.expect("a store");
    snapshots.reverse();
    let (older, newer) = (store.snapshot(snapshots[older].clone()), store.snapshot(snapshots[newer].clone()));
    let types = newer.kinds().await.expect("a store");
    let none = Coverage::default();
    let side = |graph| Side { graph, types: &types, coverage: &none };
    let counts = diff::changes(side(&older), side(&newer), &ChangeOptions::default(), |_| {}).await.expect("a store");
    let total = counts.total();
    (begun.elapsed(), total.added + total.removed + total.changed)
}

async fn history(directory: &Path) -> (Duration, usize) {
    let begun = Instant::now();
    let store = Store::open(directory).expect("a store");
    let (instance, key) = (InstanceId::default(), ObjectKey::new(id(0)).expect("a key"));
    let versions = store.versions("bench", &instance, key).await.expect("a store");
    let events = ObjectHistory::of(instance, &versions).expect("a history").events.len();
    (begun.elapsed(), events)
}

fn megabytes(directory: &Path) -> f64 {
    std::fs::metadata(directory.join("state.sqlite")).expect("a store").len() as f64 / 1e6
}

fn print_tables(directory: &Path, jobs: usize) {
    let store = Connection::open(directory.join("state.sqlite")).expect("a store");
    let mut statement =
        store.prepare("SELECT name, sum(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC LIMIT 12").expect("dbstat");
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, f64>(1)?))).expect("rows");
    for row in rows {
        let (name, bytes) = row.expect("a row");
        println!("  {name:<24} {:>9.3} MB  {:>8.0} bytes a job", bytes / 1e6, bytes / jobs as f64);
    }
}

fn main() {
    let given: Vec<usize> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .map(|text| text.parse().expect("a number"))
        .collect();
    let figure = |at: usize, default: usize| given.get(at).copied().unwrap_or(default);
    let (objects, jobs, changed) = (figure(0, 10_000), figure(1, 720), figure(2, 50));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let directory = tempfile::tempdir().expect("a temporary folder");
    let directory = directory.path();
    let mut world = World::of(objects as u64 / 2);
    println!("{objects} objects, {jobs} jobs, {changed} changed objects a job");
    let mut times = Vec::new();
    for job in 1..=jobs {
        times.push(runtime.block_on(run_job(&world, directory)));
        if job == jobs || [1, 2, 24, 168].contains(&job) {
            println!(
                "job {job:>4}: {:>7.1} ms, file {:>7.2} MB",
                times[job - 1].as_secs_f64() * 1e3,
                megabytes(directory)
            );
        }
        world.change(changed);
    }
    let median = |mut times: Vec<Duration>| {
        times.sort();
        times[times.len() / 2].as_secs_f64() * 1e3
    };
    let some = jobs.min(20);
    println!("median of jobs 2 to {some}: {:.1} ms", median(times[1.min(jobs - 1)..some].to_vec()));
    println!("median of the last {some}: {:.1} ms", median(times[jobs - some..].to_vec()));
    for (name, older) in
        [("first and last, with the key order", 0), ("first and last", 0), ("last two", jobs.max(2) - 2)]
    {
        let (time, changes) = runtime.block_on(compare(directory, older, jobs - 1));
        println!("diff of {name}: {:.1} ms, {changes} changes", time.as_secs_f64() * 1e3);
    }
    let (time, events) = runtime.block_on(history(directory));
    println!("history of an object with {events} events: {:.1} ms", time.as_secs_f64() * 1e3);
    print_tables(directory, jobs);
}
