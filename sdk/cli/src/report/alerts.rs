//! Alerts as SARIF.

use integration_rules::{Alert, AlertChange, AlertLevel, AlertStatus};

use super::Level;
use super::sarif::{Checked, Violation};

/// Returns the rules of alerts, and a violation for each alert that is not resolved.
///
/// A dismissed alert is suppressed, as SARIF calls it. A resolved one is no result: readers would show it as open.
pub(crate) fn sarif(alerts: &[Alert]) -> (Vec<Checked>, Vec<Violation>) {
    let (mut rules, mut violations): (Vec<Checked>, Vec<Violation>) = (Vec::new(), Vec::new());
    for alert in alerts.iter().filter(|alert| alert.status != AlertStatus::Inactive) {
        let level = match alert.level {
            AlertLevel::Critical | AlertLevel::High => Level::Error,
            AlertLevel::Medium => Level::Warning,
            AlertLevel::Low | AlertLevel::Info => Level::Note,
        };
        let dismissal = || alert.history.events().rfind(|event| event.change == AlertChange::Dismissed);
        let suppression = (alert.status == AlertStatus::Dismissed)
            .then(|| dismissal().map(|event| event.text.clone()).unwrap_or_default());
        let rule = rules.iter().position(|rule| rule.id == alert.rule_id).unwrap_or_else(|| {
            let help =
                format!("run `alerts show {}` for the results, and the rule for its remediation steps", alert.id);
            rules.push(Checked { id: alert.rule_id.clone(), title: alert.rule_id.clone(), help, level });
            rules.len() - 1
        });
        let outputs = alert.last_evaluation_result.outputs.iter();
        let summary = outputs.clone().find(|output| output.name == "summary").and_then(|output| output.value.as_str());
        let text = summary.unwrap_or(&alert.last_evaluation_result.answer_text);
        violations.push(Violation {
            rule,
            level,
            message: format!("{} {}: {text}", alert.level, alert.rule_id),
            count: 1,
            file: None,
            object: Some((alert.id.clone(), String::new())),
            suppression,
        });
    }
    (rules, violations)
}
