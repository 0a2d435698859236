//! Points in time in texts.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Returns the milliseconds since the epoch of an ISO 8601 date, with an optional time and offset; without an offset
/// in UTC.
pub(crate) fn parse_instant(text: &str) -> Option<i64> {
    let text = text.trim();
    let bytes = text.as_bytes();
    // The check keeps other texts away from the parser, because a column can have many of them.
    if bytes.len() < 8 || !bytes[..4].iter().all(u8::is_ascii_digit) {
        return None;
    }
    let zoned = text.parse::<jiff::Timestamp>().ok();
    let local = || TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok();
    zoned.or_else(local).map(jiff::Timestamp::as_millisecond)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_have_optional_times_and_offsets() {
        let midnight = Some(1_572_393_600_000);
        assert_eq!(parse_instant("2019-10-30"), midnight);
        assert_eq!(parse_instant("2019-10-30T00:00:00Z"), midnight);
        assert_eq!(parse_instant("2019-10-30T02:00:00+02:00"), midnight);
        assert_eq!(parse_instant("2019-10-30T00:00"), midnight);
        assert_eq!(parse_instant("2019-10-30 00:00:00.000"), midnight);
        assert_eq!(parse_instant(" 2019-10-30 "), midnight);
    }

    #[test]
    fn other_texts_are_no_dates() {
        for text in ["", "2019", "2019-13-01", "20191030 and more", "yesterday", "a2019-10-30"] {
            assert_eq!(parse_instant(text), None, "{text}");
        }
    }
}
