//! Removal of secrets from stored responses.
//!
//! A [`Redaction`] names the secret fields of a provider. Values that look like credentials are removed from every
//! field.
//!
//! ```
//! use integration_graph::Redaction;
//!
//! let mut redaction = Redaction::default();
//! redaction.field("token");
//! let mut stored = Vec::new();
//! redaction.copy(r#"{"token": "abc", "name": "drain", "url": "https://u:pass@logs.example.com"}"#, &mut stored)?;
//! assert_eq!(stored, br#"{"name":"drain","token":"[redacted]","url":"https://logs.example.com"}"#);
//! # Ok::<(), integration_graph::redact::CopyError>(())
//! ```

mod copy;
mod plain;
mod quoted;
mod rule;
mod string;
#[cfg(test)]
mod tests;

pub use copy::CopyError;
pub use rule::{REDACTED, Redaction};

// Other crates of the workspace use these functions on the text of responses.
pub use copy::{Edit, edited};
pub use quoted::without_quoted;
pub use rule::clean_strings;
pub use string::{edit_escaped, mend_surrogates};
