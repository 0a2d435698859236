//! Graphs with one defect each, and the expected findings.

use std::collections::BTreeMap;

use integration_sdk::dataset::Wrapper;
use integration_sdk::graph::{Class, EntityDeclaration, ObjectType, RelationshipClass, RelationshipDeclaration};
use integration_sdk::schema::Schemas;
use serde_json::{Value, json};

use crate::report::{Findings, Rule};

use super::allowance::Allowance;
use super::pool::{self, Raw};

fn schemas() -> Schemas {
    let mut schemas = Schemas::new(BTreeMap::new()).expect("our own schemas");
    let [planet, moon, person] = ["space_planet", "space_moon", "space_planet_is_person"].map(ObjectType::literal);
    schemas.entity(&EntityDeclaration::new("Planet", planet.clone(), Class::literal("Site")));
    schemas.entity(&EntityDeclaration::new("Moon", moon.clone(), Class::literal("Site")));
    schemas.relationship(&RelationshipDeclaration::new(planet.clone(), RelationshipClass::HAS, moon.clone()));
    schemas.relationship(&RelationshipDeclaration {
        object_type: person,
        ..RelationshipDeclaration::new(planet, RelationshipClass::IS, moon)
    });
    schemas
}

fn entity(key: &str, more: Value) -> Value {
    let object_type = format!("space_{}", key.split(':').next().unwrap_or_default());
    with(json!({"_key": key, "_type": object_type, "_class": ["Site"], "name": key, "displayName": key}), more)
}

fn has(from: &str, to: &str, more: Value) -> Value {
    let least = json!({"_key": format!("{from}|has|{to}"), "_type": "space_planet_has_moon", "_class": "HAS",
        "displayName": "HAS", "_fromEntityKey": from, "_toEntityKey": to});
    with(least, more)
}

fn with(mut object: Value, more: Value) -> Value {
    if let (Value::Object(object), Value::Object(more)) = (&mut object, more) {
        object.extend(more);
    }
    object
}

/// Checks a planet, its moon, and the objects in `broken`.
fn look(broken: &[Value], allowed: &[Allowance]) -> Findings {
    let whole = [
        entity("planet:earth", json!({})),
        entity("moon:of-earth", json!({})),
        has("planet:earth", "moon:of-earth", json!({})),
    ];
    let schemas = schemas();
    let graph = pool::look(&schemas, allowed, |feed| {
        for object in whole.iter().chain(broken) {
            let joins = object.get("_class").is_some_and(Value::is_string);
            let wrapper = if joins { Wrapper::Relationships } else { Wrapper::Entities };
            feed.add(Raw { file: None, wrapper, json: object.to_string().into() });
        }
        Ok::<(), std::io::Error>(())
    });
    graph.expect("nothing that can fail").findings()
}

/// The findings as `rule pointer: reason`, in the order of the rules.
fn found(broken: &[Value]) -> Vec<String> {
    let mut lines: Vec<(Rule, String)> = look(broken, &[])
        .groups(100)
        .into_iter()
        .map(|group| (group.rule, format!("{} {}: {}", group.rule.id(), group.first.pointer, group.first.reason)))
        .collect();
    lines.sort();
    lines.into_iter().map(|(_, line)| line).collect()
}

const NOTHING: [&str; 0] = [];

#[test]
fn a_complete_graph_has_no_findings_in_any_order() {
    assert_eq!(found(&[]), NOTHING);
    let early = has("planet:mars0", "moon:phobos", json!({}));
    assert_eq!(found(&[early, entity("planet:mars0", json!({})), entity("moon:phobos", json!({}))]), NOTHING);
}

#[test]
fn a_value_that_its_class_does_not_allow() {
    let broken = entity("planet:mars0", json!({"webLink": "not a link"}));
    assert_eq!(found(&[broken]), ["schema /webLink: value is not a \"uri\""]);
}

