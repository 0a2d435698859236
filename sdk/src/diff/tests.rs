//! Comparisons checked against the true states of two worlds, of which two jobs collected parts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::compare::compare_changed;
use super::judge::{Absence, Lone, absence, difference};
use super::*;
use crate::graph::run::{Parent, PartitionId, PartitionRef, Summary};
use crate::graph::{InstanceId, ObjectKey, ObjectType, Properties, StepId, merge};
use crate::store::{
    CompletedPartition, JobStore, Kind, NewJob, ObjectBatch, Publication, Row, Snapshot, StepBatch, Store,
};

const TEAMS: usize = 3;
const APPS: usize = 6;

fn name(text: &str) -> ObjectType {
    ObjectType::new(text).expect("a type")
}

fn key(text: &str) -> ObjectKey {
    ObjectKey::new(text).expect("a key")
}

fn team(at: usize) -> Parent {
    Parent { object_type: name("acme_team"), key: key(&format!("team:000{at}")) }
}

/// Creates a summary from steps: id, status, further members.
fn summary(steps: &[(&str, &str, Value)]) -> Summary {
    let report = |(id, status, more): &(&str, &str, Value)| {
        let mut report = json!({
            "id": id, "name": id, "status": status, "dependsOn": [], "declaredTypes": [], "partialTypes": [],
            "encounteredTypes": [], "encounteredTypeCounts": {}, "duration": 0,
            "usage": crate::http::Usage::default(),
        });
        report.as_object_mut().expect("an object").extend(more.as_object().cloned().expect("an object"));
        report
    };
    let steps: Vec<Value> = steps.iter().map(report).collect();
    serde_json::from_value(json!({
        "job": "0198f3a2-0000-7000-8000-000000000000", "integration": "acme", "instance": "default", "state": "partial",
        "startTime": 0, "endTime": 0, "duration": 0, "entities": 0, "relationships": 0,
        "integrationStepResults": steps, "metadata": {"partialDatasets": {"types": []}},
        "usage": crate::http::Usage::default(),
    }))
    .expect("a summary")
}

fn gap(types: &[&str], parent: Option<usize>) -> Value {
    let mut gap = json!({"types": types, "code": "PROVIDER_API_ERROR", "cause": "refused"});
    if let Some(at) = parent {
        gap["under"] = serde_json::to_value(team(at)).expect("a scope");
    }
    gap
}

/// Gaps under the teams whose lists failed.
fn refused(types: &[&str], teams: &BTreeSet<usize>, merges: bool) -> Coverage {
    let gaps: Vec<Value> = teams.iter().map(|at| gap(types, Some(*at))).collect();
    let merges = if merges { types } else { &[] };
    Coverage::of(&summary(&[("fetch", "success", json!({"incomplete": gaps, "merges": merges}))]))
}

fn teams() -> impl Strategy<Value = BTreeSet<usize>> {
    prop::collection::btree_set(0..TEAMS, 0..=TEAMS)
}

/// The applications of a world, each with its team if it exists.
type World = [Option<usize>; APPS];

fn world() -> impl Strategy<Value = World> {
    prop::array::uniform6(prop::option::of(0..TEAMS))
}

