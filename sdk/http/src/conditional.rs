//! Conditional requests: an unchanged response is not transferred again.
//!
//! A provider that knows the entity tag of a cached response answers 304 without a body if nothing has changed (RFC
//! 9110, section 13; RFC 9111, sections 3.1 and 4.3.4). This module decides which responses are cached and under which
//! key, and replaces a 304 by the cached response. The storage is the responsibility of a [`ResponseCache`].
//!
//! Four things are never cached:
//!
//! - headers that concern a single connection,
//! - responses that contain a secret,
//! - responses that the provider forbids to store,
//! - the last page of a list, unless its body alone shows that it is the last one. A 304 confirms only the body, and
//!   would hide the elements that were added after it.
//!
//! A response with a secret is not cached in redacted form either: a step that reads the secret field would see another
//! value in the second run than in the first.

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
use ring::digest::{Context, SHA256};
use serde_json::Value;

use super::answer::ReceivedResponse;
use super::call::Call;
use integration_graph::redact::Redaction;
use integration_graph::secrets::OwnSecrets;

/// The headers that are not cached.
///
/// They concern one connection, describe the encoding of the body, or may be secret.
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

/// The cache key of a request: 64 hexadecimal digits.
///
/// It is the SHA-256 of the method, the address, and the headers that are not secret. The same request has the same key
/// in every run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AnswerKey(String);

