//! The rule pack of the Heroku integration: it names only types and properties that exist, and acts as described.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use integration_rules::{
    Alert, AlertChange, AlertLevel, Completeness, Evaluation, GraphChange, Input, Memory, Next, Observation, Outcome,
    Program, QueryAnswer, Rule, RuleInput, Signal, observe, parse_rules, problems_of,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

fn file(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn rules() -> Vec<Rule> {
    parse_rules(&file("integration-heroku/rules/heroku.yaml")).expect("rules")
}

fn rule(name: &str) -> Rule {
    let name = format!("Heroku: {name}");
    rules().into_iter().find(|rule| rule.name == name).unwrap_or_else(|| panic!("no rule {name}"))
}

/// Returns the names of the properties of a type.
fn properties_of(object_type: &str) -> BTreeSet<String> {
    let schema: Value = serde_json::from_str(&file(&format!("schemas/types/{object_type}.json"))).expect("a schema");
    schema["properties"].as_object().expect("properties").keys().cloned().collect()
}

fn day(day: i64) -> Timestamp {
    // 2026-01-01T00:00:00Z
    Timestamp::from_second(1_767_225_600).expect("a time") + SignedDuration::from_hours(24 * day)
}

fn evaluate(rule: &Rule, input: Input, rows: &[Value], completeness: Completeness) -> Outcome {
    let program = Program::compile(rule.clone()).expect("a program");
    let mut evaluation = Evaluation::start(&program, input);
    loop {
        match evaluation.step() {
            Next::Query(_) => {
                evaluation.answer(Ok(QueryAnswer { completeness, ..QueryAnswer::complete(rows.to_vec()) }));
            }
            Next::Done(outcome) => return *outcome,
        }
    }
}

#[test]
fn the_pack_has_no_problems() {
    let rules = rules();
    let problems: Vec<String> = problems_of(&rules).iter().map(ToString::to_string).collect();
    assert_eq!(problems, Vec::<String>::new());
    let changes = rules.iter().filter(|rule| matches!(rule.input, RuleInput::Changes { .. })).count();
    assert!(changes >= 10 && rules.len() - changes >= 10, "{changes} of {}", rules.len());
    for rule in &rules {
        assert!(rule.name.starts_with("Heroku: ") && !rule.description.is_empty(), "{}", rule.name);
        assert!(rule.remediation_steps.is_some() && !rule.tags.is_empty(), "{}", rule.name);
    }
}

#[test]
fn types_and_properties_exist() {
    for rule in rules() {
        match &rule.input {
            RuleInput::Queries(queries) => {
                let words = queries
                    .iter()
                    .flat_map(|query| query.query.split(|letter: char| !letter.is_alphanumeric() && letter != '_'));
                let types: BTreeSet<&str> = words.filter(|word| word.starts_with("heroku_")).collect();
                assert!(!types.is_empty(), "{}", rule.name);
                types.iter().for_each(|name| assert!(!properties_of(name).is_empty()));
            }
            RuleInput::Changes { selections, .. } => {
                for selection in selections {
                    let names = selection.properties.iter().chain(selection.old.keys()).chain(selection.new.keys());
                    let known: BTreeSet<String> = selection.types.iter().flat_map(|name| properties_of(name)).collect();
                    names.for_each(|name| assert!(known.contains(name), "{}: {name}", rule.name));
                }
            }
            RuleInput::Question { .. } => panic!("{} refers to a question", rule.name),
        }
    }
}

/// Returns a row with the columns of a query.
fn row(query: &str, number: usize) -> Value {
    let columns = query.split("RETURN").nth(1).expect("a query with RETURN").split(',');
    let name = |column: &str| column.split(" AS ").last().unwrap_or(column).trim().to_owned();
    columns
        .map(|column| {
            (name(column), if column.contains("AS cents") { json!(100_001) } else { json!(format!("v{number}")) })
        })
        .collect()
}

#[test]
fn question_rules_open_with_rows_and_wait_for_missing_ones() {
    for rule in rules() {
        let RuleInput::Queries(queries) = &rule.input else { continue };
        let rows: Vec<Value> = (0..6).map(|number| row(&queries[0].query, number)).collect();
        let run = |rows: &[Value], completeness| evaluate(&rule, Input::at(day(0)), rows, completeness);
        let met = run(&rows, Completeness::Complete);
        assert_eq!((&met.signal, met.failure.as_deref()), (&Signal::Met, None), "{}", rule.name);
        assert!(met.level > AlertLevel::Info && met.skipped.is_empty(), "{}: {:?}", rule.name, met.skipped);
        let summary = met.outputs.iter().find(|output| output.name == "summary").map(|output| output.value.clone());
        assert!(
            summary.is_some_and(|summary| summary.as_str().is_some_and(|text| text.contains("v0"))),
            "{}",
            rule.name
        );
        assert_eq!(run(&[], Completeness::Complete).signal, Signal::NotMet, "{}", rule.name);
        assert!(matches!(run(&[], Completeness::MayLackRows).signal, Signal::Unknown { .. }), "{}", rule.name);
        assert!(matches!(run(&rows, Completeness::MayDiffer).signal, Signal::Unknown { .. }), "{}", rule.name);
    }
}

#[test]
fn the_limit_of_the_cost_is_a_parameter() {
    let rule = rule("monthly cost of a team above the limit");
    let cost = |cents: u64, limit: Option<u64>| {
        let mut input = Input::at(day(0));
        input.parameters.extend(limit.map(|limit| ("herokuMonthlyCents".to_owned(), json!(limit))));
        let outcome = evaluate(
            &rule,
            input,
            &[json!({"name": "data", "cents": cents}), json!({"name": "web", "cents": 1})],
            Completeness::Complete,
        );
        (outcome.signal, outcome.outputs[1].value.clone())
    };
    assert_eq!(cost(100_001, None), (Signal::Met, json!("data: 100001 cents")));
    assert_eq!(cost(100_000, None).0, Signal::NotMet);
    assert_eq!(cost(600, Some(500)).0, Signal::Met);
    assert_eq!(cost(600, Some(700)).0, Signal::NotMet);
}

fn change(kind: &str, object_type: &str, properties: &Value, object: &Value) -> GraphChange {
    let object_kind = if object_type.contains("_has_") { "relationship" } else { "entity" };
    let properties = properties.as_object().expect("an object").iter();
    let properties: Vec<Value> =
        properties.map(|(name, values)| json!({"name": name, "old": values[0], "new": values[1]})).collect();
    serde_json::from_value(json!({
        "kind": kind, "objectKind": object_kind, "type": object_type, "key": "key", "displayName": "name",
        "properties": properties, "object": object
    }))
    .expect("a change")
}

#[test]
fn change_rules_select_their_changes_and_no_similar_ones() {
    let (member, app, addon, account) =
        ("heroku_account_member", "heroku_application", "heroku_addon", "heroku_account");
    let membership = "heroku_team_has_account_member";
    let nothing = || json!({});
    let script = [
        (
            "new member without a second factor",
            change("added", member, &json!({"mfaEnabled": [null, false], "email": [null, "a@b.c"]}), &nothing()),
            change("added", member, &json!({"mfaEnabled": [null, false], "ssoProvider": [null, "x"]}), &nothing()),
        ),
        (
            "multi-factor authentication switched off",
            change("changed", member, &json!({"mfaEnabled": [true, false]}), &nothing()),
            change("changed", member, &json!({"email": ["a", "b"]}), &json!({"mfaEnabled": false})),
        ),
        (
            "permission to manage an account granted",
            change("changed", member, &json!({"permissions": [["view"], ["manage", "view"]]}), &nothing()),
            change("changed", member, &json!({"permissions": [["manage"], ["manage", "view"]]}), &nothing()),
        ),
        (
            "permission to manage an account granted",
            change("added", member, &json!({"permissions": [null, ["manage"]]}), &nothing()),
            change("removed", member, &json!({"permissions": [["manage"], null]}), &nothing()),
        ),
        (
            "team administrator added",
            change("added", membership, &json!({"role": [null, "admin"]}), &nothing()),
            change("added", membership, &json!({"role": [null, "member"]}), &nothing()),
        ),
        (
            "team administrator added",
            change("changed", membership, &json!({"role": ["member", "owner"]}), &nothing()),
            change("changed", membership, &json!({"role": ["admin", "owner"]}), &nothing()),
        ),
        (
            "single sign-on of an account removed",
            change("changed", account, &json!({"ssoProvider": ["okta", null]}), &nothing()),
            change("changed", account, &json!({"ssoProvider": ["okta", "azure"]}), &nothing()),
        ),
        (
            "member reactivated",
            change("changed", member, &json!({"active": [false, true]}), &nothing()),
            change("changed", member, &json!({"active": [true, false]}), &nothing()),
        ),
        (
            "application moved to another team",
            change("changed", app, &json!({"teamId": ["a", "b"]}), &nothing()),
            change("changed", app, &json!({"name": ["a", "b"]}), &json!({"teamId": "b"})),
        ),
        (
            "application has another owner",
            change("changed", app, &json!({"owner": ["a", "b"]}), &nothing()),
            change("added", app, &json!({"owner": [null, "b"]}), &nothing()),
        ),
        (
            "application deleted",
            change("removed", app, &nothing(), &nothing()),
            change("unknown", app, &nothing(), &nothing()),
        ),
        (
            "internal application became reachable",
            change("changed", app, &json!({"internalRouting": [true, false]}), &nothing()),
            change("changed", app, &json!({"internalRouting": [null, false]}), &nothing()),
        ),
        (
            "internal application became reachable",
            change("changed", app, &json!({"space": ["s", null]}), &nothing()),
            change("changed", app, &json!({"space": ["s", "t"]}), &nothing()),
        ),
        (
            "database removed",
            change("removed", addon, &json!({"service": ["heroku-postgresql", null], "plan": ["p", null]}), &nothing()),
            change("removed", addon, &json!({"service": ["papertrail", null]}), &nothing()),
        ),
        (
            "plan of an add-on changed",
            change("changed", addon, &json!({"plan": ["a", "b"]}), &nothing()),
            change("changed", addon, &json!({"state": ["a", "b"]}), &json!({"plan": "b"})),
        ),
        (
            "team added or removed",
            change("removed", "heroku_team", &nothing(), &nothing()),
            change("changed", "heroku_team", &json!({"name": ["a", "b"]}), &nothing()),
        ),
    ];
    let mut tested = BTreeSet::new();
    for (name, selected, similar) in script {
        let rule = rule(name);
        let run = |change: GraphChange| {
            evaluate(&rule, Input { changes: vec![change], ..Input::at(day(0)) }, &[], Completeness::Complete)
        };
        let met = run(selected);
        assert_eq!((&met.signal, met.skipped.len()), (&Signal::Met, 0), "{name}");
        assert!(met.outputs[1].value.as_str().is_some_and(|summary| !summary.is_empty()), "{name}: {:?}", met.outputs);
        assert!(matches!(run(similar).signal, Signal::Quiet { .. }), "{name}");
        tested.insert(rule.name.clone());
    }
    let untested: Vec<String> = rules()
        .into_iter()
        .filter(
            |rule| matches!(&rule.input, RuleInput::Changes { selections, .. } if selections[0].stale_for.is_none()),
        )
        .map(|rule| rule.name)
        .filter(|name| !tested.contains(name))
        .collect();
    assert_eq!(untested, Vec::<String>::new());
}

/// A story of a few weeks: each alert opens and resolves once, and a gap changes nothing.
#[test]
fn alerts_over_a_sequence_of_publications() {
    let (missing_mfa, deleted, stale) = (
        rule("member without a second factor"),
        rule("application deleted"),
        rule("objects not confirmed for three days"),
    );
    let ann = || vec![json!({"member.email": "ann@example.com"})];
    let app = |kind: &str| change(kind, "heroku_application", &json!({}), &json!({}));
    let unconfirmed = |since: i64| GraphChange { stale_since: Some(day(since)), ..app("stale") };
    // The day, the members without a second factor, the completeness, and the changes.
    let story = [
        (0, vec![], Completeness::Complete, vec![app("added")]),
        (1, ann(), Completeness::Complete, vec![]),
        (2, vec![], Completeness::MayLackRows, vec![app("unknown"), unconfirmed(2)]),
        (4, ann(), Completeness::MayDiffer, vec![unconfirmed(2)]),
        (5, ann(), Completeness::Complete, vec![unconfirmed(2)]),
        (6, vec![], Completeness::Complete, vec![app("removed")]),
        (7, vec![], Completeness::MayLackRows, vec![]),
        (21, vec![], Completeness::Complete, vec![]),
    ];
    let mut alerts: BTreeMap<String, (Option<Alert>, Memory)> = BTreeMap::new();
    let mut seen: BTreeMap<String, Vec<(i64, AlertChange)>> = BTreeMap::new();
    for (now, rows, completeness, changes) in story {
        for rule in [&missing_mfa, &deleted, &stale] {
            let (alert, previous) = alerts.remove(&rule.name).unwrap_or_default();
            let input = Input { previous, changes: changes.clone(), ..Input::at(day(now)) };
            let outcome = evaluate(rule, input, &rows, completeness);
            let observation = Observation::of(&outcome, &rule.name, 1, day(now), day(now));
            let (alert, change) = observe(alert, &observation, &format!("{} {now}", rule.name));
            seen.entry(rule.name.clone()).or_default().extend(change.map(|change| (now, change)));
            alerts.insert(rule.name.clone(), (alert, outcome.memory));
        }
    }
    let (opened, resolved) = (AlertChange::Opened, AlertChange::Resolved);
    assert_eq!(seen[&missing_mfa.name], [(1, opened), (6, resolved)]);
    assert_eq!(seen[&deleted.name], [(6, opened), (21, resolved)]);
    assert_eq!(seen[&stale.name], [(5, opened), (6, resolved)]);
}
