//! Problems of rules.

use super::{Problem, Program, Severity, problems_of};
use crate::parse_rules;

fn problems(text: &str) -> Vec<Problem> {
    problems_of(&parse_rules(text).expect("rules"))
}

fn shown(text: &str) -> Vec<String> {
    problems(text).iter().map(ToString::to_string).collect()
}

#[test]
fn a_rule_without_problems_compiles() {
    let text = "
name: Members without MFA
question: {queries: [{query: FIND acme_member}]}
templates: {line: '{{item.name}} {{itemIndex}} {{user.entity.a}}'}
operations:
  - when: {type: FILTER, condition: '{{queries.query0.total > param.limit}}'}
    actions:
      - {type: SET_PROPERTY, targetProperty: alertLevel, targetValue: HIGH}
      - {type: CREATE_ALERT}
      - {type: SEND_EMAIL, recipients: '{{param.people}}', body: \"{{queries.query0.data|mapTemplate('line')|join}}\"}
      - type: FOR_EACH_ITEM
        items: '{{queries.query0.data}}'
        itemRef: user
        actions:
          - {type: WEBHOOK, url: 'https://example.com/{{user.entity._key}}', method: POST, body: {n: '{{queries.apps.total}}'}}
          - {type: JUPITERONE_QUERY, name: apps, query: 'FIND app WITH owner = \"{{user.entity._key}}\"'}
outputs: [alertLevel, queries.query0.total]
";
    assert_eq!(shown(text), Vec::<String>::new());
    let program = Program::compile(parse_rules(text).expect("rules").remove(0)).expect("a program");
    let inner = &program.operations[0].actions[3].actions;
    assert_eq!((inner[0].kind.name(), inner[0].position), ("JUPITERONE_QUERY", 1));
}

#[test]
fn every_problem_names_its_place() {
    let long = "x".repeat(256);
    for (text, expected) in [
        (format!("name: {long}\nquestionId: q\noperations: [{{actions: [{{type: CREATE_ALERT}}]}}]"), "name: the name has 256"),
        ("name: ''\nquestionId: q\noperations: [{actions: [{type: CREATE_ALERT}]}]".to_owned(), "name: the name has 0"),
        ("name: N\nspecVersion: 2\nquestionId: q\noperations: [{actions: [{type: CREATE_ALERT}]}]".to_owned(), "specVersion: the specVersion is 2"),
        ("name: N\nquestionId: q".to_owned(), "operations: the rule has no action"),
        ("name: N\nquestion: {queries: []}\noperations: [{actions: [{type: CREATE_ALERT}]}]".to_owned(), "question.queries: the rule has neither"),
        ("name: N\nchanges: []\noperations: [{actions: [{type: CREATE_ALERT}]}]".to_owned(), "changes: the rule has neither"),
        ("name: N\nquestion: {queries: [{name: a, query: x}, {name: a, query: ' '}]}\noperations: [{actions: [{type: CREATE_ALERT}]}]".to_owned(), "several queries have the name `a`"),
        ("name: N\nquestionId: q\npollingInterval: DISABLED\noperations: [{actions: [{type: CREATE_ALERT}]}]".to_owned(), "only on request"),
        ("name: N\nquestionId: q\ntriggerActionsOnNewEntitiesOnly: true\noperations: [{actions: [{type: CREATE_ALERT}]}]".to_owned(), "needs a condition"),
    ] {
        let found = shown(&text);
        assert!(found.iter().any(|problem| problem.contains(expected)), "{expected}: {found:?}");
    }
    let operation = |operation: &str| {
        shown(&format!("name: N\nquestion: {{queries: [{{query: FIND a}}]}}\noperations: [{operation}]"))
    };
    for (text, expected) in [
        (
            "{when: {type: TIME, condition: '{{true}}'}, actions: [{type: CREATE_ALERT}]}",
            "operations[0].when.type: the condition has the type `TIME`",
        ),
        (
            "{when: {type: FILTER, condition: [XOR, [a, =, 1]]}, actions: [{type: CREATE_ALERT}]}",
            "operations[0].when.condition: Invalid conjunction operator",
        ),
        (
            "{when: {type: FILTER, condition: [AND, [queries.query1.total, '>', 0]]}, actions: [{type: CREATE_ALERT}]}",
            "no query `query1`",
        ),
        (
            "{when: {type: FILTER, condition: '{{query0.total > 0}}'}, actions: [{type: CREATE_ALERT}]}",
            "nothing sets `query0`",
        ),
        (
            "{actions: [{type: SEND_EMAIL, recipients: a, body: '{{x'}]}",
            "operations[0].actions[0].body: Unexpected end",
        ),
        ("{actions: [{type: SEND_EMAIL, body: b}]}", "operations[0].actions[0]: the action has no `recipients`"),
        (
            "{actions: [{type: SEND_EMAIL, recipients: {a: 1}}]}",
            "operations[0].actions[0].recipients: expected a list of texts",
        ),
        ("{actions: [{type: CREATE_ALERT, level: HIGH}]}", "unknown field `level`"),
        ("{actions: [{type: CREATE_TEAMS_CARD}]}", "CREATE_TEAMS_CARD is unknown and not carried out here"),
        ("{actions: [{type: TAG_ENTITIES, entities: a, tags: []}]}", "TAG_ENTITIES is not carried out here"),
        ("{actions: [{type: WEBHOOK, method: FETCH, url: a}]}", "found `FETCH`"),
        ("{actions: [{type: WEBHOOK}]}", "no `endpoint`"),
        ("{actions: [{type: SET_PROPERTY, targetProperty: alertLevel, targetValue: URGENT}]}", "found `URGENT`"),
        (
            "{actions: [{type: FOR_EACH_ITEM, items: '{{queries.query0.data}}', actions: [{type: SEND_EMAIL, recipients: '{{user.a}}'}]}]}",
            "actions[0].actions[0].recipients: nothing sets `user`",
        ),
        (
            "{actions: [{type: SEND_EMAIL, recipients: \"{{queries.query0.data|mapTemplate('t')}}\"}]}",
            "no template `t`",
        ),
    ] {
        let found = operation(text);
        assert!(found.iter().any(|problem| problem.contains(expected)), "{expected}: {found:?}");
    }
}

#[test]
fn names_are_unique() {
    let rule = "{name: N, questionId: q, operations: [{actions: [{type: CREATE_ALERT}]}]}";
    assert_eq!(shown(&format!("[{rule}, {rule}]")), ["N: name: 2 rules have this name"]);
}

#[test]
fn notes_and_warnings_do_not_prevent_the_evaluation() {
    let text = "{name: N, questionId: q, operations: [{actions: [{type: CREATE_TEAMS_CARD, text: '{{x}}'}]}]}";
    let severities: Vec<Severity> = problems(text).iter().map(Problem::severity).collect();
    assert_eq!(severities, [Severity::Note, Severity::Warning].to_vec());
    assert!(Program::compile(parse_rules(text).expect("rules").remove(0)).is_ok());
}

/// Returns the problems of an action, without its place.
fn of_action(action: &str) -> Vec<(Severity, String)> {
    let text = format!("name: N\nquestion: {{queries: [{{query: FIND a}}]}}\noperations: [{{actions: [{action}]}}]");
    let place = "N: operations[0].actions[0].";
    let shown = |problem: &Problem| (problem.severity(), problem.to_string().replace(place, ""));
    problems(&text).iter().map(shown).collect()
}

#[test]
fn secrets_are_refused_with_their_place_and_a_remedy() {
    let webhook = |fields: &str| format!("{{type: WEBHOOK, endpoint: 'https://example.com', {fields}}}");
    for (action, place) in [
        (webhook("headers: {Authorization: Bearer abc}"), "headers.Authorization"),
        (webhook("headers: {X-Api-Key: abc, A: '{{param.x}}'}"), "headers.X-Api-Key"),
        (webhook("body: {a: {password: Tr0ub4dor3xQ9}}"), "body.a.password"),
        ("{type: WEBHOOK, endpoint: 'https://user:abc@example.com'}".to_owned(), "endpoint"),
        ("{type: WEBHOOK, url: 'https://user:abc@example.com/{{param.x}}'}".to_owned(), "url"),
        ("{type: WEBHOOK, url: 'https://hooks.slack.com/services/T0000/B0000/XXXXyyyy'}".to_owned(), "url"),
        (
            "{type: SEND_SLACK_MESSAGE, body: x, webhookUrl: 'https://hooks.slack.com/services/T/B/X'}".to_owned(),
            "webhookUrl",
        ),
    ] {
        let found = of_action(&action);
        let [(Severity::Error, problem)] = found.as_slice() else { panic!("{action}: {found:?}") };
        assert!(
            problem.starts_with(place) && problem.contains("is a secret") && problem.contains("delivery.yaml"),
            "{problem}"
        );
        assert!(!problem.contains("abc") && !problem.contains("XXXX") && !problem.contains("Tr0ub"), "{problem}");
    }
    for action in [
        webhook("headers: {Authorization: '{{param.token}}'}"),
        webhook("headers: {Authorization: 'Bearer ${env:TOKEN}'}"),
        "{type: SEND_SLACK_MESSAGE, body: x, webhookUrl: '{{param.slack}}'}".to_owned(),
    ] {
        let found = of_action(&action);
        let [(Severity::Warning, problem)] = found.as_slice() else { panic!("{action}: {found:?}") };
        assert!(problem.contains("is not sent from a rule"), "{problem}");
    }
    for action in [
        webhook(
            "headers: {Accept: application/json, X-Rule: '{{alertRuleName}}'}, body: {text: 'Rotate the password'}",
        ),
        "{type: WEBHOOK, endpoint: 'receiver:hook'}".to_owned(),
        "{type: WEBHOOK, endpoint: '{{param.hook}}'}".to_owned(),
    ] {
        assert_eq!(of_action(&action), [], "{action}");
    }
}

#[test]
fn addresses_that_no_delivery_accepts_are_problems() {
    let of = |endpoint: &str| of_action(&format!("{{type: WEBHOOK, endpoint: '{endpoint}'}}"));
    for (endpoint, severity, part) in [
        ("notaurl", Severity::Error, "no URL"),
        ("file:///etc/passwd", Severity::Error, "the scheme `file`"),
        ("receiver:", Severity::Error, "no name of a receiver"),
        ("http://169.254.169.254/latest", Severity::Warning, "privateTargets"),
        ("https://10.0.0.7:8443/", Severity::Warning, "not a public address"),
        ("https://localhost/", Severity::Warning, "privateTargets"),
        ("http://example.com/", Severity::Warning, "the scheme `http`"),
    ] {
        let found = of(endpoint);
        assert!(
            matches!(found.as_slice(), [(found, text)] if *found == severity && text.contains(part)),
            "{endpoint}: {found:?}"
        );
    }
    assert_eq!(of("https://example.com/a?b=c"), []);
}

#[test]
fn members_that_no_result_has_are_problems() {
    for condition in
        ["[queries.query0.totl, '>', 0]", "'{{queries.query0.totl > 0}}'", "'{{(queries.query0.rows|length) > 0}}'"]
    {
        let text = format!(
            "name: N\nquestion: {{queries: [{{query: FIND a}}]}}\noperations: [{{when: {{type: FILTER, condition: {condition}}}, \
             actions: [{{type: CREATE_ALERT}}]}}]"
        );
        let found = shown(&text);
        assert!(matches!(found.as_slice(), [one] if one.contains("is always empty")), "{condition}: {found:?}");
    }
}
