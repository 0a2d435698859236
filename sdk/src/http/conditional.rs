//! Conditional requests: answers kept with their entity tags, so that the provider need not send again what has not
//! changed (RFC 9110, section 13; RFC 9111, sections 3.1 and 4.3.4).
//!
//! It says what is kept and under which key, and puts a kept answer in the place of a 304. Where answers are kept is
//! the [`ResponseCache`]'s matter. Never kept: headers that concern one connection, answers in which a secret stands,
//! answers that the provider forbids to store, and the last page of a list where its body alone does not tell that it is
//! the last: a 304 would hide what has been added behind it.
//!
//! An answer with a secret is kept neither as it is nor without the secret: steps that read the secret field would see
//! something else in the second run than in the first one.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::future::{self, BoxFuture};
use reqwest::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, ETAG, HeaderMap, HeaderName, HeaderValue,
    IF_NONE_MATCH, PROXY_AUTHENTICATE, SET_COOKIE, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, WWW_AUTHENTICATE,
};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::answer::WireResponse;
use super::call::WireRequest;
use crate::redact::Redaction;
use crate::secrets::OwnSecrets;

/// Headers that are not kept: those of one connection, those of a body on its way, and those that may be secret.
const NOT_KEPT: [HeaderName; 10] = [
    CONNECTION,
    CONTENT_ENCODING,
    CONTENT_LENGTH,
    PROXY_AUTHENTICATE,
    SET_COOKIE,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    WWW_AUTHENTICATE,
];

/// Names a request: its method, address and headers, less secret ones, as 64 hexadecimal digits (SHA-256). The same
/// request has the same key in every run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AnswerKey(String);

impl AnswerKey {
    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    #[cfg(test)]
    pub(crate) fn named(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// `shared` are the headers of every request, in which secret ones are marked.
    fn of(call: &WireRequest, shared: &HeaderMap) -> Self {
        let mut digest = Sha256::new();
        let mut note = |part: &[u8]| {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        };
        note(call.subject.method.as_str().as_bytes());
        note(call.url.as_str().as_bytes());
        let mut headers: Vec<_> =
            shared.iter().chain(&call.headers).filter(|(_, value)| !value.is_sensitive()).collect();
        headers.sort_by_key(|(name, _)| name.as_str());
        for (name, value) in headers {
            note(name.as_str().as_bytes());
            note(value.as_bytes());
        }
        Self(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl fmt::Display for AnswerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An answer of success as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedResponse {
    /// The entity tag, as the provider wrote it.
    pub etag: String,
    /// The status: 200, or 206 where it is a part of a list.
    pub status: u16,
    /// The headers, in which a pagination finds what comes next.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl CachedResponse {
    /// Whoever keeps answers may have damaged this one.
    fn is_usable(&self) -> bool {
        (200..300).contains(&self.status) && HeaderValue::from_str(&self.etag).is_ok()
    }
}

/// Keeps answers of one account of a provider.
///
/// What cannot be read or kept is treated as not there: the request is sent without a condition then. An
/// implementation says so in its log; it must not fail or wait for ever. Keys of different accounts are alike, so
/// each account needs a cache of its own.
pub trait ResponseCache: fmt::Debug + Send + Sync + 'static {
    /// The answer kept under a key.
    fn get<'a>(&'a self, key: &'a AnswerKey) -> BoxFuture<'a, Option<CachedResponse>>;
    /// Keeps an answer in the place of the one that was kept.
    fn put(&self, key: AnswerKey, answer: CachedResponse) -> BoxFuture<'_, ()>;
}

/// Keeps answers in memory as long as it lives, without a limit: for tests.
#[derive(Debug, Default)]
pub struct MemoryResponseCache(Mutex<HashMap<AnswerKey, CachedResponse>>);

impl MemoryResponseCache {
    /// How many answers are kept.
    pub fn len(&self) -> usize {
        self.open().len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.open().is_empty()
    }

    /// Only whole answers are put in and taken out, so they hold even after a panic elsewhere.
    fn open(&self) -> MutexGuard<'_, HashMap<AnswerKey, CachedResponse>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ResponseCache for MemoryResponseCache {
    fn get<'a>(&'a self, key: &'a AnswerKey) -> BoxFuture<'a, Option<CachedResponse>> {
        Box::pin(future::ready(self.open().get(key).cloned()))
    }

    fn put(&self, key: AnswerKey, answer: CachedResponse) -> BoxFuture<'_, ()> {
        self.open().insert(key, answer);
        Box::pin(future::ready(()))
    }
}

/// The largest body that is kept: it is looked through as a tree, which takes many times its memory.
const LARGEST_KEPT: usize = 4 << 20;

/// What is secret in an answer: the credentials, should the provider repeat them, and what the integration has marked.
pub(super) struct Secrets<'a> {
    pub(super) own: &'a OwnSecrets,
    pub(super) redaction: &'a Redaction,
}

impl Secrets<'_> {
    fn stand_in(&self, text: &str) -> bool {
        matches!(self.own.out_of_message(text), Cow::Owned(_))
    }

