//! The comparison of two snapshots in succession, checked against the publication of the newer one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::TryStreamExt;
use integration_store::conformance::history::{GapOf, History, OBJECTS, Operation, TYPES, Thing};
use proptest::prelude::*;

use crate::graph::history::ChangeCounts;
use crate::graph::{InstanceId, ObjectKey, ObjectType, Timestamp};
use crate::store::{Selection, Snapshot, Store, StoredObject};

use super::{ChangeOptions, Coverage, Side};

/// One run of a job.
#[derive(Debug, Clone)]
struct Run {
    things: Vec<Thing>,
    gaps: Vec<GapOf>,
    resumes: bool,
    resumable: bool,
    /// Whether all stale objects are dropped after the run.
    drops: bool,
}

fn runs() -> impl Strategy<Value = Vec<Run>> {
    let thing = (0..OBJECTS, prop::bool::weighted(0.1), 0..3_u8, 0..2_u8);
    let thing = thing.prop_map(|(object, retyped, value, raw)| Thing { retyped, value, raw, ..Thing::new(object) });
    let gaps = prop::collection::vec((0..TYPES, prop::option::of(0..3_u32)), 0..3);
    let run = (prop::collection::vec(thing, 0..=OBJECTS), gaps, any::<[bool; 3]>())
        .prop_map(|(things, gaps, [resumes, resumable, drops])| Run { things, gaps, resumes, resumable, drops });
    prop::collection::vec(run, 1..7)
}

type Graph = BTreeMap<(ObjectType, ObjectKey), StoredObject>;

async fn graph(snapshot: &Snapshot) -> Graph {
    let objects = snapshot.scan(Selection::default().with_raw()).try_concat().await.unwrap();
    objects.into_iter().map(|object| ((object.object_type.clone(), object.key.clone()), object)).collect()
}

/// Counts the changes between two full graphs, each object by its type.
fn changes(before: &Graph, after: &Graph) -> BTreeMap<ObjectType, ChangeCounts> {
    let mut changes: BTreeMap<ObjectType, ChangeCounts> = BTreeMap::new();
    for name in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
        let counts = changes.entry(name.0.clone()).or_default();
        match (before.get(name), after.get(name)) {
            (None, _) => counts.added += 1,
            (_, None) => counts.removed += 1,
            (_, Some(now)) if now.is_stale => counts.unknown += 1,
            (Some(old), Some(now)) if old.properties != now.properties => counts.changed += 1,
            (Some(old), Some(now)) if old.raw != now.raw => counts.raw_only += 1,
            _ => {}
        }
    }
    changes.retain(|_, counts| *counts != ChangeCounts::default());
    changes
}

/// Counts the changes that a comparison finds between two snapshots. The older job has no objects and all gaps.
async fn compared(older: &Snapshot, newer: &Snapshot) -> BTreeMap<ObjectType, ChangeCounts> {
    let (whole, unfinished) = (Coverage::default(), Coverage::unfinished());
    let (old_types, new_types) = (older.kinds().await.unwrap(), newer.kinds().await.unwrap());
    let older = Side { graph: older, types: &old_types, coverage: &unfinished };
    let newer = Side { graph: newer, types: &new_types, coverage: &whole };
    let found = super::changes(older, newer, &ChangeOptions::default(), |_| {}).await.unwrap();
    found.by_type().map(|(_, object_type, counts)| (ObjectType::new(object_type).unwrap(), counts)).collect()
}

/// Returns the two newest snapshots, the older one first.
async fn newest(store: &Store) -> Option<[Snapshot; 2]> {
    let snapshots = store.snapshots("acme", &InstanceId::default()).await.unwrap();
    let [newer, older, ..] = &snapshots[..] else { return None };
    Some([store.snapshot(older.clone()), store.snapshot(newer.clone())])
}

async fn happen(runs: Vec<Run>) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let mut history = History::of(Arc::new(store.clone()));
    for Run { things, gaps, resumes, resumable, drops } in runs {
        let begin = if resumes { Operation::Resume { to_start: false } } else { Operation::Restart };
        let append = Operation::Append { step: 0, in_partition: true, completes: true, things };
        let end = Operation::End { gaps: Some(gaps), lacking: Vec::new(), resumable };
        for operation in [begin, append, end] {
            history.apply(&operation).await;
        }
        let (_, published) = history.published().expect("a publication").clone();
        if published.previous.is_some()
            && let Some([older, newer]) = newest(&store).await
        {
            assert_eq!(compared(&older, &newer).await, published.changes);
            assert_eq!(changes(&graph(&older).await, &graph(&newer).await), published.changes);
        }
        if drops
            && !store.drop_stale(Timestamp::from_millis(i64::MAX)).await.unwrap().is_empty()
            && let Some([older, newer]) = newest(&store).await
        {
            let expected = changes(&graph(&older).await, &graph(&newer).await);
            assert_eq!(compared(&older, &newer).await, expected, "dropped objects count as removed");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn a_comparison_of_two_snapshots_in_succession_counts_what_was_published(runs in runs()) {
        tokio::runtime::Runtime::new().unwrap().block_on(happen(runs));
    }
}
