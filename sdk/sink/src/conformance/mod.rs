//! Checks that every sink passes.
//!
//! A test implements [`Target`] for the target of its sink: how to create a sink, how to read the objects back, and
//! the form that an object has there. [`check`] transfers the same graphs into every target: all types of values,
//! lists, Unicode, hostile names, 10 MB of raw data, an empty graph, gaps, several instances, changes, and
//! interrupted transfers.
//!
//! ```
//! use integration_sink::conformance::{self, Expected, Target};
//! use integration_sink::memory::MemorySink;
//! use integration_sink::{Manifest, Record, Sink};
//! use serde_json::Value;
//!
//! #[derive(Default)]
//! struct Memory(MemorySink);
//!
//! impl Target for Memory {
//!     fn sink(&self) -> Box<dyn Sink> {
//!         Box::new(self.0.clone())
//!     }
//!     async fn read(&self) -> Vec<Value> {
//!         self.0.objects().iter().map(conformance::object_json).collect()
//!     }
//!     fn expected(&self, record: &Record, _: &Manifest, _: usize) -> Expected {
//!         Expected::of(conformance::object_json(&record.object))
//!     }
//! }
//!
//! # futures::executor::block_on(async {
//! conformance::check(async || Memory::default(), conformance::Contents::Changed).await;
//! # });
//! ```

mod graphs;
mod interruption;

use std::future::pending;
use std::sync::Arc;

use integration_graph::history::SnapshotGap;
use integration_graph::{InstanceId, JobId, Timestamp};
use integration_store::{GraphReader, MemoryGraph, SnapshotId, StoredObject};
use serde_json::Value;

pub use graphs::{Graph, graphs};

use crate::{
    Action, ChangeSource, ChangedObject, Events, InstanceChanges, Manifest, Record, Report, Sink, SinkError,
    SnapshotSource, Source, SourceOptions, TransferKind, transfer,
};

/// A target of the tests.
#[expect(async_fn_in_trait, reason = "the tests await one future at a time")]
pub trait Target {
    /// Creates a sink on this target.
    fn sink(&self) -> Box<dyn Sink>;

    /// Reads all objects of the target, in any order.
    async fn read(&self) -> Vec<Value>;

    /// Returns whether the target takes a transfer. It refuses others with [`SinkError::Unsuitable`].
    fn takes(&self, _: &Manifest) -> bool {
        true
    }

    /// Returns the form that [`read`](Target::read) returns of an object, which belongs to a snapshot of the manifest.
    fn expected(&self, record: &Record, manifest: &Manifest, snapshot: usize) -> Expected;
}

/// The form of an object in a target.
#[derive(Debug, Clone, PartialEq)]
pub enum Expected {
    /// The target contains the object in this form.
    Written(Value),
    /// The target cannot hold the object, and the report counts it as skipped or refused.
    Refused,
}

impl Expected {
    /// Creates the expectation of a written object.
    pub fn of(value: Value) -> Self {
        Self::Written(value)
    }
}

/// The effect of a transfer on the earlier contents of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contents {
    /// The target contains exactly the objects of the last transfer, as a file does.
    Replaced,
    /// A transfer changes the contents, as that into a database does.
    Changed,
}

/// Checks a kind of sink. `create` returns a new, empty target each time.
///
/// # Panics
/// If the sink does not conform.
pub async fn check<T: Target>(create: impl AsyncFn() -> T, contents: Contents) {
    for graph in graphs() {
        let target = create().await;
        let source = graph.source(true).await;
        if !target.takes(source.manifest()) {
            let result = transfer(target.sink().as_mut(), &source, &Events::ignored(), pending()).await;
            assert!(matches!(result, Err(SinkError::Unsuitable(_))), "{}: refused, not {result:?}", graph.name);
            continue;
        }
        // A repeated transfer changes nothing.
        for round in ["first", "second"] {
            let report = run(&target, &source).await;
            compare(&target, &source, &report, &format!("{}, {round} transfer", graph.name)).await;
        }
    }
    replaced(&create).await;
    gaps(&create, contents).await;
    changes(&create, contents).await;
    interruption::check(&create, contents).await;
}

/// Returns the properties of an object. Its raw data is the text of `_rawData`, because no tree holds all numbers.
pub fn object_json(object: &StoredObject) -> Value {
    let mut json: Value = serde_json::from_str(&object.properties).expect("the text of an object is JSON");
    if let Some(raw) = &object.raw {
        json["_rawData"] = raw.as_str().into();
    }
    json
}

/// Transfers everything.
async fn run(target: &impl Target, source: &dyn Source) -> Report {
    let mut sink = target.sink();
    transfer(sink.as_mut(), source, &Events::ignored(), pending()).await.expect("a transfer")
}

/// Compares the target and a report with the objects of a source.
async fn compare(target: &impl Target, source: &dyn Source, report: &Report, what: &str) {
    let (written, refused) = compare_contents(target, source, what).await;
    let found = report.written() + report.unchanged();
    assert_eq!(found, written, "{what}: the number of written and unchanged objects in the report");
    assert_eq!(report.refused() + report.skipped(), refused, "{what}: the refused and skipped objects in the report");
}

/// Compares the target with the objects of a source. Returns the numbers of expected and of refused objects.
async fn compare_contents(target: &impl Target, source: &dyn Source, what: &str) -> (u64, u64) {
    let manifest = crate::manifest(target.sink().as_ref(), source, &Events::ignored()).await.expect("a manifest");
    let (mut expected, mut refused) = (Vec::new(), 0);
    for (snapshot, record) in records(source, manifest.with_raw).await {
        match target.expected(&record, &manifest, snapshot) {
            Expected::Written(value) => expected.push(value),
            Expected::Refused => refused += 1,
        }
    }
    let written = expected.len() as u64;
    compare_lists(target.read().await, expected, what);
    (written, refused)
}

