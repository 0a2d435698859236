//! The polling of an instance.

use integration_scheduler::{Cadence, CronError, CronExpression, PollingInterval, PollingTime};
use jiff::tz::TimeZone;

/// The regular times of an instance, as a person configured them.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Polling {
    /// A polling interval of JupiterOne.
    Interval {
        /// The interval.
        interval: PollingInterval,
        /// The time of the day and the week, for `ONE_DAY` and `ONE_WEEK`.
        time: PollingTime,
    },
    /// A cron expression.
    Cron {
        /// The expression.
        expression: CronExpression,
        /// The name of the time zone, such as `Europe/Berlin`.
        time_zone: String,
    },
}

/// The reason why an instance cannot be polled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PollingError {
    /// Only rules and questions have the interval.
    #[error(
        "`{0}` is an interval of rules and questions; the shortest one of an instance is `THIRTY_MINUTES`. Use cron: \"*/15 * * * *\" for shorter ones"
    )]
    Interval(PollingInterval),
    /// There is no such interval.
    #[error("`{text}` is no polling interval of an instance, expected one of: {}", names())]
    Unknown {
        /// The text.
        text: String,
    },
    /// The hour has a meaning for other intervals only.
    #[error("the hour has a meaning for ONE_DAY and ONE_WEEK only, not for {0}")]
    Hour(PollingInterval),
    /// The day of the week has a meaning for another interval only.
    #[error("the day of the week has a meaning for ONE_WEEK only, not for {0}")]
    Day(PollingInterval),
    /// The hour or the day is out of range.
    #[error("{name} is {value}, expected 0 to {most}")]
    Range {
        /// The name for users.
        name: &'static str,
        /// The value.
        value: u8,
        /// The greatest accepted value.
        most: u8,
    },
    /// There is no such time zone.
    #[error("there is no time zone `{0}`: use a name such as Europe/Berlin or UTC")]
    TimeZone(String),
    /// The expression cannot be used.
    #[error(transparent)]
    Cron(#[from] CronError),
}

impl Default for Polling {
    fn default() -> Self {
        Self::Interval { interval: PollingInterval::default(), time: PollingTime::default() }
    }
}

/// Returns the intervals of instances, for a message.
fn names() -> String {
    let all = PollingInterval::ALL.into_iter().filter(|interval| interval.is_for_instances());
    all.map(PollingInterval::name).collect::<Vec<_>>().join(", ")
}

impl Polling {
    /// Reads the name of an interval of instances.
    ///
    /// # Errors
    /// [`PollingError`] if there is no such interval, or if instances do not have it.
    pub fn interval(text: &str) -> Result<PollingInterval, PollingError> {
        match text.parse::<PollingInterval>() {
            Ok(interval) if interval.is_for_instances() => Ok(interval),
            Ok(interval) => Err(PollingError::Interval(interval)),
            Err(_) => Err(PollingError::Unknown { text: text.to_owned() }),
        }
    }

    /// Returns the polling with an interval.
    ///
    /// # Errors
    /// [`PollingError`] if instances do not have the interval, or if the time is out of range or has no meaning for it.
    pub fn every(interval: PollingInterval, time: PollingTime) -> Result<Self, PollingError> {
        if !interval.is_for_instances() {
            return Err(PollingError::Interval(interval));
        }
        if time.hour.is_some() && !matches!(interval, PollingInterval::OneDay | PollingInterval::OneWeek) {
            return Err(PollingError::Hour(interval));
        }
        if time.day_of_week.is_some() && interval != PollingInterval::OneWeek {
            return Err(PollingError::Day(interval));
        }
        for (name, value, most) in [("the hour", time.hour, 23), ("the day of the week", time.day_of_week, 6)] {
            if let Some(value) = value.filter(|value| *value > most) {
                return Err(PollingError::Range { name, value, most });
            }
        }
        Cadence::at(interval, time)?;
        Ok(Self::Interval { interval, time })
    }

    /// Returns the polling at the times of a cron expression. Without a time zone, it is in UTC.
    ///
    /// # Errors
    /// [`PollingError`] if the expression or the time zone cannot be used.
    pub fn cron(expression: &str, time_zone: Option<&str>) -> Result<Self, PollingError> {
        let time_zone = time_zone.unwrap_or("UTC");
        zone(time_zone)?;
        Ok(Self::Cron { expression: expression.parse()?, time_zone: time_zone.to_owned() })
    }

    /// Returns the regular times, for the scheduler.
    ///
    /// # Errors
    /// [`PollingError`] if this machine does not know the time zone.
    pub fn cadence(&self) -> Result<Cadence, PollingError> {
        match self {
            Self::Interval { interval, time } => Ok(Cadence::at(*interval, *time)?),
            Self::Cron { expression, time_zone } => {
                Ok(Cadence::Cron { expression: expression.clone(), zone: zone(time_zone)? })
            }
        }
    }
}

fn zone(name: &str) -> Result<TimeZone, PollingError> {
    TimeZone::get(name).map_err(|_| PollingError::TimeZone(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_may_have_a_time() {
        let at = PollingTime { hour: Some(6), day_of_week: None };
        let polling = Polling::every(PollingInterval::OneDay, at).expect("a polling");
        assert!(matches!(polling.cadence(), Ok(Cadence::Cron { .. })));
        let late = PollingTime { hour: Some(24), day_of_week: None };
        assert!(matches!(Polling::every(PollingInterval::OneDay, late), Err(PollingError::Range { most: 23, .. })));
        let day = |day| PollingTime { hour: None, day_of_week: Some(day) };
        assert!(Polling::every(PollingInterval::OneWeek, day(6)).is_ok());
        let sunday = Polling::every(PollingInterval::OneWeek, day(7)).expect_err("no day").to_string();
        assert_eq!(sunday, "the day of the week is 7, expected 0 to 6");
        assert!(matches!(Polling::every(PollingInterval::OneDay, day(2)), Err(PollingError::Day(_))));
        assert!(matches!(Polling::every(PollingInterval::OneHour, day(2)), Err(PollingError::Day(_))));
        assert!(matches!(Polling::every(PollingInterval::OneHour, at), Err(PollingError::Hour(_))));
        let short = Polling::every(PollingInterval::FifteenMinutes, PollingTime::default());
        assert!(matches!(short, Err(PollingError::Interval(_))));
    }

    #[test]
    fn an_unknown_interval_names_those_of_instances() {
        let error = Polling::interval("FIVE_MINUTES").expect_err("no interval").to_string();
        assert!(!error.contains("FIFTEEN") && error.matches(", ").count() == 8, "{error}");
        assert!(matches!(Polling::interval("FIFTEEN_MINUTES"), Err(PollingError::Interval(_))));
        assert_eq!(Polling::interval("ONE_WEEK"), Ok(PollingInterval::OneWeek));
    }

    #[test]
    fn an_expression_has_a_time_zone() {
        let polling = Polling::cron("0 6 * * mon-fri", Some("Europe/Berlin")).expect("a polling");
        let Ok(Cadence::Cron { zone, .. }) = polling.cadence() else { panic!("a cron expression") };
        assert_eq!(zone.iana_name(), Some("Europe/Berlin"));
        assert!(matches!(Polling::cron("0 6 * * *", Some("Mars/Olympus")), Err(PollingError::TimeZone(_))));
        assert!(matches!(Polling::cron("0 6 * *", None), Err(PollingError::Cron(_))));
    }
}
