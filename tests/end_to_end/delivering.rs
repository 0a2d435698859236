//! Deliveries of actions: webhooks, Slack, and email, through faults and kills.

use std::time::Duration;

use integration_fake_receivers::{Mails, Reply, Webhooks};
use serde_json::{Value, json};

use crate::harness::Place;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A folder with the graph of the sample, and the secrets of the receivers in its environment.
fn place(settings: &str) -> Place {
    let place = Place::alone().with("SIGNING", SECRET).with("TOKEN", "t0ken-of-the-test").with("NO_COLOR", "1");
    let said = place.run("collect --sample --quiet");
    assert_eq!(said.code, 0, "{}", said.all());
    place.write(".integration/delivery.yaml", settings);
    place
}

fn settings(hooks: &Webhooks, mails: &Mails) -> String {
    format!(
        "privateTargets: ['{address}']
slack: {{default: '{slack}'}}
receivers: {{hook: {{url: '{hook}', signingSecret: 'env:SIGNING', headers: {{Authorization: 'env:TOKEN'}}}}}}
email: {{host: 127.0.0.1, port: {port}, encryption: none, from: alerts@example.com}}
",
        address = hooks.address(),
        slack = hooks.url("/slack/${env:TOKEN}"),
        hook = hooks.url("/hook"),
        port = mails.port(),
    )
}

/// A rule that carries out actions for each new team of the sample, which has five.
fn rule(actions: &Value) -> String {
    let rule = json!({
        "name": "Teams",
        "triggerActionsOnNewEntitiesOnly": true,
        "question": {"queries": [{"query": "FIND heroku_team AS team RETURN team.name AS name", "name": "teams"}]},
        "operations": [{
            "when": {"type": "FILTER", "condition": ["AND", ["queries.teams.total", ">", 0]]},
            "actions": [
                {"type": "SET_PROPERTY", "targetProperty": "alertLevel", "targetValue": "HIGH"},
                {"type": "CREATE_ALERT"},
                {"type": "FOR_EACH_ITEM", "items": "{{queries.teams.data}}", "itemRef": "team", "actions": actions},
            ],
        }],
    });
    rule.to_string()
}

fn webhooks() -> String {
    rule(&json!([{"type": "WEBHOOK", "endpoint": "receiver:hook", "body": {"team": "{{team.name}}"}}]))
}

/// The texts of all files in the outbox.
fn outbox(place: &Place) -> Vec<String> {
    let files = std::fs::read_dir(place.path(".integration/outbox")).expect("an outbox");
    files.map(|file| std::fs::read_to_string(file.expect("a file").path()).expect("a text")).collect()
}

