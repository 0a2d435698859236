//! `diff`: the changes between two jobs, and between two graphs in files.

use serde_json::{Value, json};

use crate::harness::{Graph, Heroku, Place, Said};

/// The changes of a JSON report, as kind, type, and key.
fn listed(document: &Value) -> Vec<[String; 3]> {
    let changes = document["changes"].as_array().expect("changes");
    let text = |change: &Value, name: &str| change[name].as_str().expect("text").to_owned();
    changes.iter().map(|change| ["kind", "type", "key"].map(|name| text(change, name))).collect()
}

fn compared(place: &Place, line: &str) -> Said {
    let said = place.run(&format!("diff {line}"));
    assert!([0, 4].contains(&said.code), "{}", said.all());
    said
}

/// A place with two jobs and their exports `before` and `now`: one application changed, and one was deleted.
struct Changed {
    place: Place,
    changed: String,
    deleted: String,
}

fn changed() -> Changed {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    let said = place.run("collect --output before");
    assert_eq!(said.code, 0, "{}", said.all());
    let graph = Graph::read(&place.path("before/graph"));
    let team = heroku.team("kestrel-data");
    let mut apps = graph.apps_of(&team);
    let deleted = apps.pop().expect("an application")["id"].as_str().expect("an id").to_owned();
    apps[0]["stack"]["name"] = json!("heroku-99");
    apps[0]["updated_at"] = json!("2026-11-01T00:00:00Z");
    let changed = apps[0]["id"].as_str().expect("an id").to_owned();
    heroku.serve_apps(&graph, &team, &apps);
    let said = place.run("collect --output now");
    assert!([0, 3].contains(&said.code), "{}", said.all());
    Changed { place, changed, deleted }
}

#[test]
fn a_changed_and_a_deleted_application_are_the_changes_between_two_jobs() {
    let Changed { place, changed, deleted } = changed();
    let said = compared(&place, "--exit-code --format json");
    assert_eq!((said.code, said.err.as_str()), (4, ""), "{}", said.all());
    let document = said.json();
    let found = listed(&document);
    let has = |kind: &str, object_type: &str, key: &str| {
        found.iter().any(|[a, b, c]| (a.as_str(), b.as_str(), c.as_str()) == (kind, object_type, key))
    };
    assert!(
        has("changed", "heroku_application", &changed) && has("removed", "heroku_application", &deleted),
        "{found:?}"
    );
    let kinds = ["added", "changed"].map(|kind| found.iter().filter(|[of, ..]| of == kind).count());
    assert_eq!(kinds, [0, 1], "{found:?}");
    assert!(
        found.iter().all(|[_, _, key]| [&changed, &deleted].iter().any(|app| key.contains(app.as_str()))
            || found.iter().any(|[kind, _, link]| kind == "removed" && link.contains(key.as_str()))),
        "{found:?}"
    );
    let change =
        document["changes"].as_array().expect("changes").iter().find(|change| change["key"] == changed.as_str());
    let properties = change.expect("a change")["properties"].as_array().expect("properties").clone();
    let stack = properties.iter().find(|property| property["name"] == "stack").expect("a property");
    assert_eq!(stack["new"], "heroku-99");
    assert_eq!(document["counts"]["changed"], 1);
    assert_eq!(document["from"]["state"], "complete");
    let backwards = compared(&place, "newest previous --format json").json();
    assert_eq!(backwards["counts"]["added"], document["counts"]["removed"]);
}

#[test]
fn exports_have_the_changes_of_their_jobs() {
    let Changed { place, .. } = changed();
    let of_jobs = compared(&place, "--raw --format json").json();
    let of_files = compared(&place, "--raw --input before --input now --format json").json();
    assert_eq!(of_files["changes"], of_jobs["changes"]);
    assert_eq!((&of_files["counts"], &of_files["types"]), (&of_jobs["counts"], &of_jobs["types"]));
    assert_eq!(of_files["from"]["job"], of_jobs["from"]["job"]);
    // Another program writes the same objects in another order, and no summary.
    let file = "now/graph/fetch-apps/entities/heroku_application-00001.json";
    let mut document: Value = serde_json::from_str(&place.read(file)).expect("JSON");
    document["entities"].as_array_mut().expect("entities").reverse();
    place.write(file, &serde_json::to_string_pretty(&document).expect("JSON"));
    std::fs::remove_file(place.path("now/summary.json")).expect("a summary");
    let foreign = compared(&place, "--raw --input before --input now --format json").json();
    assert_eq!(foreign["counts"]["changed"], of_jobs["counts"]["changed"]);
    assert!(foreign["to"]["job"].is_null());
}

