//! The transport of a client: the layer that sends one request and returns one response.
//!
//! A [`Connector`] opens one [`Transport`] for each client. [`NetworkConnector`] is the default. Other connectors
//! record what the network returns, or replace it. The client itself waits, retries, and decodes, so a transport
//! does none of that.
//!
//! ```
//! use integration_http::{Endpoint, Http, StatusCode, WireResponse, respond_with};
//! use serde_json::Value;
//!
//! # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let api = respond_with(|request| {
//!     let body = format!(r#"{{"path": "{}"}}"#, request.url.path());
//!     Ok(WireResponse::new(StatusCode::OK, body))
//! });
//! let http = Http::connect_with(Endpoint::new("https://api.acme.example".parse()?), &api, &Default::default())?;
//! let team: Value = http.get("/teams/{id}", &[&"blue"]).json().await?;
//! assert_eq!(team["path"], "/teams/blue");
//! # Ok(()) }
//! ```

use std::fmt;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use url::Url;

use super::connections::NetworkTransport;
use super::memory::Reservation;
use super::{Endpoint, EndpointError};
use integration_graph::redact::Redaction;

/// Sends the requests of one client.
pub trait Transport: Send + Sync {
    /// Sends one request and returns its response, without retries.
    ///
    /// The reservation must [cover](Reservation::fit) the body while it arrives. Dropping the future cancels the
    /// request.
    fn send<'a>(
        &'a self,
        request: WireRequest,
        reservation: &'a mut Reservation,
    ) -> BoxFuture<'a, Result<WireResponse, TransportError>>;
}

/// Opens the transports of clients.
///
/// A job opens one transport after it has read its configuration, and an estimate or a check another one.
pub trait Connector: fmt::Debug + Send + Sync {
    /// Opens the transport of a client.
    ///
    /// `redaction` identifies the secrets in responses that are kept.
    ///
    /// # Errors
    /// [`EndpointError`] if the endpoint cannot be used as configured.
    fn open(&self, endpoint: &Endpoint, redaction: &Redaction) -> Result<Box<dyn Transport>, EndpointError>;

    /// Returns whether responses come from another source than the provider.
    ///
    /// Credentials, pauses, the rate budget, and an encrypted connection are then unnecessary.
    fn is_offline(&self) -> bool {
        false
    }

    /// Returns whether a response 304 without a body is acceptable.
    ///
    /// Otherwise the client sends no conditional requests.
    fn allows_conditional_requests(&self) -> bool {
        true
    }
}

impl<C: Connector + ?Sized> Connector for Arc<C> {
    fn open(&self, endpoint: &Endpoint, redaction: &Redaction) -> Result<Box<dyn Transport>, EndpointError> {
        (**self).open(endpoint, redaction)
    }

    fn is_offline(&self) -> bool {
        (**self).is_offline()
    }

    fn allows_conditional_requests(&self) -> bool {
        (**self).allows_conditional_requests()
    }
}

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

/// Sends requests over the network.
#[derive(Debug, Clone, Copy, Default)]
pub struct NetworkConnector;

impl Connector for NetworkConnector {
    fn open(&self, endpoint: &Endpoint, _redaction: &Redaction) -> Result<Box<dyn Transport>, EndpointError> {
        Ok(Box::new(NetworkTransport::new(endpoint)?))
    }
}

/// Creates a connector that answers every request with a function instead of the network, for tests.
///
/// Pauses, retries, and limits apply as they do to the network.
pub fn respond_with<F>(respond: F) -> impl Connector + Clone
where
    F: Fn(&WireRequest) -> Result<WireResponse, TransportError> + Send + Sync + 'static,
{
    Responder(Arc::new(respond))
}

type Respond = dyn Fn(&WireRequest) -> Result<WireResponse, TransportError> + Send + Sync;

#[derive(Clone)]
struct Responder(Arc<Respond>);

impl Connector for Responder {
    fn open(&self, _endpoint: &Endpoint, _redaction: &Redaction) -> Result<Box<dyn Transport>, EndpointError> {
        Ok(Box::new(self.clone()))
    }
}

impl Transport for Responder {
    fn send<'a>(
        &'a self,
        request: WireRequest,
        reservation: &'a mut Reservation,
    ) -> BoxFuture<'a, Result<WireResponse, TransportError>> {
        let outcome = (self.0)(&request).and_then(|response| {
            reservation.fit(response.body.len())?;
            Ok(response)
        });
        ready(outcome).boxed()
    }
}

impl fmt::Debug for Responder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Responder")
    }
}
