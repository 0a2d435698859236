//! A request before it is sent, and what can be made of its answer.

use std::collections::BTreeSet;
use std::fmt::Display;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use url::Url;

use crate::RawJson;

use super::client::{RawAnswer, Unread};
use super::error::{Problem, ProviderErrorKind, Subject, Told};
use super::listing::{self, Item, Listing};
use super::pages::{OnePage, Pages, Pagination};
use super::ranges::{RangePages, Ranges};
use super::text::without_quoted;
use super::{Http, ProviderError};

/// What fills a placeholder of a path template: an id, a number, a name.
pub type Argument<'a> = &'a (dyn Display + Sync);

/// A request to a provider. Nothing is sent before its answer is awaited.
#[derive(Debug, Clone)]
#[must_use = "a request does nothing until its answer is awaited"]
pub struct Request {
    pub(super) http: Http,
    pub(super) call: Call,
    /// The first thing found wrong: said when the answer is asked for, so that building needs no `?`.
    pub(super) fault: Option<String>,
}

/// What goes over the wire, and by which name it is counted.
#[derive(Debug, Clone)]
pub(super) struct Call {
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
    /// One of this status.
    Status(StatusCode),
    /// Every one that would be the same if it was asked for again.
    Final,
}

impl Call {
    pub(super) fn bare(subject: Subject, url: Url) -> Self {
        let counted_as = subject.to_string();
        Self { subject, counted_as, url, headers: HeaderMap::new(), body: None, tolerates: Tolerance::None }
    }
}

/// What [`Request::probe`] learned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The status: 2xx where it may be asked, 403 where a scope is missing.
    pub status: u16,
    /// The scopes that the endpoint accepts, any of which will do; none where the provider does not tell.
    pub accepted_scopes: BTreeSet<String>,
    /// The scopes that the credentials hold, where the provider tells.
    pub granted_scopes: Option<BTreeSet<String>>,
    /// How many requests are left, where the provider tells.
    pub rate_remaining: Option<u64>,
}

impl Probe {
    /// Whether the credentials may ask this.
    pub fn is_allowed(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl Request {
    pub(super) fn new(http: &Http, method: Method, template: &str, arguments: &[Argument<'_>]) -> Self {
        let base = http.base();
        let (segments, fault) = match fill(template, arguments) {
            Ok(segments) => (segments, None),
            Err(fault) => (Vec::new(), Some(fault)),
        };
        let mut url = base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(&segments);
        }
        // An unusable path is named by its template: that is what its author knows.
        let below = base.path().trim_end_matches('/').len();
        let path = if fault.is_some() { template } else { url.path().get(below..).unwrap_or_default() }.to_owned();
        let counted_as = format!("{method} {template}");
        let call = Call { counted_as, ..Call::bare(Subject { method, path }, url) };
        Self { http: http.clone(), call, fault }
    }

    /// Sends a header with this request, in place of the endpoint's of that name.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match (name.parse::<HeaderName>(), HeaderValue::from_bytes(value.as_bytes())) {
            (Ok(name), Ok(value)) => drop(self.call.headers.insert(name, value)),
            _ => self.fault = self.fault.or(Some(format!("header `{name}` cannot be sent"))),
        }
        self
    }

    /// Adds a parameter to the query. Errors and logs leave the query out.
    pub fn query(mut self, name: &str, value: impl Display) -> Self {
        self.call.url.query_pairs_mut().append_pair(name, &value.to_string());
        self
    }

    pub(super) fn body(mut self, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => {
                self.call.body = Some(body);
                self.header(CONTENT_TYPE.as_str(), "application/json")
            }
            Err(error) => {
                self.fault = self.fault.or(Some(format!("the body cannot be written as JSON: {error}")));
                self
            }
        }
    }

    /// The answer's body, read as `T`.
    ///
    /// # Errors
    /// [`ProviderError`] where there is no answer of success, or one that does not fit `T`.
    pub async fn json<T: DeserializeOwned + Send>(self) -> Result<T, ProviderError> {
        self.fetch(read_json).await
    }

    /// The answer's body read as `T`, with the JSON it came from.
    ///
    /// # Errors
    /// As [`json`](Self::json).
    pub async fn item<T: DeserializeOwned + Send>(self) -> Result<Item<T>, ProviderError> {
        let read = |answer: &RawAnswer| {
            let raw: RawJson = read_json(answer)?;
            listing::item(raw).map_err(|reason| Unread::Unfit(format!("the body does not fit: {reason}")))
        };
        self.fetch(read).await
    }

    /// A list that comes in one answer, as a JSON array.
    pub fn list<T: DeserializeOwned>(self) -> Listing<T> {
        self.pages(OnePage)
    }

    /// A list that comes in ranges.
    pub fn ranges<T: DeserializeOwned>(self, ranges: Ranges) -> Listing<T> {
        self.pages(RangePages::new(ranges))
    }

    /// A list that comes in pages of some other kind.
    pub fn pages<T: DeserializeOwned>(self, pagination: impl Pagination) -> Listing<T> {
        let subject = self.call.subject.clone();
        Listing::new(subject, Pages::new(self, pagination).stream())
    }

    /// Asks only whether it may be asked: an answer that refuses is one, too, and the body is not read. What other
    /// requests ask for again is asked for again here.
    ///
    /// # Errors
    /// [`ProviderError`] where the provider does not answer, or only with failures of the moment.
    pub async fn probe(mut self) -> Result<Probe, ProviderError> {
        self.call.tolerates = Tolerance::Final;
        self.http = self.http.unconditional();
        let http = self.http.clone();
        self.fetch(|answer| Ok(http.probed(answer))).await
    }

    async fn fetch<T: Send>(
        &self,
        read: impl Fn(&RawAnswer) -> Result<T, Unread> + Send + Sync,
    ) -> Result<T, ProviderError> {
        self.fetch_and_keep(read, |_| true).await
    }

    pub(super) async fn fetch_and_keep<T: Send>(
        &self,
        read: impl Fn(&RawAnswer) -> Result<T, Unread> + Send + Sync,
        keep: impl Fn(&T) -> bool + Send + Sync,
    ) -> Result<T, ProviderError> {
        match &self.fault {
            None => self.http.fetch(&self.call, read, keep).await,
            Some(fault) => {
                let problem = Problem::Broken(format!("it cannot be asked: {fault}"));
                let kind = ProviderErrorKind::Unexpected;
                Err(ProviderError::about(&self.call.subject, kind, problem, Told::default()).after_attempts(0))
            }
        }
    }
}

