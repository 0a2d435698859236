//! The store alone: objects written by a step without validation, and read in three ways.
//!
//! `cargo bench -p integration-sdk --bench store [-- ENTITIES RUNS]`. The baseline is a file with the same bytes.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use integration_sdk::config::Values;
use integration_sdk::graph::{
    Class, Entity, EntityDeclaration, ObjectKey, ObjectType, OnDuplicateKey, RawData, StepId,
};
use integration_sdk::prelude::TryStreamExt;
use integration_sdk::schema::Validation;
use integration_sdk::step::{Step, StepContext};
use integration_sdk::store::{Selection, Snapshot, Store};
use integration_sdk::{Integration, Job};
use serde_json::json;

fn object_type() -> ObjectType {
    ObjectType::literal("bench_thing")
}

fn add() -> StepId {
    StepId::new("add").expect("an id")
}

fn entity(number: u64) -> Entity {
    // Keys are unordered, as in practice.
    let id = format!("{:016x}-{number:012x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let raw =
        json!({"id": id, "name": format!("thing-{number}"), "region": {"name": "us"}, "owner": null, "size": number});
    let mut entity = Entity::new(ObjectKey::new(&id).expect("a key"), object_type(), Class::literal("Record"))
        .with("name", format!("thing-{number}"))
        .with("region", "us")
        .with("webLink", format!("https://example.com/things/{id}"))
        .with("size", i64::try_from(number).unwrap_or(0));
    entity.raw_data.push(RawData { name: "default".into(), raw_data: raw.into() });
    entity
}

fn adding(entities: u64) -> Integration {
    let work = move |context: StepContext| async move {
        for number in 0..entities {
            context.add_entity(entity(number), OnDuplicateKey::Reject).await?;
        }
        Ok(())
    };
    let declared = EntityDeclaration::new("Thing", object_type(), Class::literal("Record"));
    Integration::without_provider::<()>("bench", "Bench").step(Step::new(add(), "Add", work).entity(declared))
}

/// Returns the number and size of all objects, for comparison between the ways of reading.
async fn all_json(job: &Snapshot) -> (u64, u64) {
    let (mut objects, mut bytes) = (0, 0);
    let mut batches = job.scan(Selection::of_type(object_type()).with_raw());
    while let Some(batch) = batches.try_next().await.expect("a batch") {
        objects += batch.len() as u64;
        bytes += batch.iter().map(|object| object.json().joined().len() as u64).sum::<u64>();
    }
    (objects, bytes)
}

async fn count(job: &Snapshot, selection: Selection) -> u64 {
    let mut batches = job.scan(selection);
    let mut objects = 0;
    while let Some(batch) = batches.try_next().await.expect("a batch") {
        objects += batch.len() as u64;
    }
    objects
}

fn bare(entities: u64, directory: &Path) -> std::io::Result<()> {
    let mut out = BufWriter::new(File::create(directory.join("objects.ndjson"))?);
    for number in 0..entities {
        serde_json::to_writer(&mut out, &entity(number).into_json())?;
        out.write_all(b"\n")?;
    }
    out.flush()
}

#[derive(Default)]
struct Figures(Vec<(&'static str, Vec<f64>)>);

impl Figures {
    fn note(&mut self, name: &'static str, since: Instant) {
        let seconds = since.elapsed().as_secs_f64();
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, all)) => all.push(seconds),
            None => self.0.push((name, vec![seconds])),
        }
    }
}

async fn run(entities: u64, figures: &mut Figures) {
    let directory = tempfile::tempdir().expect("a temporary folder");
    let start = Instant::now();
    bare(entities, directory.path()).expect("a file in a temporary folder");
    figures.note("a bare file", start);
    let integration = adding(entities);
    let store = Store::open(directory.path()).expect("a store");
    let job = Job::new(&integration, &store).validation(Validation::Off);
    let start = Instant::now();
    let summary = job.run(&Values::default(), Default::default()).await.expect("a job");
    figures.note("add", start);
    assert_eq!(summary.entities, entities);
    let row = store.job(None).await.expect("a store").expect("the job");
    let job = store.snapshot_of(&row).await.expect("a store").expect("a graph");
    let start = Instant::now();
    let (objects, bytes) = all_json(&job).await;
    figures.note("iterate as JSON", start);
    let start = Instant::now();
    let rows = count(&job, Selection::of_type(object_type()).by(add()).with_raw()).await;
    figures.note("iterate as an export does", start);
    let start = Instant::now();
    let parsed = count(&job, Selection::of_type(object_type())).await;
    figures.note("iterate without raw data", start);
    assert_eq!([objects, rows, parsed], [entities; 3]);
    assert!(bytes > 100 * entities);
}

fn main() {
    let given: Vec<usize> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .map(|text| text.parse().expect("a number"))
        .collect();
    let (entities, runs) = (given.first().copied().unwrap_or(200_000), given.get(1).copied().unwrap_or(5).max(1));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut figures = Figures::default();
    for _ in 0..runs {
        runtime.block_on(run(entities as u64, &mut figures));
    }
    for (name, mut seconds) in figures.0 {
        seconds.sort_by(f64::total_cmp);
        let median = seconds[seconds.len() / 2];
        println!("{name:>28}: {median:6.2} s  {:>9.0} objects/s", entities as f64 / median);
    }
}
