//! Fuzz target: the text of a rule file, an expression, or a cron expression is read or refused.
#![no_main]

use integration_rules::jexl::{Environment, Limits, Scope, Template, Templates};
use integration_rules::{Evaluation, Input, Next, Program, QueryAnswer, parse_rules, parse_terraform};
use libfuzzer_sys::fuzz_target;
use serde_json::json;

fuzz_target!(|text: &str| {
    let base = json!({"queries": {"query0": {"total": 1, "data": [{"id": "a", "properties": {"name": "b"}}]}}});
    let templates = Templates::default();
    let environment =
        Environment { scope: Scope::new(&base), templates: &templates, limits: Limits { work: 10_000, output: 10_000 } };
    if let Ok(template) = Template::parse(text) {
        let _ = template.render(&environment);
    }
    let _ = text.parse::<integration_scheduler::CronExpression>();
    let _ = parse_terraform(text);
    for rule in parse_rules(text).unwrap_or_default() {
        let _ = rule.problems();
        let Ok(program) = Program::compile(rule) else { continue };
        let mut evaluation = Evaluation::start(&program, Input::at("2026-01-01T00:00:00Z".parse().expect("a time")));
        while let Next::Query(_) = evaluation.step() {
            evaluation.answer(Ok(QueryAnswer::complete(vec![json!({"id": "a", "entity": {"_key": "a"}})])));
        }
    }
});
