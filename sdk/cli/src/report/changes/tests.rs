//! Reports of small comparisons.

use integration_sdk::diff::{ChangeKind, ChangeOptions, Files, ObjectKind, PropertyChange};
use serde_json::{Value, json};
use textwrap::core::display_width;

use super::*;

const TEAM: &str = "4f5c0000-7b1d-4a52-9c1f-2d3e4f506172";

fn entity(object_type: &str, key: &str, name: &str, more: Value) -> Value {
    let mut entity = json!({"_key": key, "_type": object_type, "_class": ["Record"], "displayName": name});
    entity.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
    entity
}

fn link(from: &str, to: &str) -> Value {
    json!({"_key": format!("{from}|owns|{to}"), "_type": "acme_team_owns_app", "_class": "OWNS", "displayName": "OWNS",
        "_fromEntityKey": from, "_toEntityKey": to})
}

/// Two graphs with every kind of change.
fn graphs() -> [Vec<Value>; 2] {
    let raw = |size: u32| json!({"_rawData": [{"name": "default", "rawData": {"slug": {"size": size}}}]});
    let before = json!({"stack": "heroku-20", "updatedOn": 1_793_491_200_000_i64, "tags": ["web", "old"],
        "description": format!("{} of the old kind, which nobody maintains", "A very long description ".repeat(6))});
    let now = json!({"stack": "heroku-24", "updatedOn": 1_793_494_800_000_i64, "tags": ["web", "new"], "archived": true,
        "description": format!("{} of the new kind, which a team maintains", "A very long description ".repeat(6))});
    [
        vec![
            entity("acme_app", "app:web", "web", before),
            entity("acme_app", "app:gone", "gone `<b>` @team", json!({})),
            entity("acme_app", "app:raw", "raw", raw(1)),
            entity("acme_team", TEAM, "platform", json!({})),
            entity("acme_user", "user:ada", "Ada", json!({})),
            entity("acme_user", "user:bea", "Bea", json!({})),
            link(TEAM, "app:gone"),
        ],
        vec![
            entity("acme_app", "app:web", "web", now),
            entity("acme_app", "app:new", "new\u{1b}[2J\n- item", json!({})),
            entity("acme_app", "app:raw", "raw", raw(2)),
            entity("acme_team", TEAM, "platform", json!({})),
            link(TEAM, "app:new"),
        ],
    ]
}

fn sides() -> [Compared; 2] {
    let job = |number: i64, state: &str| Compared {
        job: Some(format!("01a20f78-000{number}-7000-8000-000000000000")),
        integration: Some("acme".into()),
        instance: Some("default".into()),
        state: Some(state.into()),
        start_time: Some(Timestamp::from_millis(1_793_491_200_000 + number * 3_600_000)),
        end_time: Some(Timestamp::from_millis(1_793_491_205_000 + number * 3_600_000)),
        ..Compared::default()
    };
    [job(0, "complete"), job(1, "partial")]
}

/// Compares the graphs, of which the newer one lacks the users of a step.
fn compared(options: &ChangeOptions) -> (Vec<ObjectChange>, ChangesByType) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, objects: &[Value]| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.join("graph")).expect("a folder");
        let (links, entities): (Vec<&Value>, Vec<&Value>) =
            objects.iter().partition(|object| object.get("_fromEntityKey").is_some());
        let document = json!({"entities": entities, "relationships": links});
        std::fs::write(path.join("graph/all.json"), document.to_string()).expect("a file");
        path
    };
    let [before, now] = graphs();
    let (older, newer) = (write("a", &before), write("b", &now));
    let step = json!({"id": "fetch-users", "status": "failure", "declaredTypes": ["acme_user"]});
    let summary = json!({"integrationStepResults": [step]});
    std::fs::write(newer.join("summary.json"), summary.to_string()).expect("a file");
    let files = Files::open(&older, &newer).expect("two graphs");
    let mut changes = Vec::new();
    let comparison = files.compare().expect("two graphs");
    let counts = comparison.changes(options, |change| changes.push(change)).expect("two graphs");
    (changes, counts)
}

fn rendered(form: Form, limit: usize, changes: Vec<ObjectChange>, counts: &ChangesByType) -> String {
    let sides = sides();
    let mut kept = Kept::up_to(limit);
    changes.into_iter().for_each(|change| kept.add(change));
    let (types, omitted) = kept.shared();
    let report = Report { sides: &sides, counts, types, omitted };
    let text = match form {
        Form::Text { width } => text::render(&report, width),
        Form::Markdown => markdown::render(&report),
        Form::Json => {
            let mut stream = json::Stream::new(&sides);
            report.types.iter().flat_map(kept::OfType::in_key_order).for_each(|change| stream.add(change));
            stream.end(counts, omitted)
        }
    };
    anstream::adapter::strip_str(&text).to_string()
}

