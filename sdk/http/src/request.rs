//! Requests before they are sent, and the ways to decode their responses.

use std::fmt::Display;

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::answer::{DecodeError, ReceivedResponse, read_json};
use super::call::{Call, Tolerance};
use super::error::{ErrorDetails, Problem, ProviderErrorKind, Subject};
use super::probe::Probe;
use super::{Http, ProviderError};

/// The value of a placeholder in a path template: an id, a number, a name.
pub type Argument<'a> = &'a (dyn Display + Sync);

/// A request to a provider.
///
/// It is sent when its response is awaited.
#[derive(Debug, Clone)]
#[must_use = "a request is not sent until its response is awaited"]
pub struct Request {
    pub(super) http: Http,
    pub(super) call: Call,
    /// The first fault of the request.
    ///
    /// It is returned in place of the response, so that building a request needs no `?`.
    pub(super) fault: Option<String>,
    /// Whether a response without content counts as an empty list.
    pub(super) absent_is_empty: bool,
}

impl Http {
    /// Creates a request for a path below the provider's address.
    ///
    /// Each `{placeholder}` of the template takes one argument, encoded so that it stays within its segment. The usage
    /// is counted per template.
    pub fn get(&self, template: &str, arguments: &[Argument<'_>]) -> Request {
        Request::new(self, Method::GET, template, arguments)
    }

    /// Creates a request with a JSON body, for providers that expect queries in this form.
    ///
    /// The request is repeated after a failure, like every read, so it must not change anything at the provider.
    pub fn post(&self, template: &str, arguments: &[Argument<'_>], body: &impl Serialize) -> Request {
        Request::new(self, Method::POST, template, arguments).body(body)
    }

    /// Creates a request that sends bytes, such as compressed JSON.
    ///
    /// The request is repeated after a failure, so the receiver must tolerate a body that arrives twice.
    pub fn post_bytes(&self, template: &str, arguments: &[Argument<'_>], media_type: &str, body: Vec<u8>) -> Request {
        let mut request = Request::new(self, Method::POST, template, arguments);
        request.call.body = Some(body);
        request.header(CONTENT_TYPE.as_str(), media_type)
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
        // An unusable path is identified by its template, which its author knows.
        let below = base.path().trim_end_matches('/').len();
        let path = if fault.is_some() { template } else { url.path().get(below..).unwrap_or_default() }.to_owned();
        let counted_as = format!("{method} {template}");
        let call = Call { counted_as, ..Call::bare(Subject { method, path }, url) };
        Self { http: http.clone(), call, fault, absent_is_empty: false }
    }

    /// Sends a header with this request, instead of the endpoint's header of the same name.
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

    /// Accepts a response without content as an empty list.
    ///
    /// Some providers respond with 204 or with `null` instead of a list. Without this call, such a response is an
    /// error. Only listings are affected.
    ///
    /// ```
    /// # use integration_http::{Http, Listing};
    /// # fn rules<Rule: serde::de::DeserializeOwned>(http: &Http, id: &str) -> Listing<Rule> {
    /// http.get("/spaces/{id}/rules", &[&id]).absent_is_empty().list()
    /// # }
    /// ```
    pub fn absent_is_empty(mut self) -> Self {
        self.absent_is_empty = true;
        self
    }

    /// Adds a parameter to the query.
    ///
    /// Errors and logs omit the query.
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

    /// Sends the request and decodes the body as `T`.
    ///
    /// # Errors
    /// [`ProviderError`] if no successful response arrives, or if its body does not fit `T`.
    pub async fn json<T: DeserializeOwned + Send>(self) -> Result<T, ProviderError> {
        self.fetch(read_json).await
    }

    /// Sends the request and ignores the body of its response.
    ///
    /// # Errors
    /// [`ProviderError`] if no successful response arrives.
    pub async fn done(self) -> Result<(), ProviderError> {
        self.fetch(|_| Ok(())).await
    }

    /// Checks whether the request is allowed, without reading the body.
    ///
    /// A rejection is a result, too. Temporary failures are retried as for other requests.
    ///
    /// # Errors
    /// [`ProviderError`] if the provider does not respond, or responds only with temporary failures.
    pub async fn probe(mut self) -> Result<Probe, ProviderError> {
        self.call.tolerates = Tolerance::Final;
        self.http = self.http.unconditional();
        let http = self.http.clone();
        self.fetch(|answer| Ok(http.probed(answer))).await
    }

    pub(super) async fn fetch<T: Send>(
        &self,
        read: impl Fn(&ReceivedResponse) -> Result<T, DecodeError> + Send + Sync,
    ) -> Result<T, ProviderError> {
        self.fetch_and_keep(read, |_| true).await
    }

    pub(super) async fn fetch_and_keep<T: Send>(
        &self,
        read: impl Fn(&ReceivedResponse) -> Result<T, DecodeError> + Send + Sync,
        keep: impl Fn(&T) -> bool + Send + Sync,
    ) -> Result<T, ProviderError> {
        match &self.fault {
            None => self.http.fetch(&self.call, read, keep).await,
            Some(fault) => {
                let problem = Problem::TransportError(format!("it cannot be sent: {fault}"));
                let kind = ProviderErrorKind::Unexpected;
                Err(ProviderError::about(&self.call.subject, kind, problem, ErrorDetails::default()).after_attempts(0))
            }
        }
    }
}

/// Returns the segments of the path with all placeholders replaced.
///
/// The URL encodes the segments.
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
        // A URL interprets these segments as navigation, in every encoding.
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
