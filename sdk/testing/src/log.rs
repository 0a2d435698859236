//! The log of requests in order of arrival. It contains no credentials.

use std::collections::BTreeMap;

use crate::Request;

/// The headers that are logged.
const KEPT: [&str; 8] = [
    "accept",
    "accept-encoding",
    "content-encoding",
    "content-type",
    "if-none-match",
    "range",
    "traceparent",
    "user-agent",
];

/// A logged request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedRequest {
    /// The number of the connection, from 0.
    pub connection: usize,
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The query, without the `?`.
    pub query: Option<String>,
    /// The logged headers, names in lower case. Only the scheme of `authorization` is kept.
    pub headers: BTreeMap<String, String>,
    /// The length of the body.
    pub body_bytes: usize,
    /// The status of the reply. It is absent while the request is in flight and after a reset.
    pub status: Option<u16>,
}

impl LoggedRequest {
    /// Returns the value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    fn of(request: &Request, connection: usize) -> Self {
        let mut headers: BTreeMap<String, String> = KEPT
            .into_iter()
            .filter_map(|name| request.header(name).map(|value| (name.to_owned(), value.to_owned())))
            .collect();
        if let Some((scheme, _)) = request.header("authorization").and_then(|value| value.split_once(' ')) {
            headers.insert("authorization".to_owned(), scheme.to_owned());
        }
        Self {
            connection,
            method: request.method().to_string(),
            path: request.path().to_owned(),
            query: request.query().map(str::to_owned),
            headers,
            body_bytes: request.body().len(),
            status: None,
        }
    }
}

/// The requests since the start.
#[derive(Debug, Default)]
pub(crate) struct Log {
    entries: Vec<LoggedRequest>,
    in_flight: usize,
    peak_in_flight: usize,
}

impl Log {
    /// Logs a request and returns its number.
    pub(crate) fn arrive(&mut self, request: &Request, connection: usize) -> usize {
        self.entries.push(LoggedRequest::of(request, connection));
        self.in_flight += 1;
        self.peak_in_flight = self.peak_in_flight.max(self.in_flight);
        self.entries.len() - 1
    }

    pub(crate) fn answer(&mut self, number: usize, status: u16) {
        if let Some(entry) = self.entries.get_mut(number) {
            entry.status = Some(status);
        }
    }

    pub(crate) fn leave(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    pub(crate) fn entries(&self) -> &[LoggedRequest] {
        &self.entries
    }

    pub(crate) fn peak_in_flight(&self) -> usize {
        self.peak_in_flight
    }
}