#[test]
fn ignored_properties_and_other_types_are_no_changes() {
    let Changed { place, changed, .. } = changed();
    let said = compared(&place, "--type heroku_application --ignore stack --ignore *On --exit-code --format json");
    assert_eq!(said.code, 4);
    assert!(listed(&said.json()).iter().all(|[kind, ..]| kind == "removed"));
    let said = compared(&place, "--type heroku_application --ignore stack --format json");
    let document = said.json();
    let change =
        document["changes"].as_array().expect("changes").iter().find(|change| change["key"] == changed.as_str());
    let names: Vec<&str> = change.expect("a change")["properties"]
        .as_array()
        .expect("properties")
        .iter()
        .map(|property| property["name"].as_str().expect("a name"))
        .collect();
    assert_eq!(names, ["updatedOn"]);
    // No graph has an object of the second type, but the integration declares it.
    for object_type in ["heroku_team", "heroku_formation"] {
        let said = compared(&place, &format!("--type {object_type} --exit-code"));
        assert_eq!(said.code, 0);
        assert!(said.out.ends_with("No changes.\n"), "{}", said.out);
    }
    let said = place.run("diff --type heroku_aplication");
    assert!(said.code == 2 && said.err.contains("neither graph has objects of type"), "{}", said.all());
}

#[test]
fn text_and_markdown_name_the_change_and_text_fits_a_terminal() {
    let Changed { place, changed, .. } = changed();
    let text = compared(&place, "").out;
    assert!(text.contains(&changed) && text.contains("→ \"heroku-99\""), "{text}");
    // A key is not broken, even if it is longer than a line.
    let fits = |line: &str| line.chars().count() <= 80 || line.split_whitespace().count() <= 2;
    assert!(!text.contains('\u{1b}') && text.lines().all(fits), "{text}");
    assert!(compared(&place, "--color always").out.contains('\u{1b}'));
    let markdown = compared(&place, "--format markdown --output report/changes.md");
    assert!(markdown.out.starts_with("Wrote report/changes.md: 0 added, "), "{}", markdown.out);
    let report = place.read("report/changes.md");
    assert!(
        report.contains("| `heroku_application` | 0 | 1 | 1 | 0 |") && report.contains("`\"heroku-99\"`"),
        "{report}"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(place.path("report/changes.md")).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn nothing_that_a_job_did_not_select_is_reported_as_removed() {
    let place = Place::alone();
    assert_eq!(place.run("collect --sample").code, 0);
    assert_eq!(place.run("collect --sample --step fetch-teams --max-age 0s").code, 0);
    let said = compared(&place, "--exit-code --format json");
    assert_eq!(said.code, 0);
    let document = said.json();
    let counts = &document["counts"];
    assert_eq!([&counts["added"], &counts["removed"], &counts["changed"]], [0, 0, 0]);
    assert!(counts["unknown"].as_u64().is_some_and(|unknown| unknown > 0));
    let changes = document["changes"].as_array().expect("changes");
    assert!(changes.iter().all(|change| change["gap"]["code"] == "STEP_NOT_SELECTED" && change["gapSide"] == "to"));
}

#[test]
fn applications_of_a_refused_team_are_unknown_with_the_refusal_and_those_of_other_teams_exact() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    assert_eq!(place.run("collect --output before").code, 0);
    let graph = Graph::read(&place.path("before/graph"));
    let (refused, other) = (heroku.team("kestrel-data"), heroku.team("kestrel-platform"));
    let of_refused = graph.apps_of(&refused).len();
    let deleted = heroku.delete_an_app(&graph, &other);
    heroku.refuse_apps(&refused);
    assert_eq!(place.run("collect").code, 3);
    let document = compared(&place, "--type heroku_application --format json").json();
    let changes = document["changes"].as_array().expect("changes");
    let unknown = |change: &&Value| change["kind"] == "unknown";
    let certain: Vec<&Value> = changes.iter().filter(|change| !unknown(change)).collect();
    assert!(
        certain.len() == 1 && certain[0]["kind"] == "removed" && certain[0]["key"] == deleted.as_str(),
        "{certain:?}"
    );
    assert_eq!(changes.iter().filter(unknown).count(), of_refused);
    for change in changes.iter().filter(unknown) {
        let gap = &change["gap"];
        assert_eq!((&gap["code"], &gap["under"]["key"]), (&json!("PROVIDER_AUTHORIZATION_ERROR"), &json!(refused)));
        assert!(gap["cause"].as_str().is_some_and(|cause| cause.contains("403")), "{gap}");
        assert_eq!(change["gapSide"], "to");
    }
    let text = compared(&place, "--type heroku_application").out;
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains(&format!("lacks data of fetch-apps under heroku_team {refused}")), "{text}");
    assert!(text.lines().any(|line| line.starts_with("? ")), "{text}");
}

