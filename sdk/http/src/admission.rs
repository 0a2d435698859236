//! Admission: the decision when a request may be sent, for all clones of a client.
//!
//! A request passes three checks in this order:
//!
//! 1. The *gate*, which a rate limit closes for all requests.
//! 2. The *rate budget*, a model of the provider's token bucket.
//! 3. The *in-flight limit*, which adapts to the capacity of the provider.
//!
//! All clones of a client share one queue. Only the head of the queue is checked; the others wait behind it in the
//! order of arrival. Requests therefore never overtake each other, and none of them starves.
//!
//! The permit for a request in flight is acquired last. A request that waits for the gate or for the budget holds no
//! permit, so the number of permits in use is the number of requests that were really sent. The wait for a permit can
//! be long, and the first two results can become invalid meanwhile: a response may close the gate or report an empty
//! bucket. The head therefore repeats both checks after it has its permit. If one of them fails, it drops the permit
//! and starts again.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::Instant;

use super::budget::{Budget, BudgetState, BudgetToken, RateBudget};
use super::limit::{Entry, Limit, Outcome, UnderWay};
use super::retry::{Gate, Held};

/// The conditions that a request must meet before it is sent.
#[derive(Debug)]
pub(super) struct Admission {
    /// A single permit, held by the head of the queue. Tokio's semaphore is fair: it serves waiters in their order of
    /// arrival.
    head: Semaphore,
    gate: Gate,
    places: InFlightPermits,
    budget: Option<Budget>,
}

/// The time that a request waited for its admission.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Waits {
    pub(super) in_all: Duration,
    /// The part of the wait that the head of the queue spent on the budget.
    pub(super) for_budget: Duration,
}

/// The admission of one request. Dropping it releases the permit.
#[derive(Debug)]
#[must_use = "dropping the admission releases its permit"]
pub(super) struct Admitted<'a> {
    place: InFlightPermit<'a>,
    spent: Option<BudgetToken<'a>>,
    pub(super) waits: Waits,
}

impl Admission {
    pub(super) fn new(in_flight: usize, budget: Option<RateBudget>) -> Self {
        Self {
            head: Semaphore::new(1),
            gate: Gate::default(),
            places: InFlightPermits::new(in_flight),
            budget: budget.map(Budget::new),
        }
    }

    /// Waits until a request to an endpoint may be sent.
    ///
    /// # Errors
    /// [`Held`] if the provider demanded a pause that is too long to wait for.
    pub(super) async fn admitted(&self, endpoint: &str) -> Result<Admitted<'_>, Held> {
        let asked = Instant::now();
        let _head = self.head.acquire().await.expect("the queue is never closed");
        let mut waits = Waits::default();
        loop {
            self.gate.opened().await;
            self.gate.passable(endpoint)?;
            if let Some(budget) = &self.budget {
                waits.for_budget += budget.affordable().await;
            }
            let place = self.places.enter(endpoint).await;
            // The wait for a permit can be long. The gate may close meanwhile, and a response may report an empty
            // bucket.
            if self.gate.closed_until().is_some() || self.gate.passable(endpoint).is_err() {
                continue;
            }
            let spent = match &self.budget {
                Some(budget) => match budget.take() {
                    Some(spent) => Some(spent),
                    None => continue,
                },
                None => None,
            };
            waits.in_all = asked.elapsed();
            return Ok(Admitted { place, spent, waits });
        }
    }

    /// Stops all requests until `then`.
    pub(super) fn close_until(&self, then: Instant) {
        self.gate.close_until(then);
    }

    /// Rejects requests for `time`, so that they do not wait.
    ///
    /// After a rate limit this concerns all requests, otherwise those to `endpoint`.
    pub(super) fn hold(&self, endpoint: &str, time: Duration, held: Held) {
        self.gate.hold(endpoint, Instant::now() + time, held);
    }

    /// Returns the current in-flight limit.
    pub(super) fn limit(&self) -> usize {
        self.places.open().limit.current()
    }

    /// Returns the number of requests in flight, with a notification at every change.
    pub(super) fn in_flight(&self) -> watch::Receiver<usize> {
        self.places.in_flight.subscribe()
    }

    pub(super) fn budget(&self) -> Option<BudgetState> {
        let budget = self.budget.as_ref()?;
        let somebody_waits = self.head.available_permits() == 0;
        let until = self.gate.closed_until().max(budget.empty_until()).filter(|_| somebody_waits);
        // Only displays use this time. Waiting relies on the monotonic clock.
        let waiting_until = until.map(|until| SystemTime::now() + until.saturating_duration_since(Instant::now()));
        Some(BudgetState { budget: budget.rule(), remaining: budget.remaining(), waiting_until })
    }
}

