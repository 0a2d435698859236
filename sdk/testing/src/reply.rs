//! Replies.

use bytes::Bytes;
use hyper::{
    StatusCode,
    header::{HeaderName, HeaderValue},
};
use serde_json::Value;

/// A complete reply: status, headers, and body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status of the reply.
    pub status: StatusCode,
    /// Headers in addition to the ones that every reply has.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body of the reply.
    pub body: Bytes,
}

impl Reply {
    /// Creates a reply with any body. An invalid status becomes 500.
    pub fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, headers: Vec::new(), body: body.into() }.with_header("content-type", content_type)
    }

    /// Creates a reply with a JSON body.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    /// Creates a reply with an HTML page. Real clients receive such pages from proxies in front of a provider.
    pub fn html(status: u16, page: &str) -> Self {
        Self::new(status, "text/html; charset=utf-8", page.to_owned())
    }

    /// Creates a reply without a body.
    pub fn empty(status: u16) -> Self {
        Self { headers: Vec::new(), ..Self::new(status, "", Bytes::new()) }
    }

    /// Adds a header. An invalid name or value is dropped.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(value.as_bytes())) {
            self.headers.push((name, value));
        }
        self
    }

    /// Returns the value of a header, if it is UTF-8.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(given, _)| given.as_str() == name)?;
        std::str::from_utf8(value.as_bytes()).ok()
    }
}
