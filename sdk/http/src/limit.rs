//! The adaptive in-flight limit: the current maximum number of concurrent requests.
//!
//! One provider serves 64 requests at once and another one only 4, and neither publishes the number. The limit
//! therefore grows while more requests in flight increase the throughput. It shrinks when the provider rejects requests
//! for load, stops responding, or slows down.
//!
//! # The control loop
//!
//! The limit changes at the end of a *round*. A round covers as many responses as the limit allowed at its start, and
//! lasts at least 100 ms. These rules apply in order:
//!
//! 1. *Overload*: a rejection for load (429, 503) or a timeout halves the limit, and ends the round at once.
//! 2. *Slowness*: if most responses of the round were slow, the limit shrinks by a quarter.
//! 3. *Unused permits*: if fewer than two thirds of the permits were useful, the limit shrinks toward the useful
//!    number, but by at most a quarter, because a single round can be misleading.
//! 4. *Growth*: if some request took the last free permit, the limit grows. It doubles at first (slow start), grows by
//!    a quarter after the first round with unused permits, and grows by one after the first overload or slow round.
//!
//! The algorithm is additive increase, multiplicative decrease (Chiu and Jain, "Analysis of the increase and decrease
//! algorithms for congestion avoidance in computer networks", 1989), with the slow start and the single decrease per
//! round trip of TCP (Jacobson, "Congestion avoidance and control", 1988). For the single decrease, each request
//! remembers the number of earlier decreases. The outcome of a request that was in flight during a decrease is ignored,
//! because it reflects the load before. Without any rejection, slow start ends when BBR would detect a full pipe
//! (Cardwell and others, "BBR: congestion-based congestion control", 2016): more requests are in flight, but no more
//! responses arrive.
//!
//! # Slow responses and useful permits
//!
//! Both measures are relative to the usual latency of the endpoint, because a page of a thousand elements takes longer
//! than a single document. A response is slow if it took more than twice the mean of its endpoint. A few large pages
//! among many small ones therefore do not slow a round down.
//!
//! The number of useful permits follows from Little's law. The usual latencies of the responses of a round, added up
//! and divided by the duration of the round, give the concurrency that would have delivered the same responses at their
//! usual speed. If a provider serves only eight requests at once, the result is about eight, whether 16 or 64 requests
//! are in flight.
//!
//! # Low demand
//!
//! A round with few requests carries no information about the limit. A round therefore starts again with the first
//! request that takes the last free permit. If most requests found a free permit, the limit does not shrink below its
//! initial value.
//!
//! The limit is a pure state machine: it reads no clock and never waits.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

/// The initial limit, which is high enough for a small collection.
const START: usize = 16;
/// The multiple of the usual time above which a response is slow.
const SLOW: f64 = 2.0;
/// The difference from the usual time that is noise of this machine.
const NOISE: Duration = Duration::from_millis(10);
/// The number of responses after which the usual time of an endpoint is known.
const KNOWN_AFTER: u32 = 8;
/// The number of responses in the mean.
///
/// A change that lasts longer becomes the usual time.
const REMEMBERED: u32 = 128;
/// The minimum fraction of useful permits for a limit to pay off.
const PAYS: f64 = 2.0 / 3.0;
/// The minimum duration of a round.
///
/// Earlier responses may only have filled the queues of the provider.
const SHORTEST_ROUND: Duration = Duration::from_millis(100);
/// The maximum total size of the responses in flight.
///
/// Beyond a few large pages, more of them would only fill the memory.
const ROOM: usize = 14 << 20;

/// The outcome of a request, as far as it concerns the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A response with `bytes` bytes arrived after `time`.
    Answered { time: Duration, bytes: usize },
    /// The provider rejected the request for load (429, 503), or the time limit passed.
    Overloaded,
    /// Another failure, which carries no information about load.
    Lost,
}

/// The state of the limit when a request was admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// The number of decreases so far.
    cuts: u64,
    /// The usual size of a response of the endpoint.
    pub(super) bytes: usize,
}

/// The requests in flight.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct UnderWay {
    pub(super) requests: usize,
    /// The total size of their responses, estimated by endpoint.
    pub(super) bytes: usize,
}

