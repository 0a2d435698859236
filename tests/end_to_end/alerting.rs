//! Rules on the collected graph, and their alerts.

use serde_json::json;

use crate::harness::{Heroku, Place};

/// A rule about teams that opens an alert above a number of results.
fn rule(more_than: u32) -> String {
    let rule = json!({
        "name": "Teams",
        "question": {"queries": [{"query": "FIND heroku_team THAT HAS heroku_account AS a RETURN a.name", "name": "teams"}]},
        "outputs": ["queries.teams.total"],
        "operations": [{
            "when": {"type": "FILTER", "condition": ["AND", ["queries.teams.total", ">", more_than]]},
            "actions": [
                {"type": "SET_PROPERTY", "targetProperty": "alertLevel", "targetValue": "HIGH"},
                {"type": "CREATE_ALERT"},
                {"type": "SEND_EMAIL", "recipients": ["security@example.com"], "body": "{{queries.teams.total}} teams"},
            ],
        }],
    });
    rule.to_string()
}

#[test]
fn an_alert_opens_once_and_is_resolved_dismissed_and_reopened() {
    let place = Place::alone();
    assert_eq!(place.run("collect --sample --quiet").code, 0);
    place.write("rules.json", &rule(0));
    let first = place.run("rules run rules.json --fail-on high");
    assert_eq!(first.code, 4, "{}", first.all());
    assert!(
        first.out.contains("● opened") && first.out.contains("SEND_EMAIL not carried out: there is no delivery.yaml"),
        "{}",
        first.all()
    );
    let again = place.run("rules run rules.json --format json");
    assert_eq!(again.code, 0, "an open alert fails only with --fail-on: {}", again.all());
    let document = again.json();
    assert_eq!(document["rules"][0]["alert"]["status"], "ACTIVE", "{document}");
    assert_eq!(document["rules"][0]["alert"]["level"], "HIGH", "{document}");
    assert_eq!(document["rules"][0]["outputs"][0]["value"], 4, "{document}");
    let alerts = place.run("alerts list --format json").json();
    assert_eq!(alerts.as_array().map(Vec::len), Some(1), "one open alert of the rule: {alerts}");

    let id = alerts[0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(place.run(&format!("alerts dismiss {id} --reason accepted")).code, 0);
    assert_eq!(place.run("rules run rules.json --fail-on info").code, 0, "a dismissed alert is not open");
    assert_eq!(place.run(&format!("alerts reopen {id}")).code, 0);
    assert_eq!(place.run(&format!("alerts reopen {id}")).code, 2, "it is open");
    place.write("rules.json", &rule(4));
    let resolved = place.run("rules run rules.json --fail-on info");
    assert_eq!(resolved.code, 0, "{}", resolved.all());
    assert!(resolved.out.contains("✓ resolved"), "{}", resolved.all());
    let shown = place.run(&format!("alerts show {id}"));
    for word in ["opened", "dismissed", "reopened", "resolved"] {
        assert!(shown.out.contains(word), "{word}: {}", shown.all());
    }
    place.write("rules.json", &rule(0));
    assert_eq!(place.run("rules run rules.json").code, 0);
    let all = place.run("alerts list --all --format json").json();
    assert_eq!(all.as_array().map(Vec::len), Some(2), "the ended alert stays beside the new one: {all}");
}

#[test]
fn missing_data_neither_opens_nor_resolves_an_alert() {
    let place = Place::alone();
    assert_eq!(place.run("collect --sample --quiet").code, 0);
    place.write("rules.json", &rule(0));
    assert_eq!(place.run("rules run rules.json").code, 0);
    let said = place.run("collect --sample --quiet --step fetch-account --max-age 0s");
    assert_eq!(said.code, 0, "{}", said.all());
    place.write("rules.json", &rule(4));
    let undecided = place.run("rules run rules.json");
    assert_eq!(undecided.code, 3, "{}", undecided.all());
    let alerts = place.run("alerts list --format json").json();
    assert_eq!(alerts[0]["status"], "ACTIVE", "the alert stays as it is: {alerts}");
}

#[test]
fn a_rule_about_changes_sees_those_since_its_last_evaluation() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    assert_eq!(place.run("collect --quiet --step fetch-account,fetch-teams").code, 0);
    let changes = json!({
        "name": "New applications",
        "changes": {"kinds": ["added"], "types": ["heroku_application"]},
        "outputs": ["changes.total"],
        "operations": [{"actions": [{"type": "CREATE_ALERT"}]}],
    });
    place.write("rules.json", &changes.to_string());
    let total = |said: crate::harness::Said| {
        assert_eq!(said.code, 0, "{}", said.all());
        said.json()["rules"][0]["outputs"][0]["value"].clone()
    };
    assert_eq!(total(place.run("rules run rules.json --format json")), 0, "the first evaluation is the baseline");
    assert_eq!(place.run("collect --quiet").code, 0);
    assert_eq!(total(place.run("rules run rules.json --format json")), 27);
    assert_eq!(total(place.run("rules run rules.json --format json")), 0, "each change is seen once");
    assert_eq!(place.run("collect --quiet --step fetch-account --max-age 0s").code, 0);
    let stale = changes.to_string().replace("added", "stale");
    place.write("rules.json", &stale);
    assert_eq!(total(place.run("rules run rules.json --format json")), 27, "the applications could not be confirmed");
    assert_eq!(total(place.run("rules run rules.json --format json")), 27, "they still are stale");
}