    /// What cannot be looked through may hold anything.
    fn stand_in_body(&self, body: &[u8]) -> bool {
        let Ok(text) = std::str::from_utf8(body) else { return true };
        if text.is_empty() {
            return false;
        }
        let Ok(json) = serde_json::from_str::<Value>(text) else { return true };
        // As it is written and as it is read: JSON has several ways to write a character.
        self.stand_in(text) || self.redaction.finds(&json) || self.stand_in_value(&json)
    }

    fn stand_in_value(&self, json: &Value) -> bool {
        match json {
            Value::String(text) => self.stand_in(text),
            Value::Array(items) => items.iter().any(|item| self.stand_in_value(item)),
            Value::Object(object) => {
                object.iter().any(|(name, value)| self.stand_in(name) || self.stand_in_value(value))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }
}

/// The condition under which a call is sent.
#[derive(Debug)]
pub(super) struct Condition<'a> {
    cache: &'a dyn ResponseCache,
    key: AnswerKey,
    kept: Option<CachedResponse>,
}

impl<'a> Condition<'a> {
    /// Looks for a kept answer, where the call may be answered by one.
    pub(super) async fn of(call: &WireRequest, shared: &HeaderMap, cache: &'a dyn ResponseCache) -> Option<Self> {
        let may =
            call.subject.method == Method::GET && call.body.is_none() && !call.headers.contains_key(IF_NONE_MATCH);
        if !may {
            return None;
        }
        let key = AnswerKey::of(call, shared);
        let kept = cache.get(&key).await.filter(CachedResponse::is_usable);
        Some(Self { cache, key, kept })
    }

    /// How large the body of the kept answer is.
    pub(super) fn kept_bytes(&self) -> usize {
        self.kept.as_ref().map_or(0, |kept| kept.body.len())
    }

    /// The call with its condition, if an answer is kept.
    pub(super) fn applied(&self, call: &WireRequest) -> Option<WireRequest> {
        let tag = HeaderValue::from_str(&self.kept.as_ref()?.etag).ok()?;
        let mut call = call.clone();
        call.headers.insert(IF_NONE_MATCH, tag);
        Some(call)
    }

    /// The kept answer in the place of a 304, with the headers that came now. Any other answer as it is, and the
    /// condition under which it may be kept.
    pub(super) fn resolved(self, answer: WireResponse) -> (WireResponse, Option<Self>) {
        match self.kept {
            Some(kept) if answer.status == StatusCode::NOT_MODIFIED => (freshened(kept, answer), None),
            _ => (answer, Some(Self { kept: None, ..self })),
        }
    }

