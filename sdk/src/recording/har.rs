//! HAR 1.2 as data: written as the format asks, read with patience.
//!
//! Of what others wrote only those fields are read that a replay needs, so that a `null` in another one does no harm.
//! Own types rather than a crate's: these must read what tools add (`_isBinary`, `_order`, `_error`) and forgive what
//! they leave out.

use serde::{Deserialize, Serialize};

/// The version of the format.
pub(super) const VERSION: &str = "1.2";
/// `_error` of an exchange whose body was larger than the limit.
pub(super) const TOO_LARGE: &str = "the body is larger than the limit";
/// There is no better value: sizes and times that nobody measured.
const UNKNOWN: i64 = -1;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Entry {
    #[serde(skip_deserializing)]
    pub(super) started_date_time: String,
    #[serde(skip_deserializing)]
    pub(super) time: f64,
    pub(super) request: Request,
    pub(super) response: Response,
    #[serde(skip_deserializing)]
    pub(super) cache: Nothing,
    #[serde(skip_deserializing)]
    pub(super) timings: Timings,
    /// Polly: which of several equal requests it is.
    #[serde(rename = "_order", skip_serializing)]
    pub(super) order: Option<i64>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) url: String,
    #[serde(skip_deserializing)]
    pub(super) http_version: &'static str,
    #[serde(skip_deserializing)]
    pub(super) cookies: [Named; 0],
    pub(super) headers: Vec<Named>,
    #[serde(skip_deserializing)]
    pub(super) query_string: Vec<Named>,
    #[serde(skip_serializing_if = "Option::is_none")]
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
    pub(super) text: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Response {
    pub(super) status: i64,
    #[serde(skip_deserializing)]
    pub(super) status_text: String,
    #[serde(skip_deserializing)]
    pub(super) http_version: &'static str,
    #[serde(skip_deserializing)]
    pub(super) cookies: [Named; 0],
    pub(super) headers: Vec<Named>,
    pub(super) content: Content,
    #[serde(rename = "redirectURL", skip_deserializing)]
    pub(super) redirect_url: String,
    #[serde(skip_deserializing)]
    pub(super) headers_size: i64,
    #[serde(skip_deserializing)]
    pub(super) body_size: i64,
    /// Why no answer came, where the status is 0.
    #[serde(rename = "_error", skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Content {
    pub(super) size: Option<i64>,
    #[serde(skip_deserializing)]
    pub(super) mime_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) encoding: Option<String>,
    /// Why the text is not what came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) comment: Option<String>,
    /// Polly: the text is hexadecimal.
    #[serde(rename = "_isBinary", skip_serializing)]
    pub(super) is_binary: Option<bool>,
}

/// A header or a parameter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) value: String,
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

/// The value of a header, whatever the case of its name.
pub(super) fn header<'a>(headers: &'a [Named], name: &str) -> Option<&'a str> {
    headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value.as_str())
}
