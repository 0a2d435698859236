//! The clock of the machine, as far as a job depends on it.

use crate::graph::Timestamp;

/// The end of the year 2261. Until then, nanoseconds since 1970 fit into 64 bits.
const LATEST: i64 = 9_214_646_400_000;

/// The clock of the machine is certainly wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the clock of this machine is wrong: it shows {0}, and a time from 1970 to 2261 is expected")]
pub struct ClockError(Timestamp);

/// Returns an error if certificates, dates, and ids would be invalid at this time.
pub(crate) fn check(now: Timestamp) -> Result<(), ClockError> {
    if (0..LATEST).contains(&now.millis()) { Ok(()) } else { Err(ClockError(now)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_before_1970_and_after_2261_are_refused() {
        let at = |text: &str| serde_json::from_str::<Timestamp>(&format!("{text:?}")).unwrap();
        assert_eq!(check(at("2026-11-29T00:00:00Z")), Ok(()));
        assert_eq!(check(at("1970-01-01T00:00:00Z")), Ok(()));
        assert_eq!(check(at("2261-12-31T00:00:00Z")), Ok(()));
        let error = check(at("1960-01-01T00:00:00Z")).unwrap_err().to_string();
        assert!(error.contains("1960-01-01"), "{error}");
        assert!(check(at("2262-06-01T00:00:00Z")).is_err());
        assert!(check(Timestamp::from_millis(i64::MAX)).is_err() && check(Timestamp::from_millis(i64::MIN)).is_err());
    }
}