#[test]
fn actions_are_delivered_and_recorded_without_secrets() {
    let hooks = Webhooks::start(None, []).expect("a receiver");
    let mails = Mails::start(None, []).expect("a server");
    let place = place(&settings(&hooks, &mails));
    let actions = json!([
        {"type": "WEBHOOK", "endpoint": "receiver:hook", "body": {"team": "{{team.name}}"}},
        {"type": "SEND_SLACK_MESSAGE", "channels": ["#a", "#b"], "body": "{{team.name}}"},
        {"type": "SEND_EMAIL", "recipients": ["security@example.com"], "body": "{{team.name}}"},
        {"type": "TAG_ENTITIES", "entities": "{{team}}", "tags": [{"name": "a", "value": "b"}]},
        {"type": "RUN_COMMAND", "command": ["/bin/true"]},
    ]);
    place.write("rules.json", &rule(&actions));
    let dry = place.run("rules run rules.json --dry-run");
    assert!(dry.out.contains("would carry out WEBHOOK") && hooks.requests() == 0, "{}", dry.all());
    assert_eq!(place.run("alerts list --format json").json(), json!([]), "a dry run opens no alert");

    for text in
        ["would carry out", "TAG_ENTITIES would not be carried out", "RUN_COMMAND would not be carried out: `commands`"]
    {
        assert!(dry.out.contains(text), "{text}: {}", dry.all());
    }

    let said = place.run("rules run rules.json");
    assert_eq!(said.code, 1, "the program is not allowed: {}", said.all());
    for text in [
        "TAG_ENTITIES not carried out: this program does not carry out this action",
        "RUN_COMMAND to /bin/true failed, will be repeated",
        "delivered",
    ] {
        assert!(said.out.contains(text), "{text}: {}", said.all());
    }
    let processed = hooks.processed();
    let to = |path: &str| processed.iter().filter(|received| received.path == path).count();
    assert_eq!((to("/hook"), to("/slack/t0ken-of-the-test"), mails.received().len()), (5, 10, 5), "{}", said.all());
    assert!(
        processed
            .iter()
            .all(|received| received.path != "/hook" || received.headers["authorization"] == "t0ken-of-the-test")
    );

    let alert = place.run("alerts list --format json").json()[0].clone();
    assert_eq!(alert["deliveries"].as_array().map(Vec::len), Some(25), "{alert}");
    let shown = place.run(&format!("alerts show {}", alert["id"].as_str().expect("an id")));
    assert!(shown.out.contains("Deliveries") && shown.out.contains("delivered"), "{}", shown.all());
    let texts = outbox(&place).concat() + &said.all() + &shown.all() + &place.read(".integration/alerts.json");
    assert!(!texts.contains("t0ken") && !texts.contains(SECRET), "a secret was written");

    place.run("rules run rules.json");
    assert_eq!((hooks.processed().len(), mails.received().len()), (15, 5), "no row is new");
}

#[test]
fn failed_deliveries_are_kept_and_repeated_on_request() {
    // The request about the fifth team succeeds at once.
    let script = [Reply::Status(500), Reply::Later(600), Reply::Cut, Reply::CutAfter];
    let hooks = Webhooks::start(Some(SECRET), script).expect("a receiver");
    let mails = Mails::start(None, []).expect("a server");
    let place = place(&settings(&hooks, &mails));
    place.write("rules.json", &webhooks());
    let said = place.run("rules run rules.json");
    assert_eq!(said.code, 1, "a delivery failed: {}", said.all());
    for text in ["4 deliveries wait", "`alerts deliver --all`"] {
        assert!(said.out.contains(text), "{}", said.all());
    }
    let waits = place.run("alerts deliver --format json");
    assert_eq!(waits.json()["waiting"], 4, "the time of the next attempt has not come: {}", waits.all());
    let said = place.run("alerts deliver --all");
    assert_eq!(said.code, 0, "{}", said.all());
    assert_eq!((hooks.processed().len(), hooks.repeated()), (5, 1), "the request whose answer was lost is known");
    assert_eq!(hooks.refused(), [""; 0]);
    assert!(place.run("alerts deliver").out.contains("Nothing waits"));
}

#[test]
fn a_delivery_without_its_setting_waits_for_it() {
    let hooks = Webhooks::start(None, []).expect("a receiver");
    let mails = Mails::start(None, []).expect("a server");
    let settings = settings(&hooks, &mails);
    let place = place(&settings.replace("{hook:", "{hok:"));
    place.write("rules.json", &webhooks());
    let dry = place.run("rules run rules.json --dry-run");
    assert!(
        dry.out.contains("WEBHOOK would not be carried out: delivery.yaml has no receiver hook (5 times)"),
        "{}",
        dry.all()
    );
    let said = place.run("rules run rules.json");
    assert_eq!(said.code, 1, "{}", said.all());
    assert!(
        said.out.contains("failed, will be repeated: delivery.yaml has no receiver hook (5 times)"),
        "{}",
        said.all()
    );
    std::fs::remove_file(place.path(".integration/delivery.yaml")).expect("a file");
    let said = place.run("alerts deliver --all --format json");
    assert_eq!((said.code, &said.json()["waiting"]), (1, &json!(5)), "{}", said.all());
    assert_eq!(hooks.processed().len(), 0);
    place.write(".integration/delivery.yaml", &settings);
    assert_eq!(place.run("rules run rules.json").code, 0, "no row is new");
    let said = place.run("alerts deliver --all");
    assert_eq!((said.code, hooks.processed().len()), (0, 5), "{}", said.all());
}

