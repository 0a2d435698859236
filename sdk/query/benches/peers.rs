//! Five shapes of queries on a graph in a store, for a comparison with other engines.
//!
//! `cargo bench -p integration-query-benches --bench peers -- FOLDER [ENTITIES]` collects a graph into `FOLDER/store`, writes its objects as CSV for other
//! engines, and answers the queries. `peers.py FOLDER` answers them with SQLite, DuckDB, and Ladybug, and compares the results.
//!
//! Times are processor time, because other processes of the machine do not change it. "cold" is a new graph on the index file, as in a new
//! process; "warm" is the mean of runs on an open graph.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use integration_query::graph::{AccountGraph, FileCache};
use integration_query::{Options, QueryResult, run};
use integration_query_benches::{collect, key};
use integration_sdk::prelude::TryStreamExt;
use integration_sdk::store::{GraphReader, Kind, Selection, Snapshot};
use serde_json::{Map, Value, json};

/// The least number of runs, and their least processor time: the system counts in ticks of several milliseconds.
const RUNS: u32 = 10;
const LEAST: Duration = Duration::from_millis(200);

/// The names and the texts of the queries. `peers.py` has the same ones in other languages.
fn queries() -> [(&'static str, String); 5] {
    [
        ("point", format!("FIND bench_app AS a WITH _key = '{}' RETURN a.name", key(2, 4_711))),
        (
            "filter scan",
            "FIND bench_app AS a WITH region = 'eu' AND sizeInBytes > 500000 RETURN COUNT(a), MAX(a.sizeInBytes)".into(),
        ),
        (
            "three hops from one",
            "FIND bench_team WITH name = 'bench_team-7' THAT HAS >> bench_user THAT HAS >> bench_app WITH region = 'eu' \
             THAT HAS >> bench_addon AS x RETURN x.name"
                .into(),
        ),
        (
            "three hops from all teams, all paths",
            "FIND bench_team AS t THAT HAS >> bench_user AS u THAT HAS >> bench_app AS a THAT HAS >> bench_addon AS x \
             RETURN t.name, u.name, a.name, x.name"
                .into(),
        ),
        ("negation", "FIND bench_user AS u THAT !HAS >> bench_app WITH region = 'eu' RETURN COUNT(u)".into()),
    ]
}

/// The processor time of the main thread, which does the work of the queries.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let main = stat.split(' ').next().and_then(|nanoseconds| nanoseconds.parse().ok()).unwrap_or(0);
    Duration::from_nanos(main)
}

async fn open(snapshot: &Snapshot, cache: &FileCache) -> AccountGraph {
    let reader: Arc<dyn GraphReader> = Arc::new(snapshot.clone());
    AccountGraph::open_cached(vec![reader], Arc::new(cache.clone())).await.expect("a graph")
}

async fn rows(text: &str, graph: &AccountGraph) -> Vec<Vec<Value>> {
    let answer = run(text, graph, &Options::default()).await.expect("a valid query");
    match answer.result {
        QueryResult::Table(table) => table.rows,
        other => unreachable!("every query returns a table: {other:?}"),
    }
}

/// Returns the mean processor time of some work in milliseconds.
async fn mean(work: impl AsyncFn()) -> f64 {
    let (started, mut runs) = (processor_time(), 0);
    while runs < RUNS || processor_time().saturating_sub(started) < LEAST {
        work().await;
        runs += 1;
    }
    (processor_time().saturating_sub(started) / runs).as_secs_f64() * 1e3
}

/// Writes one file for each type: the properties of entities, the ends of relationships.
async fn export(snapshot: &Snapshot, folder: &Path) -> std::io::Result<()> {
    for count in snapshot.types().await.expect("a store") {
        let name = count.object_type.as_str().to_owned();
        let mut file = std::io::BufWriter::new(std::fs::File::create(folder.join(format!("{name}.csv")))?);
        let mut batches = snapshot.scan(Selection::of_type(count.object_type));
        while let Some(batch) = batches.try_next().await.expect("a batch") {
            for object in batch {
                match (object.kind, &object.ends) {
                    (Kind::Entity, _) => {
                        let of: Map<String, Value> = serde_json::from_str(&object.properties).expect("an object");
                        let [name, region] = ["name", "region"].map(|name| of[name].as_str().unwrap_or_default());
                        writeln!(file, "{},{name},{region},{}", object.key, of["sizeInBytes"])?;
                    }
                    (_, Some((from, to))) => writeln!(file, "{from},{to}")?,
                    (kind, None) => unreachable!("the graph has no {kind:?} without ends"),
                }
            }
        }
    }
    Ok(())
}

async fn measure(folder: &Path, entities: u64) {
    let store = folder.join("store");
    let snapshot = collect(entities, &store).await;
    export(&snapshot, folder).await.expect("the folder is writable");
    let cache = FileCache::new(folder.join("index"));
    drop(open(&snapshot, &cache).await);
    println!("{:<38} {:>9} {:>10} {:>10}", "query", "rows", "cold, ms", "warm, ms");
    let mut answers = Map::new();
    for (name, text) in queries() {
        let cold = mean(async || {
            let graph = open(&snapshot, &cache).await;
            rows(&text, &graph).await;
        })
        .await;
        let graph = open(&snapshot, &cache).await;
        let found = rows(&text, &graph).await;
        let warm = mean(async || drop(rows(&text, &graph).await)).await;
        println!("{name:<38} {:>9} {cold:>10.2} {warm:>10.3}", found.len());
        answers.insert(name.to_owned(), json!({ "cold": cold, "warm": warm, "rows": found }));
    }
    std::fs::write(folder.join("answers.json"), Value::Object(answers).to_string()).expect("the folder is writable");
}

fn main() {
    let given: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let Some(folder) = given.first() else {
        // `cargo bench` of the whole workspace passes no folder.
        println!("usage: cargo bench -p integration-query-benches --bench peers -- FOLDER [ENTITIES]");
        return;
    };
    let entities = given.get(1).map_or(200_000, |text| text.parse().expect("a number"));
    // One thread, so that its processor time is that of the queries.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(measure(Path::new(folder), entities));
}
