//! HAR 1.2 as data: written strictly, read leniently.
//!
//! Of the files of other tools, only the fields that a replay needs are read, so that a `null` in another field does no
//! harm. The types are our own, because they must accept the additions of tools (`_isBinary`, `_order`, `_error`) and
//! tolerate their omissions.

use serde::{Deserialize, Deserializer, Serialize};

use integration_graph::redact::mend_surrogates;

use super::headers::{self, Named, header};
use super::loose::{self, UNREADABLE, object_or_text};

/// The version of the format.
pub(super) const VERSION: &str = "1.2";
/// The `_error` of an exchange whose body was larger than the limit.
pub(super) const TOO_LARGE: &str = "the body is larger than the limit";
/// The value of sizes and times that were not measured.
const UNKNOWN: i64 = -1;

fn unreadable() -> i64 {
    UNREADABLE
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Entry {
    #[serde(skip_deserializing)]
    pub(super) started_date_time: String,
    #[serde(skip_deserializing)]
    pub(super) time: f64,
    pub(super) request: Request,
    #[serde(deserialize_with = "loose::or_default")]
    pub(super) response: Response,
    #[serde(skip_deserializing)]
    pub(super) cache: Nothing,
    #[serde(skip_deserializing)]
    pub(super) timings: Timings,
    /// The position among equal requests, written by Polly.
    #[serde(rename = "_order", skip_serializing, deserialize_with = "loose::number")]
    pub(super) order: Option<f64>,
}

impl Entry {
    /// Reads an exchange that any tool may have written.
    ///
    /// # Errors
    /// The reason why it cannot be read, without quoting the text.
    pub(super) fn read(json: &str) -> Result<Self, String> {
        let mut bytes = json.as_bytes().to_vec();
        mend_surrogates(&mut bytes);
        let mut entry: Self = serde_json::from_slice(&bytes).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => {
                format!("it is not an exchange ({})", super::without_quoted(&error.to_string()))
            }
            _ => error.to_string(),
        })?;
        if entry.request.url.is_empty() {
            return Err("its request has no URL".to_owned());
        }
        if entry.request.method.is_empty() {
            entry.request.method = "GET".to_owned();
        }
        let response = &mut entry.response;
        if response.status == UNREADABLE && response.error.is_none() {
            return Err("the status of its response cannot be read".to_owned());
        }
        response.status = response.status.max(0);
        response.complete(&entry.request);
        let content = &mut entry.response.content;
        if content.text.is_none() && content.size.is_none() {
            content.size = Some(entry.response.body_size);
        }
        Ok(entry)
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Request {
    #[serde(deserialize_with = "loose::text")]
    pub(super) method: String,
    #[serde(deserialize_with = "loose::text")]
    pub(super) url: String,
    #[serde(skip_deserializing)]
    pub(super) http_version: &'static str,
    #[serde(skip_deserializing)]
    pub(super) cookies: [Named; 0],
    #[serde(deserialize_with = "headers::headers")]
    pub(super) headers: Vec<Named>,
    #[serde(skip_deserializing)]
    pub(super) query_string: Vec<Named>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "post_data")]
    pub(super) post_data: Option<PostData>,
    #[serde(skip_deserializing)]
    pub(super) headers_size: i64,
    #[serde(skip_deserializing)]
    pub(super) body_size: i64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct PostData {
    #[serde(skip_deserializing)]
    pub(super) mime_type: String,
    #[serde(deserialize_with = "loose::body")]
    pub(super) text: Option<String>,
    /// The fields of a form, which some tools store instead of the text.
    #[serde(skip_serializing, deserialize_with = "headers::headers")]
    pub(super) params: Vec<Named>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Response {
    #[serde(default = "unreadable", deserialize_with = "loose::status")]
    pub(super) status: i64,
    #[serde(skip_deserializing)]
    pub(super) status_text: String,
    #[serde(skip_deserializing)]
    pub(super) http_version: &'static str,
    #[serde(skip_deserializing)]
    pub(super) cookies: [Named; 0],
    #[serde(deserialize_with = "headers::headers")]
    pub(super) headers: Vec<Named>,
    #[serde(deserialize_with = "content")]
    pub(super) content: Content,
    #[serde(rename = "redirectURL", skip_deserializing)]
    pub(super) redirect_url: String,
    #[serde(skip_deserializing)]
    pub(super) headers_size: i64,
    #[serde(deserialize_with = "loose::size_or_unknown")]
    pub(super) body_size: i64,
    /// The reason why no response arrived, if the status is 0.
    #[serde(rename = "_error", skip_serializing_if = "Option::is_none", deserialize_with = "loose::error")]
    pub(super) error: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Content {
    #[serde(deserialize_with = "loose::size")]
    pub(super) size: Option<i64>,
    #[serde(skip_deserializing)]
    pub(super) mime_type: String,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "loose::body")]
    pub(super) text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "loose::optional_text")]
    pub(super) encoding: Option<String>,
    /// The reason why the text differs from the received body.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "loose::optional_text")]
    pub(super) comment: Option<String>,
    /// Whether the text is hexadecimal, written by Polly.
    #[serde(rename = "_isBinary", skip_serializing, deserialize_with = "loose::flag")]
    pub(super) is_binary: Option<bool>,
}

