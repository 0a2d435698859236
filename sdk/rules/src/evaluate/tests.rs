//! Evaluations from the rule to the outcome.

use std::collections::BTreeSet;

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    Effect, Evaluation, Input, Memory, Next, Outcome, QueryAnswer, QueryRequest, Signal, SkipReason, WebhookCall,
};
use crate::alert::AlertLevel;
use crate::condition::{Completeness, Truth};
use crate::program::Program;
use crate::rule::{GraphChange, Rule, RuleQuery};

fn now() -> Timestamp {
    "2026-01-10T00:00:00Z".parse().expect("a time")
}

fn program(rule: &Value) -> Program {
    let rule: Rule = serde_json::from_value(rule.clone()).expect("a rule");
    Program::compile(rule).expect("a program")
}

fn row(name: &str) -> Value {
    json!({"id": name, "entity": {"_key": name, "displayName": name}, "properties": {"name": name}})
}

fn rows(names: &[&str]) -> Vec<Value> {
    names.iter().map(|name| row(name)).collect()
}

/// Evaluates a rule. The function answers its queries.
fn run(
    program: &Program,
    input: Input,
    mut answer: impl FnMut(&QueryRequest) -> Result<QueryAnswer, String>,
) -> Outcome {
    let mut evaluation = Evaluation::start(program, input);
    loop {
        match evaluation.step() {
            Next::Query(request) => {
                assert_eq!(evaluation.step(), Next::Query(request.clone()), "the query is repeated");
                evaluation.answer(answer(&request));
            }
            Next::Done(outcome) => return *outcome,
        }
    }
}

fn with_rows(program: &Program, names: &[&str], previous: &Memory) -> Outcome {
    let input = Input { previous: previous.clone(), ..Input::at(now()) };
    run(program, input, |_| Ok(QueryAnswer::complete(rows(names))))
}

fn filter(condition: &str) -> Value {
    json!({"type": "FILTER", "condition": condition})
}

/// A rule about members, with further fields.
fn members(further: &Value) -> Program {
    let mut rule = json!({
        "name": "Members", "question": {"queries": [{"query": "FIND member"}]},
        "operations": [{
            "when": filter("{{queries.query0.total > 0}}"),
            "actions": [
                {"type": "SET_PROPERTY", "targetProperty": "alertLevel",
                 "targetValue": "{{queries.query0.total > 2 ? 'CRITICAL' : 'HIGH'}}"},
                {"type": "CREATE_ALERT"},
                {"type": "WEBHOOK", "endpoint": "https://example.com/{{alertLevel}}", "headers": {"X-N": "{{queries.query0.total}}"},
                 "body": {"text": "{{queries.query0.data|mapTemplate('line')|join(', ')}}", "level": "{{alertLevel}}", "n": "{{queries.query0.total}}"}}
            ]
        }],
        "templates": {"line": "{{itemIndex + 1}}. {{item.name}}"},
        "outputs": ["alertLevel", "queries.query0.total", "missing"]
    });
    let (Value::Object(fields), Value::Object(further)) = (&mut rule, further.clone()) else { unreachable!() };
    fields.extend(further);
    program(&rule)
}

#[test]
fn conditions_properties_templates_and_outputs() {
    let outcome = with_rows(&members(&json!({})), &["ann", "bob"], &Memory::default());
    assert_eq!((outcome.signal, outcome.level), (Signal::Met, AlertLevel::High));
    let call = WebhookCall {
        method: "POST".to_owned(),
        url: "https://example.com/HIGH".to_owned(),
        headers: [("X-N".to_owned(), "2".to_owned())].into(),
        body: Some(json!({"text": "1. ann, 2. bob", "level": "HIGH", "n": 2})),
    };
    assert_eq!(outcome.actions.len(), 1);
    assert_eq!(outcome.actions[0].at, "operations[0].actions[2]");
    assert_eq!(outcome.actions[0].effect, Effect::Webhook(call));
    let outputs: Vec<&Value> = outcome.outputs.iter().map(|output| &output.value).collect();
    assert_eq!(outputs, [&json!("HIGH"), &json!(2), &Value::Null]);
    assert_eq!((outcome.queries[0].records, outcome.queries[0].counts.created), (2, 2));
    assert_eq!(outcome.conditions[0].truth, Truth::True);
}