/// The segments of the path, each placeholder replaced by its argument; encoding is the URL's.
fn fill(template: &str, arguments: &[Argument<'_>]) -> Result<Vec<String>, String> {
    let mut arguments = arguments.iter();
    let mut segments = Vec::new();
    for part in template.strip_prefix('/').unwrap_or(template).split('/') {
        let mut segment = String::new();
        let mut rest = part;
        while let Some((before, after)) = rest.split_once('{') {
            let (_, after) = after.split_once('}').ok_or("a placeholder of its path is not closed")?;
            let argument = arguments.next().ok_or("its path has more placeholders than arguments")?.to_string();
            if argument.is_empty() {
                return Err("an argument of its path is empty".into());
            }
            segment.push_str(before);
            segment.push_str(&argument);
            rest = after;
        }
        segment.push_str(rest);
        // A URL takes these for steps up and down the path, in whatever encoding.
        if matches!(segment.as_str(), "." | "..") {
            return Err("a segment of its path would be `.` or `..`".into());
        }
        segments.push(segment);
    }
    match arguments.next() {
        None => Ok(segments),
        Some(_) => Err("its path has fewer placeholders than arguments".into()),
    }
}

/// UTF-8 is decided on the whole body: a character can be split over two chunks.
pub(super) fn text_of(answer: &RawAnswer) -> Result<&str, Unread> {
    let body: &[u8] = if answer.status == StatusCode::NO_CONTENT { b"null" } else { &answer.body };
    std::str::from_utf8(body).map_err(|_| Unread::Broken("the body is not UTF-8".into()))
}

/// Reads the body; what goes wrong there is told with its place.
pub(super) fn read_json<T: DeserializeOwned>(answer: &RawAnswer) -> Result<T, Unread> {
    let text = text_of(answer)?;
    if let Ok(value) = serde_json::from_str(text) {
        return Ok(value);
    }
    let broken = |error: &serde_json::Error| {
        Unread::Broken(format!("the body is not whole JSON ({})", without_quoted(&error.to_string())))
    };
    let mut json = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        // What does not fit may only be the beginning of what would: damage comes first.
        if error.inner().is_data() && serde_json::from_str::<IgnoredAny>(text).is_ok() {
            Unread::Unfit(format!("the body does not fit: {}", misfit(error.path(), error.inner())))
        } else {
            broken(&error.into_inner())
        }
    })?;
    json.end().map_err(|error| broken(&error))?;
    Ok(value)
}

/// Where and why a value does not fit a type; the value itself is not quoted.
pub(super) fn misfit(path: &serde_path_to_error::Path, error: &serde_json::Error) -> String {
    let reason = without_quoted(&error.to_string());
    if path.iter().next().is_none() { reason } else { format!("`{path}`: {reason}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_placeholder_takes_one_argument() {
        let (team, number) = (String::from("t1"), 7);
        assert_eq!(
            fill("/teams/{id}/apps/{n}.json", &[&team, &number]),
            Ok(["teams", "t1", "apps", "7.json"].map(String::from).to_vec())
        );
        assert_eq!(fill("/account", &[]), Ok(vec!["account".to_owned()]));
    }

    #[test]
    fn a_template_that_does_not_match_its_arguments_is_a_fault() {
        assert!(fill("/teams/{id}", &[]).unwrap_err().contains("more placeholders"));
        assert!(fill("/teams", &[&1]).unwrap_err().contains("fewer placeholders"));
        assert!(fill("/teams/{id", &[&1]).unwrap_err().contains("not closed"));
    }

    #[test]
    fn an_argument_cannot_lead_elsewhere() {
        for argument in ["", ".", ".."] {
            assert!(fill("/teams/{id}/apps", &[&argument]).is_err(), "{argument:?}");
        }
    }
}
