//! An answer as it came over the wire, and the reading of its body.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::value::RawValue;

use crate::room::Hold;

use super::lenient;
use super::text::without_quoted;

/// An error's body says little: what is beyond this is not read.
pub(super) const LARGEST_ERROR_BODY: usize = 64 << 10;

/// What is only announced, by a header or by a compressed body, is believed up to here when room is made for it.
pub(super) const BELIEVED_LENGTH: usize = 1 << 20;

/// An answer, whole.
#[derive(Debug)]
pub(super) struct WireResponse {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// Bytes of the body on their way: fewer than it has, where they were compressed.
    pub(super) received: usize,
    /// The memory that is reserved for it; none in the place of a kept answer that was not asked for.
    pub(super) hold: Option<Arc<Hold>>,
    /// It held the client's own credentials, which were taken out.
    pub(super) repeats_secrets: bool,
}

/// The reason of [`TransportError::TimedOut`] before there is a connection.
pub(super) const NO_CONNECTION_IN_TIME: &str = "no connection within the time limit";

/// No whole answer came.
pub(super) enum TransportError {
    /// The connection broke.
    Connection(String),
    /// There was no connection.
    Unconnected(String),
    TimedOut(&'static str),
    /// The two ends will not agree on a secure connection the next time, either.
    Untrusted(String),
    TooLarge,
    /// The answer was dropped half-way: the memory for answers does not suffice, and a body of so many bytes would.
    NoRoom(usize),
    /// Compressed in a way that was not asked for.
    Unasked(String),
    /// A replay has no answer to it.
    #[cfg_attr(not(feature = "recording"), expect(dead_code, reason = "there are no replays"))]
    NotRecorded(String),
}

/// Why an answer of success could not be read.
#[derive(Debug)]
pub(super) enum DecodeError {
    /// It is damaged: the next one may be whole.
    Truncated(String),
    /// It is somebody else's, such as a gateway's page: that may be over the next time, and seldom is.
    Foreign(String),
    /// It is whole, and something else than expected.
    Mismatch(String),
}

/// UTF-8 is decided on the whole body: a character can be split over two chunks. A body that ends within a character is
/// cut off; one that holds other bytes will hold them the next time, too.
pub(super) fn text_of(answer: &WireResponse) -> Result<&str, DecodeError> {
    let body: &[u8] = if answer.status == StatusCode::NO_CONTENT { b"null" } else { &answer.body };
    match std::str::from_utf8(body) {
        Ok(text) => Ok(text),
        Err(error) if error.error_len().is_none() => {
            Err(DecodeError::Truncated("the body ends within a character".into()))
        }
        Err(error) => {
            Err(DecodeError::Mismatch(format!("the body is not UTF-8 (from byte {} on)", error.valid_up_to())))
        }
    }
}

/// Reads the body; what goes wrong there is told with its place.
pub(super) fn read_json<T: DeserializeOwned>(answer: &WireResponse) -> Result<T, DecodeError> {
    let text = text_of(answer)?;
    if let Ok(value) = serde_json::from_str(text) {
        return Ok(value);
    }
    // What does not fit may only be the beginning of what would: damage comes first.
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| damaged(text, &error))?;
    lenient::read(text).map_err(|misfit| DecodeError::Mismatch(format!("the body does not fit: {}", misfit.reason)))
}

/// What is said of a body that ends too early, or is no JSON. Only what began as JSON may be whole the next time.
pub(super) fn damaged(text: &str, error: &serde_json::Error) -> DecodeError {
    let text = text.trim_start();
    if error.is_eof() || text.starts_with(['{', '[', '"']) {
        return DecodeError::Truncated(format!("the body is not whole JSON ({})", without_quoted(&error.to_string())));
    }
    DecodeError::Foreign(match text.starts_with('<') {
        true => "the body is a page of HTML or XML, not JSON".into(),
        false => "the body is not JSON".into(),
    })
}

/// Where and why a value does not fit a type; the value itself is not quoted.
pub(super) fn misfit(path: &serde_path_to_error::Path, error: &serde_json::Error) -> String {
    let reason = without_quoted(&error.to_string());
    if path.iter().next().is_none() { reason } else { format!("`{path}`: {reason}") }
}

/// The part of a body that a JSON pointer leads to; `None` where there is nothing.
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
