//! Publications checked against a model that keeps a full copy of every graph.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::json;

use crate::diff::{ChangeOptions, Coverage, Side};
use crate::graph::history::{ChangeCounts, SnapshotGap};
use crate::graph::run::{ErrorCode, JobState, Parent, Summary};
use crate::graph::{InstanceId, JobId, ObjectJson, ObjectKey, ObjectType, StepId, Timestamp};

use super::{JobStore, Kind, ObjectBatch, PageSelection, Publication, Retention, Row, Snapshot, Store};

const ENTITIES: usize = 4;
/// The entities that each relationship connects.
const LINKS: [(usize, usize); 3] = [(0, 1), (1, 2), (2, 3)];
const OBJECTS: usize = ENTITIES + LINKS.len();

/// The state of an object that a job collects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Content {
    /// Whether the entity has the other one of the two types.
    retyped: bool,
    parent: Option<usize>,
    properties: u8,
    raw: u8,
}

/// A gap: a type and a parent.
type GapOf = (usize, Option<usize>);

/// One run of a job.
#[derive(Debug, Clone)]
struct Run {
    /// The collected objects.
    objects: BTreeMap<usize, Content>,
    gaps: Vec<GapOf>,
    /// Whether the run resumes the job before, if that is possible.
    resumes: bool,
    resumable: bool,
    /// Whether another process opens the store before the run.
    restarts: bool,
    /// The objects that are added without a hash, as after an amendment.
    unhashed: bool,
    /// Whether all stale objects are dropped after the run.
    drops: bool,
}

fn runs() -> impl Strategy<Value = Vec<Run>> {
    let content = (prop::bool::weighted(0.1), prop::option::of(0..2_usize), 0..3_u8, 0..2_u8);
    let content = content.prop_map(|(retyped, parent, properties, raw)| Content { retyped, parent, properties, raw });
    let objects = prop::collection::btree_map(0..OBJECTS, content, 0..=OBJECTS);
    let gaps = prop::collection::vec((0..3_usize, prop::option::of(0..2_usize)), 0..3);
    let run = (objects, gaps, any::<[bool; 5]>()).prop_map(
        |(objects, gaps, [resumes, resumable, restarts, unhashed, drops])| Run {
            objects,
            gaps,
            resumes,
            resumable,
            restarts,
            unhashed,
            drops,
        },
    );
    prop::collection::vec(run, 1..7)
}

fn type_at(object: usize, content: Content) -> usize {
    if object < ENTITIES { (object + usize::from(content.retyped)) % 2 } else { 2 }
}

fn type_of(at: usize) -> ObjectType {
    ObjectType::literal(["acme_app", "acme_user", "acme_app_has_user"][at])
}

fn key(object: usize) -> ObjectKey {
    ObjectKey::new(format!("object-{object}")).unwrap()
}

fn parent(at: usize) -> ObjectKey {
    ObjectKey::new(format!("team-{at}")).unwrap()
}

fn row(object: usize, content: Content) -> Row {
    let ends = object.checked_sub(ENTITIES).map(|link| (key(LINKS[link].0), key(LINKS[link].1)));
    Row {
        kind: if ends.is_some() { Kind::Relationship } else { Kind::Entity },
        parent: content.parent.map(parent),
        ends,
        ..Row::entity(key(object), type_of(type_at(object, content)))
    }
}

fn texts(content: Content) -> (String, String) {
    (json!({"value": content.properties}).to_string(), json!([content.raw]).to_string())
}

/// An object in the model: its content, the identity of its version, and whether it is stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Known {
    content: Content,
    version: usize,
    is_stale: bool,
}

type Graph = BTreeMap<usize, Known>;

/// Publishes a job in the model.
fn publish(before: &Graph, collected: &BTreeMap<usize, Content>, gaps: &[GapOf], versions: &mut usize) -> Graph {
    let mut after = Graph::new();
    for (object, content) in collected {
        let of = |content: &Content| (type_at(*object, *content), content.properties, content.raw);
        let same = |known: &&Known| of(&known.content) == of(content);
        let version = before.get(object).filter(same).map(|known| known.version).unwrap_or_else(|| {
            *versions += 1;
            *versions
        });
        after.insert(*object, Known { content: *content, version, is_stale: false });
    }
    let covered = |object: usize, known: &Known| {
        gaps.iter().any(|(of, under)| {
            *of == type_at(object, known.content)
                && match (under, known.content.parent) {
                    (Some(under), Some(parent)) => *under == parent,
                    _ => true,
                }
        })
    };
    let missing = || before.iter().filter(|(object, _)| !collected.contains_key(object));
    let mut removed: BTreeSet<usize> =
        missing().filter(|(object, known)| !covered(**object, known)).map(|(object, _)| *object).collect();
    let is_retyped = |(object, known): &(&usize, &Known)| {
        collected.get(object).is_some_and(|now| type_at(**object, *now) != type_at(**object, known.content))
    };
    removed.extend(before.iter().filter(is_retyped).map(|(object, _)| *object));
    for (object, known) in missing() {
        let lacks_end = object.checked_sub(ENTITIES).is_some_and(|link| {
            let (from, to) = LINKS[link];
            removed.contains(&from) || removed.contains(&to)
        });
        if covered(*object, known) && !lacks_end {
            after.insert(*object, Known { is_stale: true, ..*known });
        }
    }
    after
}

