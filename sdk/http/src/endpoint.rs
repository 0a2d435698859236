//! Endpoints: the address, headers, limits, and conventions of a provider's API.

use std::fmt;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use super::endpoint_error::EndpointError;
use super::{Network, RateBudget, RetryPolicy};
use integration_graph::is_this_machine;
use integration_graph::secrets::OwnSecrets;

/// The maximum number of bytes read from the body of an error response.
///
/// Error bodies are short. The rest of a longer one would carry no information.
const LARGEST_ERROR_BODY: usize = 64 << 10;

/// Reads the provider's code and message from the JSON body of an error.
pub type ErrorBody = fn(&Value) -> Option<(String, String)>;

/// The time limits of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeLimits {
    /// The maximum time to establish a connection, 10 s by default.
    pub connect: Duration,
    /// The maximum time of the whole request, 120 s by default.
    pub request: Duration,
    /// The maximum time between two pieces of a response, 30 s by default.
    pub idle: Duration,
}

impl Default for TimeLimits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), request: Duration::from_secs(120), idle: Duration::from_secs(30) }
    }
}

/// A provider's address, credentials, and conventions, for [`Http::connect`](super::Http::connect).
///
/// ```
/// # use integration_http::{Endpoint, Http, RateBudget};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let endpoint = Endpoint::new("https://api.acme.example/v1".parse()?)
///     .secret_header("X-Acme-Key", &"s3cret".to_owned().into())
///     .user_agent("integration-acme/1.0")
///     .request_id_header("Request-Id")
///     .rate_remaining_header("RateLimit-Remaining")
///     .rate_budget(RateBudget { capacity: 1_200, refill_per_minute: 120.0 });
/// assert!(!format!("{endpoint:?}").contains("s3cret"));
/// let http = Http::connect(endpoint)?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Endpoint {
    base: Url,
    headers: Vec<(String, String)>,
    pub(super) secrets: Vec<(String, SecretString)>,
    secret_settings: Vec<SecretString>,
    plain_http: bool,
    pub(super) follows_redirects: bool,
    request_id: Option<String>,
    accepted_scopes: Option<String>,
    granted_scopes: Option<String>,
    rate_remaining: Option<String>,
    pub(super) rate_budget: Option<RateBudget>,
    pub(super) error_body: ErrorBody,
    pub(super) time_limits: TimeLimits,
    pub(super) retry: RetryPolicy,
    pub(super) largest_body: usize,
    pub(super) answer_memory: usize,
    pub(super) largest_element: usize,
    pub(super) most_pages: u32,
    pub(super) in_flight: usize,
    pub(super) network: Network,
}

impl Endpoint {
    /// The default maximum size of a body, 64 MiB.
    ///
    /// A page of a list is far smaller. The limit bounds the memory of a client that reads several pages at once.
    pub const LARGEST_BODY: usize = 64 << 20;
    /// The default maximum size of a list element, 16 MiB.
    ///
    /// Most elements have a few thousand bytes.
    pub const LARGEST_ELEMENT: usize = 16 << 20;
    /// The default memory for responses, 128 MiB.
    ///
    /// A page of a thousand elements takes one or two MiB.
    pub const ANSWER_MEMORY: usize = 128 << 20;
    /// The default maximum number of concurrent requests.
    ///
    /// The client adapts the actual number to the provider.
    pub const IN_FLIGHT: usize = 64;
    /// The default maximum number of pages of one list.
    ///
    /// With a thousand elements per page, that is ten million elements.
    pub const MOST_PAGES: u32 = 10_000;

    /// Creates the endpoint of a provider whose paths are below `base`.
    pub fn new(base: Url) -> Self {
        Self {
            base,
            headers: vec![
                (ACCEPT.to_string(), "application/json".into()),
                (USER_AGENT.to_string(), concat!("integration-sdk/", env!("CARGO_PKG_VERSION")).into()),
            ],
            secrets: Vec::new(),
            secret_settings: Vec::new(),
            plain_http: false,
            follows_redirects: true,
            request_id: None,
            accepted_scopes: None,
            granted_scopes: None,
            rate_remaining: None,
            rate_budget: None,
            error_body: usual_error_body,
            time_limits: TimeLimits::default(),
            retry: RetryPolicy::default(),
            largest_body: Self::LARGEST_BODY,
            answer_memory: Self::ANSWER_MEMORY,
            largest_element: Self::LARGEST_ELEMENT,
            most_pages: Self::MOST_PAGES,
            in_flight: Self::IN_FLIGHT,
            network: Network::default(),
        }
    }

