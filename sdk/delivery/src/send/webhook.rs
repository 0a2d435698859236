//! Webhooks.

use std::error::Error;
use std::time::SystemTime;

use integration_rules::WebhookCall;
use integration_rules::delivery::{AttemptResult, OutboxEntry, SigningSecret, check_target};
use integration_secrets::{ExposeSecret, SecretString};
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Method, Response, StatusCode};
use serde_json::Value;
use url::Url;

use super::Sender;
use crate::settings::{RECEIVER, Receiver};
use crate::target::CheckedNames;

/// Headers that a rule cannot set, because the connection or the signature depends on them.
const RESERVED: [&str; 8] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "idempotency-key",
];

/// The part of an answer that is read, so that the connection ends in order.
const ANSWER: usize = 64 << 10;

impl Sender {
    pub(super) async fn webhook(
        &self,
        entry: &OutboxEntry,
        call: &WebhookCall,
        now: Timestamp,
    ) -> Result<AttemptResult, AttemptResult> {
        let receiver = match call.url.strip_prefix(RECEIVER) {
            Some(name) => Some(
                self.settings
                    .receivers
                    .get(name)
                    .ok_or_else(|| AttemptResult::Failed(format!("delivery.yaml has no receiver {name}")))?,
            ),
            None => None,
        };
        let address = match receiver {
            Some(receiver) => self.read(&receiver.url).await?,
            None => SecretString::from(call.url.clone()),
        };
        let mut headers = self.headers(call, receiver).await?;
        let body = self.body(call, receiver).await?;
        if call.body.is_some() && !headers.contains_key(CONTENT_TYPE) {
            let is_text = matches!(call.body, Some(Value::String(_)));
            let content = if is_text { "text/plain; charset=utf-8" } else { "application/json" };
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content));
        }
        let bytes = WebhookCall { body, ..call.clone() }.bytes();
        for (name, value) in self.identity(entry, receiver, now, &bytes).await? {
            headers.insert(name, value);
        }
        let method = Method::from_bytes(call.method.as_bytes())
            .map_err(|_| AttemptResult::Refused("the method is no HTTP method".to_owned()))?;
        self.request(method, &address, headers, bytes).await
    }

    /// Sends one request to a checked target.
    pub(super) async fn request(
        &self,
        method: Method,
        address: &SecretString,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<AttemptResult, AttemptResult> {
        let url: Url = address
            .expose_secret()
            .parse()
            .map_err(|_| AttemptResult::Refused("the address of the receiver is no URL".to_owned()))?;
        let policy = self.settings.policy(&url);
        check_target(&url, policy).map_err(|error| AttemptResult::Refused(error.to_string()))?;
        let names = CheckedNames::default();
        let client = self.client((!policy.allow_private).then_some(&names))?;
        let request = client.request(method, url).headers(headers).body(body);
        match request.send().await {
            Ok(response) => Ok(answered(response).await),
            Err(error) => Ok(match names.take_refusal() {
                Some(refusal) => AttemptResult::Refused(refusal.to_string()),
                None => AttemptResult::Failed(failure(&error)),
            }),
        }
    }

    async fn headers(&self, call: &WebhookCall, receiver: Option<&Receiver>) -> Result<HeaderMap, AttemptResult> {
        let mut headers = HeaderMap::new();
        let unusable = |name: &str| AttemptResult::Refused(format!("the header {name:?} cannot be sent"));
        for (name, value) in &call.headers {
            let parsed: HeaderName = name.parse().map_err(|_| unusable(name))?;
            if RESERVED.contains(&parsed.as_str()) {
                return Err(AttemptResult::Refused(format!("a rule cannot set the header {parsed}")));
            }
            headers.insert(parsed, value.parse().map_err(|_| unusable(name))?);
        }
        for (name, value) in receiver.iter().flat_map(|receiver| &receiver.headers) {
            let parsed: HeaderName = name.parse().map_err(|_| unusable(name))?;
            let secret = self.read(value).await?;
            let mut value: HeaderValue = secret.expose_secret().parse().map_err(|_| unusable(name))?;
            value.set_sensitive(true);
            headers.insert(parsed, value);
        }
        Ok(headers)
    }

    /// Returns the body of the rule with the members of the settings.
    async fn body(&self, call: &WebhookCall, receiver: Option<&Receiver>) -> Result<Option<Value>, AttemptResult> {
        let mut body = call.body.clone();
        for (name, value) in receiver.iter().flat_map(|receiver| &receiver.body) {
            let secret = self.read(value).await?;
            match body.get_or_insert_with(|| Value::Object(serde_json::Map::new())) {
                Value::Object(members) => members.insert(name.clone(), secret.expose_secret().into()),
                _ => {
                    let reason = "the body is no JSON object, but delivery.yaml adds members to it";
                    return Err(AttemptResult::Refused(reason.to_owned()));
                }
            };
        }
        Ok(body)
    }

    /// Returns the headers by which the receiver recognises the request, and its signature.
    async fn identity(
        &self,
        entry: &OutboxEntry,
        receiver: Option<&Receiver>,
        now: Timestamp,
        body: &[u8],
    ) -> Result<Vec<(HeaderName, HeaderValue)>, AttemptResult> {
        let secret = match receiver.and_then(|receiver| receiver.signing_secret.as_ref()) {
            Some(secret) => {
                let text = self.read(secret).await?;
                // The message does not repeat the secret.
                let parsed = SigningSecret::parse(text.expose_secret());
                Some(parsed.map_err(|error| AttemptResult::Failed(error.to_string()))?)
            }
            None => None,
        };
        let mut named = vec![("idempotency-key", entry.id.clone())];
        match secret {
            Some(secret) => named.extend(secret.headers(&entry.id, now, body)),
            None => named.push(("webhook-id", entry.id.clone())),
        }
        let header = |(name, text): (&'static str, String)| {
            let value = text.parse().map_err(|_| AttemptResult::Refused("the identifier cannot be sent".to_owned()))?;
            Ok((HeaderName::from_static(name), value))
        };
        named.into_iter().map(header).collect()
    }
}

async fn answered(mut response: Response) -> AttemptResult {
    let status = response.status();
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| delay(value.to_str().ok()?));
    // The status is the answer. A body that breaks off changes nothing.
    let mut read = 0;
    while let Ok(Some(chunk)) = response.chunk().await {
        read += chunk.len();
        if read > ANSWER {
            break;
        }
    }
    if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
        let reason = format!("the receiver answered with a redirect ({status}), which is not followed");
        return AttemptResult::Failed(reason);
    }
    AttemptResult::Answered { status: status.as_u16(), retry_after }
}

/// Returns the delay that `Retry-After` demands: seconds, or a date.
fn delay(text: &str) -> Option<SignedDuration> {
    if let Ok(seconds) = text.trim().parse::<u32>() {
        return Some(SignedDuration::from_secs(seconds.into()));
    }
    let at = httpdate::parse_http_date(text).ok()?;
    let wait = at.duration_since(SystemTime::now()).ok()?;
    SignedDuration::try_from(wait).ok()
}

/// Describes a failure by its kind and root cause, without the address, which may contain a token.
fn failure(error: &reqwest::Error) -> String {
    let kind = match error {
        error if error.is_timeout() => "there was no answer in time",
        error if error.is_connect() => "the receiver cannot be reached",
        _ => "the request broke off",
    };
    let mut cause = error.source();
    while let Some(deeper) = cause.and_then(Error::source) {
        cause = Some(deeper);
    }
    match cause {
        Some(cause) => format!("{kind}: {cause}"),
        None => kind.to_owned(),
    }
}