/// Drops the stale objects of the model, and the relationships of dropped entities.
fn without_stale(graph: &Graph) -> Graph {
    let is_stale = |object: usize| graph.get(&object).is_some_and(|known| known.is_stale);
    let lacks_end = |object: usize| {
        let ends = object.checked_sub(ENTITIES).map(|link| LINKS[link]);
        ends.is_some_and(|(from, to)| is_stale(from) || is_stale(to))
    };
    let kept = graph.iter().filter(|(object, known)| !known.is_stale && !lacks_end(**object));
    kept.map(|(object, known)| (*object, *known)).collect()
}

/// Counts the changes between two graphs of the model, each object by its type.
fn changes(before: &Graph, after: &Graph) -> BTreeMap<ObjectType, ChangeCounts> {
    let of_type = |graph: &Graph| -> BTreeMap<(usize, usize), Known> {
        graph.iter().map(|(object, known)| ((type_at(*object, known.content), *object), *known)).collect()
    };
    let (before, after) = (of_type(before), of_type(after));
    let mut changes: BTreeMap<ObjectType, ChangeCounts> = BTreeMap::new();
    for object in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
        let counts = changes.entry(type_of(object.0)).or_default();
        match (before.get(object), after.get(object)) {
            (None, _) => counts.added += 1,
            (_, None) => counts.removed += 1,
            (_, Some(now)) if now.is_stale => counts.unknown += 1,
            (Some(old), Some(now)) if old.content.properties != now.content.properties => counts.changed += 1,
            (Some(old), Some(now)) if old.content.raw != now.content.raw => counts.raw_only += 1,
            _ => {}
        }
    }
    changes.retain(|_, counts| *counts != ChangeCounts::default());
    changes
}

/// Counts the changes that `diff` finds between the two newest snapshots. The older job has no objects and all gaps.
async fn compared(store: &Store) -> BTreeMap<ObjectType, ChangeCounts> {
    let snapshots = store.snapshots("acme", &InstanceId::default()).await.unwrap();
    let [newer, older] = [0, 1].map(|at| store.snapshot(snapshots[at].clone()));
    let (whole, unfinished) = (Coverage::default(), Coverage::unfinished());
    let (old_types, new_types) = (older.kinds().await.unwrap(), newer.kinds().await.unwrap());
    let older = Side { graph: &older, types: &old_types, coverage: &unfinished };
    let newer = Side { graph: &newer, types: &new_types, coverage: &whole };
    let found = crate::diff::changes(older, newer, &ChangeOptions::default(), |_| {}).await.unwrap();
    found.by_type().map(|(_, object_type, counts)| (ObjectType::new(object_type).unwrap(), counts)).collect()
}

async fn add(job: &JobStore, objects: &BTreeMap<usize, Content>, unhashed: bool) {
    let mut rows = ObjectBatch::default();
    if !unhashed {
        rows = rows.hashed_with(job.hash_key());
    }
    for (object, content) in objects {
        let (properties, raw) = texts(*content);
        rows.push(row(*object, *content), ObjectJson { properties: &properties, raw: Some(&raw) });
    }
    let place = job.place().await.unwrap();
    job.submit(place, StepId::literal("fetch"), rows, Vec::new()).done().await.unwrap();
}

/// An object as read: properties, raw data, parent, staleness.
type Seen = BTreeMap<String, (String, Option<String>, Option<String>, bool)>;

async fn seen(snapshot: &Snapshot) -> Seen {
    let mut seen = Seen::new();
    for at in 0..3 {
        let page = snapshot.page(PageSelection::of(type_of(at), 100)).await.unwrap();
        for stored in page.objects {
            let parent = stored.row.parent.as_ref().map(ToString::to_string);
            seen.insert(stored.row.key.to_string(), (stored.properties, stored.raw, parent, stored.is_stale));
        }
    }
    seen
}

fn expected(graph: &Graph, with_stale: bool) -> Seen {
    let shown = graph.iter().filter(|(_, known)| with_stale || !known.is_stale);
    shown
        .map(|(object, known)| {
            let (properties, raw) = texts(known.content);
            let parent = known.content.parent.map(|at| parent(at).to_string());
            (key(*object).to_string(), (properties, Some(raw), parent, known.is_stale))
        })
        .collect()
}

/// The content of a graph without the parents, which a version keeps only for its newest snapshot.
fn without_parents(mut seen: Seen) -> Seen {
    seen.values_mut().for_each(|object| object.2 = None);
    seen
}

