//! Checks that every [`GraphReader`] passes, and those of stores of jobs: [`writers`] and [`history`].
//!
//! A store passes [`check`] the function that publishes graphs in it. The checks compare its reader with plain lists.
//!
//! ```
//! # futures::executor::block_on(async {
//! use std::sync::Arc;
//! use integration_store::{GraphReader, MemoryGraph, conformance};
//!
//! conformance::check(async |publications| {
//!     let (id, objects, gaps) = conformance::newest(&publications);
//!     Arc::new(MemoryGraph::new(id, objects).with_gaps(gaps)) as Arc<dyn GraphReader>
//! })
//! .await;
//! # })
//! ```

pub mod history;
pub mod writers;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use integration_graph::history::SnapshotGap;
use integration_graph::run::ErrorCode;
use integration_graph::{InstanceId, JobId, ObjectKey, ObjectType, StepId, Timestamp};
use serde_json::{Value, json};

use crate::{GraphReader, Kind, Selection, SnapshotId, StoredObject, TypeCount};

/// The objects that one job collected, and its gaps.
#[derive(Debug, Clone, Default)]
pub struct Publication {
    /// The collected objects.
    pub objects: Vec<StoredObject>,
    /// The data that the job could not collect. No gap is limited to a parent.
    pub gaps: Vec<SnapshotGap>,
}

/// Checks a kind of reader.
///
/// `publish` publishes graphs one after the other as one instance of a new store, at least two milliseconds apart, and
/// returns a reader of the last snapshot.
///
/// # Panics
/// If the reader does not conform.
pub async fn check(publish: impl AsyncFn(Vec<Publication>) -> Arc<dyn GraphReader>) {
    for publications in [empty(), kinds(), unicode(), large(), many(), stale()] {
        let (_, mut expected, gaps) = newest(&publications);
        expected.sort_by_key(name);
        let reader = publish(publications).await;
        scans(reader.as_ref(), &expected).await;
        dropped(reader.as_ref(), &expected).await;
        finds(reader.as_ref(), &expected).await;
        counts(reader.as_ref(), &expected).await;
        assert_eq!(reader.gaps().await.expect("the gaps"), gaps);
        assert_eq!(reader.id(), reader.id());
    }
}

/// Returns the last snapshot of an instance by the rules of publication. Publications are a millisecond apart.
///
/// # Panics
/// If there is no publication.
pub fn newest(publications: &[Publication]) -> (SnapshotId, Vec<StoredObject>, Vec<SnapshotGap>) {
    let mut graph: BTreeMap<(ObjectType, ObjectKey), StoredObject> = BTreeMap::new();
    let mut created: BTreeMap<(ObjectType, ObjectKey), Timestamp> = BTreeMap::new();
    for (at, Publication { objects, gaps }) in (1..).zip(publications) {
        let published = Timestamp::from_millis(at);
        let mut next = BTreeMap::new();
        for object in objects {
            let first = *created.entry(name(object)).or_insert(published);
            let same = graph.remove(&name(object)).filter(|before| before.json() == object.json());
            let began = same.map_or(published, |before| before.began);
            next.insert(name(object), StoredObject { created: first, began, is_stale: false, ..object.clone() });
        }
        let is_covered = |object: &StoredObject| gaps.iter().any(|gap| gap.types.contains(&object.object_type));
        let kept = graph.into_iter().filter(|(_, object)| is_covered(object));
        next.extend(kept.map(|(name, object)| (name, StoredObject { is_stale: true, ..object })));
        graph = next;
    }
    let last = publications.last().expect("at least one publication");
    let number = publications.len() as u64;
    let id = SnapshotId {
        integration: "acme".to_owned(),
        instance: InstanceId::default(),
        job: JobId::new("0197a1b2-0000-7000-8000-000000000001").expect("a job id"),
        number,
        published: Timestamp::from_millis(i64::try_from(number).unwrap_or(i64::MAX)),
        with_stale: true,
    };
    (id, graph.into_values().collect(), last.gaps.clone())
}

fn name(object: &StoredObject) -> (ObjectType, ObjectKey) {
    (object.object_type.clone(), object.key.clone())
}

fn object(step: &'static str, json: Value) -> StoredObject {
    StoredObject::from_json(StepId::literal(step), json).expect("an object of a graph")
}

fn entity(step: &'static str, object_type: &str, key: &str, more: &str) -> StoredObject {
    object(step, json!({"_key": key, "_type": object_type, "_class": "Record", "more": more}))
}

