//! A model of the provider's rate budget, so that requests wait instead of being rejected.
//!
//! A rate limit is a token bucket: every request takes one token, time refills the bucket, and an empty bucket rejects
//! requests with status 429. The model is a *lower bound* of that bucket. It may count too few tokens for a moment, but
//! never too many, so a client that spends only the tokens of the model is not rejected. Other clients of the same
//! bucket are the only exception, and the next response corrects the model for them.
//!
//! # How the bound is computed
//!
//! Until a response reports the remaining tokens, nothing is known and every request is allowed. After that the bound
//! has three terms:
//!
//! - the number in the latest report,
//! - plus the refill since the report *arrived*; the provider counted earlier, so the true refill is larger,
//! - minus every request that the report may not include.
//!
//! The third term needs care, because requests can reach the provider in any order. Each request remembers how many
//! requests had *ended* when it was sent. The provider had counted those, and it counted the request itself before it
//! reported. All other requests may still be on the way to the provider, and are subtracted. For example, five requests
//! are sent while none has ended, and the response to the third one reports 90. The provider has counted the third
//! request, but perhaps none of the other four. The bound is therefore 90 - 4 = 86.
//!
//! Responses can arrive out of order, too. The response to an older request describes an older state, so the model
//! keeps the report of the most recently sent request. Each such report replaces the previous one and corrects the
//! model in both directions.
//!
//! The effect is that requests are sent at full speed until the bucket is empty, and then at the rate of its refill.
//! The model uses monotonic time, so a change of the wall clock has no effect. It reads no clock and never waits.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::Notify;
use tokio::time::Instant;

use super::endpoint_error::EndpointError;

/// A duration longer than any wait, but short enough to be added to an instant.
const FOR_EVER: Duration = Duration::from_secs(10 * 365 * 86_400);
/// The tolerance for rounding errors in the check for a whole token.
const ROUNDING: f64 = 1e-6;

/// The number of requests that a provider allows: a token bucket with steady refill.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateBudget {
    /// The number of requests in a full bucket.
    pub capacity: u32,
    /// The number of requests that are refilled per minute.
    pub refill_per_minute: f64,
}

impl RateBudget {
    /// Returns the minimum time for `requests` requests if `remaining` tokens are left.
    ///
    /// The remaining tokens can be spent at once; further requests wait for the refill.
    pub fn time_for(self, remaining: u32, requests: u64) -> Duration {
        let missing = requests.saturating_sub(remaining.into());
        self.time_to_refill(missing as f64)
    }

    pub(super) fn check(self) -> Result<(), EndpointError> {
        let usable = self.capacity > 0 && self.refill_per_minute.is_finite() && self.refill_per_minute > 0.0;
        if usable { Ok(()) } else { Err(EndpointError::RateBudget) }
    }

    fn time_to_refill(self, requests: f64) -> Duration {
        Duration::try_from_secs_f64(requests / self.per_second()).map_or(FOR_EVER, |time| time.min(FOR_EVER))
    }

    fn per_second(self) -> f64 {
        self.refill_per_minute / 60.0
    }
}

/// The state of a client's rate budget.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BudgetState {
    /// The budget that the endpoint declares.
    pub budget: RateBudget,
    /// The number of requests that can be sent at once. `None` until a response has reported it.
    pub remaining: Option<u32>,
    /// The time of the next request, if one waits for the budget or a rate limit.
    pub waiting_until: Option<SystemTime>,
}

impl BudgetState {
    /// Returns the minimum time for `requests` more requests, according to the current state.
    pub fn time_for(&self, requests: u64) -> Duration {
        self.budget.time_for(self.remaining.unwrap_or(self.budget.capacity), requests)
    }
}

/// The model, shared by all clones of a client.
#[derive(Debug)]
pub(super) struct Budget {
    model: Mutex<Model>,
    news: Notify,
}

impl Budget {
    pub(super) fn new(rule: RateBudget) -> Self {
        Self { model: Mutex::new(Model { rule, sent: 0, ended: 0, told: None }), news: Notify::new() }
    }

    pub(super) fn rule(&self) -> RateBudget {
        self.open().rule
    }

