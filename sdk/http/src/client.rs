//! The HTTP client: connections, attempts, and the access to the wire.
//!
//! The client owns the connections, and its [`Admission`] decides when a request may be sent. A permit is held during
//! one attempt, but not during the pause before the next one. No lock is held across an await.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderName};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::Instant;
use url::Url;

use super::ProviderError;
use super::account::AccountKey;
use super::admission::{Admission, Admitted};
use super::answer::{DecodeError, ReceivedResponse};
use super::budget::{BudgetState, RateBudget};
use super::call::{Call, Tolerance};
use super::conditional::{Condition, ResponseCache, Secrets};
use super::connections::NetworkConnector;
use super::endpoint::{AnswerHeaders, Endpoint};
use super::endpoint_error::EndpointError;
use super::error::{ErrorDetails, Problem, ProviderErrorKind};
use super::limit::Outcome;
use super::memory::{AnswerMemory, Reservation, settled};
use super::probe::Probe;
use super::received;
use super::retry::{Because, End, Held, RetryDecision};
use super::text::one_line;
use super::transport::{Connector, Transport};
use super::usage::UsageCounter;
use super::wire::{TransportError, WireRequest};
use integration_graph::redact::Redaction;
use integration_graph::run::Usage;
use integration_graph::secrets::OwnSecrets;

/// A client of one provider.
///
/// Clones are cheap and share everything except the counters of [`for_step`](Self::for_step).
#[derive(Clone)]
pub struct Http {
    shared: Arc<Shared>,
    tally: Arc<UsageCounter>,
    cache: Option<Arc<dyn ResponseCache>>,
    on_unread: Option<OnUnread>,
}

/// Receives the errors of unreadable list elements, while their lists continue.
pub type OnUnread = Arc<dyn Fn(&ProviderError) + Send + Sync>;

struct Shared {
    transport: Box<dyn Transport>,
    /// Whether pauses are observed: see [`Connector::is_offline`].
    is_paced: bool,
    /// Whether conditional requests are sent if responses are cached.
    is_conditional: bool,
    endpoint: Endpoint,
    request_headers: HeaderMap,
    answer_headers: AnswerHeaders,
    admission: Admission,
    memory: AnswerMemory,
    redaction: Redaction,
    own: OwnSecrets,
}

struct Failure {
    error: ProviderError,
    again: RetryDecision,
}

impl Http {
    /// Prepares connections to a provider; the first request opens the first connection.
    ///
    /// # Errors
    /// [`EndpointError`] if the endpoint cannot be used as configured.
    pub fn connect(endpoint: Endpoint) -> Result<Self, EndpointError> {
        Self::connect_with(endpoint, &NetworkConnector, &Redaction::default())
    }

    /// Prepares a client with another transport than the network.
    ///
    /// `redaction` identifies the secrets in responses that are kept.
    ///
    /// # Errors
    /// [`EndpointError`] if the endpoint cannot be used as configured.
    pub fn connect_with(
        endpoint: Endpoint,
        connector: &dyn Connector,
        redaction: &Redaction,
    ) -> Result<Self, EndpointError> {
        let is_offline = connector.is_offline();
        endpoint.check_base(is_offline)?;
        endpoint.rate_budget.map_or(Ok(()), RateBudget::check)?;
        let request_headers = endpoint.request_headers()?;
        let transport = connector.open(&endpoint, redaction)?;
        // An offline transport costs the provider nothing, so budget reports in its responses must not slow it down.
        let budget = endpoint.rate_budget.filter(|_| !is_offline);
        let shared = Shared {
            transport,
            is_paced: !is_offline,
            is_conditional: connector.allows_conditional_requests(),
            request_headers,
            answer_headers: endpoint.answer_headers()?,
            admission: Admission::new(endpoint.in_flight, budget),
            memory: AnswerMemory::new(endpoint.answer_memory),
            own: endpoint.own_secrets(),
            endpoint,
            redaction: redaction.clone(),
        };
        Ok(Self { shared: Arc::new(shared), tally: Arc::default(), cache: None, on_unread: None })
    }

    /// Returns a clone with separate usage counters, which also add to this client's counters.
    #[must_use]
    pub fn for_step(&self) -> Self {
        Self { tally: Arc::new(UsageCounter::within(&self.tally)), ..self.clone() }
    }