#[test]
fn an_outcome_is_a_record_in_json() {
    let outcome = with_rows(&members(&json!({})), &["ann"], &Memory::default());
    let record = serde_json::to_value(&outcome).expect("JSON");
    assert_eq!((&record["signal"]["signal"], &record["level"]), (&json!("met"), &json!("HIGH")));
    assert_eq!(record["conditions"], json!([{"operation": 0, "truth": "true"}]));
    let counts = json!({"created": 1, "updated": 0, "deleted": 0});
    let query = json!({"name": "query0", "records": 1, "counts": counts, "completeness": "complete"});
    assert_eq!(record["queries"], json!([query]));
    assert_eq!(record["actions"][0]["effect"]["kind"], "webhook");
}

#[test]
fn without_rows_the_alert_is_not_met_and_nothing_runs() {
    let outcome = with_rows(&members(&json!({})), &[], &Memory::default());
    assert_eq!((outcome.signal, outcome.actions.len()), (Signal::NotMet, 0));
    let silent = program(&json!({"name": "N", "question": {"queries": [{"query": "FIND a"}]}, "operations": []}));
    assert_eq!(with_rows(&silent, &[], &Memory::default()).signal, Signal::None);
}

#[test]
fn a_saved_question_brings_its_queries_or_the_rule_fails() {
    let program = program(&json!({
        "name": "N", "questionId": "q",
        "operations": [{"when": filter("{{queries.mine.total > 0}}"), "actions": [{"type": "CREATE_ALERT"}]}]
    }));
    let query = RuleQuery { name: "mine".to_owned(), query: "FIND a".to_owned(), include_deleted: false };
    let input = Input { question: vec![query], ..Input::at(now()) };
    let outcome = run(&program, input, |request| {
        assert_eq!(request.name, "mine");
        Ok(QueryAnswer::complete(rows(&["a"])))
    });
    assert_eq!((outcome.signal, outcome.memory.rows("mine")), (Signal::Met, 1));
    let lost = run(&program, Input::at(now()), |request| panic!("{request:?}"));
    assert!(matches!(lost.signal, Signal::Unknown { reason } if reason.contains("not found")));
}

#[test]
fn new_entities_only_is_silent_about_known_rows_and_keeps_the_alert() {
    let program = members(&json!({"triggerActionsOnNewEntitiesOnly": true}));
    let first = with_rows(&program, &["ann"], &Memory::default());
    assert_eq!((first.actions.len(), first.has_new_rows), (1, true));
    let second = with_rows(&program, &["ann"], &first.memory);
    assert_eq!((second.signal, second.actions.len()), (Signal::Met, 0));
    assert_eq!(second.skipped[0].reason, SkipReason::NoNewRows);
    let third = with_rows(&program, &["ann", "bob"], &second.memory);
    assert_eq!((third.actions.len(), third.queries[0].counts.created), (1, 1));
    let always = members(&json!({"triggerActionsOnNewEntitiesOnly": true, "ignorePreviousResults": true}));
    assert_eq!(with_rows(&always, &["ann"], &first.memory).actions.len(), 1);
}

#[test]
fn a_failed_query_has_no_effect() {
    let program = members(&json!({"notifyOnFailure": true}));
    let before = with_rows(&program, &["ann"], &Memory::default()).memory;
    let input = Input { previous: before.clone(), ..Input::at(now()) };
    let outcome = run(&program, input, |_| Err("the query took too long".to_owned()));
    assert!(matches!(&outcome.signal, Signal::Unknown { reason } if reason.contains("took too long")));
    assert_eq!((outcome.actions.len(), &outcome.memory), (0, &before));
    assert!(outcome.failure_to_report(true).is_some() && outcome.failure_to_report(false).is_none());
}

