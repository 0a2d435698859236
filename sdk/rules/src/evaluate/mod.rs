//! The evaluation of a rule, as a state machine without I/O.
//!
//! ```text
//! Evaluation::start ─► step ─► Next::Query ─► (the caller runs the query) ─► answer ─┐
//!                       ▲                                                           │
//!                       └───────────────────────────────────────────────────────────┘
//!                       └─► Next::Done(Outcome): the actions to carry out, the state of the alert, the records
//! ```
//!
//! The queries of the rule run first. Then each operation whose conditions hold runs its actions in order. `SET_PROPERTY`
//! takes effect at once, `FOR_EACH_ITEM` and `JUPITERONE_QUERY` are resolved here, and all other actions are returned with
//! their templates filled in.
//!
//! The alert of a rule is never opened or resolved by data that is missing: see [`Signal`].

mod effect;
mod memory;
mod outcome;
mod run;
mod state;
#[cfg(test)]
mod tests;

pub use effect::{CommandCall, Effect, EffectError, Email, SlackMessage, WebhookCall};
pub use memory::{Memory, RowCounts};
pub use outcome::{ConditionRecord, Outcome, Output, PlannedAction, QueryRecord, Signal, SkipReason, SkippedAction};
pub use run::{Evaluation, Next, QueryAnswer, QueryRequest};
pub use state::{Bounds, Input};
