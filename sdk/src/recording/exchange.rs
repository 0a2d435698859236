//! One request and what was heard of it, as the client sees both.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use url::Url;

/// A request as it is sent.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// Those of the endpoint included; what is marked as sensitive is never looked at.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Vec<u8>>,
}

/// What became of it.
#[derive(Debug)]
pub(crate) enum Heard {
    /// An answer, of whatever status.
    Answer { status: StatusCode, headers: HeaderMap, body: Vec<u8> },
    /// No whole answer came, and why.
    TransportError(String),
    /// The body was larger than the endpoint's limit.
    TooLarge,
}

/// When a request was sent, and how long its answer took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub(crate) sent: Timestamp,
    pub(crate) took: Duration,
}
