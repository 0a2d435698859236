//! Deliveries of actions: entries of an outbox with retries, signatures of webhooks, and checks of their targets.
//!
//! The caller keeps [`OutboxEntry`] values in its store, together with the evaluation that planned them, and sends those that
//! are due. An entry is written before and after each attempt, so a crash at any instant loses nothing. A request that was
//! sent but not recorded is sent again with the same `webhook-id`, which the receiver uses to process it once.
//!
//! ```
//! use integration_rules::delivery::{
//!     AttemptResult, Occasion, OutboxEntry, SigningSecret, TargetPolicy, check_target, delivery_id,
//! };
//! use integration_rules::{AlertLevel, Effect, WebhookCall};
//!
//! let call = WebhookCall {
//!     method: "POST".to_owned(),
//!     url: "https://hooks.example.com/alerts".to_owned(),
//!     headers: Default::default(),
//!     body: Some(serde_json::json!({"level": "HIGH"})),
//! };
//! check_target(&call.url.parse()?, TargetPolicy::default())?;
//!
//! let now = "2026-01-10T08:00:00Z".parse()?;
//! let body = call.bytes();
//! let occasion = Occasion {
//!     rule: "Teams".to_owned(),
//!     action: "operations[0].actions[1]".to_owned(),
//!     level: AlertLevel::High,
//!     alert: None,
//!     change: None,
//! };
//! let id = delivery_id("evaluation-7", &occasion.action);
//! let mut entry = OutboxEntry::new(id, Effect::Webhook(call), occasion, now);
//! assert!(entry.is_due(now));
//! entry.begin(now);
//! let secret = SigningSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
//! let [id, timestamp, signature] = secret.headers(&entry.id, now, &body);
//! assert_eq!((id.0, timestamp.1.as_str()), ("webhook-id", "1768032000"));
//! assert!(signature.1.starts_with("v1,"));
//! entry.finish(&AttemptResult::Answered { status: 204, retry_after: None }, now);
//! assert!(!entry.is_due(now));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod address;
mod outbox;
mod sign;
mod target;

pub use address::{AddressKind, kind_of};
pub use outbox::{AttemptResult, DeliveryState, Occasion, OutboxEntry, delivery_id};
pub use sign::{SecretError, SignatureError, SigningSecret, verify};
pub use target::{TargetError, TargetPolicy, check_addresses, check_target, has_secret, is_credential_header};
