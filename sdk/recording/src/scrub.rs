//! Scrubbing: the selection of headers to keep, and the removal of secrets from an exchange.
//!
//! A replay scrubs its requests with the same rules, so that they match the scrubbed requests of the recording.

use std::borrow::Cow;
use std::cell::Cell;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use url::Url;

use integration_graph::redact::{CopyError, Edit, REDACTED, Redaction, edited};
use integration_graph::secrets::{OwnSecrets, is_secret_value, take_out};
use integration_http::{TransportError, WireRequest, WireResponse};

use super::body;
use super::field_names::{clean_form, clean_url, is_secret_header};
use super::har::{self, Content, Entry, PostData, Request, Response, Timings};
use super::headers::Named;
use super::pseudonym::Pseudonyms;

/// The request headers that affect the response.
///
/// All others are dropped, because each of them may be a credential.
const REQUEST_HEADERS: [&str; 7] =
    ["accept", "accept-language", "content-type", "if-modified-since", "if-none-match", "prefer", "range"];
/// The headers that describe the connection instead of its content.
const OF_THE_CONNECTION: [&str; 4] = ["connection", "content-length", "keep-alive", "transfer-encoding"];
/// The maximum size of a decompressed body.
const LARGEST_PLAIN: usize = 256 << 20;

/// The outcome of a request.
pub(super) type Outcome = Result<WireResponse, TransportError>;

/// The rules for the secrets of one client.
#[derive(Debug, Clone)]
pub(super) struct Scrub {
    pub(super) own: OwnSecrets,
    pub(super) redaction: Redaction,
    pub(super) pseudonyms: Option<Pseudonyms>,
}

/// The time of a request, and the duration until its response.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) sent: Timestamp,
    pub(super) took: Duration,
}

impl Scrub {
    /// Returns the entry of an exchange; `request` is the scrubbed request.
    pub(super) fn entry(&self, request: Request, outcome: &Outcome, times: Times) -> Entry {
        let milliseconds = times.took.as_secs_f64() * 1_000.0;
        Entry {
            started_date_time: times.sent.to_string(),
            time: milliseconds,
            request,
            response: self.response(outcome),
            timings: Timings { wait: milliseconds, ..Timings::default() },
            ..Entry::default()
        }
    }

    pub(super) fn request(&self, asked: &WireRequest) -> Request {
        let url = self.url(&asked.url);
        let query_string = url.parse::<Url>().map(|url| {
            url.query_pairs().map(|(name, value)| Named { name: name.into(), value: value.into() }).collect()
        });
        let post_data = asked.body.as_ref().map(|body| PostData {
            mime_type: mime_type(&asked.headers),
            text: Some(self.sent(&asked.headers, &String::from_utf8_lossy(body))),
            params: Vec::new(),
        });
        Request {
            method: asked.method.to_string(),
            url,
            headers: self.headers(&asked.headers, |name| REQUEST_HEADERS.contains(&name)),
            query_string: query_string.unwrap_or_default(),
            body_size: size(post_data.as_ref().and_then(|data| data.text.as_deref()).unwrap_or_default()),
            post_data,
            ..Request::default()
        }
    }

    fn response(&self, outcome: &Outcome) -> Response {
        match outcome {
            Ok(response) => self.answer(response.status, &response.headers, &response.body),
            Err(TransportError::TooLarge) => Response { error: Some(har::TOO_LARGE.to_owned()), ..Response::default() },
            Err(error) => {
                let error = self.text(&error.to_string()).into_owned();
                Response { error: Some(error), ..Response::default() }
            }
        }
    }

