//! Connections over the network, and their failures: time limits, certificates, redirects.

use std::error::Error;
use std::io;

use futures::FutureExt;
use futures::future::BoxFuture;
use reqwest::header::{ACCEPT_ENCODING, HeaderMap};
use reqwest::{Response, redirect};

use super::compression::{self, BELIEVED_LENGTH};
use super::endpoint::Endpoint;
use super::endpoint_error::EndpointError;
use super::memory::Reservation;
use super::network::To;
use super::transport::{Connector, Transport};
use super::wire::{TransportError, WireRequest, WireResponse};
use integration_graph::redact::Redaction;

const MOST_REDIRECTS: usize = 5;

/// Sends requests over the network.
#[derive(Debug, Clone, Copy, Default)]
pub struct NetworkConnector;

impl Connector for NetworkConnector {
    fn open(&self, endpoint: &Endpoint, _redaction: &Redaction) -> Result<Box<dyn Transport>, EndpointError> {
        Ok(Box::new(NetworkTransport::new(endpoint)?))
    }
}

/// The network as a transport.
struct NetworkTransport {
    client: reqwest::Client,
    endpoint: Endpoint,
}

impl NetworkTransport {
    fn new(endpoint: &Endpoint) -> Result<Self, EndpointError> {
        Ok(Self { client: client(endpoint)?, endpoint: endpoint.clone() })
    }

    async fn exchange(
        &self,
        request: WireRequest,
        reservation: &mut Reservation,
    ) -> Result<WireResponse, TransportError> {
        let mut sent = self.client.request(request.method, request.url).headers(request.headers);
        if let Some(body) = request.body {
            sent = sent.body(body);
        }
        let mut response = sent.send().await.map_err(|error| self.unconnected(&error))?;
        let status = response.status();
        let limit = self.endpoint.largest_body_of(status);
        let mut headers = std::mem::take(response.headers_mut());
        let whole = body_of(&mut response, limit, reservation).await.and_then(|body| {
            let received = body.len();
            Ok((compression::undone(&mut headers, body, limit, |bytes| reservation.fit(bytes))?, received))
        });
        // The status of an error response is sufficient, so a failure to read its body is ignored.
        let (body, received) = if status.is_success() { whole? } else { whole.unwrap_or_default() };
        Ok(WireResponse { status, headers, body, received })
    }

    /// Describes a failure before the response, naming the proxy variable as a possible cause.
    fn unconnected(&self, error: &reqwest::Error) -> TransportError {
        let endpoint = &self.endpoint;
        let proxy = if endpoint.is_loopback() { None } else { endpoint.network.proxy_for(endpoint.base().scheme()) };
        match (TransportError::from(error), proxy.filter(|_| error.is_connect())) {
            (TransportError::Unconnected(why), Some(variable)) => {
                TransportError::Unconnected(format!("{why}; {variable} is set"))
            }
            (broken, _) => broken,
        }
    }
}

impl Transport for NetworkTransport {
    fn send<'a>(
        &'a self,
        request: WireRequest,
        reservation: &'a mut Reservation,
    ) -> BoxFuture<'a, Result<WireResponse, TransportError>> {
        self.exchange(request, reservation).boxed()
    }
}

async fn body_of(
    response: &mut Response,
    limit: usize,
    reservation: &mut Reservation,
) -> Result<Vec<u8>, TransportError> {
    let announced = response.content_length().unwrap_or_default();
    let announced = usize::try_from(announced).unwrap_or(usize::MAX);
    if announced > limit {
        return Err(TransportError::TooLarge);
    }
    reservation.fit(announced)?;
    let mut body = Vec::with_capacity(announced.min(BELIEVED_LENGTH));
    while let Some(chunk) = response.chunk().await.map_err(|error| TransportError::from(&error))? {
        if body.len() + chunk.len() > limit {
            return Err(TransportError::TooLarge);
        }
        reservation.fit(body.len() + chunk.len())?;
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn client(endpoint: &Endpoint) -> Result<reqwest::Client, EndpointError> {
    let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, compression::ACCEPTED)]);
    // This fails if the program has already installed a provider, which is equally suitable.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let limits = endpoint.time_limits;
    let builder = reqwest::Client::builder()
        .default_headers(headers)
        .connect_timeout(limits.connect)
        .read_timeout(limits.idle)
        .timeout(limits.request)
        .redirect(if endpoint.follows_redirects { within_one_origin() } else { redirect::Policy::none() })
        .referer(false)
        .retry(reqwest::retry::never());
    let to = To { secure: endpoint.base().scheme() != "http", loopback: endpoint.is_loopback() };
    let builder = endpoint.network.apply(builder, to)?;
    builder.build().map_err(|error| EndpointError::Connections { reason: root_cause(&error) })
}

/// Follows redirects within one origin only.
///
/// The credentials must not reach another host, port, or scheme.
fn within_one_origin() -> redirect::Policy {
    redirect::Policy::custom(|attempt| {
        let previous = attempt.previous();
        let same = previous.last().is_some_and(|from| from.origin() == attempt.url().origin());
        if same && previous.len() <= MOST_REDIRECTS { attempt.follow() } else { attempt.stop() }
    })
}

impl From<&reqwest::Error> for TransportError {
    fn from(error: &reqwest::Error) -> Self {
        let cause = root_cause(error);
        if is_untrusted(error) {
            return Self::Untrusted(format!("no secure connection ({cause})"));
        }
        match (error.is_connect(), error.is_timeout()) {
            (true, true) => Self::NotConnectedInTime,
            (true, false) => Self::Unconnected(format!("no connection ({cause})")),
            (false, true) => Self::TimedOut,
            (false, false) => Self::Connection(format!("the connection broke ({cause})")),
        }
    }
}

/// Returns whether a TLS failure is permanent.
///
/// The peer is not trusted, or both ends have no TLS version in common. A retry would fail in the same way.
fn is_untrusted(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(at) = cause {
        if at.downcast_ref().is_some_and(is_final) {
            return true;
        }
        // The source of an I/O error is not the error that it wraps, but the source of that error.
        let wrapped = at.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        cause = wrapped.map(|wrapped| wrapped as &(dyn Error + 'static)).or_else(|| at.source());
    }
    false
}

fn is_final(error: &rustls::Error) -> bool {
    use rustls::{Error, InvalidMessage};
    matches!(
        error,
        Error::InvalidCertificate(_)
            | Error::NoCertificatesPresented
            | Error::PeerIncompatible(_)
            | Error::InvalidMessage(InvalidMessage::InvalidContentType)
    )
}

/// Returns the innermost cause.
///
/// The outer ones repeat the address.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = match error.source() {
        Some(cause) => cause,
        None => return "the request could not be sent".into(),
    };
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