async fn happen(runs: Vec<Run>) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let (mut graph, mut versions) = (Graph::new(), 0);
    let mut collected: BTreeMap<usize, Content> = BTreeMap::new();
    let mut history: Vec<(JobId, Graph)> = Vec::new();
    let mut can_resume = false;
    // All snapshots of the newest job, which may have published several times.
    let (mut of_newest, mut last): (Vec<Graph>, _) = (Vec::new(), None);
    for run in runs {
        if run.restarts {
            drop(store);
            store = Store::open(folder.path()).unwrap();
        }
        let job = if can_resume && run.resumes {
            let row = store.jobs().await.unwrap().remove(0);
            let job = store.resume_job(&row).await.unwrap();
            let new: BTreeMap<_, _> =
                run.objects.iter().filter(|(at, _)| !collected.contains_key(at)).map(|(at, of)| (*at, *of)).collect();
            add(&job, &new, run.unhashed).await;
            collected.extend(new);
            // The job publishes once more; the last publication is the graph of the job.
            job
        } else {
            let job = store.begin_job("acme", &InstanceId::default(), &json!({})).await.unwrap();
            add(&job, &run.objects, run.unhashed).await;
            collected = run.objects.clone();
            job
        };
        let before = std::mem::take(&mut graph);
        graph = publish(&before, &collected, &run.gaps, &mut versions);
        let gap = |(of, under): &GapOf| SnapshotGap {
            step: StepId::literal("fetch"),
            types: [type_of(*of)].into(),
            parent: under.map(|at| Parent { object_type: ObjectType::literal("acme_team"), key: parent(at) }),
            code: ErrorCode::ProviderApi,
            cause: "refused".to_owned(),
        };
        let state = if run.resumable { JobState::Cancelled } else { JobState::Complete };
        let summary = Summary::new(job.id().clone(), "acme", InstanceId::default(), state);
        let gaps = run.gaps.iter().map(gap).collect();
        let publication = Publication { gaps, resumable: run.resumable, ..Publication::default() };
        let stale = graph.values().filter(|known| known.is_stale).count() as u64;
        let published = job.publish(summary, publication).await.unwrap().published.unwrap();
        assert_eq!(published.total().unknown, stale);
        assert_eq!(published.changes, changes(&before, &graph));
        if published.previous.is_some() {
            assert_eq!(compared(&store).await, published.changes, "the comparison of two snapshots in succession");
        }
        can_resume = run.resumable;
        let row = store.job(Some(job.id().as_str())).await.unwrap().unwrap();
        let snapshot = store.snapshot_of(&row).await.unwrap().unwrap();
        assert_eq!(seen(&snapshot).await, expected(&graph, true));
        assert_eq!(seen(&snapshot.collected()).await, expected(&graph, false));
        if last.as_ref() != Some(job.id()) {
            of_newest.clear();
        }
        of_newest.push(graph.clone());
        last = Some(job.id().clone());
        let id = job.id().clone();
        drop(job);
        if run.drops {
            let groups = store.drop_stale(Timestamp::from_millis(i64::MAX)).await.unwrap();
            let kept = without_stale(&graph);
            assert_eq!(groups.iter().map(|group| group.count).sum::<u64>() as usize, graph.len() - kept.len());
            if !groups.is_empty() {
                of_newest.pop();
                of_newest.push(kept.clone());
            }
            graph = kept;
            let row = store.job(Some(id.as_str())).await.unwrap().unwrap();
            let snapshot = store.snapshot_of(&row).await.unwrap().unwrap();
            assert_eq!(seen(&snapshot).await, expected(&graph, true));
            if store.snapshots("acme", &InstanceId::default()).await.unwrap().len() > 1 {
                assert_eq!(compared(&store).await, changes(&before, &graph), "dropped objects count as removed");
            }
        }
        history.retain(|(other, _)| *other != id);
        history.push((id, graph.clone()));
    }
    for keep in [100, 2, 1] {
        store.prune(Retention::newest(keep)).await.unwrap();
        let kept = history.len().saturating_sub(keep);
        for (id, graph) in &history[kept..] {
            let row = store.job(Some(id.as_str())).await.unwrap().unwrap();
            let snapshot = store.snapshot_of(&row).await.unwrap().unwrap();
            let expected = without_parents(expected(graph, true));
            assert_eq!(without_parents(seen(&snapshot).await), expected, "with {keep} jobs kept");
        }
    }
    let count = "SELECT count(*) FROM object WHERE same_as IS NULL";
    let stored: i64 = store.read(move |connection| connection.query_row(count, [], |row| row.get(0))).await.unwrap();
    let of_newest: BTreeSet<usize> = of_newest.iter().flat_map(|graph| graph.values().map(|of| of.version)).collect();
    assert_eq!(stored.unsigned_abs() as usize, of_newest.len(), "versions that no snapshot needs are left");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn every_snapshot_is_the_full_copy_that_the_rules_give(runs in runs()) {
        tokio::runtime::Runtime::new().unwrap().block_on(happen(runs));
    }
}
