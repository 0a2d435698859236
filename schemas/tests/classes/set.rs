//! The files, the list and the references between them agree.

use std::collections::BTreeSet;
use std::path::Path;

use integration_schemas::CLASSES;
use serde_json::Value;

use crate::validator::{documents, references, validator};

#[test]
fn every_file_is_listed_and_every_listed_class_has_a_file() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("classes");
    let files: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap().replace(".json", ""))
        .collect();
    let listed: BTreeSet<String> = CLASSES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(files, listed);
}

/// Properties that integrations of any provider rely on.
#[test]
fn the_classes_that_integrations_use_most_are_there() {
    let expected = "GraphObject Entity Record Resource Account Organization Team Group User UserGroup Person Application \
        Service Host Function Database DataStore Domain Network Repository CodeRepo Project Workflow Key Secret \
        AccessRole AccessPolicy Vendor Site Finding Vulnerability Relationship MappedRelationship";
    let listed: BTreeSet<&str> = CLASSES.iter().map(|(name, _)| *name).collect();
    let missing: Vec<&str> = expected.split_whitespace().filter(|name| !listed.contains(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_list_is_in_order_and_names_each_class_once() {
    assert!(CLASSES.is_sorted_by(|(one, _), (next, _)| one < next));
}

#[test]
fn every_schema_is_draft_07_and_is_named_by_its_file() {
    for (name, schema) in documents() {
        assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#", "{name}");
        assert_eq!(schema["$id"], format!("#{name}"), "{name}");
    }
}

#[test]
fn every_schema_and_every_property_is_described() {
    for (name, schema) in documents() {
        assert!(schema["title"].is_string() && schema["description"].is_string(), "{name}");
        let own = schema["allOf"].as_array().and_then(|parts| parts.last()).unwrap_or(&schema);
        for (property, rule) in own["properties"].as_object().into_iter().flatten() {
            assert!(rule.is_boolean() || rule["description"].is_string(), "{name}.{property}");
        }
    }
}

#[test]
fn every_class_but_the_root_names_one_parent_that_exists_and_leads_to_the_root() {
    let documents = documents();
    for &start in documents.keys() {
        let mut class = start;
        let mut generations = 0;
        while class != "GraphObject" {
            let parents = references(&documents[class]);
            assert_eq!(parents.len(), 1, "{class}");
            assert!(documents.contains_key(parents[0]), "{class} builds on {}, which is not there", parents[0]);
            class = parents[0];
            generations += 1;
            assert!(generations < documents.len(), "{start} is among its own ancestors");
        }
    }
}

#[test]
fn every_schema_compiles() {
    for (name, _) in CLASSES {
        validator(name);
    }
}

#[test]
fn times_are_integers_of_milliseconds() {
    for (name, schema) in documents() {
        let own = schema["allOf"].as_array().and_then(|parts| parts.last()).unwrap_or(&schema);
        for (property, rule) in own["properties"].as_object().into_iter().flatten() {
            if property.ends_with("On") {
                assert_eq!(rule["type"][0], "integer", "{name}.{property}");
                assert!(rule["description"].as_str().unwrap().contains("milliseconds"), "{name}.{property}");
            }
        }
    }
}

#[test]
fn both_kinds_of_relationship_know_the_same_verbs() {
    let documents = documents();
    let verbs = |class: &str| documents[class]["allOf"][1]["properties"]["_class"]["enum"].clone();
    assert_eq!(verbs("Relationship"), verbs("MappedRelationship"));
    assert_eq!(verbs("Relationship").as_array().map(Vec::len), Some(47));
}

#[test]
fn no_value_is_tried_against_more_than_two_alternatives() {
    fn widest(schema: &Value) -> usize {
        match schema {
            Value::Object(object) => {
                let here = ["anyOf", "oneOf"].iter().filter_map(|word| object.get(*word)?.as_array().map(Vec::len));
                here.chain(object.values().map(widest)).max().unwrap_or(0)
            }
            Value::Array(items) => items.iter().map(widest).max().unwrap_or(0),
            _ => 0,
        }
    }
    for (name, schema) in documents() {
        assert!(widest(&schema) <= 2, "{name}");
    }
}
