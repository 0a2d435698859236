//! The usage of the provider, counted per step and in total.

use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The usage of one [`Http`](super::Http) so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// The total over all endpoints.
    #[serde(flatten)]
    pub total: RequestCounts,
    /// The number of remaining requests in the provider's latest report.
    pub rate_remaining: Option<u64>,
    /// The usage by method and path template, such as `GET /teams/{id}/apps`.
    pub endpoints: BTreeMap<String, RequestCounts>,
}

/// The usage of one endpoint, or of all endpoints.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestCounts {
    /// The number of requests sent, including retries.
    pub requests: u64,
    /// The number of retries among them.
    pub retries: u64,
    /// The size of the response bodies on the wire, before decompression.
    pub answer_bytes: u64,
    /// The number of cached responses that the provider confirmed without a body (304).
    #[serde(default)]
    pub not_modified: u64,
    /// The time spent in pauses and in the queue, summed over concurrent requests.
    #[serde(rename = "waitedMs", with = "milliseconds")]
    pub waited: Duration,
    /// The time in which only the rate budget delayed the next request.
    ///
    /// Of the requests in the queue, only the first one counts.
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

/// A counter that also adds to the counter around it.
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

    /// Locks the counts.
    ///
    /// Every change is a few additions, so the counts stay valid even after a panic elsewhere.
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
