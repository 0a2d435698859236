//! The notices that the observer has not handled yet.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::observer::Notice;

/// The delay after the first failed observation of a notice. It doubles with each further one.
const FIRST_DELAY: SignedDuration = SignedDuration::from_secs(30);
const LONGEST_DELAY: SignedDuration = SignedDuration::from_hours(1);

/// A notice with its attempts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Pending {
    #[serde(flatten)]
    pub(crate) notice: Notice,
    /// The number of failed observations.
    #[serde(default)]
    pub(crate) attempts: u32,
    /// The time before which the notice is not observed again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) not_before: Option<Timestamp>,
}

/// The pending notices in the order of their times.
///
/// Each instance has at most one notice for each kind of end, so the list is bounded.
#[derive(Debug, Clone, Default)]
pub(crate) struct PendingNotices(Vec<Pending>);

impl PendingNotices {
    pub(crate) fn new(stored: Vec<Pending>) -> Self {
        Self(stored)
    }

    pub(crate) fn all(&self) -> &[Pending] {
        &self.0
    }

    /// Adds a notice. It replaces an earlier one of the same instance and end, and follows those with another end.
    ///
    /// The last of a refusal and a success decides whether an alert is open in the end.
    pub(crate) fn add(&mut self, notice: Notice) {
        self.0.retain(|pending| pending.notice.instance != notice.instance || pending.notice.end != notice.end);
        self.0.push(Pending { notice, attempts: 0, not_before: None });
    }

    /// Returns the first notice to observe now. A notice waits for the earlier ones of its instance.
    pub(crate) fn due(&self, now: Timestamp) -> Option<&Notice> {
        self.heads().find(|pending| pending.is_due(now)).map(|pending| &pending.notice)
    }

    /// Returns the time at which a notice is due.
    pub(crate) fn wake(&self, now: Timestamp) -> Option<Timestamp> {
        self.heads().map(|pending| pending.not_before.unwrap_or(now)).min()
    }

    /// Returns the first notice of each instance.
    fn heads(&self) -> impl Iterator<Item = &Pending> {
        let mut seen = BTreeSet::new();
        self.0.iter().filter(move |pending| seen.insert(pending.notice.instance.as_str()))
    }

    /// Removes a notice that was observed. A newer notice that replaced it stays.
    pub(crate) fn observed(&mut self, notice: &Notice) {
        self.0.retain(|pending| pending.notice != *notice);
    }

    /// Delays a notice whose observation failed.
    pub(crate) fn failed(&mut self, notice: &Notice, now: Timestamp) {
        for pending in self.0.iter_mut().filter(|pending| pending.notice == *notice) {
            pending.attempts = pending.attempts.saturating_add(1);
            pending.not_before = now.checked_add(delay(pending.attempts)).ok();
        }
    }
}

impl Pending {
    /// A time that is further away than the longest delay was set by a clock in the future.
    fn is_due(&self, now: Timestamp) -> bool {
        self.not_before.is_none_or(|time| time <= now || time.duration_since(now) > LONGEST_DELAY)
    }
}

fn delay(attempts: u32) -> SignedDuration {
    let doublings = attempts.saturating_sub(1).min(12);
    FIRST_DELAY.checked_mul(1 << doublings).unwrap_or(LONGEST_DELAY).min(LONGEST_DELAY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use integration_scheduler::RunEnd;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(1_767_225_600 + second).expect("a time")
    }

    fn notice(instance: &str, end: RunEnd, job: &str) -> Notice {
        Notice { instance: instance.into(), at: second(0), end, job: Some(job.into()), message: None, failures: 0 }
    }

    #[test]
    fn a_newer_publication_replaces_an_older_one_and_the_order_of_ends_stays() {
        let mut pending = PendingNotices::default();
        pending.add(notice("a", RunEnd::Published, "1"));
        pending.add(notice("a", RunEnd::CredentialsRefused, "2"));
        pending.add(notice("a", RunEnd::Published, "3"));
        let jobs: Vec<_> = pending.all().iter().filter_map(|pending| pending.notice.job.clone()).collect();
        assert_eq!(jobs, ["2", "3"]);
        assert_eq!(pending.due(second(0)).and_then(|notice| notice.job.as_deref()), Some("2"));
    }

    #[test]
    fn a_failing_notice_waits_and_holds_up_only_its_own_instance() {
        let mut pending = PendingNotices::default();
        let failing = notice("a", RunEnd::Published, "1");
        pending.add(failing.clone());
        pending.add(notice("a", RunEnd::Failed, "2"));
        pending.add(notice("b", RunEnd::Published, "3"));
        pending.failed(&failing, second(0));
        let other = pending.due(second(0)).cloned().expect("another instance");
        assert_eq!(other.job.as_deref(), Some("3"));
        pending.observed(&other);
        assert_eq!(pending.due(second(29)), None);
        assert_eq!(pending.wake(second(29)), Some(second(30)));
        assert_eq!(pending.due(second(30)), Some(&failing));
        for _ in 0..20 {
            pending.failed(&failing, second(0));
        }
        assert_eq!(pending.wake(second(0)), Some(second(3_600)));
        assert_eq!(pending.due(second(-1)), Some(&failing), "the clock was set back");
    }

    #[test]
    fn the_result_of_a_replaced_notice_does_not_remove_the_newer_one() {
        let mut pending = PendingNotices::default();
        let older = notice("a", RunEnd::Published, "1");
        pending.add(older.clone());
        pending.add(notice("a", RunEnd::Published, "2"));
        pending.observed(&older);
        assert_eq!(pending.all().len(), 1);
    }
}