/// The in-flight limit, with the measurements that control it.
#[derive(Debug)]
pub(super) struct Limit {
    current: usize,
    most: usize,
    growth: Growth,
    cuts: u64,
    round: Round,
    usual: HashMap<String, EndpointLatency>,
}

/// The increase of the limit after a successful round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Growth {
    /// The limit doubles: no obstacle was found so far.
    Double,
    /// The limit grows by a quarter: a higher limit was useless once, but may be useful later.
    Quarter,
    /// The limit grows by one: the provider was overloaded.
    One,
}

/// The measurements of a round.
///
/// A round ends after as many responses as the limit allowed at its start, or later if they arrive quickly.
#[derive(Debug)]
struct Round {
    began: Instant,
    size: usize,
    answers: usize,
    slow: usize,
    /// The total of the usual times of its responses, in seconds.
    usual: f64,
    /// The number of admitted requests. `last_place` counts the ones that took the last free permit.
    entered: usize,
    last_place: usize,
}

/// The usual latency of an endpoint in seconds, and the usual size of its responses.
#[derive(Debug, Default)]
struct EndpointLatency {
    answers: u32,
    mean: f64,
    /// The mean with slow responses capped at the threshold.
    ///
    /// Without the cap, a few slow responses would hide the slow ones after them.
    calm: f64,
    bytes: f64,
}

impl Limit {
    /// Creates a limit between one and `most`.
    pub(super) fn up_to(most: usize, now: Instant) -> Self {
        let most = most.max(1);
        let current = START.min(most);
        let round = Round::of(current, now);
        Self { current, most, growth: Growth::Double, cuts: 0, round, usual: HashMap::new() }
    }

    /// Returns the current limit.
    pub(super) fn current(&self) -> usize {
        self.current
    }

    /// Admits a request, if a permit is free and its response fits the memory.
    ///
    /// A single request is always admitted.
    pub(super) fn enter(&mut self, endpoint: &str, under_way: UnderWay, now: Instant) -> Option<Entry> {
        let bytes = self.usual.get(endpoint).map_or(0, |usual| usual.bytes as usize);
        let has_room = under_way.requests == 0 || under_way.bytes + bytes <= ROOM;
        if under_way.requests >= self.current || !has_room {
            return None;
        }
        let last_place = under_way.requests + 1 == self.current;
        if last_place && self.round.last_place == 0 {
            // Until now demand was below the limit, so this round carries no information about it.
            self.begin_round(now);
        }
        self.round.entered += 1;
        self.round.last_place += usize::from(last_place);
        Some(Entry { cuts: self.cuts, bytes })
    }

    /// Adjusts the limit to the outcome of a request.
    pub(super) fn learn(&mut self, endpoint: &str, entry: Entry, outcome: Outcome, now: Instant) {
        if entry.cuts != self.cuts {
            // The request was in flight during a decrease, so its outcome reflects the load before.
            return;
        }
        match outcome {
            Outcome::Answered { time, bytes } => self.answered(endpoint, time, bytes, now),
            Outcome::Overloaded => self.cut(self.current / 2, now),
            Outcome::Lost => {}
        }
    }

    fn answered(&mut self, endpoint: &str, time: Duration, bytes: usize, now: Instant) {
        let (slow, usual) = self.compare(endpoint, time, bytes);
        self.round.answers += 1;
        self.round.slow += usize::from(slow);
        self.round.usual += usual;
        if self.round.answers < self.round.size || self.round.took(now) < SHORTEST_ROUND {
            return;
        }
        if 2 * self.round.slow > self.round.answers {
            self.cut(self.current * 3 / 4, now);
            return;
        }
        let of_use = self.round.of_use(now);
        if of_use < PAYS * self.current as f64 {
            self.give_back(of_use);
        } else if self.round.last_place > 0 {
            self.grow();
        }
        self.begin_round(now);
    }

    /// Returns whether a response was slow, and the usual time of its endpoint in seconds.
    fn compare(&mut self, endpoint: &str, time: Duration, bytes: usize) -> (bool, f64) {
        if let Some(usual) = self.usual.get_mut(endpoint) {
            return usual.compare(time, bytes);
        }
        self.usual.entry(endpoint.to_owned()).or_default().compare(time, bytes)
    }

    fn grow(&mut self) {
        let more = match self.growth {
            Growth::Double => self.current,
            Growth::Quarter => (self.current / 4).max(1),
            Growth::One => 1,
        };
        self.current = (self.current + more).min(self.most);
    }

