//! Alerts as SARIF.

use integration_rules::{Alert, AlertLevel};

use super::Level;
use super::sarif::{Checked, Violation};

/// Returns the rules of alerts, and a violation for each alert.
pub(crate) fn sarif(alerts: &[Alert]) -> (Vec<Checked>, Vec<Violation>) {
    let (mut rules, mut violations): (Vec<Checked>, Vec<Violation>) = (Vec::new(), Vec::new());
    for alert in alerts {
        let level = if alert.level >= AlertLevel::High { Level::Error } else { Level::Warning };
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
        });
    }
    (rules, violations)
}