    fn answer(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Response {
        let (content, decompressed) = self.content(headers, body);
        let undone = |name: &str| decompressed && name == "content-encoding";
        let is_secret = |name: &str| is_secret_header(name) || self.redaction.hides_field(name);
        let kept = |name: &str| !(OF_THE_CONNECTION.contains(&name) || is_secret(name) || undone(name));
        Response {
            status: status.as_u16().into(),
            status_text: status.canonical_reason().unwrap_or_default().to_owned(),
            headers: self.headers(headers, kept),
            body_size: i64::try_from(body.len()).unwrap_or(i64::MAX),
            redirect_url: headers.get("location").map(|to| self.lossy(to.as_bytes())).unwrap_or_default(),
            content,
            ..Response::default()
        }
    }

    /// Returns the body to keep, and whether it was decompressed.
    ///
    /// Secrets can be removed only from a decompressed body.
    fn content(&self, headers: &HeaderMap, raw: &[u8]) -> (Content, bool) {
        let compression = headers.get("content-encoding").and_then(|value| value.to_str().ok());
        let (text, encoding) = body::encode(raw);
        let mut content = Content { mime_type: mime_type(headers), text: Some(text), encoding, ..Content::default() };
        let mut decompressed = false;
        if content.encoding.is_some()
            && let Ok(plain) = body::decode(&content, compression, LARGEST_PLAIN)
            && let Ok(plain) = String::from_utf8(plain)
        {
            (content.text, content.encoding, decompressed) = (Some(plain), None, true);
        }
        match content.encoding {
            None => {
                let text = content.text.take().unwrap_or_default();
                content.size = Some(size(&text));
                content.text = Some(match self.body(&text) {
                    Cow::Borrowed(_) => text,
                    Cow::Owned(clean) => clean,
                });
            }
            Some(_) => {
                let legible = String::from_utf8_lossy(raw);
                if matches!(self.text(&legible), Cow::Owned(_)) {
                    (content.text, content.encoding) = (Some(String::new()), None);
                    content.comment = Some("not kept: binary data that contains a secret".into());
                }
                content.size = i64::try_from(raw.len()).ok();
            }
        }
        (content, decompressed)
    }

    fn headers(&self, headers: &HeaderMap, kept: impl Fn(&str) -> bool) -> Vec<Named> {
        let open = headers.iter().filter(|(name, value)| !value.is_sensitive() && kept(name.as_str()));
        open.map(|(name, value)| Named { name: name.to_string(), value: self.lossy(value.as_bytes()) }).collect()
    }

    pub(super) fn url(&self, url: &Url) -> String {
        self.text(clean_url(url, &self.redaction).as_str()).into_owned()
    }

    /// Scrubs the body of a request, including the fields of a form.
    fn sent(&self, headers: &HeaderMap, text: &str) -> String {
        let is_form = mime_type(headers).starts_with("application/x-www-form-urlencoded");
        let form = if is_form { clean_form(text, &self.redaction) } else { None };
        match form {
            Some(clean) => self.text(&clean).into_owned(),
            None => self.body(text).into_owned(),
        }
    }

    /// Scrubs a body, and keeps a body without secrets byte for byte.
    fn body<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let (edit, mut clean) = (BodyEdit { scrub: self, changed: Cell::new(false) }, Vec::new());
        match edited(&edit, text, &mut clean) {
            Ok(()) if edit.changed.get() => String::from_utf8(clean).map_or(Cow::Borrowed(text), Cow::Owned),
            Ok(()) => Cow::Borrowed(text),
            Err(CopyError::NotJson(_)) => self.text(text),
            // A body that cannot be parsed may contain anything.
            Err(_) => Cow::Owned(serde_json::Value::from(REDACTED).to_string()),
        }
    }

    /// Scrubs a text, and returns it borrowed if nothing changes.
    fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut clean = match take_out(text) {
            Cow::Owned(changed) if changed != text => Cow::Owned(changed),
            _ => Cow::Borrowed(text),
        };
        if let Cow::Owned(without_own) = self.own.out_of_message(&clean) {
            clean = Cow::Owned(without_own);
        }
        match self.pseudonyms.as_ref().and_then(|pseudonyms| pseudonyms.apply(&clean)) {
            Some(named) => Cow::Owned(named),
            None => clean,
        }
    }

    fn lossy(&self, bytes: &[u8]) -> String {
        self.text(&String::from_utf8_lossy(bytes)).into_owned()
    }
}