/// An empty object.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Nothing {}

#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Timings {
    pub(super) send: f64,
    pub(super) wait: f64,
    pub(super) receive: f64,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            method: String::new(),
            url: String::new(),
            http_version: "HTTP/1.1",
            cookies: [],
            headers: Vec::new(),
            query_string: Vec::new(),
            post_data: None,
            headers_size: UNKNOWN,
            body_size: 0,
        }
    }
}

impl Default for Response {
    fn default() -> Self {
        Self {
            status: 0,
            status_text: String::new(),
            http_version: "HTTP/1.1",
            cookies: [],
            headers: Vec::new(),
            content: Content::default(),
            redirect_url: String::new(),
            headers_size: UNKNOWN,
            body_size: UNKNOWN,
            error: None,
        }
    }
}

impl Response {
    /// Replaces a status that only the cache or the requested bytes of the other tool explain.
    ///
    /// A browser records 304 with the text of its cache, and 206 if the requested bytes are all bytes of the body.
    fn complete(&mut self, request: &Request) {
        let has_text = self.content.text.as_ref().is_some_and(|text| !text.is_empty());
        let asks_for_all = header(&request.headers, "range").is_some_and(is_all_bytes);
        let is_complete = match self.status {
            304 => has_text,
            206 => asks_for_all && header(&self.headers, "content-range").is_none_or(is_every_byte),
            _ => false,
        };
        if is_complete {
            self.status = 200;
        }
    }

    /// Returns whether the response only points to another one: a redirect, or a 304 without a body.
    pub(super) fn is_pointer(&self) -> bool {
        (300..400).contains(&self.status)
    }
}

/// Returns whether a range of bytes starts at the first byte and has no end, as in `bytes=0-`.
///
/// A request without a range has the same meaning.
pub(super) fn is_all_bytes(range: &str) -> bool {
    let range: String = range.split_whitespace().collect();
    range.eq_ignore_ascii_case("bytes=0-")
}

/// Returns whether a `Content-Range` covers the whole body, as in `bytes 0-99/100`.
fn is_every_byte(range: &str) -> bool {
    let numbers = || {
        let (part, total) = range.trim().strip_prefix("bytes")?.trim().strip_prefix("0-")?.split_once('/')?;
        Some((part.parse::<u64>().ok()?, total))
    };
    numbers().is_some_and(|(last, total)| total == "*" || total.parse() == Ok(last.saturating_add(1)))
}

/// Decodes the body of a request from an object or from the text alone.
fn post_data<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PostData>, D::Error> {
    object_or_text(deserializer, |text| PostData { text: Some(text), ..PostData::default() })
}

