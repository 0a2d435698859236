//! Raw responses, and the decoding of their bodies.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::value::RawValue;

use super::room::Hold;

use super::lenient;
use super::wire::WireResponse;
use integration_graph::redact::without_quoted;

/// A complete response after [`received::treated`](super::received::treated).
#[derive(Debug)]
pub(super) struct ReceivedResponse {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// The size of the body on the wire, which is smaller than the body if it was compressed.
    pub(super) received: usize,
    /// The memory reserved for the body. It is set when the response is complete.
    pub(super) hold: Option<Arc<Hold>>,
    /// Whether the response contained the client's own credentials, which were removed.
    pub(super) repeats_secrets: bool,
}

impl From<WireResponse> for ReceivedResponse {
    fn from(response: WireResponse) -> Self {
        let WireResponse { status, headers, body, received } = response;
        Self { status, headers, body, received, hold: None, repeats_secrets: false }
    }
}

/// The reason why the body of a successful response could not be decoded.
#[derive(Debug)]
pub(super) enum DecodeError {
    /// The body is damaged. A retry may return an intact one.
    Truncated(String),
    /// The body comes from an intermediary, such as the error page of a gateway.
    ///
    /// Such a state seldom passes quickly, so one retry is enough.
    Foreign(String),
    /// The body is intact but has an unexpected form.
    Mismatch(String),
}

/// Returns the body as text.
///
/// UTF-8 is checked on the complete body, because a character can span two chunks. A body that ends within a character
/// was cut off, so a retry can help. Other invalid bytes would be the same after a retry.
pub(super) fn text_of(answer: &ReceivedResponse) -> Result<&str, DecodeError> {
    let body: &[u8] = if answer.status == StatusCode::NO_CONTENT { b"null" } else { &answer.body };
    match std::str::from_utf8(body) {
        Ok(text) => Ok(text),
        Err(error) if error.error_len().is_none() => {
            Err(DecodeError::Truncated("the body ends within a character".into()))
        }
        Err(error) => Err(DecodeError::Mismatch(format!("the body is not UTF-8 (from byte {})", error.valid_up_to()))),
    }
}

/// Decodes the body. Errors contain the position of the offending value.
pub(super) fn read_json<T: DeserializeOwned>(answer: &ReceivedResponse) -> Result<T, DecodeError> {
    let text = text_of(answer)?;
    if let Ok(value) = serde_json::from_str(text) {
        return Ok(value);
    }
    // A truncated body may fail with a mismatch at first. Check for damage before reporting one, because only damage is
    // retried.
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| damaged(text, &error))?;
    lenient::read(text).map_err(|misfit| DecodeError::Mismatch(format!("the body does not fit: {}", misfit.reason)))
}

/// Classifies a body that ends too early or is not JSON.
///
/// Only a body that starts like JSON may be complete after a retry.
pub(super) fn damaged(text: &str, error: &serde_json::Error) -> DecodeError {
    let text = text.trim_start();
    if error.is_eof() || text.starts_with(['{', '[', '"']) {
        return DecodeError::Truncated(format!("the body is incomplete JSON ({})", without_quoted(&error.to_string())));
    }
    DecodeError::Foreign(match text.starts_with('<') {
        true => "the body is a page of HTML or XML, not JSON".into(),
        false => "the body is not JSON".into(),
    })
}

/// Returns the part of a body at a JSON pointer, or `None` if it is absent.
pub(super) fn part<'a>(body: &'a str, pointer: &str) -> Result<Option<&'a str>, String> {
    let mut part = body;
    for name in pointer.split('/').skip(1).map(|name| name.replace("~1", "/").replace("~0", "~")) {
        let object: BTreeMap<Cow<'a, str>, &'a RawValue> =
            serde_json::from_str(part).map_err(|_| format!("the body should have an object at `{pointer}`"))?;
        match object.get(name.as_str()) {
            Some(inner) => part = inner.get(),
            None => return Ok(None),
        }
    }
    Ok(Some(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_leads_to_a_part_or_to_nothing() {
        let body = r#"{"data": {"items": [1], "a/b": 2}, "next": null}"#;
        assert_eq!(part(body, ""), Ok(Some(body)));
        assert_eq!(part(body, "/data/items"), Ok(Some("[1]")));
        assert_eq!(part(body, "/data/a~1b"), Ok(Some("2")));
        assert_eq!(part(body, "/data/none"), Ok(None));
        assert!(part(body, "/data/items/0").unwrap_err().contains("/data/items/0"));
    }
}
