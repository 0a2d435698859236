//! The results of rules.

use comfy_table::{Cell, Color};
use integration_rules::{Alert, AlertChange, Effect, Outcome, Problem, Severity, Signal, SkipReason};
use integration_watch::Applied;
use serde_json::{Value, json};

use super::table;
use super::text::{counted, paragraph};
use crate::style::printable;
use crate::visible::visible_lines;

/// Returns whether a query or a template failed.
pub(crate) fn has_failed(applied: &Applied) -> bool {
    outcome(applied).failure.is_some()
}

/// Returns whether missing data decides about the alert.
pub(crate) fn is_undecided(applied: &Applied) -> bool {
    matches!(outcome(applied).signal, Signal::Unknown { .. })
}

fn outcome(applied: &Applied) -> &Outcome {
    &applied.evaluated.outcome
}

fn word(applied: &Applied) -> (&'static str, Color) {
    let is_open = applied.alert.as_ref().is_some_and(Alert::is_open);
    match (&outcome(applied).signal, applied.change) {
        _ if has_failed(applied) => ("✗ failed", Color::DarkRed),
        (_, Some(AlertChange::Opened)) => ("● opened", Color::DarkRed),
        (_, Some(AlertChange::Resolved)) => ("✓ resolved", Color::DarkGreen),
        (Signal::Unknown { .. }, _) => ("? unknown", Color::DarkYellow),
        _ if is_open => ("● open", Color::DarkRed),
        _ => ("✓ quiet", Color::DarkGreen),
    }
}

/// Lists the rules with the state of their alerts.
pub(crate) fn text(results: &[Applied], width: usize) -> String {
    let mut table = table::plain();
    table.set_header([Cell::new("Alert"), Cell::new("Level"), table::right("Results"), Cell::new("Rule")]);
    for result in results {
        let (word, colour) = word(result);
        let number: u64 = outcome(result).queries.iter().map(|query| query.records).sum();
        let level = result.alert.as_ref().filter(|alert| alert.is_open()).map_or("", |alert| alert.level.name());
        table.add_row([
            Cell::new(word).fg(colour),
            Cell::new(level),
            table::right(number),
            Cell::new(printable(&result.evaluated.rule)),
        ]);
    }
    let mut text = table::write(&mut table);
    for result in results {
        let rule = printable(&result.evaluated.rule);
        if let Some(failure) = &outcome(result).failure {
            text += &paragraph(&format!("{rule}: {}", printable(failure)), width, 0, 2);
        } else if let Signal::Unknown { reason } = &outcome(result).signal {
            text += &paragraph(&format!("{rule}: {}", printable(reason)), width, 0, 2);
        }
        let not_carried_out: Vec<&str> = outcome(result)
            .skipped
            .iter()
            .filter(|skipped| skipped.reason == SkipReason::NotCarriedOut)
            .map(|skipped| skipped.action.as_str())
            .chain(outcome(result).actions.iter().map(|planned| action(&planned.effect)))
            .collect();
        if !not_carried_out.is_empty() {
            let actions = not_carried_out.join(", ");
            text += &paragraph(&format!("{rule}: not carried out here: {}", printable(&actions)), width, 0, 2);
        }
    }
    let open = results.iter().filter(|result| result.alert.as_ref().is_some_and(Alert::is_open)).count() as u64;
    text + &format!(
        "\n{}, {}.\n",
        counted(results.len() as u64, "rule", "rules"),
        counted(open, "open alert", "open alerts")
    )
}

/// The name of an action in a rule file.
fn action(effect: &Effect) -> &'static str {
    match effect {
        Effect::Email(_) => "SEND_EMAIL",
        Effect::Slack(_) => "SEND_SLACK_MESSAGE",
        Effect::Webhook(_) => "WEBHOOK",
        Effect::Command(_) => "RUN_COMMAND",
    }
}

/// Returns the results for programs.
pub(crate) fn json(results: &[Applied]) -> Value {
    let one = |result: &Applied| {
        let reason = match &outcome(result).signal {
            Signal::Unknown { reason } => Some(reason.as_str()),
            _ => None,
        };
        json!({
            "rule": result.evaluated.rule,
            "alert": result.alert,
            "change": result.change,
            "failure": outcome(result).failure,
            "undecided": reason,
            "outputs": outcome(result).outputs,
            "actions": outcome(result).actions,
        })
    };
    json!({"rules": results.iter().map(one).collect::<Vec<Value>>()})
}

/// Lists the problems of rule files.
pub(crate) fn problems(problems: &[Problem], query_errors: &[String], rules: usize) -> String {
    let mut text = String::new();
    for problem in problems {
        let severity = match problem.severity() {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        text += &format!("{severity}: {}\n", printable(&problem.to_string()));
    }
    for error in query_errors {
        text += &format!("error: {}", visible_lines(error));
    }
    let number = counted(rules as u64, "rule", "rules");
    let found = query_errors.len() as u64
        + problems.iter().filter(|problem| problem.severity() != Severity::Note).count() as u64;
    text + &match found {
        0 => format!("{number}, no problem found.\n"),
        found => format!("{number}, {}.\n", counted(found, "problem", "problems")),
    }
}