    /// Keeps an answer that could be read, unless something forbids it.
    pub(super) async fn keep(self, answer: WireResponse, secrets: &Secrets<'_>) {
        let Some(etag) = answer.headers.get(ETAG).and_then(|etag| etag.to_str().ok()) else { return };
        let is_large = answer.body.len() > LARGEST_KEPT;
        let is_unfit = is_large || answer.repeats_secrets || is_not_to_be_stored(&answer.headers);
        if is_unfit || secrets.stand_in_body(&answer.body) {
            return;
        }
        // Whole or not at all: an answer without the header that tells what comes next would be the end of its list.
        let Some(headers) = kept_headers(&answer.headers, secrets) else { return };
        let (etag, status) = (etag.to_owned(), answer.status.as_u16());
        self.cache.put(self.key, CachedResponse { etag, status, headers, body: answer.body }).await;
    }
}

fn is_not_to_be_stored(headers: &HeaderMap) -> bool {
    let told = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    told.flat_map(|told| told.split(',')).any(|directive| directive.trim().eq_ignore_ascii_case("no-store"))
}

/// `None` where one of them is no text, or holds a secret.
fn kept_headers(headers: &HeaderMap, secrets: &Secrets<'_>) -> Option<Vec<(String, String)>> {
    let kept = headers.iter().filter(|(name, _)| !NOT_KEPT.contains(name));
    kept.map(|(name, value)| {
        let text = std::str::from_utf8(value.as_bytes()).ok().filter(|text| !secrets.stand_in(text))?;
        Some((name.as_str().to_owned(), text.to_owned()))
    })
    .collect()
}

fn freshened(kept: CachedResponse, now: WireResponse) -> WireResponse {
    let mut headers = HeaderMap::new();
    for (name, value) in &kept.headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_bytes(value.as_bytes())) {
            headers.append(name, value);
        }
    }
    for name in now.headers.keys().filter(|name| !NOT_KEPT.contains(name)) {
        headers.remove(name);
        headers.extend(now.headers.get_all(name).iter().map(|value| (name.clone(), value.clone())));
    }
    let status = StatusCode::from_u16(kept.status).unwrap_or(now.status);
    let repeats_secrets = now.repeats_secrets;
    WireResponse { status, headers, body: kept.body, received: now.received, hold: None, repeats_secrets }
}

#[cfg(test)]
mod tests {
    use super::super::error::Subject;
    use super::*;

    fn call(url: &str, headers: &[(&'static str, &str)]) -> WireRequest {
        let headers = headers.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        let mut call = WireRequest::bare(Subject { method: Method::GET, path: "/teams".into() }, url.parse().unwrap());
        call.headers.extend(headers);
        call
    }

    fn key(url: &str, headers: &[(&'static str, &str)]) -> AnswerKey {
        AnswerKey::of(&call(url, headers), &HeaderMap::new())
    }

    #[test]
    fn a_key_tells_addresses_and_ranges_apart_and_is_the_same_in_every_run() {
        let all = key("https://api.example.com/teams?a=1", &[("range", "id ..")]);
        assert_eq!(all.as_str(), "4d7bfd3c244a2e1d72f4390e251f795e08dad4ab363778e2348f0ecfdbcfd73c");
        assert_eq!(all, key("https://api.example.com/teams?a=1", &[("range", "id ..")]));
        for other in [
            key("https://api.example.com/teams?a=2", &[("range", "id ..")]),
            key("https://api.example.com/teams?a=1", &[("range", "id ]a..")]),
            key("https://api.example.com/teams?a=1", &[]),
        ] {
            assert_ne!(all, other);
        }
    }

    #[test]
    fn a_secret_header_is_in_no_key() {
        let mut shared = HeaderMap::new();
        let mut secret = HeaderValue::from_static("s3cret");
        secret.set_sensitive(true);
        shared.insert("authorization", secret);
        let call = call("https://api.example.com/teams", &[]);
        assert_eq!(AnswerKey::of(&call, &shared), AnswerKey::of(&call, &HeaderMap::new()));
    }

    #[test]
    fn what_is_kept_is_freshened_by_the_headers_that_came_now() {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let kept = CachedResponse {
            etag: "\"1\"".into(),
            status: 206,
            headers: vec![header("next-range", "id ]b.."), header("ratelimit-remaining", "9")],
            body: b"[1]".to_vec(),
        };
        let now = [("ratelimit-remaining", "7"), ("content-length", "0")];
        let now = now.into_iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let (status, headers) = (StatusCode::NOT_MODIFIED, now.collect());
        let now = WireResponse { status, headers, body: Vec::new(), received: 0, hold: None, repeats_secrets: false };
        let answer = freshened(kept, now);
        assert_eq!((answer.status.as_u16(), answer.body.as_slice()), (206, b"[1]".as_slice()));
        assert_eq!(answer.headers["next-range"], "id ]b..");
        assert_eq!(answer.headers["ratelimit-remaining"], "7");
        assert!(!answer.headers.contains_key(CONTENT_LENGTH));
    }
}