    /// Takes one token from the budget, if one is available.
    pub(super) fn take(&self) -> Option<BudgetToken<'_>> {
        let sent = self.open().take(Instant::now())?;
        Some(BudgetToken { budget: self, sent })
    }

    /// Waits until a token is available, and returns the duration of the wait.
    ///
    /// Only the head of the queue waits here.
    pub(super) async fn affordable(&self) -> Duration {
        let Some(mut until) = self.empty_until() else { return Duration::ZERO };
        let empty = Instant::now();
        loop {
            // The wait ends with the refill, or earlier if a response reports more tokens.
            let _ = tokio::time::timeout_at(until, self.news.notified()).await;
            match self.empty_until() {
                Some(later) => until = later,
                None => return empty.elapsed(),
            }
        }
    }

    /// Returns the time of the next token, or `None` if one is available now.
    pub(super) fn empty_until(&self) -> Option<Instant> {
        let now = Instant::now();
        self.open().wait(now).map(|wait| now + wait)
    }

    pub(super) fn remaining(&self) -> Option<u32> {
        self.open().left(Instant::now()).map(|left| (left + ROUNDING) as u32)
    }

    /// Locks the model.
    ///
    /// Every change is a few additions, so the model stays valid even after a panic elsewhere.
    fn open(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A token taken from the budget for one request.
///
/// Dropping it marks the request as ended, with or without a response.
#[derive(Debug)]
pub(super) struct BudgetToken<'a> {
    budget: &'a Budget,
    sent: Sent,
}

impl BudgetToken<'_> {
    /// Updates the model with the number of remaining requests in the response.
    pub(super) fn tell(&self, remaining: u64) {
        self.budget.open().tell(self.sent, remaining, Instant::now());
        self.budget.news.notify_one();
    }
}

impl Drop for BudgetToken<'_> {
    fn drop(&mut self) {
        self.budget.open().ended += 1;
    }
}

/// The position of a request among all requests of the client.
#[derive(Debug, Clone, Copy)]
struct Sent {
    /// The sequence number, starting at one.
    number: u64,
    /// The number of requests that had ended when this one was sent.
    ///
    /// The provider had certainly counted them.
    over_before: u64,
}

#[derive(Debug)]
struct Model {
    rule: RateBudget,
    sent: u64,
    ended: u64,
    told: Option<ErrorDetails>,
}

/// The latest report of the provider.
#[derive(Debug)]
struct ErrorDetails {
    by: Sent,
    remaining: f64,
    at: Instant,
}

impl Model {
    /// Returns a lower bound of the remaining tokens, or `None` before the first report.
    fn left(&self, now: Instant) -> Option<f64> {
        let told = self.told.as_ref()?;
        let passed = now.saturating_duration_since(told.at).as_secs_f64();
        let full = f64::from(self.rule.capacity).max(told.remaining);
        let refilled = (told.remaining + passed * self.rule.per_second()).min(full);
        // The report includes its own request and all requests that had ended before that one was sent. The provider
        // may not have counted any of the others.
        let perhaps_uncounted = self.sent - told.by.over_before - 1;
        Some(refilled - perhaps_uncounted as f64)
    }

    /// Returns the time until a whole token is available, or `None` if no wait is needed.
    ///
    /// Before the first report there is no reason to expect a rejection, so no request waits.
    fn wait(&self, now: Instant) -> Option<Duration> {
        let missing = 1.0 - self.left(now)?;
        (missing > ROUNDING).then(|| self.rule.time_to_refill(missing))
    }

    fn take(&mut self, now: Instant) -> Option<Sent> {
        if self.wait(now).is_some() {
            return None;
        }
        self.sent += 1;
        Some(Sent { number: self.sent, over_before: self.ended })
    }

