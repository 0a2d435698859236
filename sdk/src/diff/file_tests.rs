//! Comparisons of graphs in files.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// Writes objects in the exchange layout, two to a file, in the given order.
fn write(folder: &Path, objects: &[Value]) {
    for (at, part) in objects.chunks(2).enumerate() {
        let of = |is_relationship: bool| -> Vec<&Value> {
            part.iter().filter(|object| object.get("_fromEntityKey").is_some() == is_relationship).collect()
        };
        let document = json!({"entities": of(false), "relationships": of(true)});
        fs::create_dir_all(folder.join("graph/fetch")).expect("a folder");
        fs::write(folder.join(format!("graph/fetch/{at}.json")), document.to_string()).expect("a file");
    }
    fs::create_dir_all(folder.join("graph")).expect("a folder");
}

/// A folder with two graphs.
struct Both(tempfile::TempDir);

impl Both {
    fn of(before: &[Value], now: &[Value]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        write(&folder.path().join("a"), before);
        write(&folder.path().join("b"), now);
        Self(folder)
    }

    /// Adds a summary of another program to one of the graphs.
    fn with_summary(self, graph: &str, summary: &Value) -> Self {
        fs::write(self.0.path().join(graph).join("summary.json"), summary.to_string()).expect("a file");
        self
    }

    fn files(&self, older: &str, newer: &str) -> Result<Files, FilesError> {
        Files::open(&self.0.path().join(older), &self.0.path().join(newer))
    }

    fn changes(&self, older: &str, newer: &str, options: &ChangeOptions) -> (Vec<ObjectChange>, ChangesByType) {
        let files = self.files(older, newer).expect("two graphs");
        let mut changes = Vec::new();
        let counts = files.compare().expect("two graphs").changes(options, |change| changes.push(change));
        (changes, counts.expect("two graphs"))
    }

    fn of_all(&self) -> Vec<ObjectChange> {
        self.changes("a", "b", &ChangeOptions::default()).0
    }

    fn error(&self) -> String {
        let compared = self.files("a", "b").and_then(|files| files.compare().map(drop));
        compared.expect_err("an error").to_string()
    }
}

fn app(key: &str, more: Value) -> Value {
    let mut app = json!({"_key": key, "_type": "acme_app", "_class": ["Application"], "displayName": "App"});
    app.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
    app
}

fn patterns(texts: &[&str]) -> Vec<PropertyPattern> {
    texts.iter().map(|text| text.parse().expect("a pattern")).collect()
}

/// A graph as its objects by type and key, without null values.
type Objects = BTreeMap<(String, String), BTreeMap<String, Value>>;

fn objects(graph: &[Value]) -> Objects {
    let text = |object: &Value, name: &str| object[name].as_str().expect("text").to_owned();
    let members = |object: &Value| {
        let members = object.as_object().expect("an object").clone().into_iter();
        members.filter(|(name, value)| name != "_key" && name != "_type" && !value.is_null()).collect()
    };
    graph.iter().map(|object| ((text(object, "_type"), text(object, "_key")), members(object))).collect()
}

fn apply(changes: &[ObjectChange], to: &mut Objects) {
    for change in changes {
        let identity = (change.object_type.clone(), change.key.clone());
        if change.kind == ChangeKind::Removed {
            to.remove(&identity).expect("a removed object");
            continue;
        }
        let object = to.entry(identity).or_default();
        for property in &change.properties {
            assert_eq!(object.get(&property.name), property.old.as_ref(), "{change:?}");
            match &property.new {
                Some(value) => drop(object.insert(property.name.clone(), value.clone())),
                None => drop(object.remove(&property.name)),
            }
        }
    }
}

