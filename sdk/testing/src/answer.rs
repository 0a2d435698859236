//! The result of a handler.

use serde_json::Value;

use crate::reply::Reply;
use crate::{Refusal, Rows};

/// The result of a handler. The provider adds headers, pages, and entity tags.
#[non_exhaustive]
pub enum Answer {
    /// One JSON document, with status 200.
    Document(Value),
    /// A list; the provider sends one page of it.
    List(Box<dyn Rows>),
    /// A complete reply, which is sent unchanged.
    Reply(Reply),
    /// An error in the shape of the provider's dialect.
    Refused(Refusal),
}

impl Answer {
    /// Creates a list from rows.
    pub fn list(rows: impl Rows + 'static) -> Self {
        Self::List(Box::new(rows))
    }

    /// Creates an error for an unknown resource (404).
    pub fn not_found(what: impl Into<String>) -> Self {
        Self::Refused(Refusal::NotFound { what: what.into() })
    }
}
