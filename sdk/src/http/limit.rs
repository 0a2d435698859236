//! How many requests may be in flight: a number that grows while more of them get more done, and shrinks where the
//! provider refuses for load, falls silent or slows down.
//!
//! The algorithm is additive increase, multiplicative decrease (Chiu and Jain, "Analysis of the increase and decrease
//! algorithms for congestion avoidance in computer networks", 1989), with the slow start and the one decrease a round
//! trip of TCP (Jacobson, "Congestion avoidance and control", 1988). What ends the slow start where nothing is refused is
//! BBR's sign of a full pipe (Cardwell and others, "BBR: congestion-based congestion control", 2016): more in flight, and
//! no more delivered. It is a pure state machine: it reads no clock and waits for nothing.
//!
//! "As fast as usual" is told by endpoint, for a page of a thousand takes longer than a single document: an answer is
//! slow if it took over twice the mean of that endpoint's, and a round is slow if most of its answers were. So a few
//! large pages among small ones slow nothing down. What a round delivered is told in the same measure: the time that its
//! answers usually take, over the time that it took, is the number of places that were of use.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

/// Where it begins, so that a small collection is not slowed.
const START: usize = 16;
/// An answer is slow beyond this multiple of the usual time.
const SLOW: f64 = 2.0;
/// Less than this beyond the usual is the noise of this machine.
const NOISE: Duration = Duration::from_millis(10);
/// Answers of an endpoint before what is usual there is known.
const KNOWN_AFTER: u32 = 8;
/// So many answers are remembered in the mean: what lasts longer becomes the usual.
const REMEMBERED: u32 = 128;
/// More places pay as long as at least this part of them is of use.
const PAYS: f64 = 2.0 / 3.0;
/// A round lasts this long at least: what comes sooner may only have filled the queues behind.
const SHORTEST_ROUND: Duration = Duration::from_millis(100);
/// Bytes of answers that may be under way at once: beyond a few large pages, more of them would only fill the memory.
const ROOM: usize = 14 << 20;

/// What became of a request, as far as the limit is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// An answer came, so many bytes after this time.
    Answered { time: Duration, bytes: usize },
    /// The provider refused for load (429, 503), or no answer came in time.
    Overloaded,
    /// Something else went wrong, which says nothing of load.
    Lost,
}

/// What was so when a request was let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// How often the limit had been cut.
    cuts: u64,
    /// How large its answer usually is.
    pub(super) bytes: usize,
}

/// What is under way.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct UnderWay {
    pub(super) requests: usize,
    /// Of their answers, as large as those usually are.
    pub(super) bytes: usize,
}

/// The limit of requests in flight, and what it learns from.
#[derive(Debug)]
pub(super) struct Limit {
    current: usize,
    most: usize,
    growth: Growth,
    cuts: u64,
    round: Round,
    usual: HashMap<String, EndpointLatency>,
}

/// How much a round that paid adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Growth {
    /// As much again: nothing has been in the way so far.
    Double,
    /// A quarter: more did not pay once, and may pay later.
    Quarter,
    /// One: the provider was overloaded.
    One,
}

/// As many answers as there were places when it began, and more where they came quickly.
#[derive(Debug)]
struct Round {
    began: Instant,
    size: usize,
    answers: usize,
    slow: usize,
    /// What its answers usually take, in seconds.
    usual: f64,
    /// Requests let in, and those among them that took the last place.
    entered: usize,
    last_place: usize,
}

/// How long the answers of an endpoint take, in seconds, and how large they are.
#[derive(Debug, Default)]
struct EndpointLatency {
    answers: u32,
    mean: f64,
    /// The same, with a slow answer counted as one just not slow: a few must not hide those after them.
    calm: f64,
    bytes: f64,
}

impl Limit {
    /// Between one and `most`.
    pub(super) fn up_to(most: usize, now: Instant) -> Self {
        let most = most.max(1);
        let current = START.min(most);
        let round = Round::of(current, now);
        Self { current, most, growth: Growth::Double, cuts: 0, round, usual: HashMap::new() }
    }

    /// Requests that may be in flight now.
    pub(super) fn current(&self) -> usize {
        self.current
    }

    /// Lets a request in beside those under way, if there is a place, and room for its answer.
    pub(super) fn enter(&mut self, endpoint: &str, under_way: UnderWay, now: Instant) -> Option<Entry> {
        let bytes = self.usual.get(endpoint).map_or(0, |usual| usual.bytes as usize);
        let has_room = under_way.requests == 0 || under_way.bytes + bytes <= ROOM;
        if under_way.requests >= self.current || !has_room {
            return None;
        }
        let last_place = under_way.requests + 1 == self.current;
        if last_place && self.round.last_place == 0 {
            // Up to here there was less to ask than room: that tells nothing of the room.
            self.begin_round(now);
        }
        self.round.entered += 1;
        self.round.last_place += usize::from(last_place);
        Some(Entry { cuts: self.cuts, bytes })
    }

    /// Learns from what became of a request.
    pub(super) fn learn(&mut self, endpoint: &str, entry: Entry, outcome: Outcome, now: Instant) {
        if entry.cuts != self.cuts {
            // It was under way when the limit was cut: it met the load of before.
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

    /// Whether an answer was slow, and what is usual at its endpoint, in seconds.
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

    /// Gives places back that were of no use, a quarter of all at the most: one round may deceive.
    fn give_back(&mut self, of_use: f64) {
        let mut least = self.current - self.current / 4;
        if !self.round.was_full() {
            // There was less to ask than room, which says nothing of how much room would pay.
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

    /// Most requests took the last place there was.
    fn was_full(&self) -> bool {
        2 * self.last_place > self.entered
    }

    /// How many places would have done, with answers that take their usual time.
    fn of_use(&self, now: Instant) -> f64 {
        self.usual / self.took(now).as_secs_f64()
    }

    fn took(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.began)
    }
}

impl EndpointLatency {
    /// Whether the time is beyond the usual, of which it is a part from now on; and the usual, in seconds.
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

    /// A limit and a clock, with a provider that answers so many requests at once and no more.
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

        /// After its first cut, with places for eight.
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

        /// All places are taken at once, and all answers come together, as often as said; where the provider does not take so
        /// many at once, the time of each is what it is and the round takes longer.
        fn rounds(&mut self, rounds: usize, time: Duration) {
            for _ in 0..rounds {
                let places = self.places();
                let entries: Vec<_> = (0..places).map(|taken| self.enter(taken)).collect();
                self.now += time.mul_f64((places as f64 / self.at_once as f64).max(1.0));
                entries.into_iter().for_each(|entry| self.learn(entry, Outcome::Answered { time, bytes: 0 }));
            }
        }

        /// A request beside so many others.
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
        // The answers are as quick as before, and what comes after them takes the time of eight at once.
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
        // One is always let in, however large it may be.
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
        assert_eq!(trial.places(), 64, "nothing was in the way, so it doubles again");
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