    /// Returns a clone that sends conditional requests if a response is cached.
    ///
    /// The cache is not used if the transport [does not allow it](Connector::allows_conditional_requests). The check of
    /// credentials needs a current response, so it must not use such a clone.
    #[must_use]
    pub fn conditional(&self, cache: Arc<dyn ResponseCache>) -> Self {
        Self { cache: self.shared.is_conditional.then_some(cache), ..self.clone() }
    }

    /// Returns a clone whose lists report unreadable elements instead of returning errors.
    pub fn reporting(&self, on_unread: OnUnread) -> Self {
        Self { on_unread: Some(on_unread), ..self.clone() }
    }

    /// Reports an unreadable element, or returns its error if nothing receives reports.
    pub(super) fn report_unread(&self, error: ProviderError) -> Option<ProviderError> {
        match &self.on_unread {
            Some(report) => {
                report(&error);
                None
            }
            None => Some(error),
        }
    }

    /// Returns a text with the credentials of this client removed.
    pub(super) fn without_secrets(&self, text: &str) -> String {
        self.shared.own.out_of_message(text).into_owned()
    }

    /// Returns the name of the account whose responses this client receives.
    pub fn account(&self, integration: &str, instance: &str) -> AccountKey {
        AccountKey::of(&self.shared.endpoint, integration, instance)
    }

    /// Returns a clone that sends no conditional requests.
    #[must_use]
    pub fn unconditional(&self) -> Self {
        Self { cache: None, ..self.clone() }
    }

    /// Returns the state of the rate budget, or `None` if the endpoint declares none.
    pub fn budget(&self) -> Option<BudgetState> {
        self.shared.admission.budget()
    }

    /// Returns the number of requests in flight.
    pub fn in_flight(&self) -> usize {
        *self.shared.admission.in_flight().borrow()
    }

    /// Returns the number of requests in flight, with a notification at every change.
    pub fn watch_in_flight(&self) -> watch::Receiver<usize> {
        self.shared.admission.in_flight()
    }

    /// Returns the current in-flight limit.
    ///
    /// The limit never exceeds the maximum of the endpoint. It is lower while the provider rejects requests for load or
    /// slows down, or when more requests would not increase the throughput.
    pub fn in_flight_limit(&self) -> usize {
        self.shared.admission.limit()
    }

    /// Returns the maximum of the in-flight limit.
    pub fn most_in_flight(&self) -> usize {
        self.shared.endpoint.in_flight
    }

    /// Returns the usage so far of this client and its clones.
    ///
    /// It includes the requests of clients made by [`for_step`](Self::for_step).
    pub fn usage(&self) -> Usage {
        self.tally.usage()
    }

    pub(super) fn base(&self) -> &Url {
        self.shared.endpoint.base()
    }

    pub(super) fn most_pages(&self) -> u32 {
        self.shared.endpoint.most_pages
    }

    pub(super) fn largest_element(&self) -> usize {
        self.shared.endpoint.largest_element
    }

    /// Returns the peak memory of responses in bytes: see [`Endpoint::answer_memory`].
    pub fn most_answer_memory(&self) -> usize {
        self.shared.memory.most_held()
    }

    /// Returns the metadata of a response: status, scopes, and remaining requests.
    pub(super) fn probed(&self, answer: &ReceivedResponse) -> Probe {
        let names = &self.shared.answer_headers;
        Probe {
            status: answer.status.as_u16(),
            accepted_scopes: self.scopes(&answer.headers, names.accepted_scopes.as_ref()).unwrap_or_default(),
            granted_scopes: self.scopes(&answer.headers, names.granted_scopes.as_ref()),
            rate_remaining: self.rate_remaining(answer),
        }
    }

