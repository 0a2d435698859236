//! The progress of evaluations, which saves repeated ones.

use jiff::Timestamp;

/// The last evaluation of rules by this process.
///
/// It is an optimisation: a new process begins without it, and evaluates more often.
#[derive(Debug, Default)]
pub(super) struct Progress {
    last: Option<Last>,
    /// The start of the last evaluation that included the rules about changes. It has seen all publications before.
    seen: Option<Timestamp>,
}

#[derive(Debug)]
struct Last {
    at: Timestamp,
    /// The earliest time at which a rule is due.
    next: Timestamp,
}

impl Progress {
    /// Records the start of an evaluation, which may fail.
    pub(super) fn begin(&mut self) {
        self.last = None;
    }

    /// Records the end of an evaluation that began at a time.
    pub(super) fn end(&mut self, at: Timestamp, next: Option<Timestamp>, includes_changes: bool) {
        self.last = Some(Last { at, next: next.unwrap_or(Timestamp::MAX) });
        if includes_changes {
            self.seen = Some(at);
        }
    }

    /// Returns whether no rule is due. After a clock was set back, rules are.
    pub(super) fn is_quiet(&self, now: Timestamp) -> bool {
        self.last.as_ref().is_some_and(|last| last.at <= now && now < last.next)
    }

    /// Returns whether the rules about changes have seen a publication.
    ///
    /// The jobs of many instances end during one evaluation. The next one sees the publications of all of them.
    pub(super) fn has_seen(&self, publication: Timestamp, now: Timestamp) -> bool {
        self.seen.is_some_and(|seen| publication < seen && seen <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    #[test]
    fn publications_before_an_evaluation_are_seen() {
        let mut progress = Progress::default();
        assert!(!progress.has_seen(at(1), at(9)));
        progress.end(at(5), None, false);
        assert!(!progress.has_seen(at(1), at(9)), "it had no rules about changes");
        progress.end(at(6), None, true);
        assert!(progress.has_seen(at(5), at(9)));
        assert!(!progress.has_seen(at(6), at(9)), "it may have been too late");
        assert!(!progress.has_seen(at(1), at(2)), "the clock was set back");
    }

    #[test]
    fn rules_are_quiet_until_the_next_one_is_due() {
        let mut progress = Progress::default();
        assert!(!progress.is_quiet(at(1)));
        progress.end(at(5), Some(at(8)), true);
        assert_eq!([4, 5, 7, 8].map(|second| progress.is_quiet(at(second))), [false, true, true, false]);
        progress.begin();
        assert!(!progress.is_quiet(at(6)), "the evaluation may have failed");
    }
}