fn report(form: Form, limit: usize, options: &ChangeOptions) -> String {
    let (changes, counts) = compared(options);
    rendered(form, limit, changes, &counts)
}

#[test]
fn text_is_readable_at_eighty_columns() {
    let text = report(Form::Text { width: 80 }, 100, &ChangeOptions::default());
    assert!(text.lines().all(|line| display_width(line) <= 80), "{text}");
    insta::assert_snapshot!("changes_text", text);
}

#[test]
fn text_with_raw_data_shows_its_members() {
    let options = ChangeOptions { raw: true, types: ["acme_app".to_owned()].into(), ..ChangeOptions::default() };
    let text = report(Form::Text { width: 80 }, 100, &options);
    assert!(text.contains("_rawData.default.slug.size: 1 → 2"), "{text}");
    assert!(!text.contains("in raw data only"), "{text}");
}

#[test]
fn text_of_a_narrow_terminal_lists_the_counts() {
    let text = report(Form::Text { width: 30 }, 0, &ChangeOptions::default());
    assert!(text.contains("acme_app\n  1 added, 1 removed, 1 changed\n"), "{text}");
    assert!(text.contains("7 more changes are not shown"), "{text}");
}

#[test]
fn markdown_keeps_foreign_text_within_code() {
    let text = report(Form::Markdown, 100, &ChangeOptions::default());
    assert!(!text.contains('\u{1b}'));
    insta::assert_snapshot!("changes_markdown", text);
}

#[test]
fn json_is_one_document_with_all_values() {
    let text = report(Form::Json, 100, &ChangeOptions::default());
    let document: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(document["counts"], json!({"added": 2, "removed": 2, "changed": 1, "unknown": 2, "rawOnly": 1}));
    assert!(text.contains(&"A very long description ".repeat(6)) && !text.contains('\u{1b}'));
    insta::assert_snapshot!("changes_json", text.replace(&"A very long description ".repeat(6), "A … "));
    let limited: Value = serde_json::from_str(&report(Form::Json, 3, &ChangeOptions::default())).expect("JSON");
    assert_eq!((limited["changes"].as_array().map(Vec::len), limited["omitted"].as_u64()), (Some(3), Some(4)));
    assert_eq!(limited["counts"], document["counts"]);
}

#[test]
fn equal_graphs_are_reported_in_each_form() {
    let none = ChangesByType::default();
    assert!(rendered(Form::Text { width: 80 }, 100, vec![], &none).ends_with("\nNo changes.\n"));
    assert!(rendered(Form::Markdown, 100, vec![], &none).starts_with("**No changes** from "));
    let document: Value = serde_json::from_str(&rendered(Form::Json, 100, vec![], &none)).expect("JSON");
    assert_eq!((&document["changes"], &document["types"]), (&json!([]), &json!([])));
    let mut raw = ChangesByType::default();
    raw.add_raw_only(ObjectKind::Entity, "acme_app");
    let text = rendered(Form::Text { width: 80 }, 100, vec![], &raw);
    assert!(
        text.ends_with("\nNo changes. 1 object differs in raw data only: use --raw to see the differences.\n"),
        "{text}"
    );
}

#[test]
fn an_unknown_property_is_marked_next_to_a_changed_one() {
    let property = |name: &str, unknown| PropertyChange {
        name: name.to_owned(),
        old: Some(json!("a")),
        new: Some(json!("b")),
        unknown,
    };
    let change = ObjectChange {
        kind: ChangeKind::Changed,
        object_kind: ObjectKind::Entity,
        object_type: "acme_app".into(),
        key: "app:1".into(),
        display_name: None,
        properties: vec![property("role", true), property("stack", false)],
        raw_changed: false,
        gap: serde_json::from_value(json!({"step": "fetch-roles", "code": "PROVIDER_API_ERROR", "cause": "500"})).ok(),
        gap_side: Some(GraphSide::To),
    };
    let mut counts = ChangesByType::default();
    counts.add(&change);
    for form in [Form::Text { width: 80 }, Form::Markdown] {
        let text = rendered(form, 100, vec![change.clone()], &counts);
        let marked: Vec<&str> = text.lines().filter(|line| line.contains("(unknown)")).collect();
        assert!(marked.len() == 1 && marked[0].contains("role"), "{text}");
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains("job 01a20f78-0001 lacks data of fetch-roles: PROVIDER_API_ERROR: 500"), "{text}");
    }
}