    /// Lowers the limit to the useful permits, by at most a quarter.
    ///
    /// A single round can be misleading.
    fn give_back(&mut self, of_use: f64) {
        let mut least = self.current - self.current / 4;
        if !self.round.was_full() {
            // Demand was below the limit, so the unused permits do not prove that the limit is too high.
            least = least.max(START.min(self.current));
        } else if self.growth == Growth::Double {
            self.growth = Growth::Quarter;
        }
        let worth_having = (of_use / PAYS).ceil() as usize;
        self.current = worth_having.clamp(least, self.current);
    }

    fn cut(&mut self, to: usize, now: Instant) {
        self.current = to.max(1);
        self.cuts += 1;
        self.growth = Growth::One;
        self.begin_round(now);
    }

    fn begin_round(&mut self, now: Instant) {
        self.round = Round::of(self.current, now);
    }
}

impl Round {
    fn of(size: usize, began: Instant) -> Self {
        Self { began, size, answers: 0, slow: 0, usual: 0.0, entered: 0, last_place: 0 }
    }

    /// Returns whether most requests took the last free permit.
    fn was_full(&self) -> bool {
        2 * self.last_place > self.entered
    }

    /// Returns how many permits would suffice for responses with their usual latency.
    fn of_use(&self, now: Instant) -> f64 {
        self.usual / self.took(now).as_secs_f64()
    }

    fn took(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.began)
    }
}

