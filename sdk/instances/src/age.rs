//! Ages of jobs, such as `90d`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::{Span, SpanRelativeTo};
use serde::{Serialize, Serializer};

/// An age with the text that a person wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Age {
    text: String,
    duration: Duration,
}

/// A text that is no duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no duration: use one such as 90d, 12h or 1h 30m")]
pub struct AgeError(String);

impl Age {
    /// Returns the duration. A day has 24 hours.
    pub fn duration(&self) -> Duration {
        self.duration
    }
}

impl FromStr for Age {
    type Err = AgeError;

    fn from_str(text: &str) -> Result<Self, AgeError> {
        let unusable = || AgeError(text.to_owned());
        let span: Span = text.parse().map_err(|_| unusable())?;
        let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| unusable())?;
        let duration = Duration::try_from(duration).map_err(|_| unusable())?;
        Ok(Self { text: text.to_owned(), duration })
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Age {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_has_a_unit_and_keeps_its_text() {
        let age: Age = "90d".parse().expect("an age");
        assert_eq!((age.duration(), age.to_string()), (Duration::from_secs(90 * 86_400), "90d".to_owned()));
        let spans = ["90s", "1h 30m", "2 days"].map(|text| text.parse::<Age>().expect("an age").duration().as_secs());
        assert_eq!(spans, [90, 5_400, 172_800]);
        assert!(["", "90", "-1h", "soon", "3 months"].iter().all(|text| text.parse::<Age>().is_err()));
    }
}