    /// Sends `Authorization: Bearer <token>`.
    #[must_use]
    pub fn bearer(self, token: &SecretString) -> Self {
        let value = format!("Bearer {}", token.expose_secret());
        self.secret_header(AUTHORIZATION.as_str(), &SecretString::from(value))
    }

    /// Sends a header with a secret value.
    #[must_use]
    pub fn secret_header(mut self, name: impl Into<String>, value: &SecretString) -> Self {
        self.secrets.push((name.into(), value.clone()));
        self
    }

    /// Allows `http://` to another machine.
    ///
    /// By default such an address is rejected, because every machine on the path could read the credentials.
    #[must_use]
    pub fn allow_plain_http(mut self) -> Self {
        self.plain_http = true;
        self
    }

    /// Treats every redirect as an error.
    ///
    /// By default redirects within the origin of the endpoint are followed. After some of them, the client would send a
    /// GET request without the body, so an endpoint that receives data should not follow any.
    #[must_use]
    pub fn without_redirects(mut self) -> Self {
        self.follows_redirects = false;
        self
    }

    /// Declares a secret that no header contains, such as one in a request body.
    ///
    /// The secret is removed from every text that repeats it.
    #[must_use]
    pub fn secret_setting(mut self, value: SecretString) -> Self {
        self.secret_settings.push(value);
        self
    }

    /// Sends a header with every request.
    ///
    /// `Accept-Encoding` is `gzip` by default; no other compression is supported.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the name of the client, such as `integration-heroku/1.2`.
    #[must_use]
    pub fn user_agent(self, name: impl Into<String>) -> Self {
        self.header(USER_AGENT.as_str(), name)
    }

    /// Sets the response header that contains the request id, for errors.
    #[must_use]
    pub fn request_id_header(mut self, name: impl Into<String>) -> Self {
        self.request_id = Some(name.into());
        self
    }

    /// Sets the response header that lists the scopes accepted by an endpoint.
    ///
    /// The scopes are part of errors and of a [`probe`](super::Request::probe).
    #[must_use]
    pub fn accepted_scopes_header(mut self, name: impl Into<String>) -> Self {
        self.accepted_scopes = Some(name.into());
        self
    }

    /// Sets the response header that lists the granted scopes.
    ///
    /// The scopes are part of a [`probe`](super::Request::probe).
    #[must_use]
    pub fn granted_scopes_header(mut self, name: impl Into<String>) -> Self {
        self.granted_scopes = Some(name.into());
        self
    }

    /// Sets the response header that contains the number of remaining requests.
    #[must_use]
    pub fn rate_remaining_header(mut self, name: impl Into<String>) -> Self {
        self.rate_remaining = Some(name.into());
        self
    }

    /// Declares how many requests the provider allows.
    ///
    /// Requests then wait instead of being rejected. This requires a
    /// [`rate_remaining_header`](Self::rate_remaining_header); without it the number of remaining requests is unknown.
    #[must_use]
    pub fn rate_budget(mut self, budget: RateBudget) -> Self {
        self.rate_budget = Some(budget);
        self
    }

    /// Sets the function that reads the body of an error.
    ///
    /// The default reads `message` and one of `id`, `code`, `error` (text or number), at the top level or below
    /// `error`.
    #[must_use]
    pub fn error_body(mut self, read: ErrorBody) -> Self {
        self.error_body = read;
        self
    }

    /// Sets the time limits of a request.
    #[must_use]
    pub fn time_limits(mut self, limits: TimeLimits) -> Self {
        self.time_limits = limits;
        self
    }

    /// Sets the retry policy.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Sets the maximum size of a body in bytes, [`LARGEST_BODY`](Self::LARGEST_BODY) by default.
    #[must_use]
    pub fn largest_body(mut self, bytes: usize) -> Self {
        self.largest_body = bytes;
        self
    }

    /// Sets the maximum size of a list element in bytes.
    ///
    /// The default is [`LARGEST_ELEMENT`](Self::LARGEST_ELEMENT). A larger element is reported as missing, and the list
    /// continues after it.
    #[must_use]
    pub fn largest_element(mut self, bytes: usize) -> Self {
        self.largest_element = bytes;
        self
    }

    /// Sets the memory for responses in bytes, [`ANSWER_MEMORY`](Self::ANSWER_MEMORY) by default.
    ///
    /// A response counts three times its size: for the body, for the elements of the list, and for the objects until
    /// they are stored. Further requests wait while the memory is in use. A response that is larger than the whole
    /// memory is collected alone.
    #[must_use]
    pub fn answer_memory(mut self, bytes: usize) -> Self {
        self.answer_memory = bytes;
        self
    }

