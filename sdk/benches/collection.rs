//! A whole collection without a network, compared to a bare program that writes the same bytes.
//!
//! `cargo bench -p integration-sdk --bench collection [-- ENTITIES RUNS]`. Each run is a separate process with a
//! separate peak of memory. The two programs alternate, so that a machine of varying speed affects both.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use integration_sdk::config::Values;
use integration_sdk::prelude::*;
use integration_sdk::schema::Validation;
use integration_sdk::store::Store;
use integration_sdk::{Integration, Job};
use serde_json::json;

/// The entity to which all others are related.
#[derive(Clone, EntityKind)]
#[entity(type = "bench_root", class = "Account", resource = "Root")]
struct Root {
    #[entity(key)]
    id: String,
    name: String,
}

/// An entity with ten properties.
#[derive(Clone, EntityKind)]
#[entity(type = "bench_thing", class = "Application", resource = "Thing")]
struct Thing {
    #[entity(key)]
    id: String,
    name: String,
    team_id: String,
    owner: Option<String>,
    region: String,
    stack: String,
    web_link: String,
    archived: bool,
    repo_size: i64,
    created_on: Timestamp,
}

relationship!(RootHasThing: Root -[HAS]-> Thing);

fn id(number: u64) -> String {
    // Keys are unordered, as in practice.
    let scattered = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("{:08x}-{:04x}-4000-8000-{number:012x}", scattered >> 32, (scattered >> 16) & 0xffff)
}

fn thing(number: u64) -> Thing {
    let name = format!("application-{number}");
    Thing {
        id: id(number),
        team_id: id(number % 100),
        owner: Some(format!("owner-{}@example.com", number % 1000)),
        region: "us".into(),
        stack: "heroku-24".into(),
        web_link: format!("https://dashboard.example.com/apps/{name}"),
        archived: number.is_multiple_of(50),
        repo_size: i64::try_from(number).unwrap_or(0) * 1024,
        created_on: Timestamp::from_millis(1_700_000_000_000 + i64::try_from(number).unwrap_or(0)),
        name,
    }
}

fn raw(thing: &Thing) -> serde_json::Value {
    json!({
        "id": thing.id, "name": thing.name, "team": {"id": thing.team_id, "name": "team"},
        "owner": {"email": thing.owner, "id": thing.team_id}, "region": {"name": thing.region}, "stack": {"name": thing.stack},
        "web_url": thing.web_link, "archived_at": null, "repo_size": thing.repo_size, "created_at": "2024-01-01T00:00:00Z",
    })
}

fn root() -> Root {
    Root { id: "root:00000001".into(), name: "Root".into() }
}

async fn through_the_sdk(things: u64, directory: &Path) {
    let make =
        integration_sdk::step::Step::function("make", "Make", move |roots: Emit<Root>, emit: Emit<Thing>| async move {
            roots.add(root()).await?;
            for number in 0..things {
                let thing = thing(number);
                let raw = raw(&thing);
                emit.add(thing.with_raw(raw)).await?;
            }
            Ok(())
        });
    let link = integration_sdk::step::Step::function(
        "link",
        "Link",
        |read: Read<Thing>, has: Emit<RootHasThing>| async move {
            let root = root();
            let mut all = read.stream();
            while let Some(thing) = all.try_next().await? {
                has.add(&root, &thing).await?;
            }
            Ok(())
        },
    );
    let integration = Integration::without_provider::<()>("bench", "Bench").step(make).step(link);
    let store = Store::open(directory).expect("a store in a temporary folder");
    let validation = match std::env::var("VALIDATION").as_deref() {
        Ok("off") => Validation::Off,
        _ => Validation::Warn,
    };
    let job = Job::new(&integration, &store).validation(validation);
    let summary = job.run(&Values::default(), Default::default()).await.expect("a job");
    assert_eq!((summary.entities, summary.relationships, summary.is_partial()), (things + 1, things, false));
}

/// Writes the same bytes directly from the struct to the file.
fn bare(things: u64, directory: &Path) -> std::io::Result<()> {
    use integration_sdk::graph::{Relationship, RelationshipClass};
    let mut out = BufWriter::new(File::create(directory.join("graph.ndjson"))?);
    for number in 0..things {
        let thing = thing(number);
        let raw = raw(&thing);
        // Written manually in the order of the names, as a program without a data model would do.
        writeln!(
            out,
            r#"{{"_class":["Application"],"_key":"{id}","_rawData":[{{"name":"default","rawData":{raw}}}],"_type":"bench_thing","archived":{archived},"createdOn":{created},"displayName":"{name}","id":"{id}","name":"{name}","owner":"{owner}","region":"{region}","repoSize":{size},"stack":"{stack}","teamId":"{team}","webLink":"{link}"}}"#,
            id = thing.id,
            archived = thing.archived,
            created = thing.created_on.millis(),
            name = thing.name,
            owner = thing.owner.as_deref().unwrap_or_default(),
            region = thing.region,
            size = thing.repo_size,
            stack = thing.stack,
            team = thing.team_id,
            link = thing.web_link,
        )?;
    }
    let object_type = RootHasThing::declaration().object_type;
    let from = integration_sdk::graph::ObjectKey::new(root().id).expect("a key");
    for number in 0..things {
        let relationship = Relationship {
            class: RelationshipClass::HAS,
            object_type: object_type.clone(),
            from: from.clone(),
            to: integration_sdk::graph::ObjectKey::new(id(number)).expect("a key"),
            properties: Default::default(),
        };
        serde_json::to_writer(&mut out, &relationship.into_json())?;
        out.write_all(b"\n")?;
    }
    out.flush()
}

/// Returns the peak memory of this process in MiB, if the system reports it.
fn peak() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}

fn run_child(mode: &str, things: u64) {
    let directory = tempfile::tempdir().expect("a temporary folder");
    let start = Instant::now();
    match mode {
        "bare" => bare(things, directory.path()).expect("a file in a temporary folder"),
        _ => {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            runtime.block_on(through_the_sdk(things, directory.path()));
        }
    }
    println!("{} {}", start.elapsed().as_secs_f64(), peak().unwrap_or(0.0));
}

fn measure(mode: &str, things: u64) -> (f64, f64) {
    let this = std::env::current_exe().expect("this program's path");
    let output =
        Command::new(this).args(["--child", mode, &things.to_string()]).output().expect("a run of this program");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut figures = text.split_whitespace().filter_map(|figure| figure.parse::<f64>().ok());
    (figures.next().expect("seconds"), figures.next().expect("MiB"))
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [flag, mode, things] = arguments.as_slice()
        && flag == "--child"
    {
        return run_child(mode, things.parse().expect("a number of entities"));
    }
    let things: u64 = arguments.first().map_or(200_000, |text| text.parse().expect("a number of entities"));
    let runs: usize = arguments.get(1).map_or(5, |text| text.parse().expect("a number of runs"));
    let (mut sdk, mut bare, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..runs {
        let (ours, floor) = (measure("sdk", things), measure("bare", things));
        ratios.push(ours.0 / floor.0);
        sdk.push(ours);
        bare.push(floor);
    }
    let objects = 2.0 * things as f64;
    for (name, figures) in [("sdk", &sdk), ("bare", &bare)] {
        let seconds = median(figures.iter().map(|figure| figure.0).collect());
        let memory = median(figures.iter().map(|figure| figure.1).collect());
        println!("{name:>5}: {seconds:6.2} s  {:>9.0} objects/s  peak {memory:6.1} MiB", objects / seconds);
    }
    println!("ratio: {:.2} (median of {runs} pairs)", median(ratios));
}
