//! Requests and responses as a transport sends and receives them, and its errors.

use std::fmt;

use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use url::Url;

/// A request as it is sent.
#[derive(Clone)]
#[non_exhaustive]
pub struct WireRequest {
    /// The method.
    pub method: Method,
    /// The complete address.
    pub url: Url,
    /// All headers, including the credentials of the endpoint, which are marked as sensitive.
    pub headers: HeaderMap,
    /// The body, or `None` if there is none.
    pub body: Option<Vec<u8>>,
}

impl WireRequest {
    /// Creates a request without headers and body.
    pub fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: HeaderMap::new(), body: None }
    }

    /// Sets the headers.
    #[must_use]
    pub fn with_headers(self, headers: HeaderMap) -> Self {
        Self { headers, ..self }
    }
}

impl fmt::Debug for WireRequest {
    /// Writes neither the query, nor headers, nor the body, which may contain secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = self.url.origin().ascii_serialization();
        write!(f, "WireRequest({} {origin}{})", self.method, self.url.path())
    }
}

/// A complete response as it arrived.
#[derive(Clone)]
#[non_exhaustive]
pub struct WireResponse {
    /// The status.
    pub status: StatusCode,
    /// The headers. Those of a compression are absent, because the body is decompressed.
    pub headers: HeaderMap,
    /// The decompressed body.
    pub body: Vec<u8>,
    /// The number of transferred bytes of the body, which is smaller than the body if it was compressed.
    pub received: usize,
}

impl WireResponse {
    /// Creates a response without headers.
    pub fn new(status: StatusCode, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        Self { status, headers: HeaderMap::new(), received: body.len(), body }
    }

    /// Sets the headers.
    #[must_use]
    pub fn with_headers(self, headers: HeaderMap) -> Self {
        Self { headers, ..self }
    }
}

impl fmt::Debug for WireResponse {
    /// Writes neither headers nor the body, which may contain secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WireResponse({}, {} bytes)", self.status.as_u16(), self.body.len())
    }
}

/// The reason why no complete response arrived.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The connection broke, or the compressed body is damaged.
    #[error("{0}")]
    Connection(String),
    /// No connection was established.
    #[error("{0}")]
    Unconnected(String),
    /// No connection was established within the time limit.
    #[error("no connection within the time limit")]
    NotConnectedInTime,
    /// No complete response arrived within the time limit.
    #[error("no complete response within the time limit")]
    TimedOut,
    /// The TLS handshake failed for a permanent reason, so a retry is pointless.
    #[error("{0}")]
    Untrusted(String),
    /// The body is larger than the limit of the endpoint.
    #[error("the body is larger than the limit")]
    TooLarge,
    /// The response was dropped because its memory reservation is too small.
    ///
    /// A body of this many bytes needs a larger reservation before the request is sent again.
    #[error("there is not enough memory for the response")]
    NoRoom(usize),
    /// The body has a compression that the client did not request.
    #[error("the body is compressed as `{0}`, which was not requested")]
    UnrequestedCompression(String),
    /// The transport has no response to the request, so a retry is pointless.
    #[error("{0}")]
    NoResponse(String),
}
