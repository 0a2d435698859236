//! The transitions, as functions from an alert to the next one.

use jiff::Timestamp;

use super::{
    Alert, AlertChange, AlertError, AlertEvent, AlertHistory, AlertLevel, AlertStatus, EndReason, EvaluationResult,
    RawDataDescriptor,
};
use crate::evaluate::{Outcome, Signal};

/// An evaluation of a rule, as the input of its alert.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// The identifier of the rule.
    pub rule_id: String,
    /// The version of the rule.
    pub rule_version: u64,
    /// The start of the evaluation.
    pub begin: Timestamp,
    /// The end of the evaluation.
    pub end: Timestamp,
    /// The meaning of the evaluation.
    pub signal: Signal,
    /// The level, if the alert is open after the evaluation.
    pub level: AlertLevel,
    /// Whether a query returned a row that the previous evaluation did not return.
    pub has_new_rows: bool,
    /// The result.
    pub result: EvaluationResult,
}

impl Observation {
    /// Creates the observation of an outcome.
    pub fn of(outcome: &Outcome, rule_id: &str, rule_version: u64, begin: Timestamp, end: Timestamp) -> Self {
        let descriptor = |query: &crate::QueryRecord| RawDataDescriptor {
            name: query.name.clone(),
            record_count: query.records,
            record_create_count: query.counts.created,
            record_update_count: query.counts.updated,
            record_delete_count: query.counts.deleted,
        };
        let results: Vec<String> =
            outcome.queries.iter().map(|query| format!("{}: {} results", query.name, query.records)).collect();
        Self {
            rule_id: rule_id.to_owned(),
            rule_version,
            begin,
            end,
            signal: outcome.signal.clone(),
            level: outcome.level,
            has_new_rows: outcome.has_new_rows,
            result: EvaluationResult {
                answer_text: results.join(", "),
                evaluation_end_on: end,
                outputs: outcome.outputs.clone(),
                raw_data_descriptors: outcome.queries.iter().map(descriptor).collect(),
            },
        }
    }

    /// Returns whether the rows differ from those of the previous evaluation.
    fn has_other_rows(&self) -> bool {
        self.has_new_rows
            || self
                .result
                .raw_data_descriptors
                .iter()
                .any(|query| query.record_update_count + query.record_delete_count > 0)
    }
}

/// Applies an evaluation to the newest alert of its rule.
///
/// Returns the newest alert afterwards, and the change if there is one. A change [`AlertChange::Opened`] means that the
/// returned alert has the new identifier; the former alert, if any, stays as it is.
///
/// A rule has at most one open alert. Evaluations and people change it:
///
/// | newest alert of the rule | [`Signal::Met`] | [`Signal::NotMet`] | [`Signal::Quiet`] | [`Signal::Unknown`] | dismiss | reopen |
/// | --- | --- | --- | --- | --- | --- | --- |
/// | none | opened | – | – | – | error | error |
/// | `ACTIVE` | updated if the level or the rows changed | resolved | resolved after the time | – | dismissed | error |
/// | `DISMISSED` | reopened if rows are new or the level rose | resolved | resolved after the time | – | error | reopened |
/// | `INACTIVE` | opened as another alert | – | – | – | error | reopened |
///
/// `–` changes neither the state nor the history. A failed evaluation and one with missing data give
/// [`Signal::Unknown`], so they neither open nor resolve an alert. An alert that a person reopened although the condition
/// does not hold is resolved by the next evaluation that certainly does not meet it.
///
/// Each transition returns its [`AlertChange`], which is the occasion for a notification.
pub fn observe(alert: Option<Alert>, observation: &Observation, new_id: &str) -> (Option<Alert>, Option<AlertChange>) {
    let is_met = observation.signal == Signal::Met;
    let Some(mut alert) = alert.filter(|alert| !(is_met && alert.status == AlertStatus::Inactive)) else {
        return if is_met { (Some(open(observation, new_id)), Some(AlertChange::Opened)) } else { (None, None) };
    };
    let change = match (&observation.signal, alert.status) {
        (Signal::None | Signal::Unknown { .. }, _) | (_, AlertStatus::Inactive) => return (Some(alert), None),
        (Signal::Met, AlertStatus::Active) => {
            let is_changed = observation.level != alert.level || observation.has_other_rows();
            is_changed.then_some(AlertChange::Updated)
        }
        (Signal::Met, AlertStatus::Dismissed) => {
            let is_worse = observation.level > alert.level || observation.has_new_rows;
            is_worse.then_some(AlertChange::Reopened)
        }
        (Signal::NotMet, _) => Some(AlertChange::Resolved),
        (Signal::Quiet { resolve_after }, _) => {
            let quiet = observation.end.duration_since(alert.last_met_on);
            let is_over = resolve_after.is_some_and(|after| quiet >= after);
            is_over.then_some(AlertChange::Resolved)
        }
    };
    alert.last_evaluation_begin_on = observation.begin;
    alert.last_evaluation_end_on = observation.end;
    if is_met {
        alert.last_met_on = observation.end;
        alert.last_evaluation_result = observation.result.clone();
        // The level of a dismissed alert is the one that the person has seen.
        if change.is_some() {
            alert.level = observation.level;
        }
    }
    if let Some(change) = change {
        let reason = match observation.signal {
            Signal::Quiet { .. } => EndReason::Expired,
            _ => EndReason::Resolved,
        };
        alert.rule_version = observation.rule_version;
        let text = observation.result.answer_text.clone();
        let event = AlertEvent { at: observation.end, change, level: alert.level, text };
        apply(&mut alert, event, reason);
    }
    (Some(alert), change)
}