    /// Sends a request until it succeeds, fails permanently, or exhausts its attempts.
    ///
    /// `keep` decides whether the response may be cached for later conditional requests.
    pub(super) async fn fetch<T: Send>(
        &self,
        call: &Call,
        read: impl Fn(&ReceivedResponse) -> Result<T, DecodeError> + Send + Sync,
        keep: impl Fn(&T) -> bool + Send + Sync,
    ) -> Result<T, ProviderError> {
        let policy = &self.shared.endpoint.retry;
        let mut pauses = policy.pauses();
        let (mut failed, mut rate_limited, mut least) = (0, 0, 0);
        loop {
            // Reserve memory before the admission, so that a request that waits for memory holds no permit.
            let (memory, limit) = (&self.shared.memory, self.shared.endpoint.largest_body);
            let reservation = memory.reserve(&call.counted_as, least, limit).await;
            let admitted = self.admitted(call).await?;
            // A retry is unconditional, because the cached response may be the cause of the failure.
            let cache = self.cache.as_deref().filter(|_| failed + rate_limited == 0);
            let Failure { error, again } = match self.attempt(call, &admitted, reservation, cache, &read, &keep).await {
                Ok(value) => return Ok(value),
                Err(failure) => failure,
            };
            let (told, exhausted) = match again {
                RetryDecision::WithRoom(bytes) => {
                    tracing::debug!(bytes, "a response was dropped for lack of memory; sending the request again");
                    memory.lacked(&call.counted_as, bytes);
                    least = bytes;
                    continue;
                }
                RetryDecision::Never => return Err(error.after_attempts(failed + rate_limited + 1)),
                RetryDecision::Once if failed > 0 => return Err(error.after_attempts(failed + rate_limited + 1)),
                RetryDecision::Once => {
                    failed += 1;
                    (None, failed >= policy.attempts)
                }
                RetryDecision::Paused(told) => {
                    failed += 1;
                    (told, failed >= policy.attempts)
                }
                RetryDecision::RateLimited(told) => {
                    rate_limited += 1;
                    (told, rate_limited >= policy.rate_limited_attempts)
                }
            };
            if let Some(told) = told.filter(|told| *told > policy.longest_told) {
                let end = End::of(told);
                let because = match again {
                    RetryDecision::RateLimited(_) => Because::RateLimit,
                    _ => Because::Failure,
                };
                self.shared.admission.hold(&call.counted_as, told, Held { end: end.clone(), because });
                return Err(error.after_attempts(failed + rate_limited).paused(&end, policy.longest_told));
            }
            let pause = told.or_else(|| pauses.next()).unwrap_or(policy.longest_pause).min(policy.longest_pause);
            let pause = if self.shared.is_paced { pause } else { Duration::ZERO };
            if let RetryDecision::RateLimited(_) = again {
                self.shared.admission.close_until(Instant::now() + pause);
            }
            // Release the permit after closing the gate, so that the next holder finds the gate closed.
            drop(admitted);
            if exhausted {
                return Err(error.after_attempts(failed + rate_limited).retries_exceeded());
            }
            tracing::warn!(error = %error, pause_ms = milliseconds(pause), "retrying");
            self.tally.count(&call.counted_as, |usage| usage.retries += 1);
            if let RetryDecision::Paused(_) | RetryDecision::Once = again {
                tokio::time::sleep(pause).await;
                self.tally.count(&call.counted_as, |usage| usage.waited += pause);
            }
        }
    }

    async fn attempt<T>(
        &self,
        call: &Call,
        admitted: &Admitted<'_>,
        mut reservation: Reservation,
        cache: Option<&dyn ResponseCache>,
        read: &(impl Fn(&ReceivedResponse) -> Result<T, DecodeError> + Sync),
        keep: &(impl Fn(&T) -> bool + Sync),
    ) -> Result<T, Failure> {
        let condition = match cache {
            Some(cache) => Condition::of(call, &self.shared.request_headers, cache).await,
            None => None,
        };
        let kept = condition.as_ref().map_or(0, Condition::kept_bytes);
        reservation.fit(kept).map_err(|broken| self.broken(call, broken))?;
        let conditional = condition.as_ref().and_then(|condition| condition.applied(call));
        let outcome = self.heard(conditional.as_ref().unwrap_or(call), admitted, &mut reservation).await;
        let answer = outcome.map_err(|broken| self.broken(call, broken))?;
        let (mut answer, condition) = match condition {
            Some(condition) => condition.resolved(answer),
            None => (answer, None),
        };
        let (body, hold) = (answer.body.len(), reservation.of_body(answer.body.len()));
        answer.hold = Some(Arc::clone(&hold));
        let value = self.judge(call, &answer, read)?;
        self.shared.memory.learn(&call.counted_as, settled(&hold, body));
        drop(hold);
        if let Some(condition) = condition.filter(|_| answer.status.is_success() && keep(&value)) {
            let secrets = Secrets { own: &self.shared.own, redaction: &self.shared.redaction };
            condition.keep(answer, &secrets).await;
        }
        Ok(value)
    }

