//! What requests cost: counted for each step and in all.

use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What the requests of one [`Http`](super::Http) cost so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// All of them.
    #[serde(flatten)]
    pub total: RequestCounts,
    /// How many requests the provider last said are left.
    pub rate_remaining: Option<u64>,
    /// The same by method and path template, such as `GET /teams/{id}/apps`.
    pub endpoints: BTreeMap<String, RequestCounts>,
}

/// What some requests cost: those to one endpoint, or all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestCounts {
    /// Requests sent, repeated ones included.
    pub requests: u64,
    /// Those among them that repeat one that failed.
    pub retries: u64,
    /// Bytes of the answers' bodies on their way: compressed, where the provider compresses.
    pub answer_bytes: u64,
    /// Answers that had not changed since they were kept, and came without a body (304).
    #[serde(default)]
    pub not_modified: u64,
    /// Time spent in pauses and in the queue, summed over concurrent requests.
    #[serde(rename = "waitedMs", with = "milliseconds")]
    pub waited: Duration,
    /// Time in which the next request could have gone out but for the rate budget: of those in the queue, only the
    /// first one is counted.
    #[serde(rename = "waitedForBudgetMs", with = "milliseconds", default)]
    pub waited_for_budget: Duration,
}

impl AddAssign<&RequestCounts> for RequestCounts {
    fn add_assign(&mut self, more: &RequestCounts) {
        self.requests += more.requests;
        self.retries += more.retries;
        self.answer_bytes += more.answer_bytes;
        self.not_modified += more.not_modified;
        self.waited += more.waited;
        self.waited_for_budget += more.waited_for_budget;
    }
}

/// Counts; what it counts is counted in every tally that it lies within, too.
#[derive(Debug, Default)]
pub(super) struct UsageCounter {
    counts: Mutex<Counts>,
    within: Option<Arc<UsageCounter>>,
}

#[derive(Debug, Default)]
struct Counts {
    endpoints: BTreeMap<String, RequestCounts>,
    rate_remaining: Option<u64>,
}

impl UsageCounter {
    pub(super) fn within(outer: &Arc<Self>) -> Self {
        Self { counts: Mutex::default(), within: Some(Arc::clone(outer)) }
    }

    pub(super) fn count(&self, endpoint: &str, change: impl Fn(&mut RequestCounts)) {
        for tally in self.chain() {
            let mut counts = tally.open();
            match counts.endpoints.get_mut(endpoint) {
                Some(usage) => change(usage),
                None => change(counts.endpoints.entry(endpoint.to_owned()).or_default()),
            }
        }
    }

    pub(super) fn set_rate_remaining(&self, remaining: u64) {
        for tally in self.chain() {
            tally.open().rate_remaining = Some(remaining);
        }
    }

    pub(super) fn usage(&self) -> Usage {
        let counts = self.open();
        let mut total = RequestCounts::default();
        for endpoint in counts.endpoints.values() {
            total += endpoint;
        }
        Usage { total, rate_remaining: counts.rate_remaining, endpoints: counts.endpoints.clone() }
    }

    fn chain(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |tally| tally.within.as_deref())
    }

    /// Every change is a few additions, so the counts hold even after a panic elsewhere.
    fn open(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

mod milliseconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inner_tally_counts_in_the_outer_one_too() {
        let total = Arc::new(UsageCounter::default());
        let (teams, apps) = (UsageCounter::within(&total), UsageCounter::within(&total));
        teams.count("GET /teams", |usage| usage.requests += 1);
        apps.count("GET /apps", |usage| usage.requests += 2);
        apps.set_rate_remaining(7);
        assert_eq!(
            (teams.usage().total.requests, apps.usage().total.requests, total.usage().total.requests),
            (1, 2, 3)
        );
        assert_eq!((teams.usage().rate_remaining, total.usage().rate_remaining), (None, Some(7)));
        assert_eq!(total.usage().endpoints["GET /apps"].requests, 2);
    }

    #[test]
    fn usage_says_its_unit_in_json() {
        let total = RequestCounts { waited: Duration::from_millis(1_500), ..RequestCounts::default() };
        let usage = Usage { total, ..Usage::default() };
        let json = serde_json::to_value(&usage).unwrap();
        assert_eq!(json["waitedMs"], 1_500);
        assert_eq!(serde_json::from_value::<Usage>(json).unwrap(), usage);
    }

    #[test]
    fn the_total_lies_flat_and_what_older_versions_did_not_count_is_nothing() {
        let older = r#"{"requests":3,"retries":1,"answerBytes":9,"waitedMs":4,"rateRemaining":null,"endpoints":{}}"#;
        let usage: Usage = serde_json::from_str(older).unwrap();
        assert_eq!(
            serde_json::to_string(&usage).unwrap(),
            r#"{"requests":3,"retries":1,"answerBytes":9,"notModified":0,"waitedMs":4,"waitedForBudgetMs":0,"rateRemaining":null,"endpoints":{}}"#
        );
    }
}