    fn tell(&mut self, by: Sent, remaining: u64, now: Instant) {
        // Responses overtake each other. The response to an older request describes an older state, so it is ignored.
        if self.told.as_ref().is_none_or(|told| told.by.number <= by.number) {
            self.told = Some(ErrorDetails { by, remaining: remaining as f64, at: now });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn model(capacity: u32, refill_per_minute: f64) -> Model {
        Model { rule: RateBudget { capacity, refill_per_minute }, sent: 0, ended: 0, told: None }
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Sends one request and delivers its response at once.
    fn ask(model: &mut Model, remaining: u64, now: Instant) {
        let sent = model.take(now).unwrap();
        model.tell(sent, remaining, now);
        model.ended += 1;
    }

    #[test]
    fn before_an_answer_tells_everything_is_allowed() {
        let now = Instant::now();
        let mut model = model(1, 1.0);
        assert!((0..100).all(|_| model.take(now).is_some()));
        assert_eq!(model.left(now), None);
    }

    #[test]
    fn what_is_left_is_spent_at_once_and_then_paced_by_the_refill() {
        let now = Instant::now();
        let mut model = model(10, 60.0);
        ask(&mut model, 3, now);
        assert!((0..3).all(|_| model.take(now).is_some()));
        assert_eq!(model.wait(now), Some(seconds(1)));
        assert!(model.take(now).is_none());
        assert!(model.take(now + seconds(1)).is_some());
        assert_eq!(model.wait(now + seconds(1)), Some(seconds(1)));
    }

    #[test]
    fn an_answer_corrects_the_model_both_ways() {
        let now = Instant::now();
        let mut model = model(100, 60.0);
        ask(&mut model, 50, now);
        // Another client has drained the bucket.
        ask(&mut model, 0, now);
        assert_eq!(model.wait(now), Some(seconds(1)));
        ask(&mut model, 80, now + seconds(1));
        assert_eq!(model.left(now + seconds(1)), Some(80.0));
    }

    #[test]
    fn requests_that_may_not_have_been_counted_are_taken_off() {
        let now = Instant::now();
        let mut model = model(100, 60.0);
        ask(&mut model, 90, now);
        let (first, second) = (model.take(now).unwrap(), model.take(now).unwrap());
        assert_eq!(model.left(now), Some(88.0));
        model.tell(second, 88, now);
        model.ended += 1;
        assert_eq!(model.left(now), Some(87.0), "the provider may count the first request after the second");
        model.tell(first, 89, now);
        model.ended += 1;
        assert_eq!(model.left(now), Some(87.0), "the response to an older request changes nothing");
        ask(&mut model, 87, now);
        assert_eq!(model.left(now), Some(87.0));
    }

    #[test]
    fn a_bucket_does_not_overflow_and_one_larger_than_declared_is_believed() {
        let now = Instant::now();
        let mut model = model(10, 60.0);
        ask(&mut model, 9, now);
        assert_eq!(model.left(now + seconds(3_600)), Some(10.0));
        ask(&mut model, 50, now);
        assert_eq!(model.left(now + seconds(3_600)), Some(50.0));
    }

    #[test]
    fn an_instant_before_the_last_answer_is_no_refill() {
        let now = Instant::now();
        let mut model = model(10, 60.0);
        ask(&mut model, 1, now + seconds(60));
        assert_eq!(model.left(now), Some(1.0));
    }

    #[test]
    fn the_time_for_requests_is_that_of_refilling_what_is_missing() {
        let heroku = RateBudget { capacity: 4_500, refill_per_minute: 75.0 };
        assert_eq!(heroku.time_for(4_500, 4_500), Duration::ZERO);
        assert_eq!(heroku.time_for(0, 75), seconds(60));
        assert_eq!(heroku.time_for(500, 900), seconds(320));
        assert!(heroku.time_for(0, u64::MAX) > seconds(86_400));
    }

    #[test]
    fn a_budget_that_never_refills_is_refused() {
        for (capacity, refill_per_minute) in [(0, 1.0), (1, 0.0), (1, -1.0), (1, f64::NAN), (1, f64::INFINITY)] {
            assert!(RateBudget { capacity, refill_per_minute }.check().is_err(), "{capacity} {refill_per_minute}");
        }
    }

    /// A provider's bucket, with a resolution of one millisecond.
    struct Bucket {
        tokens: f64,
        at: u64,
    }

    impl Bucket {
        fn take(&mut self, at: u64) -> Option<u64> {
            self.tokens = (self.tokens + (at - self.at) as f64 / 1_000.0).min(20.0);
            self.at = at;
            (self.tokens >= 1.0).then(|| {
                self.tokens -= 1.0;
                self.tokens as u64
            })
        }
    }

    proptest! {
        /// Requires that no request is rejected, for any order of arrivals and responses.
        #[test]
        fn no_request_of_a_lone_client_is_refused(moves in prop::collection::vec((0_u8..4, any::<prop::sample::Index>(), 0_u64..80), 1..400)) {
            let start = Instant::now();
            let mut model = model(20, 60.0);
            let mut bucket = Bucket { tokens: 20.0, at: 0 };
            ask(&mut model, bucket.take(0).unwrap(), start);
            let (mut travelling, mut answered, mut at) = (Vec::new(), Vec::new(), 0);
            for (kind, which, pause) in moves {
                at += pause;
                let now = start + Duration::from_millis(at);
                match kind {
                    0 | 1 => travelling.extend(model.take(now)),
                    2 if !travelling.is_empty() => {
                        let sent = travelling.swap_remove(which.index(travelling.len()));
                        let remaining = bucket.take(at);
                        prop_assert!(remaining.is_some());
                        answered.push((sent, remaining.unwrap_or_default()));
                    }
                    3 if !answered.is_empty() => {
                        let (sent, remaining) = answered.swap_remove(which.index(answered.len()));
                        model.tell(sent, remaining, now);
                        model.ended += 1;
                    }
                    _ => {}
                }
            }
        }
    }
}