#[test]
fn an_object_that_cannot_be_read() {
    let schemas = schemas();
    let graph = pool::look(&schemas, &[], |feed| {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        let json = format!(r#"{{"_key": "planet:deep", "deep": {deep}}}"#);
        feed.add(Raw { file: None, wrapper: Wrapper::Entities, json: json.into() });
        Ok::<(), std::io::Error>(())
    });
    let findings = graph.expect("nothing that can fail").findings();
    assert_eq!(findings.of_rule(Rule::Unreadable), 1);
}

#[test]
fn an_object_in_the_wrong_place() {
    let schemas = schemas();
    let graph = pool::look(&schemas, &[], |feed| {
        let ends = has("planet:earth", "planet:earth", json!({"_type": "space_planet_has_moon"}));
        let misplaced = [(entity("planet:earth", json!({})), Wrapper::Relationships), (ends, Wrapper::Entities)];
        for (object, wrapper) in misplaced {
            feed.add(Raw { file: None, wrapper, json: object.to_string().into() });
        }
        Ok::<(), std::io::Error>(())
    });
    let findings = graph.expect("nothing that can fail").findings();
    let reasons: Vec<&str> = findings
        .groups(9)
        .iter()
        .filter(|group| group.rule == Rule::Misplaced)
        .map(|group| group.first.reason.as_str())
        .collect();
    let (joins_nothing, joins) =
        ("this object is listed under `relationships` and has no ends", "this relationship is listed under `entities`");
    assert_eq!(reasons, [joins_nothing, joins]);
}

#[test]
fn a_duplicate_key() {
    assert_eq!(found(&[entity("planet:earth", json!({}))]), ["duplicate-key /_key: another object has this key"]);
}

#[test]
fn a_missing_end_is_counted_by_the_relationships_that_lead_to_it() {
    let broken = [has("planet:earth", "moon:gone1", json!({})), has("planet:earth", "moon:gone2", json!({}))];
    assert_eq!(found(&broken), ["missing-end /_toEntityKey: there is no entity with this key"]);
    assert_eq!(look(&broken, &[]).total(), 2);
}

#[test]
fn a_relationship_does_not_end_at_a_relationship() {
    let broken = has("planet:earth", "planet:earth|has|moon:of-earth", json!({}));
    assert_eq!(found(&[broken]), ["missing-end /_toEntityKey: there is no entity with this key"]);
}

#[test]
fn an_unknown_class_of_relationships() {
    let broken = has("planet:earth", "moon:of-earth", json!({"_key": "another-key", "_class": "LOVES"}));
    let found = found(&[broken]);
    assert_eq!(found, ["relationship-class /_class: this class of relationships is unknown"]);
}

#[test]
fn a_type_that_does_not_follow_from_the_ends() {
    let broken = has("moon:of-earth", "planet:earth", json!({}));
    let expected = "relationship-type /_type: the ends and the class require space_moon_has_planet";
    assert_eq!(found(&[broken]), [expected]);
}

#[test]
fn a_type_that_no_step_declares() {
    assert_eq!(found(&[entity("comet:halley", json!({}))]), ["undeclared-type /_type: no step declares this type"]);
}

#[test]
fn a_class_without_a_schema() {
    let found = found(&[entity("planet:mars0", json!({"_class": ["Sitte"]}))]);
    assert_eq!(
        found,
        ["unknown-class /_class/0: there is no schema for this class, so only the base schema is checked"]
    );
}

#[test]
fn a_name_that_queries_cannot_use() {
    let found = found(&[entity("planet:mars0", json!({"seen_at": 1, "_ok": 1, "tag.a b": "x"}))]);
    assert_eq!(found, ["property-name /seen_at: the name of this property is not allowed"]);
}

#[test]
fn a_nested_object_and_a_list_of_lists() {
    let found = found(&[entity("planet:mars0", json!({"orbit": {"days": 687}, "rings": [[1], "a"]}))]);
    assert_eq!(
        found,
        ["nested-object /orbit: the value is an object", "nested-object /rings: the items are lists or objects"]
    );
}

#[test]
fn a_time_that_looks_like_seconds_or_microseconds() {
    let times = json!({"createdOn": 1_704_067_200, "updatedOn": 1_704_067_200_000_i64, "seenOn": 1_704_067_200_000_000_i64,
        "bornOn": 0, "size": 1_704_067_200});
    assert_eq!(
        found(&[entity("planet:mars0", times)]),
        [
            "time-unit /createdOn: the value looks like seconds, but times are in milliseconds",
            "time-unit /seenOn: the value looks like microseconds or nanoseconds, but times are in milliseconds",
        ]
    );
}

#[test]
fn raw_data_of_one_name() {
    let raw = json!([{"name": "a", "rawData": {}}, {"name": "b", "rawData": {}}, {"name": "a", "rawData": {}}]);
    let found = found(&[entity("planet:mars0", json!({"_rawData": raw}))]);
    assert_eq!(found, ["raw-data-name /_rawData/2/name: another item of raw data in this object has this name"]);
}

#[test]
fn a_mapped_relationship_that_cannot_find_its_target() {
    let mapping = json!({"relationshipDirection": "FORWARD", "sourceEntityKey": "planet:earth",
        "targetFilterKeys": [["_class", "email"], ["name"]],
        "targetEntity": {"_class": "Person", "email": null, "home_town": "x", "name": "Ann"}});
    let broken = json!({"_key": "planet:earth|is|ann", "_type": "space_planet_is_person", "_class": "IS", "displayName": "IS",
        "_mapping": mapping});
    assert_eq!(
        found(&[broken]),
        [
            "property-name /_mapping/targetEntity/home_town: the name of this property is not allowed",
            "mapping-filter /_mapping/targetFilterKeys/0/1: `targetEntity` has no value for this property",
        ]
    );
}

#[test]
fn a_secret_is_found_in_properties_and_raw_data_and_never_shown() {
    let secret = format!("HRKU-{}", "0123456789ab".repeat(3));
    let link = ["https://ann", "s3cret@example.com/"].join(":");
    let raw = json!([{"name": "default", "rawData": {"drain": {"token": secret, secret.clone(): 1}}}]);
    let broken = entity("planet:mars0", json!({"_key": link, "note": secret, "_rawData": raw}));
    let findings = look(&[broken], &[]);
    let groups = findings.groups(100);
    let places: Vec<&str> = groups.iter().map(|group| group.first.pointer.as_str()).collect();
    for place in ["/note", "/_key", "/_rawData/0/rawData/drain/token", "/_rawData/0/rawData/drain/[a Heroku API key]"] {
        assert!(places.contains(&place), "{place}: {places:?}");
    }
    assert_eq!(findings.of_rule(Rule::Secret), 4);
    let shown = format!("{groups:?}");
    assert!(!shown.contains("0123456789ab") && !shown.contains("s3cret"), "{shown}");
    assert!(shown.contains("the text looks like a URL with a password"), "{shown}");
}

#[test]
fn an_allowed_violation_is_not_a_finding() {
    assert_eq!(look(&[entity("comet:halley", json!({}))], &[Allowance::of(Rule::UndeclaredType)]).total(), 0);
}

#[test]
fn the_first_example_does_not_depend_on_the_speed_of_threads() {
    let many: Vec<Value> =
        (0..5_000).map(|at| entity(&format!("planet:{at:05}"), json!({"webLink": "x".repeat(300)}))).collect();
    let findings = look(&many, &[]);
    let first = &findings.groups(1)[0].first;
    assert_eq!((findings.total(), first.key.as_str()), (5_000, "planet:00000"));
}
