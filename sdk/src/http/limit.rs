//! How many requests may be in flight: a number that grows while answers come as fast as usual, and shrinks where the
//! provider refuses for load, falls silent or slows down.
//!
//! The algorithm is additive increase, multiplicative decrease (Chiu and Jain, "Analysis of the increase and decrease
//! algorithms for congestion avoidance in computer networks", 1989), with the slow start and the one decrease a round
//! trip of TCP (Jacobson, "Congestion avoidance and control", 1988). It is a pure state machine: it knows no clock and
//! waits for nothing.
//!
//! "As fast as usual" is told by endpoint, for a page of a thousand takes longer than a single document: an answer is
//! slow if it took over twice the mean of that endpoint's, and a round is slow if most of its answers were. So a few
//! large pages among small ones slow nothing down.

use std::collections::HashMap;
use std::time::Duration;

/// Where it begins, so that a small collection is not slowed.
const START: usize = 8;
/// An answer is slow beyond this multiple of the usual time.
const SLOW: f64 = 2.0;
/// Less than this beyond the usual is the noise of this machine.
const NOISE: Duration = Duration::from_millis(10);
/// Answers of an endpoint before what is usual there is known.
const KNOWN_AFTER: u32 = 8;
/// So many answers are remembered in the mean: what lasts longer becomes the usual.
const REMEMBERED: u32 = 128;

/// What became of a request, as far as the limit is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// An answer came, after this time.
    Answered(Duration),
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
}

/// The limit of requests in flight, and what it learns from.
#[derive(Debug)]
pub(super) struct Limit {
    current: usize,
    most: usize,
    /// Until the first cut, each answer makes room for one more request: the limit doubles in a round.
    starting: bool,
    cuts: u64,
    round: Round,
    usual: HashMap<String, Usual>,
}

/// As many answers as there were places when it began.
#[derive(Debug, Default)]
struct Round {
    size: usize,
    answers: usize,
    slow: usize,
    /// The last place was taken, or one more was asked for.
    full: bool,
}

/// How long the answers of an endpoint take.
#[derive(Debug, Default)]
struct Usual {
    answers: u32,
    mean: f64,
}

impl Limit {
    /// Between one and `most`.
    pub(super) fn up_to(most: usize) -> Self {
        let most = most.max(1);
        let current = START.min(most);
        let round = Round { size: current, ..Round::default() };
        Self { current, most, starting: true, cuts: 0, round, usual: HashMap::new() }
    }

    /// Requests that may be in flight now.
    pub(super) fn current(&self) -> usize {
        self.current
    }

    /// Lets a request in beside those in flight, if there is a place.
    pub(super) fn enter(&mut self, in_flight: usize) -> Option<Entry> {
        self.round.full |= in_flight + 1 >= self.current;
        (in_flight < self.current).then_some(Entry { cuts: self.cuts })
    }

    /// Learns from what became of a request.
    pub(super) fn learn(&mut self, endpoint: &str, entry: Entry, outcome: Outcome) {
        if entry.cuts != self.cuts {
            // It was under way when the limit was cut: it met the load of before.
            return;
        }
        match outcome {
            Outcome::Answered(time) => self.answered(endpoint, time),
            Outcome::Overloaded => self.cut(self.current / 2),
            Outcome::Lost => {}
        }
    }

    fn answered(&mut self, endpoint: &str, time: Duration) {
        let slow = self.is_slow(endpoint, time);
        self.round.answers += 1;
        self.round.slow += usize::from(slow);
        if self.starting && self.round.full && !slow {
            self.grow();
        }
        if self.round.answers < self.round.size {
            return;
        }
        if 2 * self.round.slow > self.round.answers {
            self.cut(self.current * 3 / 4);
        } else {
            // Where there was room left, more room would be of no use.
            if self.round.full && !self.starting {
                self.grow();
            }
            self.begin_round();
        }
    }

    fn is_slow(&mut self, endpoint: &str, time: Duration) -> bool {
        if let Some(usual) = self.usual.get_mut(endpoint) {
            return usual.compare(time);
        }
        self.usual.entry(endpoint.to_owned()).or_default().compare(time)
    }

    fn grow(&mut self) {
        self.current = (self.current + 1).min(self.most);
    }

    fn cut(&mut self, to: usize) {
        self.current = to.max(1);
        self.cuts += 1;
        self.starting = false;
        self.begin_round();
    }

    fn begin_round(&mut self) {
        self.round = Round { size: self.current, ..Round::default() };
    }
}