proptest! {
    /// An application that is not under its team any more is absent, unless that team was refused.
    #[test]
    fn no_removal_or_addition_is_reported_that_was_not_observed_and_every_observed_one_is(
        old in world(), new in world(), old_gaps in teams(), new_gaps in teams()
    ) {
        let coverage = [&old_gaps, &new_gaps].map(|gaps| refused(&["acme_app"], gaps, false));
        for (old, new) in old.into_iter().zip(new) {
            let is_collected = |team: Option<usize>, gaps: &BTreeSet<usize>| team.is_some_and(|team| !gaps.contains(&team));
            let app = name("acme_app");
            let judge = |team: Option<usize>, coverage: &Coverage| {
                let parent = team.map(|team| self::team(team).key);
                absence(&Lone { object_type: app.as_str(), parent: parent.as_ref().map(ObjectKey::as_str), ends: [None, None] }, coverage)
            };
            let (found, team, other, gaps) = match (is_collected(old, &old_gaps), is_collected(new, &new_gaps)) {
                (true, false) => (judge(old, &coverage[1]), old, new, &new_gaps),
                (false, true) => (judge(new, &coverage[0]), new, old, &old_gaps),
                _ => continue,
            };
            let is_refused = team.is_some_and(|team| gaps.contains(&team));
            prop_assert_eq!(found, if is_refused { Absence::Unknown } else { Absence::Observed });
            // Only a move to a refused team looks like a removal.
            prop_assert!(found == Absence::Unknown || other.is_none() || other != team);
        }
    }

    #[test]
    fn a_person_whom_nothing_happened_to_is_never_reported_as_changed(
        descriptions in prop::collection::btree_map(0..TEAMS, ("[abc]", prop::option::of("[abc]")), 1..=TEAMS),
        old_gaps in teams(), new_gaps in teams()
    ) {
        let person = |gaps: &BTreeSet<usize>| -> Option<String> {
            let seen = descriptions.iter().filter(|(team, _)| !gaps.contains(*team));
            let described = seen.map(|(team, (role, title))| properties(json!({"teams": [team], "role": role, "title": title})));
            described.reduce(merge).map(|joined| Value::Object(joined).to_string())
        };
        let (Some(old), Some(new)) = (person(&old_gaps), person(&new_gaps)) else { return Ok(()) };
        let [older, newer] = [&old_gaps, &new_gaps].map(|gaps| refused(&["acme_person"], gaps, true));
        let change = difference("acme_person", &old, &new, &older, &newer);
        prop_assert!(matches!(change, Change::Same | Change::Unknown), "{:?}: {} {}", change, old, new);
    }

    #[test]
    fn without_gaps_every_difference_is_a_change(old in "[ab]{0,2}", new in "[ab]{0,2}", list in any::<bool>()) {
        let person = |text: &str| {
            let value: Value = if list { text.chars().map(String::from).collect() } else { text.into() };
            json!({"role": value}).to_string()
        };
        let none = Coverage::default();
        let change = difference("acme_person", &person(&old), &person(&new), &none, &none);
        prop_assert_eq!(change == Change::Same, old == new);
        prop_assert!(change != Change::Unknown);
    }
}

fn properties(value: Value) -> Properties {
    value.as_object().cloned().unwrap_or_default()
}

fn changed(names: &[&str], unknown: &[&str]) -> Change {
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Change::Changed { properties: set(names), unknown: set(unknown) }
}

