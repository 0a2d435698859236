//! Rules on a store: their evaluation after a publication, their state, and their alerts.
//!
//! ```text
//!   Store ─► Subject::evaluate ─► Evaluated ─► Book::apply ─► alerts.json
//!             queries, changes     outcome      state, alerts
//! ```
//!
//! The actions of an evaluation enter the outbox, and [`deliver_due`] sends the due ones.
//!
//! [`evaluate_rules`] does all of it. A command or a scheduler calls it after a publication. It prints nothing and
//! returns a [`Report`]. `integration-rules` decides; this crate reads the store and keeps the results.
//!
//! Each rule has its own place in the history of each instance. A rule therefore sees every change once, whatever other
//! rules are evaluated and when. A rule begins at the snapshot of its first evaluation.
#![deny(missing_docs)]

mod answers;
mod apply;
mod book;
mod changes;
mod deliver;
mod due;
mod error;
mod evaluate;
mod existence;
mod limits;
mod position;
mod report;
mod rule_store;
mod state;

pub use apply::{Applied, failure_alert_of};
pub use book::{Book, OpenBook};
pub use deliver::{Delivered, Delivery, deliver_due};
pub use due::{due, next_due};
pub use error::WatchError;
pub use evaluate::{Evaluated, Subject, is_about_changes};
pub use existence::{RuleOrigin, adopt, forget_instance};
pub use limits::Limits;
pub use position::Position;
pub use report::{NotCarriedOut, Report, evaluate_rules, preview};
pub use rule_store::{ActiveRules, AddError, RuleStore, UnusableRule, active_rules};
pub use state::RuleState;