impl Admitted<'_> {
    /// Adjusts the limit and the budget to the outcome of the request.
    ///
    /// `remaining` is the number of remaining requests, if the response reports it.
    pub(super) fn learn(&self, endpoint: &str, outcome: Outcome, remaining: Option<u64>) {
        self.place.learn(endpoint, outcome);
        if let (Some(spent), Some(remaining)) = (&self.spent, remaining) {
            spent.tell(remaining);
        }
    }
}

/// The permits of requests in flight, as many as the limit currently allows.
#[derive(Debug)]
struct InFlightPermits {
    taken: Mutex<TakenPermit>,
    news: Notify,
    /// The number of permits in use, published to observers.
    in_flight: watch::Sender<usize>,
}

#[derive(Debug)]
struct TakenPermit {
    limit: Limit,
    under_way: UnderWay,
}

impl InFlightPermits {
    fn new(most: usize) -> Self {
        let taken = TakenPermit { limit: Limit::up_to(most, Instant::now()), under_way: UnderWay::default() };
        Self { taken: Mutex::new(taken), news: Notify::new(), in_flight: watch::Sender::default() }
    }

    /// Waits for a permit.
    ///
    /// Only the head of the queue waits here, so one notification per released permit is enough.
    async fn enter(&self, endpoint: &str) -> InFlightPermit<'_> {
        loop {
            if let Some(place) = self.try_enter(endpoint) {
                return place;
            }
            self.news.notified().await;
        }
    }

    fn try_enter(&self, endpoint: &str) -> Option<InFlightPermit<'_>> {
        let mut taken = self.open();
        let under_way = taken.under_way;
        let entry = taken.limit.enter(endpoint, under_way, Instant::now())?;
        taken.under_way = UnderWay { requests: under_way.requests + 1, bytes: under_way.bytes + entry.bytes };
        self.tell(&taken);
        Some(InFlightPermit { places: self, entry })
    }

    /// Publishes the number of permits in use.
    ///
    /// The caller holds the lock, so the value published last is the current one.
    fn tell(&self, taken: &TakenPermit) {
        self.in_flight.send_replace(taken.under_way.requests);
    }

    /// Locks the state.
    ///
    /// Every change is an addition or a method of [`Limit`], so the state stays valid even after a panic elsewhere.
    fn open(&self) -> MutexGuard<'_, TakenPermit> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The permit of one request in flight, released on drop.
#[derive(Debug)]
struct InFlightPermit<'a> {
    places: &'a InFlightPermits,
    entry: Entry,
}

impl InFlightPermit<'_> {
    fn learn(&self, endpoint: &str, outcome: Outcome) {
        let mut taken = self.places.open();
        let before = taken.limit.current();
        taken.limit.learn(endpoint, self.entry, outcome, Instant::now());
        let now = taken.limit.current();
        drop(taken);
        if now != before {
            tracing::debug!(before, now, "the in-flight limit changed");
            self.places.news.notify_one();
        }
    }
}

