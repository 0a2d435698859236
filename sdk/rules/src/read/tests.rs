//! The four forms of files.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{ReadError, parse_rules, parse_terraform};
use crate::rule::{ActionKind, Rule, RuleInput};

const RULE: &str = r#"{
    "name": "Members without MFA", "description": "D", "specVersion": 1, "pollingInterval": "ONE_DAY",
    "question": {"queries": [{"name": "query0", "query": "FIND acme_member WITH mfa = false", "version": "v1"}]},
    "operations": [{
        "when": {"type": "FILTER", "specVersion": 1, "condition": ["AND", ["queries.query0.total", ">", 0]]},
        "actions": [
            {"type": "SET_PROPERTY", "targetProperty": "alertLevel", "targetValue": "HIGH"},
            {"type": "CREATE_ALERT"}
        ]
    }],
    "outputs": ["alertLevel"]
}"#;

fn only(text: &str) -> Rule {
    let mut rules = parse_rules(text).expect("rules");
    assert_eq!(rules.len(), 1);
    rules.remove(0)
}

#[test]
fn all_forms_give_the_same_rule() {
    let expected = only(RULE);
    assert_eq!(expected.operations[0].actions[1].kind, ActionKind::CreateAlert);
    assert_eq!(only(&format!("[{RULE}]")), expected);
    assert_eq!(only(&format!("[{{\"instance\": {RULE}}}]")), expected);
    assert_eq!(only(&format!("{{\"instance\": {RULE}}}")), expected);
    let pack = "- name: Members without MFA\n  description: D\n  queries:\n    - name: query0\n      query: FIND acme_member WITH mfa = false\n      version: v1\n";
    assert_eq!(only(pack), expected);
    let terraform = r#"
        variable "x" {}
        resource "jupiterone_question" "q" { title = var.x }
        resource "jupiterone_rule" "mfa" {
          name             = "Members without MFA"
          description      = "D"
          spec_version     = 1
          polling_interval = "ONE_DAY"
          question {
            queries {
              name    = "query0"
              query   = "FIND acme_member WITH mfa = false"
              version = "v1"
            }
          }
          operations {
            when = jsonencode({
              type        = "FILTER"
              specVersion = 1
              condition   = ["AND", ["queries.query0.total", ">", 0]]
            })
            actions = [
              jsonencode({ type = "SET_PROPERTY", targetProperty = "alertLevel", targetValue = "HIGH" }),
              <<-EOF
                { "type": "CREATE_ALERT" }
              EOF
            ]
          }
          outputs = ["alertLevel"]
        }"#;
    assert_eq!(parse_terraform(terraform).expect("rules"), [expected]);
}

#[test]
fn the_level_and_the_query_of_a_pack_entry_count() {
    let rule = only("{name: N, queries: [{name: users, query: FIND User}], alertLevel: LOW}");
    assert_eq!(rule.operations[0].when[0].condition, json!(["AND", ["queries.users.total", ">", 0]]));
    assert_eq!(rule.operations[0].actions[0].fields["targetValue"], "LOW");
}

#[test]
fn fields_of_the_service_are_left_out_and_unknown_actions_are_kept() {
    let text = r#"{"id": "r", "version": 3, "accountId": "a", "latest": true, "deleted": false, "type": "QUESTION",
        "state": {"actions": []}, "name": "N", "questionId": "q", "outputs": [], "templates": {"t": "{{item.a}}"},
        "operations": [{"when": [{"type": "FILTER", "condition": "{{true}}"}],
                        "actions": [{"id": "x", "type": "CREATE_TEAMS_CARD", "channel": {"a": 1}},
                                    {"type": "FOR_EACH_ITEM", "items": "{{queries.query0.data}}",
                                     "actions": [{"type": "CREATE_ALERT"}]}]}],
        "labels": [{"labelName": "team", "labelValue": "ops"}], "triggerActionsOnNewEntitiesOnly": true}"#;
    let rule = only(text);
    assert_eq!(rule.input, RuleInput::Question { id: Some("q".to_owned()), name: None });
    let action = &rule.operations[0].actions[0];
    assert_eq!(action.kind, ActionKind::Unknown("CREATE_TEAMS_CARD".to_owned()));
    assert_eq!((action.id.as_deref(), &action.fields["channel"]), (Some("x"), &json!({"a": 1})));
    assert_eq!(rule.operations[0].actions[1].actions.len(), 1);
    assert!(rule.new_entities_only);
}

#[test]
fn change_rules_have_selections() {
    let text = "name: Moved\nchanges:\n  types: [heroku_application]\n  properties: [teamId]\nresolveAfter: 7 days\noperations:\n  - actions: [{type: CREATE_ALERT}]\n";
    let RuleInput::Changes { selections, resolve_after } = only(text).input else { panic!("a change rule") };
    assert_eq!((selections.len(), resolve_after.map(String::from).as_deref()), (1, Some("7 days")));
    let two = text.replace("  types", "  - types").replace("  properties", "  - properties");
    assert!(matches!(only(&two).input, RuleInput::Changes { selections, .. } if selections.len() == 2));
}

