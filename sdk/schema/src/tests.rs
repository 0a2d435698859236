//! The set of schemas as a whole: rejected schemas, findings, and consistency with the graph.

use std::fs;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use serde_json::json;

use super::*;
use integration_graph::{Class, RelationshipClass};

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("a file");
    }
    folder
}

/// Returns the errors of a folder's schemas, as `file pointer: reason`.
fn refused(files: &[(&str, &str)]) -> Vec<String> {
    let folder = folder(files);
    let error = load_directory(folder.path()).expect_err("broken schemas");
    let SchemaError::Invalid(problems) = error else { panic!("{error}") };
    let line = |problem: &SchemaProblem| {
        let file = problem.file.as_ref().and_then(|file| file.file_name()).map(|name| name.to_string_lossy());
        format!("{} {}: {}", file.unwrap_or_default(), problem.pointer, problem.reason)
    };
    problems.iter().map(line).collect()
}

fn site(more: Value) -> Value {
    let mut object =
        json!({"_key": "acme-0000001", "_type": "acme_site", "_class": ["Site"], "name": "a", "displayName": "A"});
    if let (Value::Object(object), Value::Object(more)) = (&mut object, more) {
        object.extend(more);
    }
    object
}

/// Returns the findings, as `pointer: reason`.
fn found(schemas: &Schemas, object: &Value) -> Vec<String> {
    schemas.check(object).into_iter().map(|finding| format!("{}: {}", finding.pointer, finding.reason)).collect()
}

#[test]
fn the_relationship_schemas_enumerate_every_relationship_class() {
    let schemas = Schemas::new(BTreeMap::new()).expect("the built-in schemas");
    let known: Vec<&str> = RelationshipClass::ALL.iter().map(|class| class.as_str()).collect();
    for class in ["Relationship", "MappedRelationship"] {
        let listed = &schemas.classes()[class]["allOf"][1]["properties"]["_class"]["enum"];
        assert_eq!(listed, &json!(known), "{class}");
    }
}

