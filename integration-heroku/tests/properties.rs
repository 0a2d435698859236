//! The page `properties.md` lists the properties of each entity type with fields that the responses contain.
#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use integration_heroku::fake::{FakeHeroku, FakeOptions, Organisation};
use serde_json::Value;

/// The end of the path of the usage, which needs a month.
const USAGE: &str = "/usage/monthly";

/// A section of the page: one entity type.
#[derive(Default)]
struct Section {
    paths: BTreeSet<String>,
    /// The field of each property, empty if the property comes from no field.
    fields: BTreeMap<String, String>,
}

fn file(path: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The texts between backticks in a line.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

fn page() -> BTreeMap<String, Section> {
    let mut sections: BTreeMap<String, Section> = BTreeMap::new();
    let mut current = None;
    for line in file("properties.md").lines() {
        if line.starts_with("## ") {
            current = quoted(line).next().map(str::to_owned);
        }
        let Some(section) = current.as_ref().map(|name| sections.entry(name.clone()).or_default()) else { continue };
        if line.starts_with("| `") {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let text = |cell: &str| quoted(cell).next().unwrap_or_default().to_owned();
            section.fields.insert(text(cells[1]), text(cells[2]));
        } else {
            section.paths.extend(quoted(line).filter_map(|text| text.strip_prefix("GET ")).map(str::to_owned));
        }
    }
    sections
}

/// The properties in the committed schema of a type.
fn properties(object_type: &str) -> BTreeSet<String> {
    let schema: Value = serde_json::from_str(&file(&format!("../schemas/types/{object_type}.json"))).unwrap();
    let parts = schema["allOf"].as_array().into_iter().flatten().chain([&schema]);
    let names = parts.filter_map(|part| part["properties"].as_object()).flat_map(|all| all.keys().cloned());
    names.filter(|name| !name.starts_with('_')).collect()
}

#[test]
fn the_page_lists_all_properties_of_all_types() {
    let page = page();
    let types: BTreeSet<String> = integration_heroku::integration()
        .steps()
        .iter()
        .flat_map(|step| step.declaration().entities.iter().map(|entity| entity.object_type.to_string()))
        .collect();
    assert_eq!(page.keys().cloned().collect::<BTreeSet<_>>(), types);
    for step in integration_heroku::integration().steps() {
        for entity in &step.declaration().entities {
            let name = entity.object_type.as_str();
            let section = page.get(name).unwrap_or_else(|| panic!("properties.md has no section for {name}"));
            assert_eq!(section.fields.keys().cloned().collect::<BTreeSet<_>>(), properties(name), "{name}");
        }
    }
}

#[tokio::test]
async fn each_field_of_the_page_is_in_a_response() {
    // An error means that another test has installed it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let heroku = FakeHeroku::start(Organisation::sample(), FakeOptions::default()).await.unwrap();
    for (name, Section { paths, fields }) in page() {
        assert!(!paths.is_empty(), "{name} names no request");
        let mut found = BTreeSet::new();
        for path in &paths {
            for path in requests(path, heroku.organisation()) {
                collect(&answer(&heroku, &path).await, "", &mut found);
            }
        }
        for (property, field) in fields.iter().filter(|(_, field)| !field.is_empty()) {
            assert!(found.contains(field), "{name}.{property}: no response of {paths:?} has a field {field}");
        }
    }
    heroku.shutdown().await;
}

/// The requests of a path, one for each parent.
fn requests(path: &str, organisation: &Organisation) -> Vec<String> {
    let Some((before, after)) = path.split_once("{id}") else { return vec![path.to_owned()] };
    let ids: Vec<String> = match before {
        "/enterprise-accounts/" => organisation.accounts().map(|account| account.id.to_string()).collect(),
        // Heroku has no usage of teams outside of the enterprise accounts.
        "/teams/" if after == USAGE => {
            organisation.teams().filter(|team| team.account.is_some()).map(|team| team.id.to_string()).collect()
        }
        "/teams/" => organisation.teams().map(|team| team.id.to_string()).collect(),
        "/spaces/" => organisation.spaces().map(|space| space.id.to_string()).collect(),
        "/identity-providers/" => {
            let providers = organisation.accounts().filter_map(|account| account.identity_provider.as_ref());
            providers.map(|provider| provider.id.to_string()).collect()
        }
        "/apps/" => organisation.apps().map(|app| app.id.to_string()).collect(),
        other => panic!("properties.md names a path below {other}"),
    };
    let query = if after == USAGE { "?start=2026-01" } else { "" };
    ids.iter().map(|id| format!("{before}{id}{after}{query}")).collect()
}

async fn answer(heroku: &FakeHeroku, path: &str) -> Value {
    let request = reqwest::Client::new().get(format!("{}{path}", heroku.url())).bearer_auth(heroku.token());
    let request = request.header("Accept", "application/vnd.heroku+json; version=3");
    let body = request.send().await.unwrap().error_for_status().unwrap().text().await.unwrap();
    serde_json::from_str(&body).unwrap()
}

/// Adds the paths of all fields of a body, with dots between the names.
fn collect(value: &Value, before: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = if before.is_empty() { name.clone() } else { format!("{before}.{name}") };
                collect(value, &path, found);
                found.insert(path);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, before, found)),
        _ => {}
    }
}