#[test]
fn errors_name_the_field_and_its_line() {
    for (text, parts) in [
        ("name: N\nquestion:\n  queries:\n    - querry: FIND User\n", vec!["querry", "line 4"]),
        ("name: N\nquestion: {queries: []}\npollingInterval: HOURLY\n", vec!["HOURLY", "ONE_HOUR"]),
        ("name: N\nquestions: {queries: []}\n", vec!["questions"]),
        ("name: N\n", vec!["no input", "`N`"]),
        ("name: N\nquestionId: a\nchanges: {}\n", vec!["several inputs"]),
        ("name: N\nchanges: {types: a}\n", vec!["types"]),
        ("name: N\nchanges: {staleFor: 3 moons}\n", vec!["3 moons"]),
        ("name: N\nquestionId: a\nresolveAfter: 1 day\n", vec!["resolveAfter"]),
        ("name: N\nquestionId: a\noperations: [{actions: [{}]}]\n", vec!["no `type`"]),
        ("- instance: {name: N, questionId: a}\n- name: M\n  questionId: b\n", vec!["name"]),
        ("{a: [b", vec![]),
    ] {
        let error = parse_rules(text).expect_err(text).to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{text}: {error}");
    }
    assert_eq!(parse_rules("a text"), Err(ReadError::Form));
    assert_eq!(parse_rules("{a: 1}"), Err(ReadError::Form));
    assert_eq!(parse_rules("[]"), Ok(Vec::new()));
}

#[test]
fn terraform_errors_name_the_resource() {
    let rule = |body: &str| format!("resource \"jupiterone_rule\" \"r\" {{\n{body}\n}}\n");
    for (text, parts) in [
        (rule("name = var.name"), vec!["jupiterone_rule.r", "`name`"]),
        (rule("name = \"N\"\nquestoin_id = \"q\""), vec!["jupiterone_rule.r", "questoin_id"]),
        (rule("name = \"N\""), vec!["no input"]),
        ("resource {".to_owned(), vec!["not HCL"]),
    ] {
        let error = parse_terraform(&text).expect_err("an error").to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    }
    assert_eq!(parse_terraform("a = 1\n"), Ok(Vec::new()));
}

#[test]
fn deeply_nested_terraform_is_an_error() {
    for (before, open, inside, close) in [
        ("name = ", "[", "1", "]"),
        ("name = ", "(", "1", ")"),
        ("name = ", "!", "true", ""),
        ("name = 1", " + 1", "", ""),
        ("name = 1", " ? 2 : 1", "", ""),
        ("name = ", "\"${", "1", "}\""),
        ("", "a {\n", "", "}\n"),
    ] {
        for levels in [20, 80, 100_000] {
            let body = format!("{before}{}{inside}{}", open.repeat(levels), close.repeat(levels));
            let error = parse_terraform(&format!("resource \"jupiterone_rule\" \"r\" {{\n{body}\n}}\n"));
            assert!(error.expect_err(open).to_string().len() < 1_000, "{open}");
        }
    }
}

fn rule() -> impl Strategy<Value = Value> {
    let input = prop_oneof![
        Just(
            json!({"question": {"queries": [{"query": "FIND User"}, {"name": "b", "query": "FIND Team", "includeDeleted": true}]}})
        ),
        Just(json!({"questionId": "q"})),
        Just(json!({"questionName": "q", "questionId": "i"})),
        Just(
            json!({"changes": [{"kinds": ["added"], "new": {"mfa": false, "role": {"in": ["a", null]}}}], "resolveAfter": "1 day"})
        ),
        Just(json!({"changes": {"staleFor": "3 days"}})),
    ];
    let when = prop_oneof![
        Just(Value::Null),
        Just(json!({"type": "FILTER", "condition": "{{true}}"})),
        Just(json!([{"type": "FILTER", "version": 1, "condition": ["a", "=", 1]}])),
    ];
    (input, when, any::<[bool; 3]>(), "[a-z ]{0,5}").prop_map(|(input, when, flags, text)| {
        let mut rule = json!({
            "name": text, "description": text, "pollingInterval": "FIFTEEN_MINUTES",
            "operations": [{"when": when, "actions": [{"type": "SEND_IT", "id": "1", "x": text}]}],
            "notifyOnFailure": flags[0], "ignorePreviousResults": flags[1], "triggerActionsOnNewEntitiesOnly": flags[2],
            "templates": {"t": text}, "tags": [text], "remediationSteps": text, "labels": [{"labelName": text}],
        });
        let (Value::Object(rule_fields), Value::Object(input)) = (&mut rule, input) else { unreachable!() };
        rule_fields.extend(input);
        rule
    })
}

proptest! {
    #[test]
    fn a_written_rule_is_read_back(rule in rule()) {
        let rule: Rule = serde_json::from_value(rule).expect("a rule");
        let written = serde_json::to_string(&rule).expect("JSON");
        prop_assert_eq!(only(&written), rule);
    }

    #[test]
    fn no_text_panics(text in "[-{}\\[\\]:a-c \n'\"&*!|>#0-9?,=<$]{0,60}") {
        let _ = parse_rules(&text);
        let _ = parse_rules(&format!("name: N\nquestionId: {text}"));
        let _ = parse_terraform(&text);
        let _ = parse_terraform(&format!("resource \"jupiterone_rule\" \"a\" {{\n name = {text}\n}}"));
    }
}
