//! A request as a handler receives it: complete, with its path parameters.

use bytes::Bytes;
use hyper::{HeaderMap, Method, http::request::Parts};

use crate::path::PathParameters;

/// A received request.
#[derive(Clone)]
pub struct Request {
    method: Method,
    path: String,
    query: Option<String>,
    headers: HeaderMap,
    body: Bytes,
    parameters: PathParameters,
    remaining: Option<u32>,
}

impl Request {
    pub(crate) fn new(parts: Parts, body: Bytes) -> Self {
        Self {
            method: parts.method,
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().map(str::to_owned),
            headers: parts.headers,
            body,
            parameters: PathParameters::new(),
            remaining: None,
        }
    }

    pub(crate) fn routed(self, parameters: PathParameters, remaining: Option<u32>) -> Self {
        Self { parameters, remaining, ..self }
    }

    #[cfg(test)]
    pub(crate) fn example(path: &str) -> Self {
        Self::of(hyper::Request::get(path))
    }

    #[cfg(test)]
    pub(crate) fn example_with(path: &str, name: &str, value: &str) -> Self {
        Self::of(hyper::Request::get(path).header(name, value))
    }

    #[cfg(test)]
    fn of(request: hyper::http::request::Builder) -> Self {
        let (parts, ()) = request.body(()).unwrap().into_parts();
        Self::new(parts, Bytes::new())
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The path, as received.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The query, without the `?`.
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// Returns the value of a header, if it is UTF-8.
    pub fn header(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.headers.get(name)?.as_bytes()).ok()
    }

    /// The body of the request.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Returns the value of a path parameter, or an empty text for an unknown name.
    pub fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }

    /// Returns the remaining requests of the rate bucket, if there is one.
    pub fn remaining(&self) -> Option<u32> {
        self.remaining
    }
}
