//! The results of rules.

use comfy_table::{Cell, Color};
use integration_rules::delivery::DeliveryState;
use integration_rules::{Alert, AlertChange, AlertStatus, Outcome, Problem, Severity, Signal, Truth};
use integration_watch::{Applied, Delivered, Delivery, NotCarriedOut, Report};
use serde_json::{Value, json};

use super::table;
use super::text::{counted, instant, paragraph};
use crate::style::printable;
use crate::visible::{visible, visible_lines};

/// A problem of a query or a selection, with the text that shows its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    pub(crate) rule: String,
    pub(crate) at: String,
    /// The message. It may have several lines.
    pub(crate) text: String,
}

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

/// Returns the state of a rule. A rule without an alert is met if it has actions.
fn word(applied: &Applied, not_carried_out: &[NotCarriedOut]) -> (&'static str, Color) {
    let Outcome { conditions, actions, skipped, .. } = outcome(applied);
    let is_refused = not_carried_out.iter().any(|action| action.rule == applied.evaluated.rule);
    let has_acted = conditions.iter().any(|condition| condition.truth == Truth::True)
        && !(actions.is_empty() && skipped.is_empty() && !is_refused);
    let is_open = applied.alert.as_ref().is_some_and(Alert::is_open);
    let is_dismissed = applied.alert.as_ref().is_some_and(|alert| alert.status == AlertStatus::Dismissed);
    match (&outcome(applied).signal, applied.change) {
        _ if has_failed(applied) => ("✗ failed", Color::DarkRed),
        (_, Some(AlertChange::Opened)) => ("● opened", Color::DarkRed),
        (_, Some(AlertChange::Resolved)) => ("✓ resolved", Color::DarkGreen),
        (Signal::Unknown { .. }, _) => ("? unknown", Color::DarkYellow),
        _ if is_open => ("● open", Color::DarkRed),
        (Signal::Met, _) if is_dismissed => ("○ dismissed", Color::DarkGrey),
        (Signal::None, _) if has_acted => ("● met", Color::DarkYellow),
        _ => ("✓ quiet", Color::DarkGreen),
    }
}