#[test]
fn everything_that_is_wrong_with_a_folder_is_told_with_file_and_pointer() {
    let found = refused(&[
        (
            "Site.json",
            r##"{"$id": "#Site", "allOf": [{"$ref": "#Entity"}], "properties": {"size": {"type": "metres"}}}"##,
        ),
        ("Team.json", r##"{"$id": "#Team", "allOf": [{"$ref": "#Group"}, {"$ref": "#Clan"}]}"##),
        ("User.json", r##"{"$id": "#User", "properties": {"boss": {"$ref": "#Team/properties/boss"}}}"##),
        ("Vendor.json", "{"),
    ]);
    assert_eq!(found.len(), 4, "{found:#?}");
    assert!(
        found[0].starts_with("Site.json /properties/size/type: value fits none of the alternatives: "),
        "{}",
        found[0]
    );
    assert_eq!(found[1], r##"Team.json /allOf/1/$ref: "#Clan" cannot be resolved: there is no class Clan"##);
    assert!(
        found[2].starts_with("User.json /properties/boss/$ref: ") && found[2].ends_with("no /properties/boss in Team")
    );
    assert!(found[3].starts_with("Vendor.json : it is not JSON: ") && found[3].contains("line 1"), "{}", found[3]);
}

#[test]
fn a_class_is_named_by_its_id_and_belongs_to_one_file() {
    let folder_of_one = folder(&[("any.json", r##"{"$id": "#Comet", "allOf": [{"$ref": "#Entity"}]}"##)]);
    let classes = load_directory(folder_of_one.path()).expect("a class");
    assert_eq!(classes.keys().collect::<Vec<_>>(), ["Comet"]);
    let found = refused(&[("a.json", r##"{"$id": "#Comet"}"##), ("b.json", r##"{"$id": "#Comet"}"##)]);
    assert!(
        found[0].starts_with("b.json /$id: ") && found[0].ends_with("a.json already defines the class Comet"),
        "{found:?}"
    );
}

#[test]
fn a_folder_without_schemas_is_an_error() {
    assert!(matches!(load_directory(folder(&[]).path()), Err(SchemaError::Empty { .. })));
    assert!(matches!(load_directory(&folder(&[]).path().join("gone")), Err(SchemaError::Unreadable { .. })));
}

#[test]
fn words_that_the_standard_does_not_know_are_tolerated_and_formats_stand_on_texts_only() {
    let folder = folder(&[(
        "Site.json",
        r##"{"$schema": "http://json-schema.org/draft-07/schema#", "$id": "#Site", "allOf": [{"$ref": "#Entity"},
            {"properties": {"openedOn": {"type": "number", "format": "date-time", "excludes": ["x"], "multiple": true}}}]}"##,
    )]);
    let schemas = Schemas::new(load_directory(folder.path()).expect("a class")).expect("schemas");
    assert!(schemas.check_all().is_ok());
    assert_eq!(found(&schemas, &site(json!({"openedOn": 1_704_067_200_000_i64}))), Vec::<String>::new());
}

#[test]
fn formats_are_checked_those_of_published_sets_among_them() {
    let formats = [
        ("uri", "https://example.com/a", "example.com/a"),
        ("email", "ann@example.com", "ann"),
        ("date-time", "2024-01-01T00:00:00Z", "2024-01-01"),
        ("hostname", "a.example.com", "a b"),
        ("ipv4", "192.0.2.1", "192.0.2.256"),
        ("ipv6", "2001:db8::1", "192.0.2.1"),
        ("ip", "192.0.2.1", "example.com"),
        ("ipCidr", "192.0.2.0/24", "192.0.2.0"),
        ("asn", "AS64512", "64512"),
    ];
    for (format, good, bad) in formats {
        let schema = json!({"$id": "#Site", "properties": {"value": {"type": "string", "format": format}}});
        let schemas = Schemas::new([("Site".to_owned(), schema)].into()).expect("schemas");
        assert_eq!(found(&schemas, &site(json!({"value": good}))), Vec::<String>::new(), "{format}");
        assert_eq!(found(&schemas, &site(json!({"value": bad}))), [format!("/value: value is not a \"{format}\"")]);
    }
}

#[test]
fn a_verb_can_have_a_schema_of_its_own_on_top_of_that_of_all_relationships() {
    let has = json!({"$id": "#HAS", "allOf": [{"$ref": "#GraphObject"}, {"required": ["role"]}]});
    let schemas = Schemas::new([("HAS".to_owned(), has)].into()).expect("schemas");
    let relationship = |more: Value| {
        let mut object = json!({"_key": "a|has|b", "_type": "acme_team_has_user", "_class": "HAS", "displayName": "HAS",
            "_fromEntityKey": "acme-1"});
        if let (Value::Object(object), Value::Object(more)) = (&mut object, more) {
            object.extend(more);
        }
        object
    };
    let faults = [r#": "role" is a required property"#, r#": "_toEntityKey" is a required property"#];
    assert_eq!(found(&schemas, &relationship(json!({}))), faults);
    assert_eq!(found(&schemas, &relationship(json!({"role": "x", "_toEntityKey": "acme-2"}))), Vec::<String>::new());
}

#[test]
fn every_schema_that_does_not_compile_is_told_and_not_the_first_only() {
    let wrong = |word: &str| json!({"properties": {"a": {"type": word}}});
    let mut schemas = Schemas::new([("Site".to_owned(), wrong("metre")), ("Team".to_owned(), wrong("yard"))].into())
        .expect("all references can be resolved");
    let mut declared = EntityDeclaration::new("Ship", ObjectType::literal("acme_ship"), Class::literal("Device"));
    declared.schema = json!({"type": "ship"});
    schemas.entity(&declared);
    let Err(SchemaError::Invalid(problems)) = schemas.check_all() else { panic!("wrong schemas") };
    let places: Vec<_> = problems.iter().map(|found| (found.schema.as_str(), found.pointer.as_str())).collect();
    assert_eq!(places, [("Site", "/properties/a/type"), ("Team", "/properties/a/type"), ("acme_ship", "/type")]);
    let unusable = found(&schemas, &site(json!({})));
    assert!(unusable.len() == 1 && unusable[0].contains("the schema of Site"), "{unusable:?}");
}

#[test]
fn a_name_that_is_not_allowed_is_the_place_of_the_finding() {
    let schemas = Schemas::new(BTreeMap::new()).expect("the built-in schemas");
    let found = found(&schemas, &site(json!({"a/b": "s3cret"})));
    assert_eq!(found.len(), 1);
    assert!(
        found[0].starts_with("/a~1b: the name of the property does not match") && !found[0].contains("s3cret"),
        "{found:?}"
    );
}

#[test]
fn an_object_that_is_written_already_has_the_findings_of_its_tree() {
    let schemas = Schemas::new(BTreeMap::new()).unwrap();
    let (object_type, class) = (ObjectType::literal("acme_team"), Arc::from("Team"));
    let check = |object: &Value| {
        let text = ObjectText::from(object.as_object().unwrap());
        schemas.check_text(&text, &object_type, &class)
    };
    let good = json!({"_class": ["Team"], "_key": "k", "_type": "acme_team", "displayName": "n", "name": "n", "email": "a@b.c"});
    let mut bad = good.clone();
    (bad["email"], bad["nested"]) = ("nobody".into(), json!({"a": [1]}));
    assert_eq!((check(&good), check(&bad)), (Vec::new(), schemas.check(&bad)));
    assert_eq!(check(&bad).len(), 2);
    bad["nested"] = (0..200).fold(json!(1), |inner, _| json!([inner]));
    assert_eq!(check(&bad)[0].key, "k", "an object that is too deep for a tree is one finding");
}

#[test]
fn the_schemas_of_all_classes_are_taken_apart() {
    let schemas = Schemas::new(BTreeMap::new()).unwrap();
    for class in schemas.classes().keys() {
        let bases = ["MappedRelationship", "Relationship", "Entity"];
        let base = bases.into_iter().find(|base| base == class).unwrap_or("Entity");
        let asked = schemas.ask_texts(&(ObjectType::literal("acme_thing"), Arc::from(class.as_str()), base));
        assert!(asked.members.is_some(), "{class}");
    }
}

/// Objects of a class, most of them with at least one violation.
fn objects(schemas: &Schemas, class: &str) -> impl Strategy<Value = Value> + use<> {
    let mut names: Vec<String> = ["odd", "tag.a", "no$name", "_mapping", "_fromEntityKey", "_toEntityKey", "_rawData"]
        .map(str::to_owned)
        .to_vec();
    let properties =
        |schema: &Value| schema["properties"].as_object().map(|all| all.keys().cloned().collect::<Vec<_>>());
    for part in std::iter::once(&schemas.classes()[class])
        .chain(schemas.classes()[class]["allOf"].as_array().into_iter().flatten())
    {
        names.extend(properties(part).unwrap_or_default());
    }
    // The class and the type are set separately.
    names.retain(|name| name != "_class" && name != "_type");
    let values = [
        json!("text"),
        json!(""),
        json!("a@b.c"),
        json!("https://example.com/"),
        json!("2020-01-01"),
        json!("10.0.0.1"),
        json!(null),
        json!(true),
        json!(3),
        json!(-1.5),
        json!(1_700_000_000_000_i64),
        json!([]),
        json!(["a"]),
        json!(["a", "a"]),
        json!([1]),
        json!({}),
        json!([{"name": "default", "rawData": {}}]),
    ];
    let more = proptest::collection::btree_map(
        proptest::sample::select(names),
        proptest::sample::select(values.to_vec()),
        0..6,
    );
    let class = class.to_owned();
    (more, any::<bool>(), any::<bool>()).prop_map(move |(more, list, named)| {
        let mut object = json!({"_key": "k", "_type": "acme_thing", "displayName": "n"});
        object["_class"] = match (list, class.as_str()) {
            (true, _) => json!([class]),
            (false, "MappedRelationship" | "Relationship") => json!("HAS"),
            (false, _) => json!(class),
        };
        if named {
            object["name"] = "n".into();
        }
        if named && class == "Relationship" {
            (object["_fromEntityKey"], object["_toEntityKey"]) = ("a".into(), "b".into());
        }
        if named && class == "MappedRelationship" {
            let target = json!({"_key": "t", "_type": "acme_target", "_class": "User"});
            object["_mapping"] = json!({"relationshipDirection": "FORWARD", "sourceEntityKey": "s", "targetFilterKeys": [["_key"]], "targetEntity": target});
        }
        for (name, value) in more {
            object[name] = value;
        }
        object
    })
}

#[test]
fn a_text_is_valid_where_its_tree_is_for_every_class() {
    let schemas = Schemas::new(BTreeMap::new()).unwrap();
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut valid, mut all) = (0, 0);
    for class in schemas.classes().keys() {
        let objects = objects(&schemas, class);
        for _ in 0..200 {
            let object = objects.new_tree(&mut runner).unwrap().current();
            let text = ObjectText::from(object.as_object().unwrap());
            let found = schemas.check_text(&text, &ObjectType::literal("acme_thing"), &Arc::from(class.as_str()));
            assert_eq!(found, schemas.check(&object), "{object}");
            let sort =
                (ObjectType::literal("acme_thing"), Arc::from(class.as_str()), base(|name| object.get(name).is_some()));
            assert_eq!(schemas.allow_text(sort, &text), found.is_empty(), "{object}");
            (valid, all) = (valid + usize::from(found.is_empty()), all + 1);
        }
    }
    assert!(valid * 20 > all && valid * 2 < all, "{valid} of {all} objects are valid");
}

#[test]
fn schemas_that_say_more_of_an_object_than_of_its_members_are_asked_as_they_are() {
    let one_of_two = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "allOf": [{"$ref": "#Entity"}, {"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}],
    });
    let schemas = Schemas::new(BTreeMap::from([("Odd".to_owned(), one_of_two)])).unwrap();
    let check = |more: Value| {
        let mut object = json!({"_class": ["Odd"], "_key": "k", "_type": "acme_odd", "displayName": "n", "name": "n"});
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let text = ObjectText::from(object.as_object().unwrap());
        schemas.check_text(&text, &ObjectType::literal("acme_odd"), &Arc::from("Odd")).len()
    };
    assert_eq!([check(json!({"a": 1})), check(json!({"b": 1})), check(json!({"c": 1}))], [0, 0, 1]);
}
