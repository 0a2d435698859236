//! Rules of `serve`: added while it runs, failing ones, and the deliveries of their actions.

use integration_fake_receivers::{Reply, Webhooks};
use serde_json::json;

use super::process::Serving;
use super::{has_ended, place};
use crate::harness::Heroku;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

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
    place.write(".integration/rules/broken.json", "{");
    serving.until(|event| event["message"].as_str().is_some_and(|text| text.starts_with("the rules cannot be read")));
    std::fs::remove_file(place.path(".integration/rules/broken.json")).expect("the file");
    let added = place.run("rules add second.json");
    assert_eq!(added.code, 0, "{}", added.all());
    serving.until(delivered("Second"));
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