#[test]
fn kills_at_any_instant_neither_lose_nor_repeat_a_delivery() {
    let slow = || Reply::Slow(Duration::from_millis(300));
    let hooks = Webhooks::start(Some(SECRET), std::iter::repeat_with(slow).take(6)).expect("a receiver");
    let mails = Mails::start(None, []).expect("a server");
    let place = place(&settings(&hooks, &mails));
    place.write("rules.json", &webhooks());
    // Early kills hit the evaluation, late ones the deliveries.
    for pause in [0, 20, 60, 120, 250, 500, 800] {
        let running = place.start("rules run rules.json");
        std::thread::sleep(Duration::from_millis(pause));
        running.kill_if_running();
    }
    for requests in 1..=3 {
        let running = place.start("alerts deliver --all");
        let before = hooks.requests();
        // The process may have nothing left to send.
        for _ in 0..400 {
            if hooks.requests() >= before + requests {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        running.kill_if_running();
    }
    let said = place.run("rules run rules.json");
    assert_eq!(said.code, 0, "{}", said.all());
    let said = place.run("alerts deliver --all");
    assert_eq!(said.code, 0, "{}", said.all());
    let mut teams: Vec<String> = hooks.processed().into_iter().map(|received| received.body).collect();
    teams.sort();
    teams.dedup();
    assert_eq!((hooks.processed().len(), teams.len()), (5, 5), "each team exactly once: {}", said.all());
    assert!(outbox(&place).iter().all(|entry| entry.contains(r#""state":"delivered""#)), "{:?}", outbox(&place));
    let alerts = place.run("alerts list --all --format json").json();
    assert_eq!(alerts.as_array().map(Vec::len), Some(1), "one alert: {alerts}");
}

#[test]
fn added_rules_are_evaluated_with_those_of_the_integration() {
    let place = Place::alone().with("NO_COLOR", "1");
    assert_eq!(place.run("collect --sample --quiet").code, 0);
    place.write("rules.json", &webhooks());
    let added = place.run("rules add rules.json");
    assert_eq!(added.code, 0, "{}", added.all());
    assert_eq!(place.run("rules add rules.json").code, 2, "the name is in use");
    assert!(place.run("rules list").out.contains("Teams"));
    assert_eq!(place.run("rules show Teams").json()["name"], "Teams");
    let said = place.run("rules run --format json");
    let names = |said: &Value| -> Vec<String> {
        let rules = said["rules"].as_array().expect("a list").iter();
        rules.map(|rule| rule["rule"].as_str().expect("a name").to_owned()).collect()
    };
    let found = names(&said.json());
    assert!(found.iter().any(|name| name == "Teams") && found.len() > 20, "{found:?}");
    let sarif = place.run("alerts list --format sarif --fail-on high");
    assert_eq!(sarif.code, 4, "{}", sarif.all());
    let results = sarif.json()["runs"][0]["results"].clone();
    assert!(
        results.as_array().is_some_and(|results| results.iter().any(|found| found["ruleId"] == "Teams")),
        "{results}"
    );
    assert_eq!(place.run("rules remove Teams").code, 0);
    assert_eq!(place.run("rules remove Teams").code, 2);
    let alerts = place.run("alerts list --format json").json();
    assert!(alerts.as_array().expect("a list").iter().all(|alert| alert["ruleId"] != "Teams"), "it is resolved");
}

#[test]
fn settings_with_mistakes_are_refused_before_anything_is_evaluated() {
    let place = place("email: {host: mail.example.com, from: nobody}");
    place.write("rules.json", &webhooks());
    let said = place.run("rules run rules.json");
    assert_eq!(said.code, 2, "{}", said.all());
    assert!(said.err.contains("delivery.yaml"), "{}", said.all());
    assert_eq!(place.run("alerts list --format json").json(), json!([]));
}