impl Usual {
    /// Whether the time is beyond the usual, of which it is a part from now on.
    fn compare(&mut self, time: Duration) -> bool {
        let seconds = time.as_secs_f64();
        let slow =
            self.answers >= KNOWN_AFTER && seconds > SLOW * self.mean && seconds > self.mean + NOISE.as_secs_f64();
        self.answers = (self.answers + 1).min(REMEMBERED);
        // A slow answer counts as one just not slow: a few must not hide those after them.
        let counted = if slow { SLOW * self.mean } else { seconds };
        self.mean += (counted - self.mean) / f64::from(self.answers);
        slow
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: Outcome = Outcome::Answered(Duration::from_millis(100));
    const SLOW: Outcome = Outcome::Answered(Duration::from_millis(400));

    /// One request after the other, each in the last place, as where there is always more to ask.
    fn answers(limit: &mut Limit, number: usize, outcome: Outcome) {
        for _ in 0..number {
            let entry = limit.enter(limit.current() - 1).unwrap();
            limit.learn("GET /apps", entry, outcome);
        }
    }

    /// After its first cut, with places for eight.
    fn settled() -> Limit {
        let mut limit = Limit::up_to(16);
        answers(&mut limit, 8, USUAL);
        answers(&mut limit, 1, Outcome::Overloaded);
        assert_eq!(limit.current(), 8);
        limit
    }

    #[test]
    fn it_begins_high_and_doubles_in_a_round_up_to_the_most() {
        let mut limit = Limit::up_to(100);
        assert_eq!(limit.current(), 8);
        answers(&mut limit, 8, USUAL);
        assert_eq!(limit.current(), 16);
        answers(&mut limit, 1_000, USUAL);
        assert_eq!(limit.current(), 100);
        assert_eq!((Limit::up_to(3).current(), Limit::up_to(0).current()), (3, 1));
    }

    #[test]
    fn answers_that_come_all_at_once_double_it_as_well() {
        let mut limit = Limit::up_to(100);
        for places in [16, 32] {
            let entries: Vec<_> = (0..limit.current()).map(|in_flight| limit.enter(in_flight).unwrap()).collect();
            entries.into_iter().for_each(|entry| limit.learn("GET /apps", entry, USUAL));
            assert_eq!(limit.current(), places);
        }
    }

    #[test]
    fn no_more_are_let_in_than_the_limit() {
        let mut limit = Limit::up_to(4);
        assert!((0..4).all(|in_flight| limit.enter(in_flight).is_some()));
        assert_eq!(limit.enter(4), None);
    }

    #[test]
    fn it_does_not_grow_where_there_is_room_left() {
        let mut limit = Limit::up_to(100);
        for _ in 0..1_000 {
            let entry = limit.enter(2).unwrap();
            limit.learn("GET /apps", entry, USUAL);
        }
        assert_eq!(limit.current(), 8);
    }

    #[test]
    fn after_a_cut_it_grows_by_one_a_round() {
        let mut limit = settled();
        answers(&mut limit, 7, USUAL);
        assert_eq!(limit.current(), 8);
        answers(&mut limit, 1, USUAL);
        assert_eq!(limit.current(), 9);
        answers(&mut limit, 9, USUAL);
        assert_eq!(limit.current(), 10);
    }

    #[test]
    fn overload_halves_it_once_for_all_that_were_under_way() {
        let mut limit = Limit::up_to(16);
        let entries: Vec<_> = (0..8).map(|in_flight| limit.enter(in_flight).unwrap()).collect();
        for entry in entries {
            limit.learn("GET /apps", entry, Outcome::Overloaded);
        }
        assert_eq!(limit.current(), 4);
        answers(&mut limit, 1, Outcome::Overloaded);
        assert_eq!(limit.current(), 2);
        answers(&mut limit, 5, Outcome::Overloaded);
        assert_eq!(limit.current(), 1, "one request is always allowed");
    }

    #[test]
    fn a_slow_round_takes_a_quarter() {
        let mut limit = settled();
        answers(&mut limit, 8, SLOW);
        assert_eq!(limit.current(), 6);
    }

    #[test]
    fn a_few_slow_answers_in_a_round_take_nothing() {
        let mut limit = settled();
        answers(&mut limit, 4, SLOW);
        answers(&mut limit, 4, USUAL);
        assert_eq!(limit.current(), 9);
    }

    #[test]
    fn what_is_slow_for_long_becomes_the_usual() {
        let mut limit = settled();
        answers(&mut limit, 2_000, SLOW);
        assert_eq!(limit.current(), 16);
    }

    #[test]
    fn every_endpoint_has_a_usual_time_of_its_own() {
        let mut limit = Limit::up_to(16);
        for _ in 0..1_000 {
            for (endpoint, milliseconds) in [("GET /account", 5), ("GET /apps", 900)] {
                let entry = limit.enter(limit.current() - 1).unwrap();
                limit.learn(endpoint, entry, Outcome::Answered(Duration::from_millis(milliseconds)));
            }
        }
        assert_eq!((limit.current(), limit.cuts), (16, 0));
    }

    #[test]
    fn pages_of_very_different_sizes_are_no_slowness() {
        let mut limit = Limit::up_to(16);
        for number in 0_u64..4_000 {
            let milliseconds = if number % 5 == 0 { 800 } else { 40 };
            let entry = limit.enter(limit.current() - 1).unwrap();
            limit.learn("GET /apps", entry, Outcome::Answered(Duration::from_millis(milliseconds)));
        }
        assert_eq!((limit.current(), limit.cuts), (16, 0));
    }

    #[test]
    fn the_noise_of_a_fast_provider_is_no_slowness() {
        let mut limit = settled();
        answers(&mut limit, 200, Outcome::Answered(Duration::from_millis(1)));
        let before = limit.cuts;
        answers(&mut limit, 200, Outcome::Answered(Duration::from_millis(9)));
        assert_eq!(limit.cuts, before);
    }

    #[test]
    fn failures_that_say_nothing_of_load_change_nothing() {
        let mut limit = settled();
        answers(&mut limit, 100, Outcome::Lost);
        assert_eq!(limit.current(), 8);
    }
}
