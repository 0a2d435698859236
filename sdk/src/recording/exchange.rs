//! An exchange: a request and its outcome.

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
    /// All headers, including those of the endpoint. Sensitive values are never read.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Vec<u8>>,
}

/// The outcome of a request.
#[derive(Debug)]
pub(crate) enum Heard {
    /// A response with any status.
    Answer { status: StatusCode, headers: HeaderMap, body: Vec<u8> },
    /// The reason why no complete response arrived.
    TransportError(String),
    /// The body was larger than the endpoint's limit.
    TooLarge,
}

/// The time of a request, and the duration until its response.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub(crate) sent: Timestamp,
    pub(crate) took: Duration,
}
