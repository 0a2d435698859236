//! The store, checked by the suite of all stores and against the model that keeps full copies in memory.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::TryStreamExt;
use integration_graph::{InstanceId, JobId, Timestamp};
use integration_store::conformance::history::{GapOf, History, OBJECTS, Operation, STEPS, TYPES, Thing};
use integration_store::conformance::writers::{self, Bench};
use integration_store::{MemoryStore, Selection, StoredObject};
use proptest::prelude::*;
use tempfile::TempDir;

use super::{JobStore, Retention, Store, lock};

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
}

impl Bench for Folder {
    fn open(&self) -> Arc<dyn JobStore> {
        Arc::new(Store::open(self.0.path()).unwrap())
    }

    fn expire(&self, job: &JobId) {
        // A file system that loses its locks, or a person who deletes the file.
        std::fs::remove_file(lock::path(self.0.path(), job.as_str())).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_conforms_to_the_suite_of_stores() {
    writers::check(Folder::new).await;
}

/// An event of a store.
#[derive(Debug, Clone)]
enum Event {
    Of(Operation),
    /// Another process opens the store.
    Reopen,
    /// A user drops all stale objects.
    DropStale,
}

fn thing() -> impl Strategy<Value = Thing> {
    let rare = || prop::bool::weighted(0.1);
    let updated = prop::option::of(0..2_u8);
    (0..OBJECTS, rare(), 0..3_u8, updated, 0..2_u8, rare(), rare()).prop_map(
        |(object, retyped, value, updated, raw, quarantined, rejected)| Thing {
            object,
            retyped,
            value,
            updated,
            raw,
            quarantined,
            rejected,
        },
    )
}

fn gap() -> impl Strategy<Value = GapOf> {
    (0..TYPES, prop::option::of(0..3_u32))
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let of = |operation: BoxedStrategy<Operation>| operation.prop_map(Event::Of).boxed();
    let things = prop::collection::vec(thing(), 0..6);
    let append =
        (0..STEPS, any::<bool>(), any::<bool>(), things).prop_map(|(step, in_partition, completes, things)| {
            Operation::Append { step, in_partition, completes, things }
        });
    let amend =
        (0..OBJECTS, 0..3_u8, any::<bool>()).prop_map(|(object, value, late)| Operation::Amend { object, value, late });
    let end_step = (0..STEPS, prop::option::of(gap())).prop_map(|(step, gap)| Operation::EndStep { step, gap });
    let gaps = prop::option::weighted(0.9, prop::collection::vec(gap(), 0..3));
    let end = (gaps, prop::collection::vec(0..2_usize, 0..2), any::<bool>())
        .prop_map(|(gaps, lacking, resumable)| Operation::End { gaps, lacking, resumable });
    let event = prop_oneof![
        8 => of(append.boxed()),
        2 => of(amend.boxed()),
        2 => of(end_step.boxed()),
        1 => of(Just(Operation::Reconcile).boxed()),
        4 => of(end.boxed()),
        2 => of(any::<bool>().prop_map(|to_start| Operation::Resume { to_start }).boxed()),
        1 => of(Just(Operation::Restart).boxed()),
        1 => Just(Event::Reopen),
        1 => Just(Event::DropStale),
    ];
    prop::collection::vec(event, 1..25)
}

async fn objects(store: &dyn JobStore, job: &JobId) -> Vec<StoredObject> {
    let reader = store.published(job.clone(), true).await.unwrap().expect("a published graph");
    reader.scan(Selection::default().with_raw()).try_concat().await.unwrap()
}

/// Returns the contents of objects. A version keeps its step and its parent only for its newest snapshot.
fn contents(objects: &[StoredObject]) -> Vec<(String, String, Option<String>, bool)> {
    let content = |of: &StoredObject| (of.key.to_string(), of.properties.clone(), of.raw.clone(), of.is_stale);
    objects.iter().map(content).collect()
}

/// The identity of a version in the model.
type Version = (String, String, Option<String>, Timestamp);

async fn happen(events: Vec<Event>) {
    let folder = Folder::new();
    let mut store = Store::open(folder.0.path()).unwrap();
    let memory = MemoryStore::default();
    let mut history = History::of(Arc::new(store.clone()));
    let mut model = History::of(Arc::new(memory.clone()));
    let instance = InstanceId::default();
    // The graph of each job in the model, oldest first, and the versions of all snapshots of the newest job.
    let mut graphs: Vec<(JobId, JobId, Vec<StoredObject>)> = Vec::new();
    let mut needed: BTreeSet<Version> = BTreeSet::new();
    for event in events {
        let is_end = matches!(event, Event::Of(Operation::End { gaps: Some(_), .. }));
        match event {
            Event::Of(operation) => {
                let (found, expected) = (history.apply(&operation).await, model.apply(&operation).await);
                assert_eq!(found, expected, "{operation:?}");
            }
            Event::Reopen => {
                drop(store);
                history.reopen(|| Arc::new(Store::open(folder.0.path()).unwrap()));
                model.reopen(|| Arc::new(memory.clone()));
                store = Store::open(folder.0.path()).unwrap();
            }
            Event::DropStale if history.is_running() => {}
            Event::DropStale => {
                let groups = store.drop_stale(Timestamp::from_millis(i64::MAX)).await.unwrap();
                let dropped = memory.drop_stale("acme", &instance).unwrap();
                let is_busy = groups.iter().any(|group| group.is_busy);
                let counted = groups.iter().map(|group| group.count).sum::<u64>() as usize;
                assert_eq!(if is_busy { 0 } else { counted }, dropped);
                if dropped > 0
                    && let Some((_, job, graph)) = graphs.last_mut()
                {
                    *graph = objects(&memory, job).await;
                    let id = &graphs[graphs.len() - 1].0;
                    assert_eq!(
                        history.graph(id, true).await.unwrap(),
                        model.graph(&graphs[graphs.len() - 1].1, true).await.unwrap()
                    );
                }
            }
        }
        if is_end {
            let job = |history: &History| history.published().expect("a publication").0.clone();
            let (job, of_model) = (job(&history), job(&model));
            let graph = objects(&memory, &of_model).await;
            if graphs.last().is_none_or(|(last, ..)| *last != job) {
                needed.clear();
            }
            let version = |of: &StoredObject| (of.key.to_string(), of.properties.clone(), of.raw.clone(), of.began);
            needed.extend(graph.iter().map(version));
            graphs.retain(|(other, ..)| *other != job);
            graphs.push((job, of_model, graph));
        }
    }
    drop((history, model));
    for keep in [100, 2, 1] {
        store.prune(Retention::newest(keep)).await.unwrap();
        for row in store.jobs().await.unwrap() {
            let Some((job, _, graph)) = graphs.iter().find(|(job, ..)| *job == row.id) else { continue };
            assert_eq!(contents(&objects(&store, job).await), contents(graph), "with {keep} jobs kept");
        }
    }
    let newest = graphs.last().map(|(job, ..)| job.as_str().to_owned()).unwrap_or_default();
    let sql = "SELECT count(*) FROM object WHERE same_as IS NULL AND job IN (SELECT number FROM snapshot) \
               AND EXISTS (SELECT 1 FROM snapshot WHERE job = ?1)";
    let stored = move |connection: &rusqlite::Connection| connection.query_row(sql, [newest], |row| row.get(0));
    let stored: i64 = store.read(stored).await.unwrap();
    assert!(stored.unsigned_abs() as usize <= needed.len(), "versions that no snapshot needs are left");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_operation_has_the_result_of_the_model(events in events()) {
        tokio::runtime::Runtime::new().unwrap().block_on(happen(events));
    }
}