    /// Sends one attempt and reports its outcome to the counters and the admission.
    async fn heard(
        &self,
        call: &Call,
        admitted: &Admitted<'_>,
        reservation: &mut Reservation,
    ) -> Result<ReceivedResponse, TransportError> {
        let subject = &call.subject;
        self.tally.count(&call.counted_as, |usage| usage.requests += 1);
        let sent = Instant::now();
        let heard = self.exchange(call, reservation).await;
        let time = sent.elapsed();
        let ms = milliseconds(time);
        match &heard {
            Ok(answer) => {
                let status = answer.status.as_u16();
                tracing::debug!(method = %subject.method, endpoint = %subject.path, status, ms, "answered");
                let remaining = self.rate_remaining(answer);
                self.note(call, answer, remaining);
                let (outcome, remaining) = match answer.status {
                    // A rate limit means an empty bucket, even if the response does not report the remaining requests.
                    StatusCode::TOO_MANY_REQUESTS => (Outcome::Overloaded, remaining.or(Some(0))),
                    StatusCode::SERVICE_UNAVAILABLE => (Outcome::Overloaded, remaining),
                    status if status.is_server_error() => (Outcome::Lost, remaining),
                    _ => (Outcome::Answered { time, bytes: answer.body.len() }, remaining),
                };
                admitted.learn(&call.counted_as, outcome, remaining);
            }
            Err(broken) => {
                tracing::debug!(method = %subject.method, endpoint = %subject.path, ms, "no complete response");
                let timed_out = matches!(broken, TransportError::TimedOut | TransportError::NotConnectedInTime);
                admitted.learn(&call.counted_as, if timed_out { Outcome::Overloaded } else { Outcome::Lost }, None);
            }
        }
        heard
    }