fn empty() -> Vec<Publication> {
    vec![Publication::default()]
}

fn kinds() -> Vec<Publication> {
    // A number that no `f64` holds stays as written.
    let raw = r#"[{"name":"default","rawData":{"a":[1e400,1.50]}}]"#;
    let team = object("teams", json!({"_key": "team:1", "_type": "acme_team", "_class": "Team"}));
    let mapping = json!({"relationshipDirection": "FORWARD", "sourceEntityKey": "user:1",
                         "targetFilterKeys": [["email"]], "targetEntity": {"email": "a@example.com"}});
    let objects = vec![
        StoredObject { raw: Some(raw.to_owned()), ..team },
        entity("users", "acme_user", "user:2", ""),
        entity("users", "acme_user", "user:1", ""),
        entity("more-users", "acme_user", "user:0", ""),
        object(
            "users",
            json!({"_key": "team:1|has|user:1", "_type": "acme_team_has_user", "_class": "HAS",
                   "_fromEntityKey": "team:1", "_toEntityKey": "user:1"}),
        ),
        object(
            "users",
            json!({"_key": "user:1|is|a", "_type": "acme_user_is_person", "_class": "IS", "_mapping": mapping}),
        ),
    ];
    vec![Publication { objects, gaps: Vec::new() }]
}

fn unicode() -> Vec<Publication> {
    let keys = ["a", "B", "ä", "z", "é", "\u{10ffff}", "\u{e000}", "a b", "'\"%_", "日本", "a|has|b"];
    vec![Publication { objects: keys.map(|key| entity("add", "acme_user", key, key)).to_vec(), gaps: Vec::new() }]
}

/// Objects of which few fit into one batch.
fn large() -> Vec<Publication> {
    let entity = |number: usize| entity("add", "acme_file", &format!("file:{number}"), &"x".repeat(number * 1_500_000));
    vec![Publication { objects: (0..5).map(entity).collect(), gaps: Vec::new() }]
}

/// Types with more objects than one batch.
fn many() -> Vec<Publication> {
    let users = (0..2_500).map(|number| entity("add", "acme_user", &format!("user:{}", number * 7919 % 2_500), ""));
    let teams = (0..1_000).map(|number| entity("add", "acme_team", &format!("team:{number}"), ""));
    vec![Publication { objects: users.chain(teams).collect(), gaps: Vec::new() }]
}

/// Objects that later jobs confirm, change, remove, add again, or cannot find because of a gap.
fn stale() -> Vec<Publication> {
    let object = |key: &str, more: &str| entity("add", "acme_user", key, more);
    let gap = SnapshotGap {
        step: StepId::literal("teams"),
        types: BTreeSet::from([ObjectType::literal("acme_team")]),
        parent: None,
        code: ErrorCode::NotCollected,
        cause: "the answer was 403".to_owned(),
    };
    let publication = |objects: Vec<StoredObject>, gaps: Vec<SnapshotGap>| Publication { objects, gaps };
    vec![
        publication(
            vec![
                object("same", ""),
                object("changed", "1"),
                object("removed", ""),
                object("again", ""),
                entity("teams", "acme_team", "covered", ""),
            ],
            vec![],
        ),
        publication(vec![object("same", ""), object("changed", "2"), object("added", "")], vec![gap.clone()]),
        publication(
            vec![object("same", ""), object("changed", "2"), object("again", ""), object("added", "")],
            vec![gap],
        ),
    ]
}

async fn collect(reader: &dyn GraphReader, selection: Selection) -> Vec<StoredObject> {
    let batches: Vec<Vec<StoredObject>> = reader.scan(selection).try_collect().await.expect("a scan");
    assert!(batches.iter().all(|batch| !batch.is_empty()), "a batch is empty");
    let bytes = |batch: &Vec<StoredObject>| batch.iter().map(StoredObject::bytes).sum::<usize>();
    let is_bounded =
        |batch: &Vec<StoredObject>| batch.len() <= 10_000 && (batch.len() == 1 || bytes(batch) <= 16 << 20);
    assert!(batches.iter().all(is_bounded), "a batch is too large");
    batches.concat()
}

