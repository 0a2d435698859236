//! The effect of evaluations on the book.

use integration_rules::{Alert, AlertChange, AlertLevel, EvaluationResult, Observation, Signal, observe};
use integration_sdk::graph::JobId;

use crate::book::Book;
use crate::evaluate::Evaluated;
use crate::state::RuleState;

/// The level of the alert about a rule that fails.
const FAILURE_LEVEL: AlertLevel = AlertLevel::Medium;

/// An evaluated rule with its alert.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    /// The evaluation.
    pub evaluated: Evaluated,
    /// The newest alert of the rule.
    pub alert: Option<Alert>,
    /// The change of the alert.
    pub change: Option<AlertChange>,
    /// The alert about the failure of the rule, if this evaluation changed it.
    pub failure_alert: Option<(Alert, AlertChange)>,
}

/// Returns the name under which the alert about the failures of a rule is kept.
pub fn failure_alert_of(rule: &str) -> String {
    format!("Rule failed: {rule}")
}

impl Book {
    /// Records an evaluation: the state of its rule, and its alert.
    pub fn apply(&mut self, evaluated: Evaluated) -> Applied {
        let state = self.rules.entry(evaluated.rule.clone()).or_insert_with(RuleState::new);
        let RuleState { id, origin, evaluations, .. } = state.clone();
        *state = RuleState {
            id,
            origin,
            evaluations: evaluations + 1,
            evaluated_on: Some(evaluated.begin),
            memory: evaluated.outcome.memory.clone(),
            positions: evaluated.positions.clone(),
            failure: evaluated.outcome.failure.clone(),
        };
        let Evaluated { begin, end, version, .. } = evaluated;
        let observation = Observation::of(&evaluated.outcome, &evaluated.rule, version, begin, end);
        let (alert, change) = self.observe(&observation);
        let failure_alert = evaluated.failure_observation().and_then(|observation| {
            let (alert, change) = self.observe(&observation);
            alert.zip(change)
        });
        Applied { evaluated, alert, change, failure_alert }
    }

    /// Applies an observation to the newest alert of its rule.
    ///
    /// Rules need [`apply`](Self::apply). This function is for alerts without a rule, such as one about refused credentials.
    pub fn observe(&mut self, observation: &Observation) -> (Option<Alert>, Option<AlertChange>) {
        let former = self.take_newest(&observation.rule_id);
        let (alert, change) = observe(former.clone(), observation, JobId::generate().as_str());
        // An opened alert does not replace a former one of the rule, which has ended.
        let keeps_former = former.as_ref().zip(alert.as_ref()).is_some_and(|(former, alert)| former.id != alert.id);
        self.alerts.extend(former.filter(|_| keeps_former));
        self.alerts.extend(alert.clone());
        (alert, change)
    }
}

impl Evaluated {
    /// Returns the reason of a failed evaluation, if the rule demands its report.
    pub fn failure_to_report(&self) -> Option<&str> {
        self.outcome.failure_to_report(self.notify_on_failure)
    }

    /// Returns the observation of the alert about failures: it is open while the rule fails.
    fn failure_observation(&self) -> Option<Observation> {
        let reason = self.failure_to_report();
        let signal = match (reason, &self.outcome.failure) {
            (Some(_), _) => Signal::Met,
            (None, None) => Signal::NotMet,
            // The rule does not demand reports. An earlier version of it may have.
            (None, Some(_)) => return None,
        };
        Some(Observation {
            rule_id: failure_alert_of(&self.rule),
            rule_version: self.version,
            begin: self.begin,
            end: self.end,
            signal,
            level: FAILURE_LEVEL,
            has_new_rows: false,
            result: EvaluationResult {
                answer_text: reason.unwrap_or("the evaluation succeeded").to_owned(),
                evaluation_end_on: self.end,
                outputs: Vec::new(),
                raw_data_descriptors: Vec::new(),
            },
        })
    }
}
