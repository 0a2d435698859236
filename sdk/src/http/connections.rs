//! Connections and their failures: time limits, certificates, redirects.

use std::error::Error;
use std::io;

use reqwest::header::{ACCEPT_ENCODING, HeaderMap};
use reqwest::redirect;

use super::answer::{NO_CONNECTION_IN_TIME, TransportError};
use super::compression;
use super::endpoint::{Endpoint, EndpointError};
use super::network::To;

const MOST_REDIRECTS: usize = 5;

pub(super) fn client(endpoint: &Endpoint, mut headers: HeaderMap) -> Result<reqwest::Client, EndpointError> {
    headers.entry(ACCEPT_ENCODING).or_insert(compression::ACCEPTED);
    // This fails if the program has already installed a provider, which is equally suitable.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let limits = endpoint.time_limits;
    let builder = reqwest::Client::builder()
        .default_headers(headers)
        .connect_timeout(limits.connect)
        .read_timeout(limits.idle)
        .timeout(limits.request)
        .redirect(within_one_origin())
        .referer(false)
        .retry(reqwest::retry::never());
    let to = To { secure: endpoint.base.scheme() != "http", loopback: endpoint.is_loopback() };
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
            (true, true) => Self::TimedOut(NO_CONNECTION_IN_TIME),
            (true, false) => Self::Unconnected(format!("no connection ({cause})")),
            (false, true) => Self::TimedOut("no complete response within the time limit"),
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
