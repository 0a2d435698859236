//! Rules of `serve`: added while it runs, failing ones, and the deliveries of their actions.

use integration_fake_receivers::{Reply, Webhooks};
use serde_json::json;

use super::process::Serving;
use super::{get, has_ended, instances, place};
use crate::harness::Heroku;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

const NO_MEDIUM_ALERT: &str = r#"integration_alerts_open{level="medium"} 0"#;

/// A rule with a webhook about the teams of the sample.
fn rule(name: &str) -> String {
    json!({
        "name": name,
        "pollingInterval": "ONE_WEEK",
        "question": {"queries": [{"name": "teams", "query": "FIND heroku_team AS team RETURN team.name AS name"}]},
        "operations": [{
            "when": {"type": "FILTER", "condition": ["AND", ["queries.teams.total", ">", 0]]},
            "actions": [
                {"type": "CREATE_ALERT"},
                {"type": "WEBHOOK", "endpoint": "receiver:hook", "body": {"rule": "{{alertRuleName}}"}},
            ],
        }],
    })
    .to_string()
}

/// A rule whose query is known only when it is evaluated, and is wrong.
const FAILING: &str = "
name: A failing rule
notifyOnFailure: true
question: {queries: [{query: 'FIND {{param.missing}}'}]}
operations: [{actions: [{type: CREATE_ALERT}]}]
";

#[test]
fn rules_are_added_while_it_runs_and_deliveries_are_repeated() {
    let heroku = Heroku::sample();
    let hooks = Webhooks::start(Some(SECRET), [Reply::Status(503), Reply::CutAfter]).expect("a receiver");
    let place = place(&heroku).with("SIGNING", SECRET);
    let settings = format!(
        "privateTargets: ['{}']\nreceivers: {{hook: {{url: '{}', signingSecret: 'env:SIGNING'}}}}\n",
        hooks.address(),
        hooks.url("/t0ken-in-the-path")
    );
    place.write(".integration/delivery.yaml", &settings);
    place.write("failing.yaml", FAILING);
    place.write("first.json", &rule("First"));
    place.write("second.json", &rule("Second"));
    for file in ["failing.yaml", "first.json"] {
        let added = place.run(&format!("rules add {file}"));
        assert_eq!(added.code, 0, "{}", added.all());
    }

    let mut serving = Serving::start(&place, "");
    let failed = |event: &serde_json::Value| event["message"] == "the rule failed" && event["rule"] == "A failing rule";
    serving.until(failed);
    let delivered = |name: &'static str| {
        move |event: &serde_json::Value| event["message"] == "an action was delivered" && event["rule"] == name
    };
    // The first attempt is refused, and the answer of the second one is lost.
    serving.until(|event| event["message"] == "a delivery failed; it will be repeated" && event["attempts"] == 1);
    let added = place.run("rules add second.json");
    assert_eq!(added.code, 0, "{}", added.all());
    place.write(".integration/rules/broken.json", "{");
    let unusable = "an added rule cannot be evaluated; the others are";
    serving.until(|event| {
        event["message"] == unusable && event["reason"].as_str().is_some_and(|text| text.contains("broken.json"))
    });
    serving.until(delivered("Second"));
    assert!(get(&serving.address(), "/metrics").lines().any(|line| line == "integration_unusable_rules 1"));
    std::fs::remove_file(place.path(".integration/rules/broken.json")).expect("the file");
    let requested = place.run("serve --run-now production");
    assert_eq!(requested.code, 0, "{}", requested.all());
    has_ended(&mut serving, "Published");
    let said = serving.stop();
    assert_eq!(said.code, 0, "{}", said.all());

    // The next attempt is minutes later, in a process of its own if a person wants so.
    let sent = place.run("alerts deliver --all");
    assert_eq!(sent.code, 0, "{}", sent.all());
    let mut rules: Vec<String> = hooks.processed().into_iter().map(|received| received.body).collect();
    rules.sort();
    assert_eq!(rules, [r#"{"rule":"First"}"#, r#"{"rule":"Second"}"#]);
    assert_eq!(hooks.refused(), [""; 0]);
    let alerts = place.run("alerts list --format json").json();
    let open: Vec<&str> =
        alerts.as_array().expect("a list").iter().filter_map(|alert| alert["ruleId"].as_str()).collect();
    for rule in ["First", "Second", "Rule failed: A failing rule"] {
        assert_eq!(open.iter().filter(|name| **name == rule).count(), 1, "{rule}: {open:?}");
    }
    for text in [&said.err, &sent.out, &place.read(".integration/alerts.json")] {
        assert!(!text.contains(SECRET) && !text.contains("t0ken"), "{text}");
    }
}

#[test]
fn a_receiver_is_corrected_while_it_runs() {
    let heroku = Heroku::sample();
    let hooks = Webhooks::start(Some(SECRET), []).expect("a receiver");
    let place = place(&heroku).with("SIGNING", SECRET);
    let settings = format!(
        "privateTargets: ['{}']\nreceivers: {{hook: {{url: '{}', signingSecret: 'env:SIGNING'}}}}\n",
        hooks.address(),
        hooks.url("/hook")
    );
    // The rule finds no receiver of its name, then one that no server answers for.
    place.write(".integration/delivery.yaml", &settings.replace("{hook:", "{hok:"));
    place.write("rule.json", &rule("Corrected"));
    assert_eq!(place.run("rules add rule.json").code, 0);
    let mut serving = Serving::start(&place, "");
    let failed = |part: &'static str| {
        move |event: &serde_json::Value| {
            event["message"] == "a delivery failed; it will be repeated"
                && event["error"].as_str().is_some_and(|error| error.contains(part))
        }
    };
    serving.until(failed("no receiver hook"));
    place.write(".integration/delivery.yaml", &settings.replace(hooks.address(), "127.0.0.1:1"));
    serving.until(failed("cannot be reached"));
    assert_eq!(hooks.requests(), 0);
    // A mistake in between does not end the deliveries.
    place.write(".integration/delivery.yaml", "receivers: [");
    serving.until(|event| {
        event["message"].as_str().is_some_and(|text| text.starts_with("the deliveries of alerts failed"))
    });
    place.write(".integration/delivery.yaml", &settings);
    serving.until(|event| event["message"] == "an action was delivered" && event["rule"] == "Corrected");
    assert_eq!(serving.stop().code, 0);
    assert_eq!((hooks.processed().len(), hooks.repeated()), (1, 0));
    assert_eq!(place.run("alerts deliver --all --format json").json()["waiting"], 0);
}