impl EndpointLatency {
    /// Compares a response with the usual time, and adds it to the mean.
    ///
    /// Returns whether the response was slow, and the mean in seconds.
    fn compare(&mut self, time: Duration, bytes: usize) -> (bool, f64) {
        let seconds = time.as_secs_f64();
        let slow =
            self.answers >= KNOWN_AFTER && seconds > SLOW * self.calm && seconds > self.calm + NOISE.as_secs_f64();
        self.answers = (self.answers + 1).min(REMEMBERED);
        let counted = if slow { SLOW * self.calm } else { seconds };
        self.calm += (counted - self.calm) / f64::from(self.answers);
        self.mean += (seconds - self.mean) / f64::from(self.answers);
        self.bytes += (bytes as f64 - self.bytes) / f64::from(self.answers);
        (slow, self.mean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: Duration = Duration::from_millis(100);
    const SLOW: Duration = Duration::from_millis(400);

    /// A limit with a clock, and a provider that serves a fixed number of requests at once.
    struct Trial {
        limit: Limit,
        now: Instant,
        at_once: usize,
    }

    impl Trial {
        fn up_to(most: usize) -> Self {
            let now = Instant::now();
            Self { limit: Limit::up_to(most, now), now, at_once: usize::MAX }
        }

        /// Returns a trial after its first decrease, with a limit of eight.
        fn settled() -> Self {
            let mut trial = Self::up_to(16);
            trial.rounds(1, USUAL);
            trial.overload();
            assert_eq!(trial.places(), 8);
            trial
        }

        fn places(&self) -> usize {
            self.limit.current()
        }

        /// Runs rounds in which all permits are taken at once and all responses arrive together.
        ///
        /// If the provider serves fewer requests at once, each response takes the same time and the round takes longer.
        fn rounds(&mut self, rounds: usize, time: Duration) {
            for _ in 0..rounds {
                let places = self.places();
                let entries: Vec<_> = (0..places).map(|taken| self.enter(taken)).collect();
                self.now += time.mul_f64((places as f64 / self.at_once as f64).max(1.0));
                entries.into_iter().for_each(|entry| self.learn(entry, Outcome::Answered { time, bytes: 0 }));
            }
        }

        /// Admits a request while `requests` requests are in flight.
        fn enter(&mut self, requests: usize) -> Entry {
            self.limit.enter("GET /apps", UnderWay { requests, bytes: 0 }, self.now).unwrap()
        }

        fn learn(&mut self, entry: Entry, outcome: Outcome) {
            self.limit.learn("GET /apps", entry, outcome, self.now);
        }

        fn last_place(&mut self) -> Entry {
            self.enter(self.places() - 1)
        }

        fn overload(&mut self) {
            let entry = self.last_place();
            self.learn(entry, Outcome::Overloaded);
        }
    }

    #[test]
    fn it_begins_high_and_doubles_in_a_round_up_to_the_most() {
        let mut trial = Trial::up_to(100);
        for places in [16, 32, 64, 100, 100] {
            assert_eq!(trial.places(), places);
            trial.rounds(1, USUAL);
        }
        assert_eq!((Trial::up_to(3).places(), Trial::up_to(0).places()), (3, 1));
    }

    #[test]
    fn answers_that_come_one_by_one_double_it_as_well() {
        let mut trial = Trial::up_to(100);
        let mut entries: std::collections::VecDeque<_> = (0..16).map(|taken| trial.enter(taken)).collect();
        for _ in 0..16 {
            trial.now += USUAL / 16;
            let answered = entries.pop_front().unwrap();
            trial.learn(answered, Outcome::Answered { time: USUAL, bytes: 0 });
            entries.push_back(trial.enter(15));
        }
        assert_eq!(trial.places(), 32);
    }

    #[test]
    fn answers_that_come_quickly_settle_nothing_before_a_while() {
        let mut trial = Trial::up_to(100);
        trial.rounds(4, Duration::from_millis(20));
        assert_eq!(trial.places(), 16);
        trial.rounds(1, Duration::from_millis(20));
        assert_eq!(trial.places(), 32);
        // The first responses are as fast as before. The later ones are paced by a provider that serves eight at once.
        trial.at_once = 8;
        trial.rounds(4, Duration::from_millis(20));
        assert!(trial.places() < 32, "{}", trial.places());
    }

    #[test]
    fn no_more_are_let_in_than_the_limit() {
        let mut trial = Trial::up_to(4);
        assert_eq!((0..4).map(|taken| trial.enter(taken)).count(), 4);
        assert_eq!(trial.limit.enter("GET /apps", UnderWay { requests: 4, bytes: 0 }, trial.now), None);
    }

    #[test]
    fn large_answers_are_fewer_at_once_and_small_ones_are_not() {
        let mut trial = Trial::up_to(64);
        trial.rounds(10, USUAL);
        let large = trial.last_place();
        trial.limit.learn("GET /dumps", large, Outcome::Answered { time: USUAL, bytes: ROOM / 4 }, trial.now);
        let mut under_way = UnderWay::default();
        while let Some(entry) = trial.limit.enter("GET /dumps", under_way, trial.now) {
            under_way = UnderWay { requests: under_way.requests + 1, bytes: under_way.bytes + entry.bytes };
        }
        assert_eq!(under_way.requests, 4);
        assert!(trial.limit.enter("GET /apps", under_way, trial.now).is_some());
        // A single request is always admitted, however large its response is.
        let large = trial.last_place();
        trial.limit.learn("GET /backup", large, Outcome::Answered { time: USUAL, bytes: 2 * ROOM }, trial.now);
        assert!(trial.limit.enter("GET /backup", UnderWay::default(), trial.now).is_some());
    }

    #[test]
    fn it_stays_where_there_is_room_left() {
        let mut trial = Trial::up_to(100);
        for _ in 0..1_000 {
            let entry = trial.enter(2);
            trial.now += USUAL;
            trial.learn(entry, Outcome::Answered { time: USUAL, bytes: 0 });
        }
        assert_eq!(trial.places(), 16);
    }

    #[test]
    fn places_that_are_not_asked_for_are_given_back_down_to_those_of_the_beginning() {
        let mut trial = Trial::up_to(64);
        trial.rounds(10, USUAL);
        for _ in 0..1_000 {
            let entry = trial.enter(2);
            trial.now += USUAL;
            trial.learn(entry, Outcome::Answered { time: USUAL, bytes: 0 });
        }
        assert_eq!(trial.places(), 16);
        trial.rounds(2, USUAL);
        assert_eq!(trial.places(), 64, "no overload occurred, so the limit still doubles");
    }

    #[test]
    fn idle_time_ahead_of_a_rush_does_not_count() {
        let mut trial = Trial::up_to(100);
        trial.now += Duration::from_secs(60);
        let alone = trial.enter(0);
        trial.now += Duration::from_secs(60);
        trial.learn(alone, Outcome::Answered { time: USUAL, bytes: 0 });
        trial.rounds(1, USUAL);
        assert_eq!(trial.places(), 32);
    }

    #[test]
    fn where_more_at_once_get_no_more_done_it_settles_a_little_above_what_is_of_use() {
        for at_once in [3, 8, 12, 20, 50] {
            let mut trial = Trial { at_once, ..Trial::up_to(64) };
            trial.rounds(20, USUAL);
            for _ in 0..20 {
                trial.rounds(1, USUAL);
                let above = trial.places() as f64 / at_once as f64;
                assert!((1.0..=2.0).contains(&above), "{} for {at_once}", trial.places());
            }
        }
    }

    #[test]
    fn it_finds_the_most_again_where_the_way_is_free_again() {
        let mut trial = Trial { at_once: 4, ..Trial::up_to(64) };
        trial.rounds(20, USUAL);
        assert!(trial.places() <= 8);
        trial.at_once = usize::MAX;
        trial.rounds(13, USUAL);
        assert_eq!(trial.places(), 64);
    }

    #[test]
    fn after_a_cut_it_grows_by_one_a_round() {
        let mut trial = Trial::settled();
        for places in [8, 9, 10] {
            assert_eq!(trial.places(), places);
            trial.rounds(1, USUAL);
        }
    }

    #[test]
    fn overload_halves_it_once_for_all_that_were_under_way() {
        let mut trial = Trial::up_to(16);
        let entries: Vec<_> = (0..16).map(|taken| trial.enter(taken)).collect();
        entries.into_iter().for_each(|entry| trial.learn(entry, Outcome::Overloaded));
        for places in [8, 4, 2, 1] {
            assert_eq!(trial.places(), places);
            trial.overload();
        }
        assert_eq!(trial.places(), 1, "one request is always allowed");
    }

    #[test]
    fn a_slow_round_takes_a_quarter() {
        let mut trial = Trial::settled();
        trial.rounds(1, SLOW);
        assert_eq!(trial.places(), 6);
    }

    #[test]
    fn a_few_slow_answers_in_a_round_take_nothing() {
        let mut trial = Trial::settled();
        for time in [SLOW, SLOW, SLOW, SLOW, USUAL, USUAL, USUAL, USUAL] {
            let entry = trial.last_place();
            trial.now += time / 8;
            trial.learn(entry, Outcome::Answered { time, bytes: 0 });
        }
        assert_eq!(trial.places(), 8);
    }

    #[test]
    fn what_is_slow_for_long_becomes_the_usual() {
        let mut trial = Trial::settled();
        trial.rounds(300, SLOW);
        assert_eq!(trial.places(), 16);
    }

    #[test]
    fn every_endpoint_has_a_usual_time_of_its_own() {
        let mut trial = Trial::up_to(16);
        for _ in 0..1_000 {
            for (endpoint, milliseconds) in [("GET /account", 5), ("GET /apps", 900)] {
                let (entry, time) = (trial.last_place(), Duration::from_millis(milliseconds));
                trial.now += time / 16;
                trial.limit.learn(endpoint, entry, Outcome::Answered { time, bytes: 0 }, trial.now);
            }
        }
        assert_eq!((trial.places(), trial.limit.cuts), (16, 0));
    }

    #[test]
    fn pages_of_very_different_sizes_are_no_slowness() {
        let mut trial = Trial::up_to(16);
        for number in 0_u64..4_000 {
            let time = Duration::from_millis(if number % 5 == 0 { 800 } else { 40 });
            let entry = trial.last_place();
            trial.now += time / 16;
            trial.learn(entry, Outcome::Answered { time, bytes: 0 });
        }
        assert_eq!((trial.places(), trial.limit.cuts), (16, 0));
    }

    #[test]
    fn the_noise_of_a_fast_provider_is_no_slowness() {
        let mut trial = Trial::settled();
        trial.rounds(30, Duration::from_millis(1));
        let before = trial.limit.cuts;
        trial.rounds(30, Duration::from_millis(9));
        assert_eq!(trial.limit.cuts, before);
    }

    #[test]
    fn failures_that_say_nothing_of_load_change_nothing() {
        let mut trial = Trial::settled();
        for _ in 0..100 {
            let entry = trial.last_place();
            trial.learn(entry, Outcome::Lost);
        }
        assert_eq!(trial.places(), 8);
    }
}
