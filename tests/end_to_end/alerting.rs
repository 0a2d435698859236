//! Rules on the collected graph, and their alerts.

use serde_json::{Value, json};

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
        first.out.contains("● opened") && first.out.contains("will be repeated: there is no delivery.yaml"),
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
    let dismissed = place.run("rules run rules.json --fail-on info");
    assert_eq!(dismissed.code, 0, "a dismissed alert is not open");
    assert!(dismissed.out.contains("○ dismissed"), "{}", dismissed.all());
    let sarif = place.run("alerts list --all --format sarif").json()["runs"][0]["results"].clone();
    assert_eq!(sarif[0]["suppressions"][0]["justification"], "accepted", "{sarif}");
    assert_eq!(place.run("alerts list --format sarif").json()["runs"][0]["results"], json!([]));
    assert_eq!(place.run(&format!("alerts reopen {id}")).code, 0);
    assert_eq!(place.run(&format!("alerts reopen {id}")).code, 2, "it is open");
    place.write("rules.json", &rule(4));
    let resolved = place.run("rules run rules.json --fail-on info");
    assert_eq!(resolved.code, 0, "{}", resolved.all());
    assert!(resolved.out.contains("✓ resolved"), "{}", resolved.all());
    let sarif = place.run("alerts list --all --format sarif").json()["runs"][0]["results"].clone();
    assert_eq!(sarif, json!([]), "a resolved alert is no result");
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

/// A rule about teams with a condition and actions.
fn teams(name: &str, condition: &Value, actions: &Value) -> Value {
    json!({
        "name": name,
        "question": {"queries": [{"query": "FIND heroku_team"}]},
        "operations": [{"when": {"type": "FILTER", "condition": condition}, "actions": actions}],
    })
}

#[test]
fn a_condition_that_would_always_hold_is_refused() {
    let place = Place::alone();
    assert_eq!(place.run("collect --sample --quiet").code, 0);
    let create = json!([{"type": "CREATE_ALERT"}]);
    for condition in ["queries.query0.total > 0", "{{queries.query0.total > 0}} && {{queries.query0.total > 99}}"] {
        place.write("rules.json", &teams("A", &json!(condition), &create).to_string());
        let checked = place.run("rules check rules.json");
        assert!(checked.code == 4 && checked.out.contains("would always hold"), "{}", checked.all());
        assert_eq!(place.run("rules run rules.json").code, 2);
    }
    place.write("rules.json", &teams("A", &json!("false"), &create).to_string());
    let said = place.run("rules run rules.json --fail-on info");
    assert!(said.code == 0 && said.out.contains("✓ quiet"), "{}", said.all());
}

#[test]
fn a_check_finds_names_that_an_evaluation_would_not() {
    let place = Place::alone();
    let create = json!([{"type": "CREATE_ALERT"}]);
    let typo = teams("Typo", &json!(["queries.query0.totl", ">", 0]), &create).to_string();
    let typo = typo.replace("FIND heroku_team", "FIND heroku_aplication");
    let changes =
        json!({"name": "Changes", "changes": {"types": ["heroku_aplication"]}, "operations": [{"actions": create}]});
    place.write("rules.json", &format!("[{typo}, {changes}]"));
    let said = place.run("rules check rules.json --format json");
    assert_eq!(said.code, 4, "{}", said.all());
    let document = said.json();
    let found: Vec<(&str, &str)> = document["problems"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|problem| (problem["at"].as_str().expect("a place"), problem["message"].as_str().expect("a message")))
        .collect();
    assert_eq!(document["found"], 3, "{document}");
    for (at, part) in [
        ("operations[0].when.condition", "queries.query0.totl"),
        ("query query0", "heroku_aplication"),
        ("changes.types", "did you mean `heroku_application`?"),
    ] {
        assert!(found.iter().any(|(place, message)| *place == at && message.contains(part)), "{at}: {document}");
    }
}