#[test]
fn the_last_instance_is_removed_while_it_runs() {
    let heroku = Heroku::sample();
    let place = place(&heroku);
    let mut serving = Serving::start(&place, "");
    let opened = |event: &serde_json::Value| event["message"] == "an alert changed" && event["change"] == "Opened";
    has_ended(&mut serving, "Published");
    serving.until(opened);
    let address = serving.address();
    let shows = |line: &str| get(&address, "/metrics").lines().any(|found| found == line);
    heroku.until(|_| get(&address, "/metrics").contains("integration_alerts_open") && !shows(NO_MEDIUM_ALERT));
    let removed = place.run("instances remove production --yes");
    assert_eq!(removed.code, 0, "{}", removed.all());
    serving.until(|event| event["message"] == "the configuration was read" && event["instances"] == 0);
    heroku.until(|_| shows("integration_instances 0") && shows(NO_MEDIUM_ALERT));
    assert!(!get(&address, "/metrics").contains("heroku/production"));
    assert!(get(&address, "/readyz").starts_with("HTTP/1.1 200"));
    let open = place.run("alerts list --format json").json();
    assert_eq!(open, json!([]), "no alert of a removed instance stays open");
    // The next instance begins anew.
    place.write(".integration/instances.yaml", &instances(&["other"], "env:HEROKU_API_KEY", &heroku.url()));
    has_ended(&mut serving, "Published");
    serving.until(opened);
    let said = serving.stop();
    assert_eq!(said.code, 0, "{}", said.all());
    assert!(!said.err.contains(r#""level":"ERROR""#), "{}", said.err);
}