    /// Sets the maximum number of pages of one list, [`MOST_PAGES`](Self::MOST_PAGES) by default.
    ///
    /// A longer list ends with an error, because a faulty provider can name next pages forever.
    #[must_use]
    pub fn most_pages(mut self, pages: u32) -> Self {
        self.most_pages = pages.max(1);
        self
    }

    /// Sets the maximum number of concurrent requests of all clones together.
    ///
    /// The default is [`IN_FLIGHT`](Self::IN_FLIGHT), the minimum is one. The client sends fewer while the provider
    /// rejects requests for load or slows down, or when more requests would not increase the throughput.
    #[must_use]
    pub fn in_flight(mut self, requests: usize) -> Self {
        self.in_flight = requests.max(1);
        self
    }

    /// Sets the proxies and certificates of the machine.
    #[must_use]
    pub fn network(mut self, network: Network) -> Self {
        self.network = network;
        self
    }

    /// Checks the address.
    ///
    /// An offline transport sends nothing over a network, so plain HTTP is allowed.
    pub(super) fn check_base(&self, is_offline: bool) -> Result<(), EndpointError> {
        let base = &self.base;
        let is_open = base.scheme() == "http" && !self.is_loopback();
        if is_open && !self.plain_http && !is_offline {
            return Err(EndpointError::PlainHttp { host: base.host_str().unwrap_or_default().to_owned() });
        }
        let reason = if !matches!(base.scheme(), "http" | "https") || base.host().is_none() {
            "it must be of the form https://host/path"
        } else if !base.username().is_empty() || base.password().is_some() {
            "it must contain no user and no password; configure the credentials separately"
        } else if base.query().is_some() || base.fragment().is_some() {
            "it must contain no query and no fragment"
        } else {
            return Ok(());
        };
        Err(EndpointError::Base { reason })
    }

    /// Returns the base address.
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// Returns the maximum size in bytes of the body of a response with this status.
    pub fn largest_body_of(&self, status: StatusCode) -> usize {
        if status.is_success() { self.largest_body } else { LARGEST_ERROR_BODY }
    }

    /// Returns whether the provider is on this machine.
    ///
    /// Such connections need neither a proxy nor a certificate.
    pub(super) fn is_loopback(&self) -> bool {
        self.base.host_str().is_some_and(is_this_machine)
    }

    /// Returns the headers of every request.
    ///
    /// If a name occurs several times, the last value applies.
    pub(super) fn request_headers(&self) -> Result<HeaderMap, EndpointError> {
        let mut headers = HeaderMap::new();
        let plain = self.headers.iter().map(|(name, value)| (name, value.as_str(), false));
        let secret = self.secrets.iter().map(|(name, value)| (name, value.expose_secret(), true));
        for (name, value, sensitive) in plain.chain(secret) {
            let mut value = HeaderValue::from_str(value).map_err(|_| EndpointError::Header { name: name.clone() })?;
            value.set_sensitive(sensitive);
            headers.insert(header_name(name)?, value);
        }
        Ok(headers)
    }

    pub(super) fn answer_headers(&self) -> Result<AnswerHeaders, EndpointError> {
        let parse = |name: &Option<String>| name.as_deref().map(header_name).transpose();
        Ok(AnswerHeaders {
            request_id: parse(&self.request_id)?,
            accepted_scopes: parse(&self.accepted_scopes)?,
            granted_scopes: parse(&self.granted_scopes)?,
            rate_remaining: parse(&self.rate_remaining)?,
        })
    }

    /// Returns the secrets that are sent, in every form in which the provider may repeat them.
    pub fn own_secrets(&self) -> OwnSecrets {
        let headers = self.secrets.iter().map(|(_, secret)| secret);
        OwnSecrets::new(headers.chain(&self.secret_settings).map(ExposeSecret::expose_secret))
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = format!("{}{}", self.base.origin().ascii_serialization(), self.base.path());
        f.debug_struct("Endpoint")
            .field("base", &address)
            .field("time_limits", &self.time_limits)
            .field("retry", &self.retry)
            .field("rate_budget", &self.rate_budget)
            .field("largest_body", &self.largest_body)
            .field("answer_memory", &self.answer_memory)
            .field("largest_element", &self.largest_element)
            .field("most_pages", &self.most_pages)
            .field("in_flight", &self.in_flight)
            .finish_non_exhaustive()
    }
}

/// The names of the response headers that the client reads.
#[derive(Debug)]
pub(super) struct AnswerHeaders {
    pub(super) request_id: Option<HeaderName>,
    pub(super) accepted_scopes: Option<HeaderName>,
    pub(super) granted_scopes: Option<HeaderName>,
    pub(super) rate_remaining: Option<HeaderName>,
}

