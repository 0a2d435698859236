//! The conventions of a provider: header names and the shape of errors.

use hyper::{
    StatusCode,
    header::{HeaderName, HeaderValue},
};
use serde_json::{Value, json};

/// Names and shapes that differ between providers.
#[derive(Debug, Clone)]
pub struct Dialect {
    /// The header with the identifier of each reply.
    pub request_id: HeaderName,
    /// The header with the remaining requests of the rate bucket.
    pub rate_remaining: HeaderName,
    /// The header with the scopes that a call accepts.
    pub scopes_accepted: HeaderName,
    /// The header with the scopes of the token.
    pub scopes_granted: HeaderName,
    /// The media type of JSON responses.
    pub content_type: HeaderValue,
    /// The body of an error.
    pub error_body: fn(&Refusal) -> Value,
    /// Whether `Next-Range` repeats the `max` of the request.
    pub max_in_next_range: bool,
    /// Whether `Next-Range` always names the order, as in `id ]b..; order=asc,max=10`.
    pub order_in_next_range: bool,
    /// The largest `max` of a range; a larger one is refused. Without it, pages are as large as their limits allow.
    pub largest_max: Option<usize>,
    /// Headers without which a request is refused.
    pub required_headers: Vec<RequiredHeader>,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            request_id: HeaderName::from_static("request-id"),
            rate_remaining: HeaderName::from_static("ratelimit-remaining"),
            scopes_accepted: HeaderName::from_static("oauth-scope-accepted"),
            scopes_granted: HeaderName::from_static("oauth-scope"),
            content_type: HeaderValue::from_static("application/json"),
            error_body: |refusal| json!({"id": refusal.code(), "message": refusal.to_string()}),
            max_in_next_range: true,
            order_in_next_range: false,
            largest_max: None,
            required_headers: Vec::new(),
        }
    }
}

/// A header that each request must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredHeader {
    /// The name of the header.
    pub name: HeaderName,
    /// The required value, ignoring blanks.
    pub value: String,
}

impl RequiredHeader {
    pub(crate) fn is_met_by(&self, value: Option<&str>) -> bool {
        let without_blanks = |text: &str| text.split_whitespace().collect::<String>();
        value.is_some_and(|value| without_blanks(value) == without_blanks(&self.value))
    }
}

/// The reason of an error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Bad request (400): the `Range` header is malformed.
    #[error("Invalid `Range` header. Please use format like `id ..; max=10, order=desc`. ({reason})")]
    MalformedRange {
        /// The defect of the header.
        reason: String,
    },
    /// Unauthorized (401): the token is missing or unknown.
    #[error("The token is missing or unknown.")]
    UnknownToken,
    /// Forbidden (403).
    #[error("The token lacks a scope for this call; it accepts: {}.", accepted.join(", "))]
    MissingScope {
        /// The scopes of which one is required.
        accepted: Vec<String>,
    },
    /// Not found (404).
    #[error("There is no such {what}.")]
    NotFound {
        /// The kind of the missing resource, such as `team`.
        what: String,
    },
    /// Method not allowed (405).
    #[error("This path does not support the method.")]
    MethodNotAllowed,
    /// Not acceptable (406).
    #[error("The request needs the header `{name}: {value}`.")]
    MissingHeader {
        /// The name of the header.
        name: HeaderName,
        /// The required value.
        value: String,
    },
    /// Content too large (413).
    #[error("The request's body is too large.")]
    BodyTooLarge,
    /// Range not satisfiable (416).
    #[error("The range `{given}` cannot be used: {reason}.")]
    UnusableRange {
        /// The header as received.
        given: String,
        /// The defect.
        reason: String,
    },
    /// Too many requests (429).
    #[error("The rate limit is exhausted; try again later.")]
    RateLimited {
        /// The value of `Retry-After`, if any.
        retry_after: Option<String>,
    },
}

impl Refusal {
    /// Returns a short name of the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::MalformedRange { .. } => "bad_request",
            Self::UnknownToken => "unauthorized",
            Self::MissingScope { .. } => "forbidden",
            Self::NotFound { .. } => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::MissingHeader { .. } => "not_acceptable",
            Self::BodyTooLarge => "payload_too_large",
            Self::UnusableRange { .. } => "requested_range_not_satisfiable",
            Self::RateLimited { .. } => "rate_limit",
        }
    }

    /// Returns the status of the reply.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::MalformedRange { .. } => StatusCode::BAD_REQUEST,
            Self::UnknownToken => StatusCode::UNAUTHORIZED,
            Self::MissingScope { .. } => StatusCode::FORBIDDEN,
            Self::NotFound { .. } => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::MissingHeader { .. } => StatusCode::NOT_ACCEPTABLE,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnusableRange { .. } => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
        }
    }
}