impl Drop for InFlightPermit<'_> {
    fn drop(&mut self) {
        let mut taken = self.places.open();
        taken.under_way.requests -= 1;
        taken.under_way.bytes -= self.entry.bytes;
        self.places.tell(&taken);
        drop(taken);
        self.places.news.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures::FutureExt;

    use super::*;
    use crate::retry::{Because, End};

    const ONE_A_SECOND: RateBudget = RateBudget { capacity: 100, refill_per_minute: 60.0 };

    /// A client whose first response reported an empty bucket.
    async fn empty_bucket(in_flight: usize) -> Arc<Admission> {
        let admission = Arc::new(Admission::new(in_flight, Some(ONE_A_SECOND)));
        admission.admitted("GET /x").await.unwrap().learn(
            "GET /x",
            Outcome::Answered { time: Duration::ZERO, bytes: 0 },
            Some(0),
        );
        admission
    }

    fn asking(admission: &Arc<Admission>) -> tokio::task::JoinHandle<Waits> {
        let admission = Arc::clone(admission);
        tokio::spawn(async move { admission.admitted("GET /x").await.unwrap().waits })
    }

    #[tokio::test(start_paused = true)]
    async fn requests_beyond_the_budget_go_out_at_the_pace_of_the_refill_in_the_order_of_asking() {
        let admission = empty_bucket(16).await;
        let mut waits = Vec::new();
        for request in [asking(&admission), asking(&admission), asking(&admission)] {
            waits.push(request.await.unwrap());
        }
        let seconds = |of: fn(&Waits) -> Duration| waits.iter().map(|waits| of(waits).as_secs()).collect::<Vec<_>>();
        assert_eq!(seconds(|waits| waits.in_all), [1, 2, 3]);
        assert_eq!(seconds(|waits| waits.for_budget), [1, 1, 1], "only the head of the queue waits for the budget");
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_is_dropped_in_the_queue_leaves_it_to_the_next() {
        let admission = empty_bucket(16).await;
        let (first, second) = (asking(&admission), asking(&admission));
        tokio::task::yield_now().await;
        first.abort();
        assert_eq!(second.await.unwrap().in_all.as_secs(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_for_the_budget_holds_no_place() {
        let admission = empty_bucket(1).await;
        let waiting = asking(&admission);
        tokio::task::yield_now().await;
        assert!(admission.places.try_enter("GET /x").is_some());
        waiting.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn the_state_says_until_when_one_waits_and_only_then() {
        let admission = empty_bucket(1).await;
        let state = admission.budget().unwrap();
        assert_eq!((state.remaining, state.waiting_until), (Some(0), None));
        assert_eq!(state.time_for(60), Duration::from_secs(60));
        let waiting = asking(&admission);
        tokio::task::yield_now().await;
        assert!(admission.budget().unwrap().waiting_until.is_some());
        waiting.await.unwrap();
        assert_eq!(admission.budget().unwrap().waiting_until, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_closed_gate_lets_nobody_through() {
        let admission = Admission::new(16, None);
        admission.close_until(Instant::now() + Duration::from_secs(60));
        assert!(admission.admitted("GET /x").now_or_never().is_none());
        assert_eq!(admission.admitted("GET /x").await.unwrap().waits.in_all.as_secs(), 60);
    }

    #[tokio::test(start_paused = true)]
    async fn a_hold_refuses_those_who_wait_and_those_who_come_until_its_time_has_passed() {
        let admission = empty_bucket(1).await;
        let waiting = {
            let admission = Arc::clone(&admission);
            tokio::spawn(async move { admission.admitted("GET /x").await.err() })
        };
        tokio::task::yield_now().await;
        let day = Duration::from_secs(86_400);
        admission.hold("GET /y", day, Held { end: End::of(day), because: Because::RateLimit });
        assert!(waiting.await.unwrap().is_some());
        assert!(admission.admitted("GET /x").await.is_err());
        tokio::time::advance(day).await;
        assert!(admission.admitted("GET /x").await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_hold_after_a_failure_concerns_its_endpoint_and_lasts_for_the_longest_time_told() {
        let admission = Admission::new(1, None);
        let hour = Duration::from_secs(3_600);
        for time in [hour * 24, hour] {
            admission.hold("GET /x", time, Held { end: End::of(time), because: Because::Failure });
        }
        assert!(admission.admitted("GET /y").await.is_ok());
        tokio::time::advance(hour * 2).await;
        let held = admission.admitted("GET /x").await.unwrap_err();
        assert_eq!(held.because, Because::Failure);
        tokio::time::advance(hour * 22).await;
        assert!(admission.admitted("GET /x").await.is_ok());
    }
}