/// Compares objects, except for times.
fn compare(found: &[StoredObject], expected: &[StoredObject]) {
    let epoch = Timestamp::from_millis(0);
    let timeless = |object: &StoredObject| StoredObject { created: epoch, began: epoch, ..object.clone() };
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(name(found), name(expected), "the objects are not in the order of types and keys");
        assert!(timeless(found) == timeless(expected), "the object {} differs", expected.key);
    }
    assert_eq!(found.len(), expected.len(), "the number of objects differs");
}

/// Returns the position of each time in the order of all times.
fn ranks(id: &SnapshotId, objects: &[StoredObject]) -> Vec<(usize, usize)> {
    let times = || objects.iter().flat_map(|object| [object.created, object.began]);
    let sorted: BTreeSet<Timestamp> = times().chain([id.published]).collect();
    let rank = |time| sorted.iter().position(|known| *known == time).unwrap_or_default();
    objects.iter().map(|object| (rank(object.created), rank(object.began))).collect()
}

async fn scans(reader: &dyn GraphReader, expected: &[StoredObject]) {
    let without_raw: Vec<_> = expected.iter().map(|object| StoredObject { raw: None, ..object.clone() }).collect();
    let found = collect(reader, Selection::default()).await;
    compare(&found, &without_raw);
    let id = SnapshotId { published: Timestamp::from_millis(i64::MAX), ..reader.id() };
    assert_eq!(ranks(&id, &found), ranks(&id, expected), "the times are not those of the publications");
    compare(&collect(reader, Selection::default().with_raw()).await, expected);
    let types: BTreeSet<&ObjectType> = expected.iter().map(|object| &object.object_type).collect();
    let steps: BTreeSet<&StepId> = expected.iter().map(|object| &object.step).collect();
    let kinds = [Kind::Entity, Kind::Relationship, Kind::MappedRelationship];
    let mut selections: Vec<Selection> = kinds.map(Selection::of_kind).to_vec();
    selections.extend(steps.iter().map(|step| Selection::default().by((*step).clone())));
    for object_type in types.into_iter().chain([&ObjectType::literal("acme_nothing")]) {
        let selection = Selection::of_type(object_type.clone());
        selections.extend(steps.iter().map(|step| selection.clone().by((*step).clone())));
        selections.push(selection);
    }
    let reversed = expected.iter().rev().map(|object| object.object_type.clone()).collect();
    selections.push(Selection { types: Some(reversed), ..Selection::default() });
    selections.push(Selection { types: Some(Vec::new()), ..Selection::default() });
    for selection in selections {
        let selected: Vec<_> = without_raw.iter().filter(|object| selection.contains(object)).cloned().collect();
        compare(&collect(reader, selection).await, &selected);
    }
}

/// Drops a scan after its first batch, and scans again.
async fn dropped(reader: &dyn GraphReader, expected: &[StoredObject]) {
    let mut batches = reader.scan(Selection::default().with_raw());
    let first = batches.next().await.transpose().expect("a scan").unwrap_or_default();
    compare(&first, &expected[..first.len()]);
    drop(batches);
    compare(&collect(reader, Selection::default().with_raw()).await, expected);
}

async fn finds(reader: &dyn GraphReader, expected: &[StoredObject]) {
    let unknown = || (ObjectType::literal("acme_user"), ObjectKey::stored("unknown").expect("a key"));
    let mut wanted = vec![unknown()];
    wanted.extend(expected.iter().rev().map(name));
    // The type belongs to the name of an object.
    wanted.extend(expected.iter().map(|object| (ObjectType::literal("acme_nothing"), object.key.clone())));
    let found = reader.objects(wanted).await.expect("the objects");
    assert_eq!(found.len(), 1 + 2 * expected.len());
    assert_eq!(found[0], None);
    let known: Vec<StoredObject> = found[1..=expected.len()].iter().rev().flatten().cloned().collect();
    compare(&known, expected);
    assert!(found[1 + expected.len()..].iter().all(Option::is_none));
}

async fn counts(reader: &dyn GraphReader, expected: &[StoredObject]) {
    let mut counts: BTreeMap<(Kind, ObjectType), (u64, u64)> = BTreeMap::new();
    for object in expected {
        let (objects, stale) = counts.entry((object.kind, object.object_type.clone())).or_default();
        *objects += 1;
        *stale += u64::from(object.is_stale);
    }
    let count = |((kind, object_type), (objects, stale))| TypeCount { kind, object_type, objects, stale };
    assert_eq!(reader.types().await.expect("the types"), counts.into_iter().map(count).collect::<Vec<_>>());
}
