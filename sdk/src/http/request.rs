//! A request before it is sent, and what can be made of its answer.

use std::fmt::Display;

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::answer::{DecodeError, WireResponse, read_json};
use super::call::{Tolerance, WireRequest};
use super::error::{ErrorDetails, Problem, ProviderErrorKind, Subject};
use super::probe::Probe;
use super::{Http, ProviderError};

/// What fills a placeholder of a path template: an id, a number, a name.
pub type Argument<'a> = &'a (dyn Display + Sync);

/// A request to a provider. Nothing is sent before its answer is awaited.
#[derive(Debug, Clone)]
#[must_use = "a request does nothing until its answer is awaited"]
pub struct Request {
    pub(super) http: Http,
    pub(super) call: WireRequest,
    /// The first thing found wrong: said when the answer is asked for, so that building needs no `?`.
    pub(super) fault: Option<String>,
    /// Whether no content in the place of a list is an empty list.
    pub(super) absent_is_empty: bool,
}

impl Http {
    /// Asks for what is at a path below the provider's address: each `{placeholder}` of the template takes one
    /// argument, encoded so that it stays within its segment. Requests are counted by template.
    pub fn get(&self, template: &str, arguments: &[Argument<'_>]) -> Request {
        Request::new(self, Method::GET, template, arguments)
    }

    /// Asks with a JSON body, where a provider wants a query so. It is sent again after a failure, as reading is:
    /// not for requests that change something.
    pub fn post(&self, template: &str, arguments: &[Argument<'_>], body: &impl Serialize) -> Request {
        Request::new(self, Method::POST, template, arguments).body(body)
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
        let call = WireRequest { counted_as, ..WireRequest::bare(Subject { method, path }, url) };
        Self { http: http.clone(), call, fault, absent_is_empty: false }
    }

    /// Sends a header with this request, in place of the endpoint's of that name.
    pub fn header(self, name: &str, value: &str) -> Self {
        self.header_bytes(name, value.as_bytes())
    }

    /// Sends a header whose value need not be text.
    pub(super) fn header_bytes(mut self, name: &str, value: &[u8]) -> Self {
        match (name.parse::<HeaderName>(), HeaderValue::from_bytes(value)) {
            (Ok(name), Ok(value)) => drop(self.call.headers.insert(name, value)),
            _ => self.fault = self.fault.or(Some(format!("header `{name}` cannot be sent"))),
        }
        self
    }

    /// Reads an answer without content (204) and `null` in the place of a list as an empty list, for providers that
    /// answer so. Otherwise they are errors. Of effect on listings only.
    ///
    /// ```
    /// # use integration_sdk::http::{Http, Listing};
    /// # fn rules<Rule: serde::de::DeserializeOwned>(http: &Http, id: &str) -> Listing<Rule> {
    /// http.get("/spaces/{id}/rules", &[&id]).absent_is_empty().list()
    /// # }
    /// ```
    pub fn absent_is_empty(mut self) -> Self {
        self.absent_is_empty = true;
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

    pub(super) async fn fetch<T: Send>(
        &self,
        read: impl Fn(&WireResponse) -> Result<T, DecodeError> + Send + Sync,
    ) -> Result<T, ProviderError> {
        self.fetch_and_keep(read, |_| true).await
    }

    pub(super) async fn fetch_and_keep<T: Send>(
        &self,
        read: impl Fn(&WireResponse) -> Result<T, DecodeError> + Send + Sync,
        keep: impl Fn(&T) -> bool + Send + Sync,
    ) -> Result<T, ProviderError> {
        match &self.fault {
            None => self.http.fetch(&self.call, read, keep).await,
            Some(fault) => {
                let problem = Problem::TransportError(format!("it cannot be asked: {fault}"));
                let kind = ProviderErrorKind::Unexpected;
                Err(ProviderError::about(&self.call.subject, kind, problem, ErrorDetails::default()).after_attempts(0))
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
