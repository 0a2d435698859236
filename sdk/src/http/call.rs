//! A request as it goes over the wire.

use reqwest::header::HeaderMap;
use url::Url;

use super::error::Subject;

/// What goes over the wire, and by which name it is counted.
#[derive(Debug, Clone)]
pub(super) struct WireRequest {
    pub(super) subject: Subject,
    /// Such as `GET /teams/{id}/apps`.
    pub(super) counted_as: String,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Vec<u8>>,
    /// Errors that the reader of the answer handles itself.
    pub(super) tolerates: Tolerance,
}

/// Which answers besides those of success are for the reader of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Tolerance {
    /// None: they are errors.
    #[default]
    None,
    /// Those of these statuses.
    Statuses(&'static [u16]),
    /// Every one that would be the same if it was asked for again.
    Final,
}

impl WireRequest {
    pub(super) fn bare(subject: Subject, url: Url) -> Self {
        let counted_as = subject.to_string();
        Self { subject, counted_as, url, headers: HeaderMap::new(), body: None, tolerates: Tolerance::None }
    }
}
