//! Rules over collected graphs: conditions about queries and changes, actions, and alerts.
//!
//! ```text
//! file ─► parse_rules ─► Rule ─► Program ─► Evaluation ─► Outcome ─► observe ─► Alert
//!          four forms     │       parsed     asks for      actions    states
//!                         ▼                  query results
//!                      problems
//! ```
//!
//! Everything here is a pure function: queries are texts whose results the caller brings, times are parameters, and actions
//! are values that the caller carries out. The file forms, the expression language ([`jexl`]), and the names of actions and
//! alerts are those of JupiterOne.
//!
//! ```
//! use integration_rules::{
//!     AlertStatus, Effect, Evaluation, Input, Next, Observation, Program, QueryAnswer, observe, parse_rules,
//! };
//! use serde_json::json;
//!
//! let text = "
//! name: Members without a second factor
//! question:
//!   queries: [{query: FIND acme_member WITH mfaEnabled = false}]
//! operations:
//!   - when: {type: FILTER, condition: [AND, [queries.query0.total, '>', 0]]}
//!     actions:
//!       - {type: SET_PROPERTY, targetProperty: alertLevel, targetValue: HIGH}
//!       - {type: CREATE_ALERT}
//!       - type: SEND_EMAIL
//!         recipients: [security@example.com]
//!         body: \"{{alertLevel}}: {{queries.query0.data|mapProperty('email')|join(', ')}}\"
//! ";
//! let rule = parse_rules(text)?.remove(0);
//! assert!(rule.problems().is_empty());
//! let program = Program::compile(rule).expect("the rule has no problems");
//!
//! let now = "2026-01-10T08:00:00Z".parse()?;
//! let mut evaluation = Evaluation::start(&program, Input::at(now));
//! let outcome = loop {
//!     match evaluation.step() {
//!         Next::Query(request) => {
//!             assert_eq!(request.query, "FIND acme_member WITH mfaEnabled = false");
//!             let row = json!({"id": "1", "entity": {"_key": "ann"}, "properties": {"email": "ann@example.com"}});
//!             evaluation.answer(Ok(QueryAnswer::complete(vec![row])));
//!         }
//!         Next::Done(outcome) => break outcome,
//!     }
//! };
//! let Effect::Email(email) = &outcome.actions[0].effect else { panic!("an email") };
//! assert_eq!(email.body.as_deref(), Some("HIGH: ann@example.com"));
//!
//! let observation = Observation::of(&outcome, "rule-1", 1, now, now);
//! let (alert, _) = observe(None, &observation, "alert-1");
//! assert_eq!(alert.map(|alert| alert.status), Some(AlertStatus::Active));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Missing data
//!
//! A query result may be incomplete because of a gap ([`Completeness`]). A condition is then true or false only if no missing
//! row can change it, and unknown otherwise ([`Truth`]). An unknown condition runs no action, and its [`Signal`] neither
//! opens nor resolves an alert. A rule about changes never selects a removal that was not observed.
//!
//! # Deliveries
//!
//! [`delivery`] signs webhooks, keeps them in an outbox until they are delivered, and refuses internal addresses.
//!
//! # Rules about changes
//!
//! A rule with `changes` instead of `question` is evaluated after a publication. Its fields are those of
//! [`ChangeSelection`]. The selected changes are rows in `changes.data`, in the form of query results, and
//! `changes.total` is their number. Without a condition, the actions run if there are changes.
//!
//! ```
//! let rules = integration_rules::parse_rules("
//! name: Application moved to another team
//! changes:
//!   kinds: [changed]
//!   types: [heroku_application]
//!   properties: [teamId]
//! resolveAfter: 7 days
//! templates:
//!   line: '{{item.displayName}}: {{item.change.old.teamId}} → {{item.change.new.teamId}}'
//! operations:
//!   - actions:
//!       - {type: CREATE_ALERT}
//!       - {type: SEND_SLACK_MESSAGE, channels: ['#platform'], body: \"{{changes.data|mapTemplate('line')|join(', ')}}\"}
//! ")?;
//! assert!(rules[0].problems().is_empty());
//! # Ok::<(), integration_rules::ReadError>(())
//! ```
#![deny(missing_docs)]

mod alert;
mod condition;
pub mod delivery;
mod evaluate;
pub mod jexl;
mod program;
mod read;
mod rule;
pub mod yaml;

pub use alert::{
    Alert, AlertChange, AlertError, AlertEvent, AlertHistory, AlertLevel, AlertStatus, DeliveryRecord, EndReason,
    EvaluationResult, LevelError, Observation, RawDataDescriptor, dismiss, observe, reopen, resolve,
};
pub use condition::{Completeness, Truth};
pub use evaluate::{
    Bounds, CommandCall, ConditionRecord, Effect, EffectError, Email, Evaluation, Input, Memory, Next, Outcome, Output,
    PlannedAction, QueryAnswer, QueryRecord, QueryRequest, RowCounts, Signal, SkipReason, SkippedAction, SlackMessage,
    WebhookCall,
};
pub use program::{Problem, ProblemKind, Program, Severity, problems_of};
pub use read::{ReadError, TerraformError, parse_rules, parse_terraform};
pub use rule::{
    Action, ActionKind, ChangeKind, ChangeSelection, GraphChange, InputError, Label, LengthError, LengthOfTime,
    ObjectKind, Operation, PropertyChange, Rule, RuleInput, RuleQuery, ValueCondition, When,
};