/// Lists the rules with the state of their alerts, and the deliveries.
pub(crate) fn text(report: &Report, delivered: &Delivered, is_dry: bool, width: usize) -> String {
    let results = &report.rules;
    let mut table = table::plain();
    table.set_header([Cell::new("Alert"), Cell::new("Level"), table::right("Results"), Cell::new("Rule")]);
    for result in results {
        let (word, colour) = word(result, &report.not_carried_out);
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
    let mut remark = |rule: &str, remark: &str| {
        let (first, rest) = remark.split_once('\n').unwrap_or((remark, ""));
        text += &paragraph(&format!("{}: {}", printable(rule), printable(first)), width, 0, 2);
        // The other lines show a place, which wrapping would hide.
        rest.lines().for_each(|line| text += &format!("  {}\n", visible(line)));
    };
    for result in results {
        let rule = &result.evaluated.rule;
        if let Some(failure) = &outcome(result).failure {
            remark(rule, failure);
        } else if let Signal::Unknown { reason } = &outcome(result).signal {
            remark(rule, reason);
        }
        let planned: Vec<&str> = outcome(result).actions.iter().map(|planned| planned.effect.action()).collect();
        if is_dry && !planned.is_empty() {
            remark(rule, &format!("would carry out {}", planned.join(", ")));
        }
    }
    let verb = if is_dry { "would not be carried out" } else { "not carried out" };
    let refused =
        |action: &NotCarriedOut| (action.rule.clone(), format!("{} {verb}: {}", action.action, action.reason));
    for ((rule, text), number) in grouped(report.not_carried_out.iter().map(refused)) {
        let (first, rest) = text.split_once('\n').map_or((text.as_str(), None), |(first, rest)| (first, Some(rest)));
        let rest = rest.map(|rest| format!("\n{rest}")).unwrap_or_default();
        remark(&rule, &format!("{first}{}{rest}", times(number)));
    }
    text += &deliveries(delivered);
    let open = results.iter().filter(|result| result.alert.as_ref().is_some_and(Alert::is_open)).count() as u64;
    text + &format!(
        "\n{}, {}.\n",
        counted(results.len() as u64, "rule", "rules"),
        counted(open, "open alert", "open alerts")
    )
}

/// Lists deliveries with their results.
pub(crate) fn deliveries(delivered: &Delivered) -> String {
    let mut text = String::new();
    let line = |Delivery { rule, record, .. }: &Delivery| {
        let result = match (&record.state, &record.error) {
            (DeliveryState::Delivered { .. }, _) => "delivered".to_owned(),
            (DeliveryState::Abandoned { .. }, error) => format!("abandoned: {}", error.as_deref().unwrap_or_default()),
            (_, error) => format!("failed, will be repeated: {}", error.as_deref().unwrap_or_default()),
        };
        format!("{rule}: {} to {} {result}", record.action, record.target)
    };
    for (line, number) in grouped(delivered.attempted.iter().map(line)) {
        text += &format!("{}{}\n", printable(&line), times(number));
    }
    match delivered.waiting as u64 {
        0 => text,
        waiting => {
            let waiting = counted(waiting, "delivery waits", "deliveries wait");
            let next = delivered.next.map(|next| format!(" at {}", instant(next))).unwrap_or_default();
            text + &format!(
                "{waiting}. The next attempt is due{next}: `serve`, `rules run`, and `alerts deliver` make it then, and \
                 `alerts deliver --all` makes all attempts now.\n"
            )
        }
    }
}

/// Returns the different items in the order of their first appearance, with their numbers.
fn grouped<T: PartialEq>(items: impl Iterator<Item = T>) -> Vec<(T, usize)> {
    let mut groups: Vec<(T, usize)> = Vec::new();
    for item in items {
        match groups.iter_mut().find(|(known, _)| *known == item) {
            Some((_, number)) => *number += 1,
            None => groups.push((item, 1)),
        }
    }
    groups
}

fn times(number: usize) -> String {
    if number == 1 { String::new() } else { format!(" ({number} times)") }
}

/// Returns the results for programs.
pub(crate) fn json(report: &Report, delivered: &Delivered) -> Value {
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
    let refused =
        |action: &NotCarriedOut| json!({"rule": action.rule, "action": action.action, "reason": action.reason});
    json!({
        "rules": report.rules.iter().map(one).collect::<Vec<Value>>(),
        "notCarriedOut": report.not_carried_out.iter().map(refused).collect::<Vec<Value>>(),
        "deliveries": delivered_json(delivered),
    })
}

/// Returns the deliveries for programs.
pub(crate) fn delivered_json(delivered: &Delivered) -> Value {
    let one =
        |delivery: &Delivery| json!({"rule": delivery.rule, "alert": delivery.alert, "delivery": delivery.record});
    json!({
        "attempted": delivered.attempted.iter().map(one).collect::<Vec<Value>>(),
        "waiting": delivered.waiting,
        "next": delivered.next,
    })
}

/// Lists the problems of rule files.
pub(crate) fn problems(problems: &[Problem], findings: &[Finding], rules: usize) -> String {
    let mut text = String::new();
    for problem in problems {
        let problem_text = visible_lines(&problem.to_string());
        text += &format!("{}: {}\n", word_of(problem.severity()), problem_text.trim_end());
    }
    for Finding { severity, rule, at, text: found } in findings {
        text += &format!("{}: {}: {at}: {}\n", word_of(*severity), printable(rule), visible_lines(found).trim_end());
    }
    let number = counted(rules as u64, "rule", "rules");
    text + &match number_of(problems, findings) {
        0 => format!("{number}, no problem found.\n"),
        found => format!("{number}, {}.\n", counted(found, "problem", "problems")),
    }
}

/// Returns the problems of rule files for programs.
pub(crate) fn problems_json(problems: &[Problem], findings: &[Finding], rules: usize) -> Value {
    let one = |severity: Severity, rule: &str, at: &str, message: &str| json!({"severity": severity, "rule": rule, "at": at, "message": message});
    let of_rules =
        problems.iter().map(|problem| one(problem.severity(), &problem.rule, &problem.at, &problem.kind.to_string()));
    let of_names =
        findings.iter().map(|Finding { severity, rule, at, text }| one(*severity, rule, at, text.trim_end()));
    json!({
        "rules": rules,
        "found": number_of(problems, findings),
        "problems": of_rules.chain(of_names).collect::<Vec<Value>>(),
    })
}

/// Returns the number of problems without notes.
fn number_of(problems: &[Problem], findings: &[Finding]) -> u64 {
    (findings.len() + problems.iter().filter(|problem| problem.severity() != Severity::Note).count()) as u64
}

fn word_of(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}
