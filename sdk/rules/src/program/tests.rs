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