/// Removes secrets and addresses from a JSON body, including the names of fields.
///
/// The names are data if a provider responds with a map.
struct BodyEdit<'a> {
    scrub: &'a Scrub,
    changed: Cell<bool>,
}

impl BodyEdit<'_> {
    fn note(&self, changed: Option<String>) -> Option<String> {
        self.changed.set(self.changed.get() || changed.is_some());
        changed
    }
}

impl Edit for BodyEdit<'_> {
    const IN_ORDER: bool = false;

    fn hides(&self, name: &str) -> bool {
        let hides = self.scrub.redaction.hides_field(name);
        self.changed.set(self.changed.get() || hides);
        hides
    }

    fn text(&self, field: Option<&str>, text: &str) -> Option<String> {
        let changed = match self.scrub.text(text) {
            _ if field.is_some_and(|field| is_secret_value(field, text)) => Some(REDACTED.to_owned()),
            Cow::Owned(changed) => Some(changed),
            Cow::Borrowed(_) => None,
        };
        self.note(changed)
    }

    fn name(&self, name: &str) -> Option<String> {
        match self.scrub.text(name) {
            Cow::Owned(changed) => self.note(Some(changed)),
            Cow::Borrowed(_) => None,
        }
    }
}

fn mime_type(headers: &HeaderMap) -> String {
    let told = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    told.unwrap_or("application/octet-stream").to_owned()
}

