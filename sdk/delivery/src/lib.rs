//! Deliveries of the actions of rules: webhooks, messages to Slack, emails, and programs.
//!
//! ```text
//!   Outcome ─► plan ─► Outbox ─► Sender ─► receiver
//!   actions   entries  files     │ checks the target, resolves secrets, signs
//!                ▲               ▼
//!                └── state ◄── AttemptResult
//! ```
//!
//! An entry of the [`Outbox`] is a file. It is written before and after each attempt, so a process that is killed at any
//! instant loses nothing. A request that was sent but not recorded is sent again with the same identifier (`webhook-id`,
//! `idempotency-key`, `Message-ID`), by which the receiver recognises it.
//!
//! [`Settings`] are the file `delivery.yaml` of a data directory. They contain references to secrets, which are resolved for
//! each attempt, and never reach the outbox, an error, or a log:
//!
//! ```
//! use integration_delivery::Settings;
//!
//! let settings = Settings::parse("
//! slack:
//!   default: env:SLACK_WEBHOOK_URL
//! receivers:
//!   pagerduty:
//!     url: https://events.pagerduty.com/v2/enqueue
//!     body: {routing_key: 'env:PAGERDUTY_KEY'}
//! email:
//!   host: smtp.example.com
//!   from: Alerts <alerts@example.com>
//!   user: alerts
//!   password: file:/run/credentials/smtp
//! ")?;
//! assert!(settings.receivers.contains_key("pagerduty"));
//! # Ok::<(), integration_delivery::SettingsError>(())
//! ```
#![deny(missing_docs)]

mod outbox;
mod plan;
mod secret_text;
mod send;
mod settings;
mod target;

pub use outbox::{Outbox, OutboxError, OutboxLock};
pub use plan::{Planned, obstacle, plan};
pub use secret_text::SecretText;
pub use send::{Permissions, Sender};
pub use settings::{EmailSettings, Encryption, Receiver, Settings, SettingsError};
pub use target::target_of;