#[test]
fn alerts_of_rules_and_graphs_that_are_gone_are_resolved() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    assert_eq!(place.run("collect --quiet").code, 0);
    let holds = json!("{{queries.query0.total > 0}}");
    let rule = |name: &str| teams(name, &holds, &json!([{"type": "CREATE_ALERT"}]));
    let quiet =
        teams("C", &holds, &json!([{"type": "TAG_ENTITIES", "entities": "{{queries.query0.data}}", "tags": []}]));
    place.write("rules.json", &json!([rule("A"), rule("B"), quiet]).to_string());
    let said = place.run("rules run rules.json");
    assert!(said.out.contains("● met"), "{}", said.all());
    let open = || -> Vec<String> {
        let alerts = place.run("alerts list --format json").json();
        alerts
            .as_array()
            .expect("a list")
            .iter()
            .map(|alert| alert["ruleId"].as_str().expect("a rule").to_owned())
            .collect()
    };
    assert_eq!(open(), ["A", "B"]);
    // Alerts of one evaluation have ids of one millisecond.
    let list = place.run("alerts list").out;
    let ids: Vec<&str> = list.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    for id in ids {
        assert_eq!(place.run(&format!("alerts show {id}")).code, 0, "{id} in {list}");
    }
    place.write("rules.json", &json!([rule("A")]).to_string());
    let said = place.run("rules run rules.json");
    assert!(said.err.contains("1 alert was resolved, because its rule no longer exists"), "{}", said.all());
    assert_eq!(open(), ["A"]);
    let said = place.run("instances remove default --yes");
    assert_eq!(said.code, 0, "{}", said.all());
    assert_eq!(open(), [""; 0], "no graph remains");
    let all = place.run("alerts list --all --format json").json();
    assert!(all.as_array().expect("a list").iter().all(|alert| alert["status"] == "INACTIVE"), "{all}");
}

#[test]
fn messages_about_files_show_the_place_and_no_function_of_a_library() {
    let place = Place::alone();
    assert_eq!(place.run("collect --sample --quiet").code, 0);
    for (text, part) in
        [("name: A\nname: B\n", "the field `name` is given twice"), ("name: A\n---\nname: B\n", "several documents")]
    {
        place.write("rules.yaml", text);
        let said = place.run("rules check rules.yaml");
        assert!(said.code == 2 && said.err.contains(part), "{}", said.all());
        for word in ["Policy", "from_str", "error: error", ": error:"] {
            assert!(!said.err.contains(word), "{word}: {}", said.all());
        }
    }
    let rule = teams("A", &json!("{{queries.query0.total > }}"), &json!([{"type": "CREATE_ALERT"}])).to_string();
    place.write("rules.json", &rule);
    for command in ["rules run rules.json", "rules check rules.json", "rules add rules.json"] {
        let said = place.run(command).all();
        let lines: Vec<&str> = said.lines().collect();
        let at = lines.iter().position(|line| line.trim() == "{{queries.query0.total > }}").expect(&said);
        let caret = lines[at + 1].find('^').map(|column| &lines[at][column..]);
        assert_eq!(caret, Some("}}"), "{command}: {said}");
    }
    // A query whose text is known only in the evaluation fails there.
    let query =
        rule.replace("{{queries.query0.total > }}", "true").replace("FIND heroku_team", "FIND heroku_team WITH {{x}}");
    place.write("rules.json", &query);
    let said = place.run("rules run rules.json --param x=name=");
    assert_eq!(said.code, 1, "{}", said.all());
    let lines: Vec<&str> = said.out.lines().collect();
    let at = lines.iter().position(|line| line.contains("FIND heroku_team WITH name=")).expect(&said.out);
    assert!(lines[at + 1].contains('^'), "{}", said.all());
    place.write(".integration/delivery.yaml", "email:\n  host: a.example\n  from: nobody\n");
    let said = place.run("rules run rules.json --param x=name=1");
    assert_eq!(said.code, 2, "{}", said.all());
    assert!(said.err.lines().any(|line| line.trim_end().ends_with("from: nobody")), "{}", said.all());
}