/// Returns the changes in the other direction.
fn turned(mut changes: Vec<ObjectChange>) -> Vec<ObjectChange> {
    for change in &mut changes {
        change.kind = match change.kind {
            ChangeKind::Added => ChangeKind::Removed,
            ChangeKind::Removed => ChangeKind::Added,
            other => other,
        };
        change.gap_side = change.gap_side.map(|side| match side {
            GraphSide::From => GraphSide::To,
            GraphSide::To => GraphSide::From,
        });
        for property in &mut change.properties {
            std::mem::swap(&mut property.old, &mut property.new);
        }
    }
    changes
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..3_i64).prop_map(Value::from),
        "[ab\u{e9}\"]{0,2}".prop_map(Value::from),
        prop::collection::vec("[ab]", 0..3).prop_map(Value::from),
    ]
}

fn graph() -> impl Strategy<Value = Vec<Value>> {
    let properties = || prop::collection::btree_map("[pq]", value(), 0..3);
    let entities = prop::collection::btree_map((0..2_u8, 0..4_u8), properties(), 0..6);
    let links = prop::collection::btree_map((0..4_u8, 0..4_u8), properties(), 0..4);
    (entities, links).prop_flat_map(|(entities, links)| {
        let entity = |((kind, at), more): (_, BTreeMap<String, Value>)| {
            let mut entity = json!({"_key": format!("{kind}:{at}"), "_type": format!("acme_{kind}"), "_class": ["X"]});
            entity.as_object_mut().expect("an object").extend(more);
            entity
        };
        let link = |((from, to), more): (_, BTreeMap<String, Value>)| {
            let mut link = json!({"_key": format!("0:{from}|has|1:{to}"), "_type": "acme_0_has_1",
                "_fromEntityKey": format!("0:{from}"), "_toEntityKey": format!("1:{to}")});
            link.as_object_mut().expect("an object").extend(more);
            link
        };
        let objects: Vec<Value> = entities.into_iter().map(entity).chain(links.into_iter().map(link)).collect();
        Just(objects).prop_shuffle()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_changes_lead_from_one_graph_to_the_other(a in graph(), b in graph()) {
        let both = Both::of(&a, &b);
        let (changes, counts) = both.changes("a", "b", &ChangeOptions::default());
        let mut objects_of_a = objects(&a);
        apply(&changes, &mut objects_of_a);
        prop_assert_eq!(objects_of_a, objects(&b));
        let mut counted = ChangesByType::default();
        changes.iter().for_each(|change| counted.add(change));
        prop_assert_eq!(counts, counted);
        let order = |change: &ObjectChange| (change.object_kind, change.object_type.clone(), change.key.clone());
        prop_assert!(changes.is_sorted_by_key(order));
        for change in &changes {
            let json = serde_json::to_string(change).expect("JSON");
            prop_assert_eq!(&serde_json::from_str::<ObjectChange>(&json).expect("a change"), change);
        }
        prop_assert_eq!(both.changes("a", "a", &ChangeOptions::default()), (vec![], ChangesByType::default()));
    }

    #[test]
    fn the_changes_in_the_other_direction_mirror_these_with_gaps_as_well(
        a in graph(), b in graph(), gaps in prop::collection::vec("acme_0|acme_1|acme_0_has_1", 0..2)
    ) {
        let both = Both::of(&a, &b);
        let both = both.with_summary("b", &json!({"metadata": {"partialDatasets": {"types": gaps}}}));
        let (changes, _) = both.changes("a", "b", &ChangeOptions::default());
        let there = |key: &str, graph: &[Value]| graph.iter().any(|object| object["_key"] == key);
        for change in &changes {
            let is_absent = there(&change.key, &a) && !there(&change.key, &b);
            prop_assert!(!gaps.contains(&change.object_type) || change.kind != ChangeKind::Removed
                || change.object_type == "acme_0_has_1", "{:?}", change);
            prop_assert!(change.kind != ChangeKind::Unknown || is_absent && change.gap.is_some(), "{:?}", change);
        }
        prop_assert_eq!(both.changes("b", "a", &ChangeOptions::default()).0, turned(changes));
    }
}

#[test]
fn ignored_properties_and_raw_data_are_no_changes_unless_they_are_wanted() {
    let raw = |text: &str| json!({"_rawData": [{"name": "default", "rawData": {"text": text}}]});
    let mut old = app("app:1", raw("one"));
    old["updatedOn"] = json!(1);
    let mut new = app("app:1", raw("two"));
    new["updatedOn"] = json!(2);
    let both = Both::of(&[old], &[new]);
    let names = |options: &ChangeOptions| {
        let (changes, counts) = both.changes("a", "b", options);
        let names: Vec<String> =
            changes.iter().flat_map(|change| &change.properties).map(|property| property.name.clone()).collect();
        (names, counts.total())
    };
    let changed = ChangeCounts { changed: 1, ..ChangeCounts::default() };
    assert_eq!(names(&ChangeOptions::default()), (vec!["updatedOn".to_owned()], changed));
    let with_raw = ChangeOptions { raw: true, ..ChangeOptions::default() };
    assert_eq!(names(&with_raw), (vec!["_rawData.default".to_owned(), "updatedOn".to_owned()], changed));
    let ignoring = ChangeOptions { ignore: patterns(&["*On"]), ..ChangeOptions::default() };
    assert_eq!(names(&ignoring), (vec![], ChangeCounts { raw_only: 1, ..ChangeCounts::default() }));
    let ignoring = ChangeOptions { ignore: patterns(&["*On"]), raw: true, ..ChangeOptions::default() };
    assert_eq!(names(&ignoring), (vec!["_rawData.default".to_owned()], changed));
    let both = Both::of(&[app("app:1", raw("one"))], &[app("app:1", raw("two"))]);
    let raw_only = ChangeCounts { raw_only: 1, ..ChangeCounts::default() };
    assert_eq!(both.changes("a", "b", &ChangeOptions::default()).1.total(), raw_only);
    assert!(both.changes("a", "b", &with_raw).0[0].raw_changed);
}

#[test]
fn one_type_is_compared_and_a_removed_end_still_takes_its_relationships_with_it() {
    let link =
        json!({"_key": "app:1|has|app:2", "_type": "acme_has", "_fromEntityKey": "app:1", "_toEntityKey": "app:2"});
    let both = Both::of(&[app("app:1", json!({})), app("app:2", json!({})), link], &[app("app:2", json!({}))]);
    let both = both.with_summary("b", &json!({"metadata": {"partialDatasets": {"types": ["acme_has"]}}}));
    let options = ChangeOptions { types: ["acme_has".to_owned()].into(), ..ChangeOptions::default() };
    let (changes, _) = both.changes("a", "b", &options);
    assert_eq!(
        changes.iter().map(|change| (change.kind, change.key.as_str())).collect::<Vec<_>>(),
        [(ChangeKind::Removed, "app:1|has|app:2")]
    );
}

#[test]
fn gaps_in_the_summary_of_another_program_explain_what_is_missing() {
    let before = [app("app:1", json!({})), json!({"_key": "host:1", "_type": "Acme Host"})];
    let cases = [
        (json!({"id": "fetch-apps", "status": "failure", "declaredTypes": ["acme_app", "Acme Host"]}), "STEP_FAILED"),
        (
            json!({"id": "fetch-apps", "status": "disabled", "declaredTypes": ["acme_app", "Acme Host"]}),
            "STEP_DISABLED",
        ),
        (
            json!({"id": "fetch-apps", "status": "partial_success_due_to_dependency_failure",
                "partialTypes": ["acme_app", "Acme Host"]}),
            "PARTIAL_DATASET",
        ),
    ];
    for (step, code) in cases {
        let summary =
            json!({"integrationStepResults": [step], "metadata": {"partialDatasets": {"types": ["acme_app"]}}});
        let changes = Both::of(&before, &[]).with_summary("b", &summary).of_all();
        assert_eq!(changes.len(), 2);
        for change in changes {
            let gap = change.gap.expect("a gap");
            assert_eq!((change.kind, change.gap_side), (ChangeKind::Unknown, Some(GraphSide::To)));
            assert_eq!((gap.step.expect("a step").as_str(), gap.code.as_str()), ("fetch-apps", code));
        }
    }
    let success = json!({"integrationStepResults": [{"id": "x", "status": "success", "declaredTypes": ["acme_app"]}]});
    let changes = Both::of(&before, &[]).with_summary("b", &success).of_all();
    assert!(changes.iter().all(|change| change.kind == ChangeKind::Removed));
}

#[test]
fn of_several_descriptions_of_a_key_the_newest_is_compared_in_any_order() {
    let (old, new) = (app("app:1", json!({"updatedOn": 1})), app("app:1", json!({"updatedOn": 2, "stack": "b"})));
    let expected = Both::of(&[], std::slice::from_ref(&new)).of_all();
    for now in [[old.clone(), new.clone(), old.clone()], [new.clone(), old.clone(), new.clone()]] {
        let both = Both::of(&[], &now);
        assert_eq!(both.of_all(), expected);
        let files = both.files("a", "b").expect("two graphs");
        let repeated = files.compare().expect("two graphs").repeated();
        assert_eq!((repeated.len(), repeated[0].key.as_str()), (1, "app:1"));
    }
    let both = Both::of(&[], &[new.clone(), new]);
    assert!(both.files("a", "b").expect("two graphs").compare().expect("two graphs").repeated().is_empty());
}

#[test]
fn secrets_of_foreign_files_are_not_shown() {
    let both = Both::of(&[], &[app("app:1", json!({"webLink": "https://user:s3cret@acme.example/"}))]);
    let changes = both.of_all();
    assert!(!format!("{changes:?}").contains("s3cret"), "{changes:?}");
}

#[test]
fn a_class_with_and_without_its_list_is_the_same() {
    assert_eq!(Both::of(&[app("app:1", json!({"_class": "Application"}))], &[app("app:1", json!({}))]).of_all(), []);
    let link = |class: Value, object_type: Value| json!({"_key": "a|has|b", "_type": object_type, "_class": class, "_fromEntityKey": "a", "_toEntityKey": "b"});
    let both = Both::of(&[link(json!(["HAS"]), json!(["acme_has"]))], &[link(json!("HAS"), json!("acme_has"))]);
    assert_eq!(both.of_all(), []);
}

#[test]
fn an_object_without_a_key_and_a_damaged_summary_are_named() {
    let nameless = [app("app:1", json!({})), json!({"_type": "acme_app"})];
    let error = Both::of(&[], &nameless).error();
    assert!(error.starts_with("number 2 of the entities in ") && error.ends_with("0.json has no _key"), "{error}");
    let error = Both::of(&[], &[]).with_summary("b", &json!([1])).error();
    assert!(error.contains("summary.json is not the summary of a job"), "{error}");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let error = FileGraph::open(folder.path()).expect_err("no graph").to_string();
    assert!(error.contains("holds no graph"), "{error}");
}

#[test]
fn two_results_of_queries_are_a_pair() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let tree = |stack: &str| {
        let entity = json!({"_key": "app:1", "_type": ["acme_app"], "_class": ["Application"], "_version": stack});
        json!({"type": "tree", "data": {"vertices": [{"entity": entity, "properties": {"stack": stack}}], "edges": []}})
    };
    fs::write(folder.path().join("2-new.json"), tree("b").to_string()).expect("a file");
    fs::write(folder.path().join("1-old.json"), tree("a").to_string()).expect("a file");
    let [older, newer] = Files::pair_in(folder.path()).expect("a folder").expect("two files");
    let files = Files::open(&older, &newer).expect("two files");
    let mut changes = Vec::new();
    files
        .compare()
        .expect("two trees")
        .changes(&ChangeOptions::default(), |change| changes.push(change))
        .expect("trees");
    let stack = PropertyChange { name: "stack".into(), old: Some("a".into()), new: Some("b".into()), unknown: false };
    assert_eq!((changes.len(), &changes[0].properties), (1, &vec![stack]));
    fs::write(folder.path().join("third.json"), "{}").expect("a file");
    assert_eq!(Files::pair_in(folder.path()).expect("a folder"), None);
}
