//! Every format that a class names is enforced in every position.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::validator::{documents, validator};

/// Accepted and rejected values of each format.
const FORMATS: [(&str, &str, &str); 5] = [
    ("uri", "https://example.com/a", "example.com/a"),
    ("email", "ann@example.com", "ann"),
    ("hostname", "a.example.com", "a b"),
    ("ipv4", "192.0.2.1", "192.0.2.256"),
    ("ipv6", "2001:db8::1", "2001:db8::g"),
];

/// Returns the formats of a rule, including those of its alternatives and items.
fn formats(rule: &Value) -> BTreeSet<&str> {
    let own = rule["format"].as_str().into_iter();
    let alternatives = rule["anyOf"].as_array().into_iter().flatten().flat_map(formats);
    own.chain(alternatives).chain(rule.get("items").into_iter().flat_map(formats)).collect()
}

fn takes(rule: &Value, name: &str) -> bool {
    rule["type"] == name || rule["type"].as_array().is_some_and(|types| types.iter().any(|known| known == name))
}

#[test]
fn every_format_of_every_class_is_enforced_on_texts_and_on_items_of_lists() {
    let documents = documents();
    let mut met = BTreeSet::new();
    for (class, schema) in &documents {
        let validator = validator(class);
        let own = schema["allOf"].as_array().and_then(|parts| parts.last()).unwrap_or(schema);
        for (property, rule) in own["properties"].as_object().into_iter().flatten() {
            let at = format!("/{property}");
            let refused = |value: Value| {
                let object = json!({property: value});
                validator.iter_errors(&object).any(|error| error.instance_path().as_str().starts_with(&at))
            };
            for format in formats(rule) {
                let (_, good, bad) = FORMATS.iter().find(|(known, ..)| *known == format).expect("a format of the list");
                met.insert(format);
                if takes(rule, "string") {
                    assert!(!refused(json!(good)), "{class}.{property}: {good}");
                    assert!(refused(json!(bad)), "{class}.{property}: {bad}");
                }
                if takes(rule, "array") {
                    assert!(!refused(json!([good])), "{class}.{property}: [{good}]");
                    assert!(refused(json!([good, bad])), "{class}.{property}: [{good}, {bad}]");
                }
            }
        }
    }
    assert_eq!(met.len(), FORMATS.len(), "{met:?}");
}