fn header_name(name: &str) -> Result<HeaderName, EndpointError> {
    name.parse().map_err(|_| EndpointError::Header { name: name.to_owned() })
}

fn usual_error_body(body: &Value) -> Option<(String, String)> {
    let inner = body.get("error").filter(|error| error.is_object()).unwrap_or(body);
    let text = |name: &str| inner.get(name).and_then(Value::as_str).map(str::to_owned);
    let number = |name: &str| inner.get(name).filter(|value| value.is_number()).map(Value::to_string);
    let code = ["id", "code", "error"].into_iter().find_map(|name| text(name).or_else(|| number(name)));
    let message = ["message", "error_description", "detail"].into_iter().find_map(text);
    (code.is_some() || message.is_some()).then(|| (code.unwrap_or_default(), message.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use integration_graph::run::ErrorCode;

    use super::*;

    fn endpoint(base: &str) -> Endpoint {
        Endpoint::new(base.parse().unwrap())
    }

    #[test]
    fn an_address_with_credentials_is_refused_without_repeating_them() {
        let endpoint = endpoint("https://me:s3cret@api.example.com/");
        let error = endpoint.check_base(false).unwrap_err();
        assert!(error.to_string().contains("no password"), "{error}");
        assert!(!format!("{error:?} {error} {endpoint:?}").contains("s3cret"));
    }

    #[test]
    fn plain_http_goes_no_further_than_this_machine_unless_it_is_allowed() {
        for (base, allowed) in [
            ("https://api.example.com", true),
            ("http://127.0.0.1:8080", true),
            ("http://127.9.9.9", true),
            ("http://[::1]/", true),
            ("http://LOCALHOST", true),
            ("http://api.example.com", false),
            ("http://10.0.0.1", false),
            ("http://localhost.example.com", false),
            ("http://[::2]/", false),
        ] {
            assert_eq!(endpoint(base).check_base(false).is_ok(), allowed, "{base}");
            assert!(
                endpoint(base).check_base(true).is_ok() && endpoint(base).allow_plain_http().check_base(false).is_ok()
            );
        }
        let error = endpoint("http://api.example.com/s3cret").check_base(false).unwrap_err();
        assert!(
            error.to_string().contains("http://api.example.com,") && error.code() == ErrorCode::ConfigValidation,
            "{error}"
        );
    }

    #[test]
    fn a_secret_that_no_header_can_hold_is_not_repeated() {
        let endpoint = endpoint("https://api.example.com").bearer(&SecretString::from("s3cret\n"));
        let error = endpoint.request_headers().unwrap_err();
        assert!(error.to_string().contains("authorization"), "{error}");
        assert!(!format!("{error:?} {error} {endpoint:?}").contains("s3cret"));
        assert_eq!(error.code(), ErrorCode::ConfigValidation);
    }

    #[test]
    fn the_header_given_last_wins_and_secrets_are_marked() {
        let endpoint = endpoint("https://api.example.com").user_agent("mine/1").bearer(&SecretString::from("s3cret"));
        let headers = endpoint.request_headers().unwrap();
        assert_eq!(headers[USER_AGENT], "mine/1");
        assert!(headers[AUTHORIZATION].is_sensitive());
        assert!(!format!("{headers:?}").contains("s3cret"));
    }

    #[test]
    fn the_secrets_of_headers_and_settings_are_known_in_messages() {
        let endpoint = endpoint("https://api.example.com")
            .bearer(&SecretString::from("s3cret"))
            .secret_setting(SecretString::from("client-s3cret"));
        let told = endpoint.own_secrets().out_of_message("no such token: s3cret (client-s3cret)").into_owned();
        assert_eq!(told, "no such token: [secret] ([secret])");
    }

    #[test]
    fn usual_bodies_of_errors_are_read() {
        let read = |body: Value| usual_error_body(&body).map(|(code, message)| format!("{code}/{message}"));
        assert_eq!(read(json!({"id": "forbidden", "message": "no"})).as_deref(), Some("forbidden/no"));
        assert_eq!(read(json!({"error": {"code": "X", "message": "no"}})).as_deref(), Some("X/no"));
        assert_eq!(read(json!({"error": "bad", "error_description": "no"})).as_deref(), Some("bad/no"));
        assert_eq!(read(json!({"code": 124, "message": "expired"})).as_deref(), Some("124/expired"));
        assert_eq!(read(json!({"error": {"code": 403}})).as_deref(), Some("403/"));
        assert_eq!(read(json!({"error": 17, "detail": "no"})).as_deref(), Some("17/no"));
        assert_eq!(read(json!({"code": null, "error": true})), None);
        assert_eq!(read(json!(["something else"])), None);
    }
}
