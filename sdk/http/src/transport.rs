//! The transport of a client: the layer that sends one request and returns one response.
//!
//! A [`Connector`] opens one [`Transport`] for each client. [`NetworkConnector`](super::NetworkConnector) is the default. Other connectors
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

use super::endpoint::Endpoint;
use super::endpoint_error::EndpointError;
use super::memory::Reservation;
use super::wire::{TransportError, WireRequest, WireResponse};
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
