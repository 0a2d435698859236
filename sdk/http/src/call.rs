//! Requests of a client, before they reach the transport.

use reqwest::header::HeaderMap;
use url::Url;

use super::error::Subject;

/// A request, with the name under which it is counted.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) subject: Subject,
    /// The method and the path template, such as `GET /teams/{id}/apps`.
    pub(super) counted_as: String,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Vec<u8>>,
    /// The error responses that the decoder handles itself.
    pub(super) tolerates: Tolerance,
}

/// The error responses that are passed to the decoder of the response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Tolerance {
    /// No error response: each one becomes an error.
    #[default]
    None,
    /// The responses with one of these statuses.
    Statuses(&'static [u16]),
    /// Every response that a retry would not change.
    Final,
}

impl Call {
    pub(super) fn bare(subject: Subject, url: Url) -> Self {
        let counted_as = subject.to_string();
        Self { subject, counted_as, url, headers: HeaderMap::new(), body: None, tolerates: Tolerance::None }
    }
}
