//! The usage of the provider, counted per step and in total.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use integration_graph::run::{RequestCounts, Usage};

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
}