#[test]
fn the_rules_of_the_integration_are_evaluated_without_a_file() {
    let place = Place::alone();
    assert_eq!(place.run("collect --sample --quiet").code, 0);
    let checked = place.run("rules check");
    assert_eq!(checked.code, 0, "{}", checked.all());
    let said = place.run("rules run --format json");
    assert_eq!(said.code, 0, "{}", said.all());
    let document = said.json();
    let rules = document["rules"].as_array().expect("a list");
    assert!(rules.len() >= 20, "{} rules", rules.len());
    let open = rules.iter().filter(|rule| rule["alert"]["status"] == "ACTIVE");
    let open: Vec<&str> = open.map(|rule| rule["rule"].as_str().expect("a name")).collect();
    insta::assert_json_snapshot!(open);
}

#[test]
fn files_with_problems_are_refused_by_name() {
    let place = Place::alone();
    place.write("rules.yaml", "name: Bad\nquestion: {queries: [{query: FIND}]}\noperations: []\n");
    let said = place.run("rules check rules.yaml");
    assert_eq!(said.code, 4, "{}", said.all());
    assert!(said.out.contains("Bad") && said.out.contains("Unexpected end"), "{}", said.all());
    place.write("rules.yaml", "name: [");
    let said = place.run("rules run rules.yaml");
    assert_eq!(said.code, 2, "{}", said.all());
    assert!(said.err.contains("rules.yaml"), "{}", said.all());
}

/// A rule about added applications, which outputs their number.
fn new_applications(name: &str) -> String {
    let rule = json!({
        "name": name,
        "changes": {"kinds": ["added"], "types": ["heroku_application"]},
        "outputs": ["changes.total"],
        "operations": [{"actions": [{"type": "CREATE_ALERT"}]}],
    });
    rule.to_string()
}

#[test]
fn rule_files_that_are_run_in_turn_see_all_changes_each() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    place.write("first.json", &new_applications("First"));
    place.write("second.json", &new_applications("Second"));
    let total = |file: &str| {
        let said = place.run(&format!("rules run {file} --format json"));
        assert_eq!(said.code, 0, "{}", said.all());
        said.json()["rules"][0]["outputs"][0]["value"].clone()
    };
    assert_eq!(place.run("collect --quiet --step fetch-account,fetch-teams").code, 0);
    assert_eq!((total("first.json"), total("second.json")), (json!(0), json!(0)));
    assert_eq!(place.run("collect --quiet").code, 0);
    assert_eq!((total("first.json"), total("second.json")), (json!(27), json!(27)));
    assert_eq!((total("first.json"), total("second.json")), (json!(0), json!(0)));
}

#[test]
fn the_alerts_of_an_earlier_version_keep_their_place_in_the_history() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    assert_eq!(place.run("collect --quiet --step fetch-account,fetch-teams").code, 0);
    let job = place.run("jobs list --format json").json()[0]["id"].clone();
    let path = ".integration/alerts.json";
    let book = json!({"version": 1, "evaluated": {"heroku/default": job}, "memories": {"First": {}}, "alerts": []});
    assert!(place.path(".integration").is_dir(), "the data directory");
    place.write(path, &book.to_string());
    place.write("first.json", &new_applications("First"));
    assert_eq!(place.run("collect --quiet").code, 0);
    let said = place.run("rules run first.json --format json");
    assert_eq!(said.json()["rules"][0]["outputs"][0]["value"], 27, "{}", said.all());
    let migrated: serde_json::Value = serde_json::from_str(&place.read(path)).expect("JSON");
    assert_eq!(migrated["version"], 2);
}
