//! How connections are made, and how they fail: time limits, certificates, redirects.

use std::error::Error;

use reqwest::header::{ACCEPT_ENCODING, HeaderMap};
use reqwest::redirect;

use super::answer::Broken;
use super::compression;
use super::endpoint::{Endpoint, EndpointError};

const MOST_REDIRECTS: usize = 5;

pub(super) fn client(endpoint: &Endpoint, mut headers: HeaderMap) -> Result<reqwest::Client, EndpointError> {
    headers.entry(ACCEPT_ENCODING).or_insert(compression::ACCEPTED);
    // Fails where the program has installed one already, and that one serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let limits = endpoint.time_limits;
    let mut builder = reqwest::Client::builder()
        .default_headers(headers)
        .connect_timeout(limits.connect)
        .read_timeout(limits.idle)
        .timeout(limits.request)
        .redirect(within_one_origin())
        .referer(false)
        .retry(reqwest::retry::never());
    if endpoint.is_loopback() {
        builder = builder.no_proxy();
    }
    if endpoint.base.scheme() == "http" {
        // A machine without root certificates can ask, too.
        builder = builder.tls_certs_only([]);
    }
    builder.build().map_err(|error| EndpointError::Connections { reason: root_cause(&error) })
}

/// Credentials go where they were meant to go: a redirect to another host, port or scheme is not followed.
fn within_one_origin() -> redirect::Policy {
    redirect::Policy::custom(|attempt| {
        let previous = attempt.previous();
        let same = previous.last().is_some_and(|from| from.origin() == attempt.url().origin());
        if same && previous.len() <= MOST_REDIRECTS { attempt.follow() } else { attempt.stop() }
    })
}

impl From<&reqwest::Error> for Broken {
    fn from(error: &reqwest::Error) -> Self {
        let cause = root_cause(error);
        match (error.is_connect(), error.is_timeout()) {
            (true, true) => Self::TimedOut("no connection within the time limit"),
            (true, false) => Self::Connection(format!("no connection ({cause})")),
            (false, true) => Self::TimedOut("no whole answer within the time limit"),
            (false, false) => Self::Connection(format!("the connection broke ({cause})")),
        }
    }
}

/// The innermost cause: the outer ones repeat the address.
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
