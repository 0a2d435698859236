//! Taking secrets out of what is kept of a provider's answers.

mod copy;
mod plain;
mod rule;

pub use rule::{REDACTED, Redaction};
