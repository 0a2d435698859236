//! The usage of the provider: requests, bytes, and waits.

use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The requests of a step or a job to the provider.
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
