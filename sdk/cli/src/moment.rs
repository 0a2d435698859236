//! Times on the command line.

use integration_sdk::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// A time as given on the command line. It includes the whole last second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment(i64);

impl Moment {
    /// The last instant of the time.
    pub(crate) fn end(self) -> Timestamp {
        Timestamp::from_millis(self.0)
    }
}

/// Parses a date or a date with a time, which is in UTC unless it has an offset.
pub(crate) fn parse(text: &str) -> Result<Moment, String> {
    let in_utc = || TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok();
    let time: Option<jiff::Timestamp> = text.parse().ok().or_else(in_utc);
    let time = time.ok_or("not a time; use a date such as 2026-11-30, or 2026-11-30T14:00:00Z")?;
    let end = if time.subsec_nanosecond() == 0 { 999 } else { 0 };
    Ok(Moment(time.as_millisecond() + end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_includes_its_last_second_and_is_in_utc() {
        let end = |text: &str| parse(text).map(|moment| moment.end().millis());
        assert_eq!(end("1970-01-02"), Ok(86_400_999));
        assert_eq!(end("1970-01-01T01:00:00+01:00"), Ok(999));
        assert_eq!(end("1970-01-01 00:00:01.5"), Ok(1_500));
        assert!(parse("soon").is_err() && parse("0198f3a2").is_err());
    }
}
