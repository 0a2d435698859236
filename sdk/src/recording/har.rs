//! HAR 1.2 as data: written as the format asks, read with patience.
//!
//! Of what others wrote only those fields are read that a replay needs, so that a `null` in another one does no harm.
//! Own types rather than a crate's: these must read what tools add (`_isBinary`, `_order`, `_error`) and forgive what
//! they leave out.

use serde::{Deserialize, Serialize};

use crate::redact::mend_surrogates;

use super::loose;

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
    #[serde(rename = "_order", skip_serializing, deserialize_with = "loose::number")]
    pub(super) order: Option<f64>,
}

impl Entry {
    /// An exchange as whatever tool wrote it.
    ///
    /// # Errors
    /// Why it cannot be read; the text itself is not quoted.
    pub(super) fn read(json: &str) -> Result<Self, String> {
        let mut bytes = json.as_bytes().to_vec();
        mend_surrogates(&mut bytes);
        let mut entry: Self = serde_json::from_slice(&bytes).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => {
                format!("it is no exchange ({})", super::without_quoted(&error.to_string()))
            }
            _ => error.to_string(),
        })?;
        if entry.request.url.is_empty() {
            return Err("its request has no URL".to_owned());
        }
        if entry.request.method.is_empty() {
            entry.request.method = "GET".to_owned();
        }
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
    #[serde(deserialize_with = "loose::headers")]
    pub(super) headers: Vec<Named>,
    #[serde(skip_deserializing)]
    pub(super) query_string: Vec<Named>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "loose::post_data")]
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
    #[serde(deserialize_with = "loose::optional_text")]
    pub(super) text: Option<String>,
    /// The fields of a form, which some tools keep in the place of the text.
    #[serde(skip_serializing, deserialize_with = "loose::headers")]
    pub(super) params: Vec<Named>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Response {
    #[serde(deserialize_with = "loose::status")]
    pub(super) status: i64,
    #[serde(skip_deserializing)]
    pub(super) status_text: String,
    #[serde(skip_deserializing)]
    pub(super) http_version: &'static str,
    #[serde(skip_deserializing)]
    pub(super) cookies: [Named; 0],
    #[serde(deserialize_with = "loose::headers")]
    pub(super) headers: Vec<Named>,
    #[serde(deserialize_with = "loose::content")]
    pub(super) content: Content,
    #[serde(rename = "redirectURL", skip_deserializing)]
    pub(super) redirect_url: String,
    #[serde(skip_deserializing)]
    pub(super) headers_size: i64,
    #[serde(deserialize_with = "loose::size_or_unknown")]
    pub(super) body_size: i64,
    /// Why no answer came, where the status is 0.
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
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "loose::optional_text")]
    pub(super) text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "loose::optional_text")]
    pub(super) encoding: Option<String>,
    /// Why the text is not what came.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "loose::optional_text")]
    pub(super) comment: Option<String>,
    /// Polly: the text is hexadecimal.
    #[serde(rename = "_isBinary", skip_serializing, deserialize_with = "loose::flag")]
    pub(super) is_binary: Option<bool>,
}

/// A header or a parameter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
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
