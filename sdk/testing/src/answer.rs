//! What a handler answers, and the answer as it goes on the wire.

use bytes::Bytes;
use hyper::{
    StatusCode,
    header::{HeaderName, HeaderValue},
};
use serde_json::Value;

use crate::{Refusal, Rows};

/// What a handler has to say; the provider adds headers, pages and entity tags.
#[non_exhaustive]
pub enum Answer {
    /// One JSON document, with status 200.
    Document(Value),
    /// A list, of which the provider sends a page.
    List(Box<dyn Rows>),
    /// Exactly this.
    Reply(Reply),
    /// An error in the shape of the provider's dialect.
    Refused(Refusal),
}

impl Answer {
    /// A list.
    pub fn list(rows: impl Rows + 'static) -> Self {
        Self::List(Box::new(rows))
    }

    /// 404: there is no such thing.
    pub fn not_found(what: impl Into<String>) -> Self {
        Self::Refused(Refusal::NotFound { what: what.into() })
    }
}

/// A whole answer: status, headers and body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// Headers beyond those that the provider adds to each answer.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: Bytes,
}

impl Reply {
    /// Any body. A status that is none becomes 500.
    pub fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, headers: Vec::new(), body: body.into() }.with_header("content-type", content_type)
    }

    /// A JSON body.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    /// An HTML page, such as a proxy in front of a provider sends.
    pub fn html(status: u16, page: &str) -> Self {
        Self::new(status, "text/html; charset=utf-8", page.to_owned())
    }

    /// No body at all.
    pub fn empty(status: u16) -> Self {
        Self { headers: Vec::new(), ..Self::new(status, "", Bytes::new()) }
    }

    /// One header more. A name or value that HTTP does not allow is left out.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(value.as_bytes())) {
            self.headers.push((name, value));
        }
        self
    }

    /// The value of a header, if it is UTF-8.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(given, _)| given.as_str() == name)?;
        std::str::from_utf8(value.as_bytes()).ok()
    }
}
