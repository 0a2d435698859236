//! The polling intervals of JupiterOne.

use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// The time between two runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PollingInterval {
    /// Never, except on request.
    Disabled,
    /// Every 15 minutes. Only rules and questions have this interval.
    FifteenMinutes,
    /// Every 30 minutes.
    ThirtyMinutes,
    /// Every hour.
    OneHour,
    /// Every 4 hours.
    FourHours,
    /// Every 8 hours.
    EightHours,
    /// Every 12 hours.
    TwelveHours,
    /// Every day, the default.
    #[default]
    OneDay,
    /// Every week.
    OneWeek,
}

/// A text that is no polling interval.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no polling interval, expected one of: {}", PollingInterval::names())]
pub struct IntervalError {
    /// The text.
    pub text: String,
}

impl PollingInterval {
    /// All intervals, the shortest first.
    pub const ALL: [Self; 9] = [
        Self::Disabled,
        Self::FifteenMinutes,
        Self::ThirtyMinutes,
        Self::OneHour,
        Self::FourHours,
        Self::EightHours,
        Self::TwelveHours,
        Self::OneDay,
        Self::OneWeek,
    ];

    /// Returns the name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Disabled => "DISABLED",
            Self::FifteenMinutes => "FIFTEEN_MINUTES",
            Self::ThirtyMinutes => "THIRTY_MINUTES",
            Self::OneHour => "ONE_HOUR",
            Self::FourHours => "FOUR_HOURS",
            Self::EightHours => "EIGHT_HOURS",
            Self::TwelveHours => "TWELVE_HOURS",
            Self::OneDay => "ONE_DAY",
            Self::OneWeek => "ONE_WEEK",
        }
    }

    fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }

    /// Returns the time between two runs; `None` if there are no regular runs.
    pub fn duration(self) -> Option<SignedDuration> {
        let minutes = match self {
            Self::Disabled => return None,
            Self::FifteenMinutes => 15,
            Self::ThirtyMinutes => 30,
            Self::OneHour => 60,
            Self::FourHours => 4 * 60,
            Self::EightHours => 8 * 60,
            Self::TwelveHours => 12 * 60,
            Self::OneDay => 24 * 60,
            Self::OneWeek => 7 * 24 * 60,
        };
        Some(SignedDuration::from_mins(minutes))
    }

    /// Returns whether instances accept the interval. Rules and questions accept all of them.
    pub fn is_for_instances(self) -> bool {
        self != Self::FifteenMinutes
    }
}

impl fmt::Display for PollingInterval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for PollingInterval {
    type Err = IntervalError;

    fn from_str(text: &str) -> Result<Self, IntervalError> {
        let found = Self::ALL.into_iter().find(|interval| interval.name() == text);
        found.ok_or_else(|| IntervalError { text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_json_and_in_texts_are_equal() {
        for interval in PollingInterval::ALL {
            assert_eq!(serde_json::to_value(interval).expect("JSON"), interval.name());
            assert_eq!(interval.name().parse(), Ok(interval));
        }
        let error = "HOURLY".parse::<PollingInterval>().expect_err("no interval").to_string();
        assert!(error.contains("HOURLY") && error.contains("THIRTY_MINUTES"), "{error}");
    }

    #[test]
    fn durations_grow() {
        let durations: Vec<_> = PollingInterval::ALL.iter().map(|interval| interval.duration()).collect();
        assert!(durations.is_sorted());
        assert_eq!(PollingInterval::ALL.iter().filter(|interval| interval.is_for_instances()).count(), 8);
    }
}