/// Compares two lists without regard to their order.
fn compare_lists(mut found: Vec<Value>, mut expected: Vec<Value>, what: &str) {
    found.sort_by_cached_key(Value::to_string);
    expected.sort_by_cached_key(Value::to_string);
    let shown = |value: &Value| value.to_string().chars().take(2_000).collect::<String>();
    for (found, expected) in found.iter().zip(&expected) {
        assert!(found == expected, "{what}:\n  found    {}\n  expected {}", shown(found), shown(expected));
    }
    assert_eq!(found.len(), expected.len(), "{what}: the number of objects in the target");
}

async fn records(source: &dyn Source, with_raw: bool) -> Vec<(usize, Record)> {
    use futures::TryStreamExt;
    let batches: Vec<_> = source.read(with_raw, None).try_collect().await.expect("the objects of the source");
    batches
        .into_iter()
        .flat_map(|batch| batch.records.into_iter().map(move |record| (batch.snapshot, record)))
        .collect()
}

/// Objects that are absent from the next whole transfer are absent from the target.
async fn replaced<T: Target>(create: &impl AsyncFn() -> T) {
    let target = create().await;
    for graph in [graphs::users(1, &["one", "two", "three"]), graphs::users(2, &["two", "four"])] {
        let source = graph.source(false).await;
        let report = run(&target, &source).await;
        compare(&target, &source, &report, &graph.name).await;
    }
}

/// A whole transfer deletes nothing that a gap covers.
async fn gaps<T: Target>(create: &impl AsyncFn() -> T, contents: Contents) {
    let target = create().await;
    let before = graphs::users(1, &["one", "two"]);
    run(&target, &before.source(false).await).await;
    let after = graphs::users(2, &["two"]).with_gap("acme_user");
    let source = after.source(false).await;
    let report = run(&target, &source).await;
    match contents {
        Contents::Replaced => compare(&target, &source, &report, "a graph with a gap").await,
        Contents::Changed => {
            assert_eq!(report.deleted(), 0, "an object that a gap covers was deleted");
            assert_eq!(target.read().await.len(), 2, "the target keeps objects that a gap covers");
        }
    }
}

/// Changes have the effect of the newer snapshot.
async fn changes<T: Target>(create: &impl AsyncFn() -> T, contents: Contents) {
    let target = create().await;
    if !target.sink().capabilities().changes {
        return;
    }
    let (older, newer) = graphs::two_versions();
    run(&target, &older.source(false).await).await;
    let source = changes_between(&older, &newer, &graphs::changed()).await;
    let report = run(&target, &source).await;
    match contents {
        Contents::Replaced => compare(&target, &source, &report, "changes").await,
        Contents::Changed => {
            assert_eq!(report.deleted(), 1, "the observed removal was not carried out, or another one was");
            compare_contents(&target, &newer.source(false).await, "the graph after its changes").await;
        }
    }
    // The same changes again change nothing.
    run(&target, &source).await;
    if contents == Contents::Replaced {
        compare(&target, &source, &report, "the same changes again").await;
    }
}

async fn changes_between(older: &Graph, newer: &Graph, changed: &[(&str, &str, Action)]) -> ChangeSource {
    let reader = |graph: &Graph| graph.readers().remove(0);
    let find = |object_type: &str, key: &str| {
        let all = older.objects.iter().chain(&newer.objects).flatten();
        all.into_iter().find(|object| object.object_type.as_str() == object_type && object.key.as_str() == key).cloned()
    };
    let changes = changed.iter().map(|(object_type, key, action)| {
        let StoredObject { kind, object_type, key, .. } = find(object_type, key).expect("a changed object");
        ChangedObject { kind, object_type, key, action: *action }
    });
    let instance = InstanceChanges { newer: reader(newer), older: Some(reader(older)), changes: changes.collect() };
    let source = ChangeSource::open(vec![instance], &SourceOptions::default()).await.expect("changes");
    assert_eq!(source.manifest().transfer, TransferKind::Changes);
    source
}

impl Graph {
    fn readers(&self) -> Vec<Arc<dyn GraphReader>> {
        let reader = |(at, objects): (usize, &Vec<StoredObject>)| {
            let gaps: Vec<SnapshotGap> = self.gaps.clone();
            let id = SnapshotId {
                integration: "acme".to_owned(),
                instance: match at {
                    0 => InstanceId::default(),
                    _ => InstanceId::new(format!("east {at}: \"ä\"")).expect("an instance"),
                },
                job: JobId::new(format!("0197a1b2-0000-7000-8000-00000000000{}", self.number)).expect("a job id"),
                number: self.number,
                published: Timestamp::from_millis(1_700_000_000_000),
                with_stale: true,
            };
            Arc::new(MemoryGraph::new(id, objects.iter().cloned()).with_gaps(gaps)) as Arc<dyn GraphReader>
        };
        self.objects.iter().enumerate().map(reader).collect()
    }

    /// Opens the whole graph as a source.
    pub async fn source(&self, with_raw: bool) -> SnapshotSource {
        let options = SourceOptions { with_raw, ..SourceOptions::default() };
        SnapshotSource::open(self.readers(), &options).await.expect("a graph in memory")
    }
}