#[test]
fn rows_of_an_undecided_evaluation_are_new_in_the_next_one() {
    let program = members(&json!({"triggerActionsOnNewEntitiesOnly": true}));
    let wrong = QueryAnswer { completeness: Completeness::MayDiffer, ..QueryAnswer::complete(rows(&["ann"])) };
    let first = run(&program, Input::at(now()), |_| Ok(wrong.clone()));
    assert!(matches!(first.signal, Signal::Unknown { .. }));
    assert_eq!(first.actions.len(), 0);
    assert_eq!(with_rows(&program, &["ann"], &first.memory).actions.len(), 1);
}

#[test]
fn items_run_their_queries_first_and_forget_the_results() {
    let program = program(&json!({
        "name": "Each", "question": {"queries": [{"name": "users", "query": "FIND user"}]},
        "operations": [{"actions": [{
            "type": "FOR_EACH_ITEM", "items": "{{queries.users.data}}", "itemRef": "user",
            "actions": [
                {"type": "SEND_EMAIL", "recipients": ["{{user.properties.name}}@example.com", " "], "body": "{{queries.apps.total}} apps"},
                {"type": "JUPITERONE_QUERY", "name": "apps", "query": "FIND app WITH owner = '{{user.entity._key}}'"},
                {"type": "TEAMS", "to": "{{user.id}}"}
            ]
        }, {"type": "SEND_EMAIL", "recipients": "all@example.com", "body": "after: {{queries.apps.total}}{{user}}"}]}]
    }));
    let mut asked = Vec::new();
    let outcome = run(&program, Input::at(now()), |request| {
        asked.push(request.query.clone());
        match request.name.as_str() {
            "users" => Ok(QueryAnswer::complete(rows(&["ann", "bob", "cy"]))),
            _ if request.query.contains("cy") => Err("broken".to_owned()),
            _ => Ok(QueryAnswer::complete(rows(&["app"; 4]))),
        }
    });
    assert_eq!(
        asked,
        ["FIND user", "FIND app WITH owner = 'ann'", "FIND app WITH owner = 'bob'", "FIND app WITH owner = 'cy'"]
    );
    let emails: Vec<(&str, String)> = outcome
        .actions
        .iter()
        .map(|action| match &action.effect {
            Effect::Email(email) => (
                action.at.as_str(),
                format!("{}: {}", email.recipients.join(" "), email.body.clone().unwrap_or_default()),
            ),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        emails,
        [
            ("operations[0].actions[0].items[0].actions[0]", "ann@example.com: 4 apps".to_owned()),
            ("operations[0].actions[0].items[1].actions[0]", "bob@example.com: 4 apps".to_owned()),
            ("operations[0].actions[1]", "all@example.com: after: ".to_owned()),
        ]
    );
    let skipped: Vec<(&str, &str)> =
        outcome.skipped.iter().map(|skipped| (skipped.at.as_str(), skipped.action.as_str())).collect();
    assert_eq!(
        skipped,
        [
            ("operations[0].actions[0].items[0].actions[2]", "TEAMS"),
            ("operations[0].actions[0].items[1].actions[2]", "TEAMS"),
            ("operations[0].actions[0].items[2].actions[1]", "JUPITERONE_QUERY"),
            ("operations[0].actions[0].items[2].actions[0]", "SEND_EMAIL"),
            ("operations[0].actions[0].items[2].actions[2]", "TEAMS"),
        ]
    );
    assert_eq!(outcome.skipped[0].fields, *json!({"to": "ann"}).as_object().expect("an object"));
    assert!(matches!(&outcome.skipped[2].reason, SkipReason::Failed(reason) if reason.contains("broken")));
}

#[test]
fn later_operations_see_earlier_properties() {
    let rule = |condition: &str| {
        program(&json!({
            "name": "Two", "question": {"queries": [{"query": "FIND a"}]},
            "operations": [
                {"when": filter(condition), "actions": [{"type": "SET_PROPERTY", "targetProperty": "many", "targetValue": true}]},
                {"when": filter("{{many == true}}"), "actions": [{"type": "CREATE_ALERT"}]}
            ]
        }))
    };
    let many = rule("{{queries.query0.total > 1}}");
    assert_eq!(with_rows(&many, &["a", "b"], &Memory::default()).signal, Signal::Met);
    assert_eq!(with_rows(&many, &["a"], &Memory::default()).signal, Signal::NotMet);
    let lacking = QueryAnswer { completeness: Completeness::MayLackRows, ..QueryAnswer::complete(rows(&["a"])) };
    let outcome = run(&many, Input::at(now()), |_| Ok(lacking.clone()));
    assert!(matches!(outcome.signal, Signal::Unknown { .. }), "the property is unknown as well");
}

#[test]
fn bounds_end_an_evaluation() {
    let program = program(&json!({
        "name": "Each", "question": {"queries": [{"query": "FIND a"}]},
        "operations": [{"actions": [{"type": "FOR_EACH_ITEM", "items": "{{queries.query0.data}}", "actions": [{"type": "CREATE_ALERT"}]}]}]
    }));
    let mut input = Input::at(now());
    input.bounds.actions = 3;
    let outcome = run(&program, input, |_| Ok(QueryAnswer::complete(rows(&["a", "b", "c"]))));
    assert!(outcome.failure.is_some_and(|failure| failure.contains("more than 3 actions")));
    let many: Vec<Value> = (0..5_000).map(|at| row(&at.to_string())).collect();
    assert_eq!(run(&program, Input::at(now()), |_| Ok(QueryAnswer::complete(many.clone()))).signal, Signal::Met);
}

#[test]
fn memory_bounds_end_an_evaluation() {
    let program = program(&json!({
        "name": "N", "question": {"queries": [{"query": "FIND a"}]}, "operations": [{"actions": [
            {"type": "CREATE_ALERT"},
            {"type": "FOR_EACH_ITEM", "items": "{{queries.query0.data}}", "actions": [
                {"type": "WEBHOOK", "url": "https://a.example", "body": {"all": "{{queries.query0.data}}"}},
            ]},
        ]}],
    }));
    let evaluate = |rows_bound: usize, planned: usize| {
        let mut input = Input::at(now());
        (input.bounds.rows, input.bounds.planned) = (rows_bound, planned);
        run(&program, input, |_| Ok(QueryAnswer::complete(rows(&["a", "b", "c"]))))
    };
    let outcome = evaluate(1 << 20, 1 << 20);
    assert_eq!((outcome.failure, outcome.actions.len()), (None, 3));
    for (outcome, part) in [(evaluate(100, 1 << 20), "the rows up to"), (evaluate(1 << 20, 2_000), "the actions up to")]
    {
        let failure = outcome.failure.expect("a failure");
        assert!(failure.contains(part) && failure.contains("MiB of memory"), "{failure}");
        assert_eq!((outcome.actions.len(), &outcome.signal), (0, &Signal::Unknown { reason: failure }));
    }
}

/// Returns the query and the bodies that a rule makes of the name of an entity.
fn inserted(name: &str, query: &str, body: &str) -> (Result<String, String>, Vec<String>) {
    let program = program(&json!({
        "name": "N", "question": {"queries": [{"query": "FIND a"}]},
        "templates": {"link": "<https://a.example/{{item.name}}|{{item.name}}>"},
        "operations": [{"actions": [
            {"type": "SEND_SLACK_MESSAGE", "body": body},
            {"type": "SEND_EMAIL", "recipients": "a@example.com", "body": body},
            {"type": "FOR_EACH_ITEM", "items": "{{queries.query0.data}}", "actions": [
                {"type": "JUPITERONE_QUERY", "name": "more", "query": query},
            ]},
        ]}],
    }));
    let mut asked = Err(String::new());
    let outcome = run(&program, Input::at(now()), |request| {
        if request.is_filled {
            asked = Ok(request.query.clone());
        }
        Ok(QueryAnswer::complete(rows(&[name])))
    });
    if let Some(SkipReason::Failed(reason)) = outcome.skipped.first().map(|skipped| &skipped.reason) {
        asked = Err(reason.clone());
    }
    let bodies = outcome.actions.iter().filter_map(|planned| match &planned.effect {
        Effect::Slack(message) => Some(message.body.clone()),
        Effect::Email(email) => email.body.clone(),
        _ => None,
    });
    (asked, bodies.collect())
}

#[test]
fn values_are_data_in_queries() {
    let query = |name: &str, query: &str| inserted(name, query, "x").0;
    let text = "FIND b WITH c = '{{item.properties.name}}' AND d = 1";
    for (name, expected) in [
        ("web", r"FIND b WITH c = 'web' AND d = 1"),
        ("o'brien", r"FIND b WITH c = 'o\'brien' AND d = 1"),
        ("x' OR c != 'y", r"FIND b WITH c = 'x\' OR c != \'y' AND d = 1"),
        (r"\", r"FIND b WITH c = '\\' AND d = 1"),
        ("a\nb", r"FIND b WITH c = 'a\nb' AND d = 1"),
        ("{{param.x}}", "FIND b WITH c = '{{param.x}}' AND d = 1"),
    ] {
        assert_eq!(query(name, text), Ok(expected.to_owned()), "{name}");
    }
    assert_eq!(query("acme_team", "FIND {{item.properties.name}}"), Ok("FIND acme_team".to_owned()));
    let refused = query("a OR b", "FIND b WITH c = {{item.properties.name}}").expect_err("no name");
    assert!(refused.contains("in quotes only"), "{refused}");
    // The separator is a text of the author, and its elements are not.
    let list = r#"FIND b WITH c = ('{{queries.query0.data|mapProperty('name')|merge(['z'])|join("' OR '")}}')"#;
    assert_eq!(query("o'b", list), Ok(r"FIND b WITH c = ('o\'b' OR 'z')".to_owned()));
    let regex = query("x", "FIND b WITH d = /a/ AND c = '{{item.properties.name}}'");
    assert_eq!(regex, Ok("FIND b WITH d = /a/ AND c = 'x'".to_owned()));
    assert!(query("a b", "FIND b WITH d = /a/ AND c = '{{item.properties.name}}'").is_err());
}

#[test]
fn values_are_data_in_messages() {
    let bodies = |name: &str, body: &str| inserted(name, "FIND b", body).1;
    let list = "{{queries.query0.data|mapProperty('name')|join(', ')}}";
    assert_eq!(bodies("<!channel> & 'x'", list), ["&lt;!channel&gt; &amp; 'x'", "<!channel> & 'x'"]);
    let html = format!("<b>{list}</b>{{{{' <br>' + queries.query0.data[0].properties.name}}}}");
    assert_eq!(bodies("<i>'", &html), ["<b>&lt;i&gt;'</b> <br>&lt;i&gt;'", "<b>&lt;i&gt;&#39;</b> <br>&lt;i&gt;&#39;"]);
    let linked = "{{queries.query0.data|mapTemplate('link')|join(' & ')}}";
    assert_eq!(bodies("a>b", linked)[0], "<https://a.example/a&gt;b|a&gt;b>");
    let table = "{{queries.query0.data|mapTemplate('link')}}{{queries.query0.total ? ' <' : queries.query0.data}}";
    assert_eq!(bodies("&", table)[0], "<https://a.example/&amp;|&amp;> <");
}

#[test]
fn unsuitable_values_are_recorded() {
    let program = program(&json!({
        "name": "N", "question": {"queries": [{"query": "FIND a"}]},
        "operations": [{"actions": [
            {"type": "SET_PROPERTY", "targetProperty": "alertLevel", "targetValue": "{{param.level}}"},
            {"type": "SET_PROPERTY", "targetProperty": "queries", "targetValue": 1},
            {"type": "SEND_EMAIL", "recipients": "{{param.people}}"},
            {"type": "WEBHOOK", "url": "https://example.com", "method": "{{param.method}}"},
            {"type": "SEND_SLACK_MESSAGE", "channels": "#ops", "body": "{{param.people|join}}"},
            {"type": "RUN_COMMAND", "command": ["notify", "{{param.none}}", "x"]},
            {"type": "CREATE_ALERT"}
        ]}]
    }));
    let parameters = json!({"level": "URGENT", "people": 5, "method": "TRACE"});
    let mut input = Input::at(now());
    input.parameters = parameters.as_object().cloned().expect("an object");
    let outcome = run(&program, input, |_| Ok(QueryAnswer::complete(Vec::new())));
    let reasons: Vec<String> = outcome
        .skipped
        .iter()
        .map(|skipped| match &skipped.reason {
            SkipReason::Failed(reason) => reason.lines().next().unwrap_or_default().to_owned(),
            other => format!("{other:?}"),
        })
        .collect();
    for (reason, part) in
        reasons.iter().zip(["URGENT", "`queries` cannot be set", "`recipients` is no list", "`TRACE`", "needs a list"])
    {
        assert!(reason.contains(part), "{reason}");
    }
    assert_eq!((reasons.len(), outcome.signal, outcome.level), (5, Signal::Met, AlertLevel::Info));
    let Effect::Command(call) = &outcome.actions[0].effect else { panic!("a command") };
    assert_eq!(call.command, ["notify", "", "x"]);
}

fn change(kind: &str, key: &str) -> GraphChange {
    serde_json::from_value(json!({
        "kind": kind, "objectKind": "entity", "type": "member", "key": key, "displayName": key.to_uppercase(),
        "properties": [{"name": "mfa", "old": true, "new": false}], "object": {"mfa": false, "email": "e"},
        "staleSince": "2026-01-01T00:00:00Z"
    }))
    .expect("a change")
}

fn about(changes: &Value) -> Program {
    let mut rule = json!({
        "name": "Changes", "operations": [{"actions": [
            {"type": "CREATE_ALERT"},
            {"type": "SEND_SLACK_MESSAGE", "body": "{{changes.data|mapTemplate('line')|join}} {{queries.changes.total}}"}
        ]}],
        "templates": {"line": "{{item.displayName}} {{item.email}} {{item.change.old.mfa}}→{{item.change.new.mfa}}"}
    });
    let (Value::Object(fields), Value::Object(further)) = (&mut rule, changes.clone()) else { unreachable!() };
    fields.extend(further);
    program(&rule)
}

fn with_changes(program: &Program, changes: Vec<GraphChange>, previous: &Memory) -> Outcome {
    let input = Input { changes, previous: previous.clone(), ..Input::at(now()) };
    run(program, input, |request| panic!("{request:?}"))
}

#[test]
fn change_rules_act_on_selected_changes_only() {
    let program = about(&json!({"changes": {"kinds": ["changed"], "properties": ["mfa"]}, "resolveAfter": "7 days"}));
    let changes =
        vec![change("changed", "ann"), change("added", "bob"), change("unknown", "cy"), change("stale", "dan")];
    let outcome = with_changes(&program, changes, &Memory::default());
    assert_eq!((&outcome.signal, outcome.has_new_rows), (&Signal::Met, true));
    let Effect::Slack(message) = &outcome.actions[0].effect else { panic!("a message") };
    assert_eq!(message.body, "ANN e true→false 1");
    let quiet = with_changes(&program, vec![change("unknown", "ann")], &outcome.memory);
    let week = Some(jiff::SignedDuration::from_hours(7 * 24));
    assert_eq!((quiet.signal, quiet.actions.len()), (Signal::Quiet { resolve_after: week }, 0));
    // The same event again is a new event.
    assert!(with_changes(&program, vec![change("changed", "ann")], &outcome.memory).has_new_rows);
}

#[test]
fn a_stale_object_is_new_once_and_ends_with_its_confirmation() {
    let program = about(&json!({"changes": {"staleFor": "3 days"}}));
    let first = with_changes(&program, vec![change("stale", "ann")], &Memory::default());
    assert_eq!((&first.signal, first.has_new_rows), (&Signal::Met, true));
    let second = with_changes(&program, vec![change("stale", "ann")], &first.memory);
    assert_eq!((&second.signal, second.has_new_rows), (&Signal::Met, false));
    assert_eq!(with_changes(&program, Vec::new(), &second.memory).signal, Signal::NotMet);
}

fn alert_rule() -> impl Strategy<Value = Value> {
    let condition = prop::sample::select(vec![
        "{{queries.query0.total > 1}}",
        "{{queries.query0.total == 0}}",
        "{{queries.query0.total < 3}}",
        "{{!(queries.query0.total >= 2)}}",
        "{{queries.query0.data|length > 0}}",
        "{{queries.query0.total}}",
        "{{queries.query0.total > 0 && queries.query0.total != 2}}",
        "{{'b' in (queries.query0.data|mapProperty('name'))}}",
        "{{queries.query0.data|mapTemplate('t')|join == 'a'}}",
        "{{flag ?: false}}",
        "{{true}}",
    ]);
    let alert = prop::sample::select(vec![
        json!({"type": "CREATE_ALERT"}),
        json!({"type": "FOR_EACH_ITEM", "items": "{{queries.query0.data}}", "actions": [{"type": "CREATE_ALERT"}]}),
        json!({"type": "FOR_EACH_ITEM", "items": "{{queries.query0.data[.name == 'c']}}", "actions": [{"type": "CREATE_ALERT"}]}),
        json!({"type": "SET_PROPERTY", "targetProperty": "flag", "targetValue": true}),
    ]);
    let operation =
        (condition, alert).prop_map(|(condition, alert)| json!({"when": filter(condition), "actions": [alert]}));
    prop::collection::vec(operation, 1..4).prop_map(|operations| json!({
        "name": "N", "question": {"queries": [{"query": "FIND a"}]}, "operations": operations, "templates": {"t": "{{item.name}}"}
    }))
}

proptest! {
    /// A gap neither opens nor resolves an alert wrongly: a decided signal is that of the complete data.
    #[test]
    fn incomplete_results_decide_as_complete_ones_or_not_at_all(
        rule in alert_rule(),
        all in prop::collection::btree_set(prop::sample::select(vec!["a", "b", "c", "d"]), 0..5),
        hidden in prop::collection::btree_set(prop::sample::select(vec!["a", "b", "c", "d"]), 0..5),
        wrong in prop::collection::btree_set(prop::sample::select(vec!["a", "b", "c", "d"]), 0..5),
    ) {
        let program = program(&rule);
        let evaluate = |names: &BTreeSet<&str>, completeness| {
            let names: Vec<&str> = names.iter().copied().collect();
            let answer = QueryAnswer { completeness, ..QueryAnswer::complete(rows(&names)) };
            run(&program, Input::at(now()), |_| Ok(answer.clone())).signal
        };
        let expected = evaluate(&all, Completeness::Complete);
        let visible = all.difference(&hidden).copied().collect();
        for signal in [evaluate(&visible, Completeness::MayLackRows), evaluate(&wrong, Completeness::MayDiffer)] {
            prop_assert!(matches!(signal, Signal::Unknown { .. }) || signal == expected, "{:?} {:?}", signal, expected);
        }
    }

    #[test]
    fn every_action_is_planned_or_skipped_once(
        count in 0_usize..6,
        kinds in prop::collection::vec(prop::sample::select(vec!["SEND_EMAIL", "TEAMS", "WEBHOOK"]), 1..4),
    ) {
        let actions: Vec<Value> = kinds.iter().map(|kind| json!({"type": kind, "recipients": "a", "url": "https://b.example"})).collect();
        let program = program(&json!({
            "name": "N", "question": {"queries": [{"query": "FIND a"}]},
            "operations": [{"actions": [{"type": "FOR_EACH_ITEM", "items": "{{queries.query0.data}}", "actions": actions}]}]
        }));
        let names: Vec<String> = (0..count).map(|at| at.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let outcome = with_rows(&program, &names, &Memory::default());
        let places: BTreeSet<&String> =
            outcome.actions.iter().map(|action| &action.at).chain(outcome.skipped.iter().map(|skipped| &skipped.at)).collect();
        prop_assert_eq!(places.len(), outcome.actions.len() + outcome.skipped.len());
        prop_assert_eq!(places.len(), count * kinds.len());
    }
}

/// A rule that uses every part of the language, to be damaged.
const EVERYTHING: &str = r#"{
    "name": "All", "question": {"queries": [{"query": "FIND a"}]}, "notifyOnFailure": true,
    "operations": [{
        "when": [{"type": "FILTER", "condition": ["AND", ["queries.query0.total", ">", 0], ["OR", ["param.x", "=", 1], "{{!(1 > 2) && queries.query0.data[.name == 'a']|length >= 0}}"]]}],
        "actions": [
            {"type": "SET_PROPERTY", "targetProperty": "alertLevel", "targetValue": "{{queries.query0.total > 2 ? 'HIGH' : 'LOW'}}"},
            {"type": "FOR_EACH_ITEM", "items": "{{queries.query0.data}}", "itemRef": "row", "actions": [
                {"type": "JUPITERONE_QUERY", "name": "more", "query": "FIND b WITH c = '{{row.entity._key}}'"},
                {"type": "SEND_EMAIL", "recipients": ["{{row.id}}@b.c"], "body": "{{row.properties|length}} {{ {a: [1, -2.5]} }}"}]},
            {"type": "WEBHOOK", "url": "https://a.b", "method": "PUT", "body": {"t": "{{queries.query0.data|mapTemplate('t')|merge([1])|join('; ')}}"}},
            {"type": "CREATE_ALERT"}
        ]
    }],
    "templates": {"t": "{{itemIndex // 2 % 3}} {{item.name ?: none}} {{'x' in item.name}}"}, "outputs": ["alertLevel", "queries.query0.data.0.id"]
}"#;

#[test]
fn the_rule_to_be_damaged_is_complete() {
    let program = Program::compile(crate::parse_rules(EVERYTHING).expect("rules").remove(0)).expect("a program");
    let mut input = Input::at(now());
    input.parameters.insert("x".to_owned(), json!(1));
    let outcome = run(&program, input, |_| Ok(QueryAnswer::complete(rows(&["a", "b"]))));
    assert_eq!((outcome.actions.len(), outcome.skipped.len(), outcome.failure), (3, 0, None));
}

proptest! {
    /// Damaged files are errors, problems, or other rules, and never a panic.
    #[test]
    fn damaged_rules_never_panic(
        damages in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0_usize..12), 1..4),
        names in prop::collection::vec(prop::sample::select(vec!["a", "b", "c"]), 0..4),
    ) {
        let mut text: Vec<char> = EVERYTHING.chars().collect();
        for (to, from, length) in damages {
            // Replaces a part of the text by another one.
            let part: Vec<char> = text.iter().skip(from.index(text.len())).take(length).copied().collect();
            let at = to.index(text.len());
            let end = (at + length / 2).min(text.len());
            text.splice(at..end, part);
        }
        let text: String = text.into_iter().collect();
        for rule in crate::parse_rules(&text).unwrap_or_default() {
            let _ = rule.problems();
            if let Ok(program) = Program::compile(rule) {
                let _ = with_rows(&program, &names, &Memory::default());
            }
        }
    }
}
