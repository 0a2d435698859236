//! An exchange as it may be kept: which headers, and what is taken out of everything.
//!
//! A replay asks through the same hands that a recording was written by, so that what was taken out of a request is
//! taken out of its question, too.

use std::borrow::Cow;
use std::collections::BTreeMap;

use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::Value;
use url::Url;

use crate::http::Endpoint;
use crate::redact::{REDACTED, Redaction};
use crate::secrets::{is_unguessable, take_out};

use super::body;
use super::exchange::{Asked, Heard, Times};
use super::har::{self, Content, Entry, Named, PostData, Request, Response, Timings};
use super::names::{clean_url, is_secret_header, is_secret_name, walk_mut};
use super::pseudonym::Pseudonyms;

/// Headers of a request that decide what the answer is. No others are kept: any of them may be a credential.
const REQUEST_HEADERS: [&str; 7] =
    ["accept", "accept-language", "content-type", "if-modified-since", "if-none-match", "prefer", "range"];
/// Headers that speak of the connection rather than of what it carried.
const OF_THE_CONNECTION: [&str; 4] = ["connection", "content-length", "keep-alive", "transfer-encoding"];
/// A decompressed body is not larger than this, whatever it was.
const LARGEST_PLAIN: usize = 256 << 20;

/// Knows the secrets of one client.
#[derive(Debug, Clone)]
pub(super) struct Scrub {
    pub(super) endpoint: Endpoint,
    pub(super) redaction: Redaction,
    pub(super) pseudonyms: Option<Pseudonyms>,
}

impl Scrub {
    pub(super) fn entry(&self, asked: &Asked, heard: &Heard, times: Times) -> Entry {
        let milliseconds = times.took.as_secs_f64() * 1_000.0;
        Entry {
            started_date_time: times.sent.to_string(),
            time: milliseconds,
            request: self.request(asked),
            response: self.response(heard),
            timings: Timings { wait: milliseconds, ..Timings::default() },
            ..Entry::default()
        }
    }

    pub(super) fn request(&self, asked: &Asked) -> Request {
        let url = self.url(&asked.url);
        let query_string = url.parse::<Url>().map(|url| {
            url.query_pairs().map(|(name, value)| Named { name: name.into(), value: value.into() }).collect()
        });
        let post_data = asked.body.as_ref().map(|body| PostData {
            mime_type: mime_type(&asked.headers),
            text: Some(self.body(&String::from_utf8_lossy(body)).into_owned()),
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

    fn response(&self, heard: &Heard) -> Response {
        match heard {
            Heard::Answer { status, headers, body } => self.answer(*status, headers, body),
            Heard::Broken(why) => Response { error: Some(self.text(why).into_owned()), ..Response::default() },
            Heard::TooLarge => Response { error: Some(har::TOO_LARGE.to_owned()), ..Response::default() },
        }
    }

    fn answer(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Response {
        let (content, decompressed) = self.content(headers, body);
        let undone = |name: &str| decompressed && name == "content-encoding";
        let kept = |name: &str| !(OF_THE_CONNECTION.contains(&name) || is_secret_header(name) || undone(name));
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

    /// The body as it is kept, and whether it was compressed and is not any more: nothing can be taken out of it else.
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
                    content.comment = Some("not kept: bytes that are no text, with something secret in them".into());
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
        self.text(clean_url(url).as_str()).into_owned()
    }

    /// A body is kept as it came, byte for byte, where nothing has to be taken out of it.
    fn body<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let Ok(value) = serde_json::from_str::<Value>(text) else { return self.text(text) };
        let mut clean = value.clone();
        self.redaction.apply(&mut clean);
        walk_mut(&mut clean, None, &mut |field, text| {
            if field.is_some_and(is_secret_name) && is_unguessable(text) {
                *text = REDACTED.to_owned();
            } else if let Cow::Owned(changed) = self.text(text) {
                *text = changed;
            }
        });
        self.clean_names(&mut clean);
        if clean == value { Cow::Borrowed(text) } else { Cow::Owned(clean.to_string()) }
    }

    /// Names of fields are data, too, where a provider answers with a map.
    fn clean_names(&self, value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.clean_names(item)),
            Value::Object(object) => {
                object.values_mut().for_each(|value| self.clean_names(value));
                let changed: BTreeMap<String, String> = object
                    .keys()
                    .filter_map(|name| match self.text(name) {
                        Cow::Owned(clean) => Some((name.clone(), clean)),
                        Cow::Borrowed(_) => None,
                    })
                    .collect();
                if !changed.is_empty() {
                    let fields = std::mem::take(object).into_iter();
                    *object =
                        fields.map(|(name, value)| (changed.get(&name).cloned().unwrap_or(name), value)).collect();
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// Borrowed where there is nothing to take out.
    fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut clean = match take_out(text) {
            Cow::Owned(changed) if changed != text => Cow::Owned(changed),
            _ => Cow::Borrowed(text),
        };
        let without_own = self.endpoint.without_secrets(&clean);
        if without_own != *clean {
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
    use secrecy::SecretString;
    use serde_json::json;

    use super::*;

    fn scrub() -> Scrub {
        let endpoint = Endpoint::new("https://api.example.com".parse().unwrap())
            .bearer(&SecretString::from("the-token-of-this-client"));
        let mut redaction = Redaction::default();
        redaction.field("drain");
        Scrub { endpoint, redaction, pseudonyms: None }
    }

    fn asked(url: &str) -> Asked {
        let mut headers = HeaderMap::new();
        let mut bearer = HeaderValue::from_static("Bearer x");
        bearer.set_sensitive(true);
        headers.insert("accept", bearer.clone());
        headers.insert("authorization", HeaderValue::from_static("Bearer not-marked-as-sensitive"));
        headers.insert("x-vault", HeaderValue::from_static("s3cret"));
        headers.insert("range", HeaderValue::from_static("id ..; max=2"));
        Asked { method: Method::GET, url: url.parse().unwrap(), headers, body: None }
    }

    fn heard(headers: &[(&'static str, &'static str)], body: &[u8]) -> Heard {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
        Heard::Answer { status: StatusCode::OK, headers: headers.collect(), body: body.to_vec() }
    }

    fn entry(heard: &Heard) -> Entry {
        let times = Times { sent: jiff::Timestamp::UNIX_EPOCH, took: Duration::from_millis(5) };
        scrub().entry(&asked("https://api.example.com/teams?access_token=abc&page=2"), heard, times)
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
        assert_eq!(body_of("<p>the-token-of-this-client</p>"), "<p>[secret]</p>");
    }

    #[test]
    fn bytes_that_are_no_text_are_kept_unless_they_show_a_secret() {
        let content = |body: &[u8]| entry(&heard(&[], body)).response.content;
        assert_eq!(content(b"\xff\x00").text.as_deref(), Some("/wA="));
        let hidden = content(b"\xff the-token-of-this-client");
        assert_eq!((hidden.text.as_deref(), hidden.comment.is_some()), (Some(""), true));
    }
}