fn size(text: &str) -> i64 {
    i64::try_from(text.len()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use reqwest::Method;
    use reqwest::header::HeaderValue;
    use serde_json::{Value, json};

    use super::*;

    fn scrub() -> Scrub {
        let own = OwnSecrets::new(["Bearer the-token-of-this-client"]);
        let mut redaction = Redaction::default();
        redaction.field("drain");
        redaction.field("x-drain");
        Scrub { own, redaction, pseudonyms: None }
    }

    fn asked(url: &str) -> WireRequest {
        let mut headers = HeaderMap::new();
        let mut bearer = HeaderValue::from_static("Bearer x");
        bearer.set_sensitive(true);
        headers.insert("accept", bearer.clone());
        headers.insert("authorization", HeaderValue::from_static("Bearer not-marked-as-sensitive"));
        headers.insert("x-vault", HeaderValue::from_static("s3cret"));
        headers.insert("range", HeaderValue::from_static("id ..; max=2"));
        WireRequest::new(Method::GET, url.parse().unwrap()).with_headers(headers)
    }

    fn heard(headers: &[(&'static str, &'static str)], body: &[u8]) -> Outcome {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
        Ok(WireResponse::new(StatusCode::OK, body).with_headers(headers.collect()))
    }

    fn entry(heard: &Outcome) -> Entry {
        let times = Times { sent: jiff::Timestamp::UNIX_EPOCH, took: Duration::from_millis(5) };
        let request = scrub().request(&asked("https://api.example.com/teams?access_token=abc&page=2"));
        scrub().entry(request, heard, times)
    }

    fn body_of(body: &str) -> String {
        entry(&heard(&[], body.as_bytes())).response.content.text.unwrap()
    }

    #[test]
    fn only_headers_that_decide_the_answer_are_kept_of_a_request() {
        let request = entry(&heard(&[], b"[]")).request;
        assert_eq!(request.headers, [Named { name: "range".into(), value: "id ..; max=2".into() }]);
        assert_eq!(request.url, "https://api.example.com/teams?access_token=%5Bredacted%5D&page=2");
    }

    #[test]
    fn an_answers_headers_are_kept_but_those_with_credentials() {
        let headers = [("set-cookie", "a=b"), ("x-api-key", "k"), ("next-range", "]a..;"), ("connection", "close")];
        let kept = entry(&heard(&headers, b"[]")).response.headers;
        assert_eq!(kept, [Named { name: "next-range".into(), value: "]a..;".into() }]);
    }

    #[test]
    fn a_body_without_secrets_is_kept_byte_for_byte() {
        for text in ["{\"b\": 1.0,  \"a\":18446744073709551616}", "<h1>Error</h1>", "", "[{\"id\": \"x\"}"] {
            assert_eq!(body_of(text), text);
        }
    }

    #[test]
    fn secrets_are_taken_out_of_bodies_of_json_and_of_others() {
        let body = json!({
            "drain": "logs", "id": "01234567-89ab-cdef-0123-456789abcdef", "echo": "you sent the-token-of-this-client",
            "refresh_token": "01234567-89ab-cdef-0123-456789abcdef", "url": "see https://me:pw@h.example/ now",
            "HRKU-AAbbCCddEEffGGhhIIjjKKll": 1,
        });
        let clean: Value = serde_json::from_str(&body_of(&body.to_string())).unwrap();
        assert_eq!(
            clean,
            json!({
                "drain": "[redacted]", "id": "01234567-89ab-cdef-0123-456789abcdef", "echo": "you sent [secret]",
                "refresh_token": "[redacted]", "url": "see https://h.example/ now", "[redacted]": 1,
            })
        );
        let body = r#"{"config_vars":[{"name":"A","value":"b"}],"password":"word","has_token":"no","text":"{\"secret\": \"k\"}"}"#;
        let kept = r#"{"config_vars":[{"name":"[redacted]","value":"[redacted]"}],"password":"[redacted]","has_token":"no","text":"{\"secret\": \"[redacted]\"}"}"#;
        assert_eq!(body_of(body), kept);
        assert_eq!(body_of("<p>the-token-of-this-client</p>"), "<p>[secret]</p>");
    }

    #[test]
    fn bytes_that_are_no_text_are_kept_unless_they_show_a_secret() {
        let content = |body: &[u8]| entry(&heard(&[], body)).response.content;
        assert_eq!(content(b"\xff\x00").text.as_deref(), Some("/wA="));
        let hidden = content(b"\xff the-token-of-this-client");
        assert_eq!((hidden.text.as_deref(), hidden.comment.is_some()), (Some(""), true));
    }

    #[test]
    fn marked_fields_are_secret_in_queries_forms_and_headers_too() {
        let mut sent = asked("https://api.example.com/x?drain=s3cret&page=2&Drain=s3cret");
        sent.headers.insert("content-type", HeaderValue::from_static("application/x-www-form-urlencoded"));
        sent.body = Some(b"drain=s3cret&client_secret=s3cret&a=b".to_vec());
        let request = scrub().request(&sent);
        let kept = serde_json::to_string(&request).unwrap();
        assert!(!kept.contains("s3cret"), "{kept}");
        assert_eq!(
            request.post_data.and_then(|data| data.text).as_deref(),
            Some("drain=%5Bredacted%5D&client_secret=%5Bredacted%5D&a=b")
        );
        let headers = [("x-drain", "s3cret"), ("x-a", "b")];
        assert_eq!(entry(&heard(&headers, b"[]")).response.headers.len(), 1);
    }

    #[test]
    fn a_body_that_no_tree_can_hold_loses_its_secrets_and_keeps_its_numbers() {
        assert_eq!(
            body_of(r#"{"z":1e400, "drain":"s3cret", "a":"x\ud83d", "n":1.50}"#),
            r#"{"z":1e400,"drain":"[redacted]","a":"x\ud83d","n":1.50}"#.replace("x\\ud83d", "x\u{fffd}")
        );
        let deep = format!("{}\"https://u:s3cret@h\"{}", "[".repeat(200), "]".repeat(200));
        assert!(!body_of(&deep).contains("s3cret"));
    }
}