    async fn admitted(&self, call: &Call) -> Result<Admitted<'_>, ProviderError> {
        let admitted = self.shared.admission.admitted(&call.counted_as).await.map_err(|held| {
            let problem = Problem::TransportError(held.to_string());
            ProviderError::about(&call.subject, ProviderErrorKind::RetriesExceeded, problem, ErrorDetails::default())
                .after_attempts(0)
        })?;
        let waits = admitted.waits;
        self.tally.count(&call.counted_as, |usage| {
            usage.waited += waits.in_all;
            usage.waited_for_budget += waits.for_budget;
        });
        Ok(admitted)
    }

    /// Sends one request and returns the response without the client's own secrets.
    ///
    /// All traffic of this client passes through this function.
    async fn exchange(&self, call: &Call, reservation: &mut Reservation) -> Result<ReceivedResponse, TransportError> {
        let mut headers = self.shared.request_headers.clone();
        headers.extend(call.headers.clone());
        let (method, url, body) = (call.subject.method.clone(), call.url.clone(), call.body.clone());
        let response = self.shared.transport.send(WireRequest { method, url, headers, body }, reservation).await?;
        Ok(received::treated(response.into(), &self.shared.own))
    }

    fn note(&self, call: &Call, answer: &ReceivedResponse, remaining: Option<u64>) {
        let bytes = answer.received as u64;
        let not_modified = u64::from(answer.status == StatusCode::NOT_MODIFIED);
        self.tally.count(&call.counted_as, |usage| {
            usage.answer_bytes += bytes;
            usage.not_modified += not_modified;
        });
        if let Some(remaining) = remaining {
            self.tally.set_rate_remaining(remaining);
        }
    }

    fn rate_remaining(&self, answer: &ReceivedResponse) -> Option<u64> {
        text(&answer.headers, self.shared.answer_headers.rate_remaining.as_ref())?.trim().parse().ok()
    }

    fn judge<T>(
        &self,
        call: &Call,
        answer: &ReceivedResponse,
        read: &impl Fn(&ReceivedResponse) -> Result<T, DecodeError>,
    ) -> Result<T, Failure> {
        let status = answer.status;
        let mut told = self.told(&answer.headers, status);
        let again = RetryDecision::after(status, &answer.headers);
        let tolerated = match call.tolerates {
            Tolerance::None => false,
            Tolerance::Statuses(tolerated) => tolerated.contains(&status.as_u16()),
            Tolerance::Final => again == RetryDecision::Never,
        };
        if status.is_success() || tolerated {
            return read(answer).map_err(|unread| {
                let (problem, again) = match unread {
                    DecodeError::Truncated(why) => (Problem::TransportError(why), RetryDecision::Paused(None)),
                    DecodeError::Foreign(why) => (Problem::Unfit(why), RetryDecision::Once),
                    DecodeError::Mismatch(why) => (Problem::Unfit(why), RetryDecision::Never),
                };
                told.accepted_scopes.clear();
                Failure {
                    error: ProviderError::about(&call.subject, ProviderErrorKind::Unexpected, problem, told),
                    again,
                }
            });
        }
        // The HTML error page of an intermediate proxy is not JSON, and is therefore not quoted.
        let body = serde_json::from_slice::<Value>(&answer.body).ok();
        if let Some((code, message)) = body.as_ref().and_then(|body| (self.shared.endpoint.error_body)(body)) {
            told.code = Some(self.shared.own.out_of_message(&code).into_owned());
            told.message = Some(self.shared.own.out_of_message(&message).into_owned());
        }
        if !matches!(
            ProviderErrorKind::of(status),
            ProviderErrorKind::Authentication | ProviderErrorKind::Authorization
        ) {
            told.accepted_scopes.clear();
        }
        let error = ProviderError::about(&call.subject, ProviderErrorKind::of(status), Problem::Status, told);
        Err(Failure { error, again })
    }

    fn scopes<T: FromIterator<String>>(&self, headers: &HeaderMap, name: Option<&HeaderName>) -> Option<T> {
        let scopes = self.shared.own.out_of_message(text(headers, name)?).into_owned();
        Some(scopes.split([',', ' ']).filter(|scope| !scope.is_empty()).map(str::to_owned).collect())
    }

    fn told(&self, headers: &HeaderMap, status: StatusCode) -> ErrorDetails {
        let names = &self.shared.answer_headers;
        ErrorDetails {
            status: Some(status),
            request_id: text(headers, names.request_id.as_ref())
                .map(|id| self.shared.own.out_of_message(id).into_owned()),
            accepted_scopes: self.scopes(headers, names.accepted_scopes.as_ref()).unwrap_or_default(),
            ..ErrorDetails::default()
        }
    }

    fn broken(&self, call: &Call, broken: TransportError) -> Failure {
        let (problem, again) = match broken {
            TransportError::Connection(_) | TransportError::TimedOut => {
                (Problem::TransportError(broken.to_string()), RetryDecision::Paused(None))
            }
            TransportError::Unconnected(_) | TransportError::NotConnectedInTime => {
                (Problem::Unreachable(broken.to_string()), RetryDecision::Paused(None))
            }
            TransportError::NoRoom(bytes) => {
                (Problem::TransportError(broken.to_string()), RetryDecision::WithRoom(bytes))
            }
            TransportError::NoResponse(why) | TransportError::Untrusted(why) => {
                (Problem::Unreachable(why), RetryDecision::Never)
            }
            TransportError::UnrequestedCompression(name) => {
                let shown =
                    TransportError::UnrequestedCompression(one_line(&self.shared.own.out_of_message(&name), 40));
                (Problem::Unfit(shown.to_string()), RetryDecision::Never)
            }
            TransportError::TooLarge => {
                let limit = self.shared.endpoint.largest_body;
                (Problem::Unfit(format!("the body is larger than the limit of {limit} bytes")), RetryDecision::Never)
            }
        };
        let error =
            ProviderError::about(&call.subject, ProviderErrorKind::Unexpected, problem, ErrorDetails::default());
        Failure { error, again }
    }

    #[cfg(test)]
    pub(super) fn close_until(&self, then: Instant) {
        self.shared.admission.close_until(then);
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Http").field(&self.shared.endpoint).finish()
    }
}

fn text<'a>(headers: &'a HeaderMap, name: Option<&HeaderName>) -> Option<&'a str> {
    headers.get(name?).and_then(|value| value.to_str().ok())
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
