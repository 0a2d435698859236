//! Stored documents that this version of the program cannot read.
//!
//! A document is parsed once, when its row is read. One unreadable document must not hide the other rows of a list, so
//! the row holds the error in place of the value, and only a caller that needs the value fails.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::StoreError;

/// A stored document that another version of the program wrote, or that is damaged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{document}: {reason}")]
pub struct Unreadable {
    document: String,
    reason: String,
}

impl Unreadable {
    pub(super) fn new(document: impl Into<String>, reason: impl ToString) -> Self {
        Self { document: document.into(), reason: reason.to_string() }
    }
}

/// Parses the JSON of a stored document.
pub(super) fn parse<T: DeserializeOwned>(json: &str, document: impl FnOnce() -> String) -> Result<T, Unreadable> {
    serde_json::from_str(json).map_err(|error| Unreadable::new(document(), error))
}

/// Formats a document as JSON with sorted names.
pub(super) fn json(document: &impl Serialize) -> Result<String, StoreError> {
    let value = serde_json::to_value(document).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    Ok(value.to_string())
}
