//! The regular times of an instance.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::hash::Hasher as _;

use siphasher::sip::SipHasher13;

use crate::cron::{CronError, CronExpression};
use crate::interval::PollingInterval;

/// The part of the time between two runs by which a run is at most late on purpose.
const JITTER_PART: i32 = 10;

/// The greatest jitter.
const LONGEST_JITTER: SignedDuration = SignedDuration::from_mins(10);

/// The regular times of an instance.
#[derive(Debug, Clone, PartialEq)]
pub enum Cadence {
    /// A fixed time between two runs, from the creation of the instance.
    Every(PollingInterval),
    /// The times of a cron expression.
    Cron {
        /// The expression.
        expression: CronExpression,
        /// The time zone of the expression.
        zone: TimeZone,
    },
}

/// The time of day and the day of the week of a poll, as JupiterOne names them. Both are in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PollingTime {
    /// The hour, from 0 to 23.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hour: Option<u8>,
    /// The day of the week, from 0 for Sunday to 6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day_of_week: Option<u8>,
}

impl Cadence {
    /// Returns the cadence of an interval whose runs of each day or week have a time.
    ///
    /// The time has a meaning for `ONE_DAY` and `ONE_WEEK` only, and the day of the week for `ONE_WEEK` only. A missing hour
    /// is midnight, a missing day of a week is Sunday.
    ///
    /// # Errors
    /// [`CronError`] if the hour or the day is out of range.
    pub fn at(interval: PollingInterval, time: PollingTime) -> Result<Self, CronError> {
        let hour = time.hour.unwrap_or(0);
        let text = match (interval, time) {
            (_, PollingTime { hour: None, day_of_week: None }) => return Ok(Self::Every(interval)),
            (PollingInterval::OneDay, PollingTime { hour: Some(_), .. }) => format!("0 {hour} * * *"),
            (PollingInterval::OneWeek, _) => format!("0 {hour} * * {}", time.day_of_week.unwrap_or(0)),
            _ => return Ok(Self::Every(interval)),
        };
        Ok(Self::Cron { expression: text.parse()?, zone: TimeZone::UTC })
    }

    /// Returns whether there are regular times.
    pub fn is_regular(&self) -> bool {
        !matches!(self, Self::Every(PollingInterval::Disabled))
    }

    /// Returns the first regular time after another time, without jitter.
    pub(crate) fn next_after(&self, after: Timestamp, created: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Every(interval) => {
                let step = interval.duration()?.as_millis();
                let passed = match after.duration_since(created).as_millis().div_euclid(step) {
                    // The creation itself is no regular time: a new instance runs at once.
                    -1 => 0,
                    passed => passed,
                };
                let millis = passed.checked_add(1)?.checked_mul(step)?;
                created.checked_add(SignedDuration::from_millis(i64::try_from(millis).ok()?)).ok()
            }
            Self::Cron { expression, zone } => expression.next_after(after, zone),
        }
    }

    /// Returns the jitter of an instance: a part of a tenth of its interval, at most ten minutes, derived from the name.
    ///
    /// Runs of many instances with one interval are spread by it, and each instance keeps its place.
    pub fn jitter(&self, instance: &str) -> SignedDuration {
        let longest = self.longest_jitter();
        let mut hasher = SipHasher13::new();
        hasher.write(instance.as_bytes());
        let part = i64::try_from(hasher.finish() % 1_000).unwrap_or(0);
        SignedDuration::from_millis(i64::try_from(longest.as_millis()).unwrap_or(0) * part / 1_000)
    }

    /// Returns the bound of the jitters of all instances.
    pub fn longest_jitter(&self) -> SignedDuration {
        let part = match self {
            Self::Every(interval) => interval.duration().unwrap_or(SignedDuration::ZERO) / JITTER_PART,
            // The interval of an expression is not regular.
            Self::Cron { .. } => SignedDuration::from_mins(1),
        };
        part.min(LONGEST_JITTER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn time(text: &str) -> Timestamp {
        text.parse().expect(text)
    }

    #[test]
    fn polling_times_are_cron_expressions() {
        let at = |interval, hour, day_of_week| Cadence::at(interval, PollingTime { hour, day_of_week });
        let next = |cadence: Cadence| cadence.next_after(time("2026-01-07T12:00:00Z"), time("2026-01-01T05:00:00Z"));
        let daily = at(PollingInterval::OneDay, Some(3), None).expect("a cadence");
        assert_eq!(next(daily), Some(time("2026-01-08T03:00:00Z")));
        let weekly = at(PollingInterval::OneWeek, Some(3), Some(6)).expect("a cadence");
        assert_eq!(next(weekly), Some(time("2026-01-10T03:00:00Z")));
        assert_eq!(at(PollingInterval::OneHour, Some(3), None), Ok(Cadence::Every(PollingInterval::OneHour)));
        assert_eq!(next(Cadence::Every(PollingInterval::OneDay)), Some(time("2026-01-08T05:00:00Z")));
        assert_eq!(next(Cadence::Every(PollingInterval::Disabled)), None);
        assert!(at(PollingInterval::OneDay, Some(24), None).is_err());
        assert!(at(PollingInterval::OneWeek, None, Some(9)).is_err());
    }

    #[test]
    fn jitters_are_spread_and_stable() {
        let cadence = Cadence::Every(PollingInterval::OneHour);
        let jitters: Vec<i64> = (0..1_000).map(|at| cadence.jitter(&format!("instance {at}")).as_secs()).collect();
        assert_eq!(cadence.longest_jitter(), SignedDuration::from_mins(6));
        assert!(jitters.iter().all(|jitter| (0..360).contains(jitter)));
        for minute in 0..6 {
            let share = jitters.iter().filter(|jitter| **jitter / 60 == minute).count();
            assert!((100..250).contains(&share), "{share} in minute {minute}");
        }
        // Another value would move every run of every installation.
        assert_eq!(cadence.jitter("production"), SignedDuration::from_millis(133_200));
    }

    proptest! {
        #[test]
        fn the_next_time_of_an_interval_is_on_its_grid(created in -1_000_000_i64..1_000_000, after in -1_000_000_i64..1_000_000) {
            let (created, after) = (Timestamp::from_second(created).expect("a time"), Timestamp::from_second(after).expect("a time"));
            for interval in PollingInterval::ALL {
                let Some(step) = interval.duration() else { continue };
                let next = Cadence::Every(interval).next_after(after, created).expect("a time");
                let is_before_creation = after < created && created.duration_since(after) <= step;
                let longest = if is_before_creation { step + step } else { step };
                prop_assert!(next > after && next != created && next.duration_since(after) <= longest);
                prop_assert_eq!(next.duration_since(created).as_secs().rem_euclid(step.as_secs()), 0);
            }
        }
    }
}
