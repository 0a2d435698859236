//! The cleaning of every response before it is decoded, recorded, or cached.
//!
//! A provider may repeat the credentials in a header, a name, or an id. They are replaced here, in the same way for all
//! readers, so that equal ids stay equal. Unpaired surrogates, which Unicode text cannot contain, become U+FFFD.

use memchr::memchr;
use reqwest::header::{HeaderMap, HeaderValue};

use integration_graph::redact::{edit_escaped, mend_surrogates};
use integration_graph::secrets::OwnSecrets;

use super::answer::ReceivedResponse;

/// Removes the client's own secrets from a response, and makes its text valid Unicode.
pub(super) fn treated(mut answer: ReceivedResponse, own: &OwnSecrets) -> ReceivedResponse {
    answer.repeats_secrets |= clean_headers(&mut answer.headers, own);
    if let Some(clean) = own.out_of_data(&answer.body) {
        (answer.body, answer.repeats_secrets) = (clean, true);
    }
    let is_json =
        answer.body.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|byte| b"{[\"".contains(byte));
    if is_json && memchr(b'\\', &answer.body).is_some() {
        mend_surrogates(&mut answer.body);
        if let Some(clean) = without_escaped(&answer.body, own) {
            (answer.body, answer.repeats_secrets) = (clean, true);
        }
    }
    answer
}

/// Removes secrets with letters that JSON writes as escapes.
fn without_escaped(body: &[u8], own: &OwnSecrets) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok()?;
    let without = |text: &str| own.are_in(text.as_bytes()).then(|| own.out_of_text(text).into_owned());
    edit_escaped(text, without).map(String::into_bytes)
}

fn clean_headers(headers: &mut HeaderMap, own: &OwnSecrets) -> bool {
    let mut found = false;
    for value in headers.values_mut() {
        if let Some(clean) = own.out_of_data(value.as_bytes()) {
            *value = HeaderValue::from_bytes(&clean).unwrap_or(HeaderValue::from_static(""));
            found = true;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;
    use reqwest::header::HeaderName;

    use super::*;

    const KEY: &str = "HRKU-bR3akerDistinct+Key/01234567==";

    fn received(header: &str, body: &str) -> ReceivedResponse {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static("request-id"), HeaderValue::from_str(header).unwrap());
        let body = body.as_bytes().to_vec();
        let (status, received) = (StatusCode::OK, body.len());
        let answer = ReceivedResponse { status, headers, received, body, hold: None, repeats_secrets: false };
        treated(answer, &OwnSecrets::new([format!("Bearer {KEY}").as_str()]))
    }

    #[test]
    fn repeated_credentials_are_replaced_in_headers_and_bodies_however_they_are_written() {
        let escaped: String = KEY.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
        let slashed = KEY.replace('/', "\\/");
        let answer =
            received(&format!("id-{KEY}"), &format!(r#"{{"id":"{KEY}","a":["x {escaped}","{slashed}"],"{KEY}":1}}"#));
        assert!(answer.repeats_secrets);
        assert_eq!(answer.headers["request-id"], "id-[secret]");
        let body = String::from_utf8(answer.body).unwrap();
        assert_eq!(body, r#"{"id":"[secret]","a":["x [secret]","[secret]"],"[secret]":1}"#);
    }

    #[test]
    fn an_answer_without_credentials_stays_byte_for_byte_but_for_half_characters() {
        let answer = received("id", r#"{"b":1e400, "a":"Zo\ud83d \/ \u00e9"}"#);
        assert!(!answer.repeats_secrets);
        assert_eq!(answer.body, br#"{"b":1e400, "a":"Zo\ufffd \/ \u00e9"}"#);
        assert_eq!(received("id", r"C:\ud83d").body, br"C:\ud83d");
    }
}