impl AnswerKey {
    /// Returns the key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Creates a key from its text, such as that of a stored response.
    pub fn named(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// Computes the key of a request.
    ///
    /// `shared` contains the headers of every request, with secret ones marked as sensitive.
    fn of(call: &Call, shared: &HeaderMap) -> Self {
        let mut digest = Context::new(&SHA256);
        let mut note = |part: &[u8]| {
            digest.update(&(part.len() as u64).to_be_bytes());
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
        Self(digest.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl fmt::Display for AnswerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A cached response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedResponse {
    /// The entity tag, exactly as received.
    pub etag: String,
    /// The status: 200, or 206 for a part of a list.
    pub status: u16,
    /// The headers, which contain the position of the next page for some paginations.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl CachedResponse {
    /// Returns whether the response is intact.
    ///
    /// The cache may have damaged it.
    fn is_usable(&self) -> bool {
        (200..300).contains(&self.status) && HeaderValue::from_str(&self.etag).is_ok()
    }
}

/// A cache for the responses of one account of a provider.
///
/// An entry that cannot be read or written counts as absent, and the request is then sent without a condition. An
/// implementation logs such a failure. It must neither fail nor block forever. Keys do not identify the account, so
/// each account needs a separate cache.
pub trait ResponseCache: fmt::Debug + Send + Sync + 'static {
    /// Returns the response that is cached under a key.
    fn get<'a>(&'a self, key: &'a AnswerKey) -> BoxFuture<'a, Option<CachedResponse>>;
    /// Caches a response and replaces the previous one.
    fn put(&self, key: AnswerKey, answer: CachedResponse) -> BoxFuture<'_, ()>;
}

/// An unlimited in-memory cache for tests.
#[derive(Debug, Default)]
pub struct MemoryResponseCache(Mutex<HashMap<AnswerKey, CachedResponse>>);

impl MemoryResponseCache {
    /// Returns the number of cached responses.
    pub fn len(&self) -> usize {
        self.open().len()
    }

    /// Returns whether the cache is empty.
    pub fn is_empty(&self) -> bool {
        self.open().is_empty()
    }

    /// Locks the responses.
    ///
    /// Only complete responses are inserted and read, so the map stays valid even after a panic elsewhere.
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

/// The maximum size of a cached body.
///
/// The search for secrets parses the body into a tree, which takes many times its memory.
const LARGEST_KEPT: usize = 4 << 20;

/// The secrets that exclude a response from the cache.
///
/// They are the client's own credentials and the fields that the integration declares as secret.
pub(super) struct Secrets<'a> {
    pub(super) own: &'a OwnSecrets,
    pub(super) redaction: &'a Redaction,
}

impl Secrets<'_> {
    fn stand_in(&self, text: &str) -> bool {
        matches!(self.own.out_of_message(text), Cow::Owned(_))
    }

    /// Returns whether a body may contain a secret.
    ///
    /// A body that cannot be parsed may contain anything.
    fn stand_in_body(&self, body: &[u8]) -> bool {
        let Ok(text) = std::str::from_utf8(body) else { return true };
        if text.is_empty() {
            return false;
        }
        let Ok(json) = serde_json::from_str::<Value>(text) else { return true };
        // Search both the raw text and the decoded strings, because JSON can encode a character in several ways.
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

/// The condition under which a request is sent.
#[derive(Debug)]
pub(super) struct Condition<'a> {
    cache: &'a dyn ResponseCache,
    key: AnswerKey,
    kept: Option<CachedResponse>,
}

impl<'a> Condition<'a> {
    /// Looks up the cached response, if the request is eligible for one.
    pub(super) async fn of(call: &Call, shared: &HeaderMap, cache: &'a dyn ResponseCache) -> Option<Self> {
        let may =
            call.subject.method == Method::GET && call.body.is_none() && !call.headers.contains_key(IF_NONE_MATCH);
        if !may {
            return None;
        }
        let key = AnswerKey::of(call, shared);
        let kept = cache.get(&key).await.filter(CachedResponse::is_usable);
        Some(Self { cache, key, kept })
    }

    /// Returns the size of the cached body.
    pub(super) fn kept_bytes(&self) -> usize {
        self.kept.as_ref().map_or(0, |kept| kept.body.len())
    }

    /// Returns the request with its condition, if a response is cached.
    pub(super) fn applied(&self, call: &Call) -> Option<Call> {
        let tag = HeaderValue::from_str(&self.kept.as_ref()?.etag).ok()?;
        let mut call = call.clone();
        call.headers.insert(IF_NONE_MATCH, tag);
        Some(call)
    }

    /// Replaces a 304 by the cached response, updated with the received headers.
    ///
    /// Any other response is returned unchanged, with the condition under which it may be cached.
    pub(super) fn resolved(self, answer: ReceivedResponse) -> (ReceivedResponse, Option<Self>) {
        match self.kept {
            Some(kept) if answer.status == StatusCode::NOT_MODIFIED => (freshened(kept, answer), None),
            _ => (answer, Some(Self { kept: None, ..self })),
        }
    }

    /// Caches a decoded response, unless a rule forbids it.
    pub(super) async fn keep(self, answer: ReceivedResponse, secrets: &Secrets<'_>) {
        let Some(etag) = answer.headers.get(ETAG).and_then(|etag| etag.to_str().ok()) else { return };
        let is_large = answer.body.len() > LARGEST_KEPT;
        let is_unfit = is_large || answer.repeats_secrets || is_not_to_be_stored(&answer.headers);
        if is_unfit || secrets.stand_in_body(&answer.body) {
            return;
        }
        // Cache all headers or no response at all. Without the header that identifies the next page, the list would end
        // early.
        let Some(headers) = kept_headers(&answer.headers, secrets) else { return };
        let (etag, status) = (etag.to_owned(), answer.status.as_u16());
        self.cache.put(self.key, CachedResponse { etag, status, headers, body: answer.body }).await;
    }
}

fn is_not_to_be_stored(headers: &HeaderMap) -> bool {
    let told = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    told.flat_map(|told| told.split(',')).any(|directive| directive.trim().eq_ignore_ascii_case("no-store"))
}

/// Returns the headers to cache, or `None` if one is not text or contains a secret.
fn kept_headers(headers: &HeaderMap, secrets: &Secrets<'_>) -> Option<Vec<(String, String)>> {
    let kept = headers.iter().filter(|(name, _)| !NOT_KEPT.contains(name));
    kept.map(|(name, value)| {
        let text = std::str::from_utf8(value.as_bytes()).ok().filter(|text| !secrets.stand_in(text))?;
        Some((name.as_str().to_owned(), text.to_owned()))
    })
    .collect()
}

fn freshened(kept: CachedResponse, now: ReceivedResponse) -> ReceivedResponse {
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
    ReceivedResponse { status, headers, body: kept.body, received: now.received, hold: None, repeats_secrets }
}

#[cfg(test)]
mod tests {
    use super::super::error::Subject;
    use super::*;

    fn call(url: &str, headers: &[(&'static str, &str)]) -> Call {
        let headers = headers.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        let mut call = Call::bare(Subject { method: Method::GET, path: "/teams".into() }, url.parse().unwrap());
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
        let now =
            ReceivedResponse { status, headers, body: Vec::new(), received: 0, hold: None, repeats_secrets: false };
        let answer = freshened(kept, now);
        assert_eq!((answer.status.as_u16(), answer.body.as_slice()), (206, b"[1]".as_slice()));
        assert_eq!(answer.headers["next-range"], "id ]b..");
        assert_eq!(answer.headers["ratelimit-remaining"], "7");
        assert!(!answer.headers.contains_key(CONTENT_LENGTH));
    }
}