#[test]
fn an_object_that_the_first_job_could_not_collect_is_added_by_the_second() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    let team = heroku.team("kestrel-data");
    let refusal = heroku.refuse_apps(&team);
    assert_eq!(place.run("collect").code, 3);
    heroku.server().lift(refusal);
    let said = place.run("collect --format json");
    assert_eq!(said.code, 0, "{}", said.all());
    let document = compared(&place, "--format json").json();
    assert!(listed(&document).iter().all(|[kind, ..]| kind == "added"), "{document}");
    let published = said.json()["published"]["changes"].clone();
    let types = document["types"].as_array().expect("types").iter();
    let found: serde_json::Map<String, Value> = types
        .map(|counts| {
            let mut counts = counts.as_object().expect("an object").clone();
            let name = counts.remove("type").expect("a type").as_str().expect("text").to_owned();
            counts.remove("objectKind");
            (name, counts.into())
        })
        .collect();
    assert!(found.contains_key("heroku_application"), "{found:?}");
    assert_eq!(published, Value::from(found), "the changes of two jobs in succession are the published ones");
    // Backwards, nobody observed that the applications are gone.
    let backwards = compared(&place, "newest previous --format json").json();
    assert!(listed(&backwards).iter().all(|[kind, ..]| kind == "unknown"), "{backwards}");
}

#[test]
fn results_of_queries_are_compared_as_files_and_as_a_folder() {
    let place = Place::alone();
    let tree = |stack: &str| {
        let entity = json!({"_id": stack, "_key": "app:1", "_type": ["heroku_application"], "_class": ["Application"],
            "displayName": "one"});
        let vertex = json!({"id": stack, "entity": entity, "properties": {"stack": stack}});
        json!({"type": "tree", "data": {"vertices": [vertex], "edges": []}}).to_string()
    };
    place.write("trees/1.json", &tree("heroku-22"));
    place.write("trees/2.json", &tree("heroku-24"));
    for line in ["--input trees/1.json --input trees/2.json", "--input trees"] {
        let document = compared(&place, &format!("{line} --format json")).json();
        assert_eq!(
            document["changes"][0]["properties"],
            json!([{"name": "stack", "old": "heroku-22", "new": "heroku-24"}]),
            "{line}"
        );
    }
}

#[test]
fn a_comparison_without_two_graphs_is_refused_with_the_next_action() {
    let place = Place::alone();
    let refused = |line: &str, code: i32, expected: &str| {
        let said = place.run(&format!("diff {line}"));
        assert_eq!((said.code, said.out.as_str()), (code, ""), "{line}: {}", said.all());
        assert!(said.err.contains(expected), "{line}: {}", said.err);
    };
    refused("", 2, "there are no jobs in .integration");
    place.run("collect --sample --output out");
    place.write("empty/readme.txt", "nothing");
    refused("", 2, "is the only job of the instance \"sample\"");
    refused("newest newest", 2, "is the only job");
    refused("0000", 2, "there is no job \"0000\"");
    refused("out", 2, "--input OLDER --input NEWER");
    refused("2020-01-01", 2, "had ended by 2020-01-01T00:00:00Z");
    refused("--input out", 2, "--input OTHER");
    refused("--input out --input out/", 2, "name two different graphs");
    refused("--input out --input empty", 1, "holds no graph");
    refused("--input out --input nowhere", 1, "cannot read nowhere");
    refused("--input out --input empty/readme.txt", 1, "RETURN TREE");
    refused("newest --input out --input empty", 2, "cannot be used with");
    refused("--limit some", 2, "invalid value");
}

#[test]
fn jobs_and_keys_of_another_integration_are_found_or_named() {
    let place = Place::alone();
    assert_eq!(place.run("collect --sample").code, 0);
    assert_eq!(place.run("collect --sample --integration directory --output people").code, 0);
    let job = place.run("jobs list --format json").json()[0]["id"].as_str().expect("an id").to_owned();
    let said = place.run(&format!("diff {job}"));
    assert!(said.code == 2 && said.err.contains("--integration directory"), "{}", said.all());
    let people = Graph::read(&place.path("people/graph")).of_type("directory_person");
    let key = people.keys().next().expect("a person");
    let said = place.run(&format!("history {key}"));
    assert!(said.code == 0 && said.out.contains("directory_person, instance sample"), "{}", said.all());
    let said = place.run(&format!("history {key} --integration heroku"));
    assert!(said.code == 2 && said.err.contains("no job has collected an object"), "{}", said.all());
    assert_eq!(place.run("collect --sample --instance east").code, 0);
    let said = place.run(&format!("history {}", account(&place)));
    assert!(said.out.contains("instance sample:east") && said.err.contains("Not searched: sample."), "{}", said.all());
}

/// The key of an account, which all instances of the sample contain.
fn account(place: &Place) -> String {
    place.run("export --output heroku");
    let accounts = Graph::read(&place.path("heroku/graph")).of_type("heroku_account");
    accounts.into_keys().next().expect("an account")
}