#[test]
fn what_a_refused_amendment_explains_is_unknown_and_the_rest_has_changed() {
    let amending = |status: &str, gaps: Value| {
        let more = json!({"amends": ["acme_person"], "declaredTypes": ["acme_in_team"], "incomplete": gaps});
        Coverage::of(&summary(&[("profiles", status, more)]))
    };
    let whole = amending("success", json!([]));
    let refused = amending("success", json!([gap(&["acme_in_team"], Some(1))]));
    let disabled = amending("disabled", json!([]));
    let person = "acme_person";
    let full = r#"{"admin":false,"firstName":"Ada"}"#;
    for lacking in [&refused, &disabled] {
        let judge = |now: &str| difference(person, full, now, &whole, lacking);
        assert_eq!(judge(r#"{"admin":false}"#), Change::Unknown);
        assert_eq!(judge(r#"{"admin":true}"#), changed(&["admin"], &["firstName"]));
        assert_eq!(judge(r#"{"admin":false,"firstName":"Bea"}"#), changed(&["firstName"], &[]));
        assert_eq!(difference(person, r#"{"admin":false}"#, full, lacking, &whole), Change::Unknown);
        assert_eq!(difference(person, full, r#"{"admin":false}"#, lacking, &whole), changed(&["firstName"], &[]));
    }
    assert_eq!(difference("acme_app", full, "{}", &whole, &refused), changed(&["admin", "firstName"], &[]));
}

#[test]
fn a_property_of_a_step_that_adds_it_with_a_gap_is_unknown_if_both_jobs_have_another_value() {
    let amending = |status: &str, names: Value, gaps: Value| {
        let more = json!({"amends": ["acme_person"], "amendedProperties": names, "incomplete": gaps});
        Coverage::of(&summary(&[("profiles", status, more)]))
    };
    let whole = amending("success", json!(["firstName", "tags"]), json!([]));
    let refused = amending("success", json!(["firstName"]), json!([gap(&[], Some(1))]));
    let disabled = amending("disabled", json!([]), json!([]));
    let before = r#"{"admin":false,"firstName":"Ada","tags":["a"]}"#;
    let now = r#"{"admin":true,"firstName":"Bea","tags":["b"]}"#;
    let judge = |older: &Coverage, newer: &Coverage| difference("acme_person", before, now, older, newer);
    for lacking in [&refused, &disabled, &Coverage::unfinished()] {
        assert_eq!(judge(&whole, lacking), changed(&["admin"], &["firstName", "tags"]));
        assert_eq!(judge(lacking, &whole), changed(&["admin"], &["firstName", "tags"]));
    }
    assert_eq!(judge(&refused, &refused), changed(&["admin"], &["firstName", "tags"]));
    assert_eq!(judge(&whole, &whole), changed(&["admin", "firstName", "tags"], &[]));
    let elsewhere = difference("acme_app", before, now, &whole, &refused);
    assert_eq!(elsewhere, changed(&["admin", "firstName", "tags"], &[]));
}

#[test]
fn a_relationship_shares_the_fate_of_its_absent_end() {
    let has = name("acme_team_has_app");
    let covered = Coverage::of(&summary(&[("has", "disabled", json!({"declaredTypes": ["acme_team_has_app"]}))]));
    let judge = |ends, lacks: &Coverage| absence(&Lone { object_type: has.as_str(), parent: None, ends }, lacks);
    let (observed, unknown) = (Some(Absence::Observed), Some(Absence::Unknown));
    assert_eq!(judge([None, None], &Coverage::default()), Absence::Observed);
    assert_eq!(judge([None, unknown], &Coverage::default()), Absence::Unknown);
    assert_eq!(judge([unknown, observed], &Coverage::default()), Absence::Observed);
    assert_eq!(judge([None, None], &covered), Absence::Unknown);
    assert_eq!(judge([observed, None], &covered), Absence::Observed);
}

#[test]
fn steps_that_did_not_run_count_as_gaps_of_all_their_types() {
    let reports = [
        ("fetch-teams", "success", json!({"declaredTypes": ["acme_team"]})),
        ("fetch-apps", "disabled", json!({"declaredTypes": ["acme_app"], "disabledReason": "user_config"})),
        ("fetch-users", "pending_evaluation", json!({"declaredTypes": ["acme_user"]})),
    ];
    let coverage = Coverage::of(&summary(&reports));
    assert_eq!(coverage.types().into_iter().map(ObjectType::as_str).collect::<Vec<_>>(), ["acme_app", "acme_user"]);
    assert!(!coverage.is_complete() && Coverage::of(&summary(&reports[..1])).is_complete());
    let unfinished = Coverage::unfinished();
    let lone = Lone { object_type: "acme_team", parent: None, ends: [None, None] };
    assert_eq!(absence(&lone, &unfinished), Absence::Unknown);
}

/// An object of a stored graph: type, key, partition of its step, ends.
type Put<'a> = (&'a str, &'a str, PartitionRef, Option<(&'a str, &'a str)>);

/// Stores a job whose step `fetch` added these objects, with the parents of its partitions.
async fn stored(store: &Store, objects: &[Put<'_>], partitions: &[(PartitionRef, &str)]) -> Snapshot {
    // Each graph belongs to an instance of its own, so that no publication depends on another one.
    let instance = InstanceId::new(crate::graph::JobId::generate().as_str()).expect("a name");
    published(store, &instance, objects, partitions, Publication::default()).await
}

async fn published(
    store: &Store,
    instance: &InstanceId,
    objects: &[Put<'_>],
    partitions: &[(PartitionRef, &str)],
    publication: Publication,
) -> Snapshot {
    let new = NewJob { integration: "acme".into(), instance: instance.clone(), options: json!({}) };
    let job = store.begin(new).await.expect("a job");
    let mut rows = ObjectBatch::default();
    for (object_type, text, partition, ends) in objects {
        let row = Row {
            kind: if ends.is_some() { Kind::Relationship } else { Kind::Entity },
            partition: *partition,
            parent: partitions.iter().find(|(number, _)| number == partition).map(|(_, parent)| key(parent)),
            ends: ends.map(|(from, to)| (key(from), key(to))),
            ..Row::entity(key(text), name(object_type))
        };
        rows.push(row, crate::graph::ObjectJson::of(&json!({"_key": text}).to_string()));
    }
    let done = |(partition, parent): &(PartitionRef, &str)| {
        let PartitionRef::Nth(id) = *partition else { panic!("no partition of {parent}") };
        let (path, parent) = ((*parent).to_owned(), key(parent));
        CompletedPartition { id, parent, path, outer: None, stats: "{}".into() }
    };
    let step = StepId::new("fetch").expect("an id");
    let batch = StepBatch { step, objects: rows, completed: partitions.iter().map(done).collect() };
    job.append(Arc::new(batch)).await.expect("a store").await.expect("a batch");
    job.end(summary(&[]), Some(publication)).await.expect("a store");
    let row = store.job(Some(job.lease().job.as_str())).await.expect("a store").expect("the job");
    store.snapshot_of(&row).await.expect("a store").expect("a graph")
}

async fn changes(older: (&Snapshot, &Coverage), newer: (&Snapshot, &Coverage)) -> BTreeMap<String, Change> {
    let types = (older.0.kinds().await.expect("a store"), newer.0.kinds().await.expect("a store"));
    let mut changes = BTreeMap::new();
    let visit = |difference: Difference| {
        let stored = difference.now.or(difference.before).expect("an object");
        changes.insert(stored.row.key.to_string(), difference.change);
    };
    let older = Side { graph: older.0, types: &types.0, coverage: older.1 };
    let newer = Side { graph: newer.0, types: &types.1, coverage: newer.1 };
    compare(older, newer, |_| true, visit).await.expect("a store");
    changes.retain(|_, change| *change != Change::Same);
    changes
}

const NONE: PartitionRef = PartitionRef::None;
const SHARED: PartitionRef = PartitionRef::Shared;
const ACCOUNT: PartitionRef = PartitionRef::Nth(PartitionId::FIRST);
const ONE: PartitionRef = PartitionRef::Nth(PartitionId::FIRST.next());
const TWO: PartitionRef = PartitionRef::Nth(PartitionId::FIRST.next().next());

/// An account with two teams, an application in each, and add-ons without a relationship to their team.
const ORGANISATION: &[Put<'static>] = &[
    ("acme_account", "account:1", NONE, None),
    ("acme_team", "team:0001", ACCOUNT, None),
    ("acme_team", "team:0002", ACCOUNT, None),
    ("acme_app", "app:00001", ONE, None),
    ("acme_app", "app:00002", TWO, None),
    ("acme_addon", "addon:001", ONE, None),
    ("acme_addon", "addon:002", TWO, None),
    ("acme_user", "user:0001", SHARED, None),
    ("acme_user", "user:0002", SHARED, None),
    ("acme_team_has_app", "team:0001|has|app:00001", ONE, Some(("team:0001", "app:00001"))),
    ("acme_team_has_app", "team:0002|has|app:00002", TWO, Some(("team:0002", "app:00002"))),
    ("acme_team_has_user", "team:0001|has|user:0001", ONE, Some(("team:0001", "user:0001"))),
    ("acme_team_has_user", "team:0002|has|user:0002", TWO, Some(("team:0002", "user:0002"))),
    ("acme_app_has_addon", "app:00001|has|addon:001", NONE, Some(("app:00001", "addon:001"))),
    ("acme_app_has_addon", "app:00002|has|addon:002", NONE, Some(("app:00002", "addon:002"))),
];
const PARTITIONS: &[(PartitionRef, &str)] = &[(ACCOUNT, "account:1"), (ONE, "team:0001"), (TWO, "team:0002")];

fn parent(object_type: &str, parent: &str, types: &[&str]) -> Coverage {
    let mut gap = gap(types, None);
    gap["under"] = json!({"type": object_type, "key": parent});
    Coverage::of(&summary(&[("fetch", "success", json!({"incomplete": [gap]}))]))
}

#[tokio::test]
async fn a_gap_under_one_parent_covers_the_objects_of_its_types_that_were_under_it() {
    let directory = tempfile::tempdir().expect("a temporary folder");
    let store = Store::open(directory.path()).expect("a store");
    let all = stored(&store, ORGANISATION, PARTITIONS).await;
    let account = stored(&store, &ORGANISATION[..3], &PARTITIONS[..1]).await;
    let covered = ["acme_app", "acme_addon", "acme_team_has_app"];
    let (whole, refused) = (Coverage::default(), parent("acme_team", "team:0001", &covered));
    let found = changes((&all, &whole), (&account, &refused)).await;
    assert_eq!(found.len(), ORGANISATION.len() - 3);
    for (key, change) in &found {
        // The relationship to the add-on is of another type, but its ends are covered.
        let is_covered = ["app:00001", "addon:001"].iter().any(|part| key.contains(part));
        assert_eq!(*change, if is_covered { Change::Unknown } else { Change::Removed }, "{key}");
    }
    let turned = changes((&account, &refused), (&all, &whole)).await;
    assert!(found.iter().all(|(key, change)| (turned[key] == Change::Added) == (*change == Change::Removed)));
}

#[tokio::test]
async fn a_key_that_lies_under_another_type_takes_no_relationship_with_it() {
    let directory = tempfile::tempdir().expect("a temporary folder");
    let store = Store::open(directory.path()).expect("a store");
    let link = ("acme_team_has_app", "team:0001|has|app:00001", NONE, Some(("team:0001", "app:00001")));
    let one = [("acme_team", "team:0001", NONE, None), ("acme_app", "app:00001", NONE, None), link];
    let two = [("acme_team", "team:0001", NONE, None), ("acme_service", "app:00001", NONE, None)];
    let (older, newer) = (stored(&store, &one, &[]).await, stored(&store, &two, &[]).await);
    let gap = Coverage::of(&summary(&[("has", "disabled", json!({"declaredTypes": ["acme_team_has_app"]}))]));
    let found = changes((&older, &Coverage::default()), (&newer, &gap)).await;
    assert_eq!(found["team:0001|has|app:00001"], Change::Unknown, "{found:?}");
}

#[tokio::test]
async fn few_differing_objects_are_read_alone_with_the_same_result() {
    let directory = tempfile::tempdir().expect("a temporary folder");
    let store = Store::open(directory.path()).expect("a store");
    let gap = crate::graph::history::SnapshotGap {
        step: StepId::new("fetch").expect("an id"),
        types: [name("acme_addon"), name("acme_app_has_addon")].into(),
        parent: Some(team(1)),
        code: "PROVIDER_API_ERROR".into(),
        cause: "refused".to_owned(),
    };
    let instance = InstanceId::default();
    let all = published(&store, &instance, ORGANISATION, PARTITIONS, Publication::default()).await;
    let publication = Publication { gaps: vec![gap], ..Publication::default() };
    let fewer: Vec<Put<'_>> = ORGANISATION.iter().filter(|object| !object.1.contains("0002")).copied().collect();
    let some = published(&store, &instance, &fewer[..fewer.len() - 2], PARTITIONS, publication).await;
    let coverage = parent("acme_team", "team:0001", &["acme_addon", "acme_app_has_addon"]);
    for (older, newer) in [(&all, &some), (&some, &all), (&some, &some)] {
        let types = (older.kinds().await.expect("a store"), newer.kinds().await.expect("a store"));
        let none = Coverage::default();
        let of = |graph: &Snapshot| if graph.info() == some.info() { &coverage } else { &none };
        let sides = || {
            let older = Side { graph: older, types: &types.0, coverage: of(older) };
            (older, Side { graph: newer, types: &types.1, coverage: of(newer) })
        };
        let (mut every, mut few) = (Vec::new(), Vec::new());
        let seen = |difference: Difference| {
            let stored = difference.now.as_ref().or(difference.before.as_ref()).expect("an object");
            (stored.row.key.to_string(), format!("{:?} {:?}", difference.change, difference.gap))
        };
        let (from, to) = sides();
        compare(
            from,
            to,
            |_| true,
            |difference| {
                if difference.change != Change::Same {
                    every.push(seen(difference));
                }
            },
        )
        .await
        .expect("a store");
        let (from, to) = sides();
        compare_changed(from, to, |_| true, |difference| few.push(seen(difference))).await.expect("a store");
        assert_eq!(few, every);
        assert!(!few.is_empty());
    }
}