/// Decodes the body of a response from an object or from the text alone.
fn content<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Content, D::Error> {
    let content = object_or_text(deserializer, |text| Content { text: Some(text), ..Content::default() });
    Ok(content?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::body;

    fn exchange(changes: &[(&str, Value)]) -> Value {
        let mut exchange = json!({
            "request": {"method": "GET", "url": "https://h/x", "headers": []},
            "response": {"status": 200, "headers": [], "content": {"text": "[1]"}},
        });
        for (place, value) in changes {
            let (above, name) = place.rsplit_once('/').unwrap();
            exchange.pointer_mut(above).unwrap()[name] = value.clone();
        }
        exchange
    }

    /// Returns the status and the body of an exchange.
    fn answer(changes: &[(&str, Value)]) -> Result<(i64, String), String> {
        let response = Entry::read(&exchange(changes).to_string())?.response;
        let compression = header(&response.headers, "content-encoding");
        let body = body::decode(&response.content, compression, 1_000).map_err(|error| error.to_string())?;
        Ok((response.status, String::from_utf8(body).unwrap()))
    }

    #[test]
    fn a_status_is_read_in_any_type_and_one_that_cannot_be_read_is_not_taken_for_no_answer() {
        for status in [json!(200), json!(200.0), json!("200"), json!("200 OK"), json!(" 200 ")] {
            assert_eq!(answer(&[("/response/status", status.clone())]), Ok((200, "[1]".into())), "{status}");
        }
        let unreadable = Err("the status of its response cannot be read".to_owned());
        for status in [json!("OK"), json!(null), json!(""), json!(20), json!(200.5), json!({}), json!(70_000)] {
            assert_eq!(answer(&[("/response/status", status.clone())]), unreadable, "{status}");
        }
        assert_eq!(answer(&[("/response", json!({"content": {"text": "[1]"}}))]), unreadable);
        for none in [
            json!({"status": 0}),
            json!({"status": "0"}),
            json!({"status": -1}),
            json!({"status": null, "_error": "reset"}),
            json!(null),
        ] {
            assert_eq!(answer(&[("/response", none.clone())]), Ok((0, String::new())), "{none}");
        }
    }

    #[test]
    fn a_body_is_read_in_any_form() {
        let text = |value: Value| answer(&[("/response/content/text", value)]).unwrap().1;
        assert_eq!(text(json!({"id": 1.50, "text": "x"})), r#"{"id":1.5,"text":"x"}"#);
        assert_eq!(text(json!([{"value": 1}])), r#"[{"value":1}]"#);
        assert_eq!(text(json!("{\"a\":1}")), r#"{"a":1}"#);
        assert_eq!(text(json!(7)), "7");
        assert_eq!(text(json!({"type": "longString", "initial": "[1]", "length": 3})), "[1]");
        let big = exchange(&[]).to_string().replace("\"[1]\"", r#"{ "n": 12345678901234567890123 }"#);
        let content = Entry::read(&big).unwrap().response.content;
        assert_eq!(content.text.as_deref(), Some(r#"{ "n": 12345678901234567890123 }"#));
        for (encoding, value) in [
            ("hex", json!("5b315d")),
            (" HEX ", json!("5b 31\n5d")),
            ("hex", json!(["5b", "315d"])),
            ("base64", json!("WzFd")),
            ("Base64 ", json!(" Wz\r\n Fd\n")),
            ("base64", json!(["Ww", "MV0="])),
            ("base64", json!([1])),
            ("utf8", json!("[1]")),
        ] {
            let content = json!({"text": value, "encoding": encoding});
            assert_eq!(answer(&[("/response/content", content.clone())]), Ok((200, "[1]".into())), "{content}");
        }
        let object = json!({"text": {"a": 1}, "encoding": "base64"});
        assert_eq!(answer(&[("/response/content", object)]).unwrap().1, r#"{"a":1}"#);
    }

    #[test]
    fn sizes_headers_and_forms_of_other_tools_are_read() {
        let request = Entry::read(
            &exchange(&[
                ("/request/headers", json!({"Range": "id ..", "accept": ["a", "b"], "x": null, "n": 1})),
                ("/request/bodySize", json!("12")),
                ("/request/postData", json!({"text": {"b": 1}})),
                ("/response/bodySize", json!("3 B")),
                ("/response/headersSize", json!("unknown")),
                ("/_recordingName", json!({"a": []})),
                ("/_order", json!("2")),
            ])
            .to_string(),
        )
        .unwrap();
        let named = |name| header(&request.request.headers, name);
        assert_eq!((named("range"), named("accept"), named("n")), (Some("id .."), Some("a, b"), Some("1")));
        assert_eq!(request.request.post_data.and_then(|data| data.text).as_deref(), Some(r#"{"b":1}"#));
        assert_eq!((request.response.body_size, request.order), (3, Some(2.0)));
        let absent = answer(&[("/response/content", json!({"size": "12"}))]);
        assert_eq!(absent, Err("its body was not recorded".to_owned()));
        assert_eq!(answer(&[("/response/content", json!({"size": "0"}))]), Ok((200, String::new())));
    }
}
