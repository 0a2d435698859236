//! The index of a snapshot: its construction from the store, and the reads of a query.
//!
//! `cargo bench -p integration-query-benches --bench graph [-- ENTITIES RUNS]`. There are twice as many relationships. The baseline of
//! a filter is SQLite, which reads the property from the JSON of each object.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use integration_query::graph::{AccountGraph, Direction, EdgeId, FileCache, NodeId, ValueRef};
use integration_query_benches::collect;
use integration_sdk::prelude::TryStreamExt;
use integration_sdk::store::{GraphReader, Selection, Snapshot};

/// Reads everything without building an index.
async fn scan(snapshot: &Snapshot) -> u64 {
    let mut batches = snapshot.scan(Selection::default());
    let mut bytes = 0;
    while let Some(batch) = batches.try_next().await.expect("a batch") {
        bytes += batch.iter().map(|object| object.bytes() as u64).sum::<u64>();
    }
    bytes
}

async fn open(snapshot: &Snapshot, cache: &FileCache) -> AccountGraph {
    let reader: Arc<dyn GraphReader> = Arc::new(snapshot.clone());
    AccountGraph::open_cached(vec![reader], Arc::new(cache.clone())).await.expect("a graph")
}

/// Counts the nodes with a value, as a filter does.
fn filter(graph: &AccountGraph, property: &str, wanted: &str) -> u64 {
    let mut found = 0;
    for (at, segment) in graph.node_segments().iter().enumerate() {
        let Some(column) = graph.node_column(at, property).expect("a column") else { continue };
        let is_wanted: Vec<bool> =
            (0..=column.distinct()).map(|code| column.value(code) == ValueRef::Text(wanted.into())).collect();
        found += (0..segment.length()).filter(|position| is_wanted[column.code(*position) as usize]).count() as u64;
    }
    found
}

/// The same filter in SQLite.
fn filter_in_sqlite(path: &Path, property: &str, wanted: &str) -> u64 {
    let file = rusqlite::Connection::open(path).expect("the store");
    let sql = format!("SELECT count(*) FROM object WHERE kind = 0 AND json_extract(properties, '$.{property}') = ?1");
    file.query_row(&sql, [wanted], |row| row.get::<_, i64>(0)).expect("a count").unsigned_abs()
}

/// Counts the paths of three hops from some nodes.
fn walk(graph: &AccountGraph, starts: u32) -> u64 {
    let adjacency = graph.adjacency().expect("the edges");
    let next = |node| adjacency.neighbours(node, Direction::Either).map(|(_, node)| node);
    (0..starts).map(NodeId).flat_map(next).flat_map(next).flat_map(next).count() as u64
}

#[derive(Default)]
struct Figures(Vec<(&'static str, Vec<f64>)>);

impl Figures {
    fn time<R>(&mut self, name: &'static str, work: impl FnOnce() -> R) -> R {
        let start = Instant::now();
        let result = work();
        let millis = start.elapsed().as_secs_f64() * 1e3;
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, all)) => all.push(millis),
            None => self.0.push((name, vec![millis])),
        }
        result
    }
}

fn measure(runtime: &tokio::runtime::Runtime, snapshot: &Snapshot, directory: &Path, figures: &mut Figures) {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = FileCache::new(folder.path());
    figures.time("scan without an index", || runtime.block_on(scan(snapshot)));
    let built = figures.time("build", || runtime.block_on(open(snapshot, &cache)));
    let (nodes, edges) = (built.node_count(), built.edge_count());
    drop(built);
    let graph = figures.time("open", || runtime.block_on(open(snapshot, &cache)));
    assert_eq!((graph.node_count(), graph.edge_count()), (nodes, edges));
    figures.time("adjacency", || graph.adjacency().expect("the edges").ends(EdgeId(0)));
    let few = figures.time("filter, column of 5 values", || filter(&graph, "region", "eu"));
    let one = figures.time("filter, column of unique values", || filter(&graph, "email", "bench_app-77@example.com"));
    figures.time("the same filter again", || filter(&graph, "email", "bench_app-77@example.com"));
    let path = directory.join("state.sqlite");
    let same = figures.time("filter in SQLite, 5 values", || filter_in_sqlite(&path, "region", "eu"));
    assert_eq!((few, one), (same, 1));
    let paths = figures.time("three hops from 10 teams", || walk(&graph, 10));
    let objects: Vec<NodeId> = (0..250).map(|number| NodeId(number * (nodes / 250).max(1) % nodes)).collect();
    figures.time("250 whole entities", || runtime.block_on(graph.nodes(&objects)).expect("entities"));
    figures.time("keys of the ends of all edges", || {
        for segment in 0..graph.edge_segments().len() {
            graph.edge_column(segment, "_toEntityKey").expect("a column");
        }
    });
    let size: u64 = std::fs::read_dir(folder.path())
        .expect("the folder")
        .map(|entry| entry.and_then(|entry| entry.metadata()).expect("a file").len())
        .sum();
    println!("{:.1} MB index, {} paths", size as f64 / 1e6, paths);
}

fn main() {
    let given: Vec<u64> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .map(|text| text.parse().expect("a number"))
        .collect();
    let (entities, runs) = (given.first().copied().unwrap_or(200_000), given.get(1).copied().unwrap_or(5).max(1));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (directory, mut figures) = (tempfile::tempdir().expect("a folder"), Figures::default());
    let snapshot = runtime.block_on(collect(entities, directory.path()));
    // The first reader of a snapshot sorts its keys.
    figures.time("the key order of the store", || runtime.block_on(snapshot.kinds()).expect("the types"));
    for _ in 0..runs {
        measure(&runtime, &snapshot, directory.path(), &mut figures);
    }
    for (name, mut millis) in figures.0 {
        millis.sort_by(f64::total_cmp);
        println!("{name:>32}: {:9.2} ms, at least {:9.2} ms", millis[millis.len() / 2], millis[0]);
    }
    if let Some(peak) = peak() {
        println!("{:>32}: {peak}", "peak memory");
    }
}

/// The peak memory of the process, including the collection.
fn peak() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:")).map(|peak| peak.trim().to_owned())
}