fn open(observation: &Observation, new_id: &str) -> Alert {
    let mut history = AlertHistory::default();
    history.add(AlertEvent {
        at: observation.end,
        change: AlertChange::Opened,
        level: observation.level,
        text: observation.result.answer_text.clone(),
    });
    Alert {
        id: new_id.to_owned(),
        rule_id: observation.rule_id.clone(),
        rule_version: observation.rule_version,
        level: observation.level,
        status: AlertStatus::Active,
        created_on: observation.end,
        last_updated_on: observation.end,
        dismissed_on: None,
        end_reason: None,
        last_evaluation_begin_on: observation.begin,
        last_evaluation_end_on: observation.end,
        last_met_on: observation.end,
        last_evaluation_result: observation.result.clone(),
        users: Vec::new(),
        history,
        deliveries: Vec::new(),
    }
}

/// Sets the state that follows from a change, and records it.
fn apply(alert: &mut Alert, event: AlertEvent, reason: EndReason) {
    alert.last_updated_on = event.at;
    (alert.status, alert.end_reason, alert.dismissed_on) = match event.change {
        AlertChange::Opened | AlertChange::Updated | AlertChange::Reopened => (AlertStatus::Active, None, None),
        AlertChange::Resolved => (AlertStatus::Inactive, Some(reason), alert.dismissed_on),
        AlertChange::Dismissed => (AlertStatus::Dismissed, Some(reason), Some(event.at)),
    };
    alert.history.add(event);
}

/// Dismisses an active alert on behalf of a person.
///
/// # Errors
/// [`AlertError::NotActive`] if the alert is not active.
pub fn dismiss(alert: &mut Alert, at: Timestamp, text: &str) -> Result<AlertChange, AlertError> {
    if alert.status != AlertStatus::Active {
        return Err(AlertError::NotActive { id: alert.id.clone(), status: alert.status });
    }
    let change = AlertChange::Dismissed;
    apply(alert, AlertEvent { at, change, level: alert.level, text: text.to_owned() }, EndReason::Dismissed);
    Ok(change)
}

/// Resolves an alert whose rule is no longer evaluated. An alert that has ended stays as it is.
pub fn resolve(alert: &mut Alert, at: Timestamp, text: &str) {
    if alert.status != AlertStatus::Inactive {
        let change = AlertChange::Resolved;
        apply(alert, AlertEvent { at, change, level: alert.level, text: text.to_owned() }, EndReason::Resolved);
    }
}

/// Reopens the newest alert of a rule on behalf of a person.
///
/// # Errors
/// [`AlertError::Active`] if the alert is active.
pub fn reopen(alert: &mut Alert, at: Timestamp, text: &str) -> Result<AlertChange, AlertError> {
    if alert.status == AlertStatus::Active {
        return Err(AlertError::Active { id: alert.id.clone() });
    }
    let change = AlertChange::Reopened;
    apply(alert, AlertEvent { at, change, level: alert.level, text: text.to_owned() }, EndReason::Resolved);
    Ok(change)
}
