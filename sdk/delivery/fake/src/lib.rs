//! Receivers for tests of deliveries. They listen on this machine, and are at least as strict as real ones.
//!
//! [`Webhooks`] checks signatures and processes each `webhook-id` once. [`Mails`] speaks SMTP with STARTTLS and
//! authentication, and refuses commands in the wrong order. Both fail on request, in the order of a script.
#![deny(missing_docs)]

mod mails;
mod webhooks;

pub use mails::{Mail, Mails};
pub use webhooks::{Received, Reply, Webhooks};
