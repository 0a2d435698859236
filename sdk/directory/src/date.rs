//! Dates in the forms of exports.

use integration_sdk::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// The year that personnel systems write for an end that is not known.
const NEVER: i16 = 9999;

/// Returns the begin of a day in UTC, or `None` if the form is unknown.
///
/// Without `format`, the known forms are those that can be read in one way only: ISO 8601, year first, German dates with
/// dots, the times of LDAP, and day and month in either order if one of them exceeds twelve.
pub(crate) fn day(text: &str, format: Option<&str>) -> Option<Timestamp> {
    let begin = TimeZone::UTC.to_timestamp(date(text, format)?.at(0, 0, 0, 0)).ok()?;
    Some(Timestamp::from_millis(begin.as_millisecond()))
}

/// Returns whether a date stands for an end that is not known, such as `9999-12-31`.
pub(crate) fn means_never(text: &str, format: Option<&str>) -> bool {
    date(text, format).is_some_and(|date| date.year() == NEVER)
}

fn date(text: &str, format: Option<&str>) -> Option<Date> {
    match format {
        Some(format) => Date::strptime(format, text).ok(),
        None => plain(text),
    }
}

/// The begin of today in UTC.
pub(crate) fn today() -> Timestamp {
    const DAY: i64 = 24 * 60 * 60 * 1_000;
    Timestamp::from_millis(Timestamp::now().millis().div_euclid(DAY) * DAY)
}

fn plain(text: &str) -> Option<Date> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    match digits {
        // `20240531`, and `20240531120000Z` of LDAP.
        8 | 14 => Date::strptime("%Y%m%d", text.get(..8)?).ok(),
        4 => {
            let date = text.split(['T', ' ']).next()?.replace(['/', '.'], "-");
            Date::strptime("%Y-%m-%d", date).ok()
        }
        1 | 2 if text.contains('.') => Date::strptime("%d.%m.%Y", text.split(' ').next()?).ok(),
        1 | 2 => in_either_order(text.split(' ').next()?),
        _ => None,
    }
}

/// Reads a date with the year last, if day and month have one order only.
fn in_either_order(text: &str) -> Option<Date> {
    let parts: Vec<i16> = text.split(['/', '-']).map(str::parse).collect::<Result<_, _>>().ok()?;
    let [first, second, year] = parts[..] else { return None };
    let of = |day: i16, month: i16| Date::new(year, month.try_into().ok()?, day.try_into().ok()?).ok();
    if year < 1_000 {
        return None;
    }
    match (of(first, second), of(second, first)) {
        (Some(one), Some(other)) if one != other => None,
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, format: Option<&str>) -> Option<String> {
        day(text, format).map(|day| day.to_string())
    }

    #[test]
    fn dates_are_read_if_they_have_one_meaning() {
        let forms = ["2024-05-31", "2024-05-31T08:00:00Z", "2024/05/31", "20240531", "20240531120000Z", "31.05.2024"];
        let more =
            ["2024-05-31 08:00", "31.5.2024", "2024-5-31", "31/05/2024", "05/31/2024", "5/31/2024 08:00", "31-5-2024"];
        for text in forms.into_iter().chain(more) {
            assert_eq!(shown(text, None).as_deref(), Some("2024-05-31T00:00:00Z"), "{text}");
        }
        for text in [
            "05/06/2024",
            "31/31/2024",
            "31/05/24",
            "5/31",
            "45443",
            "2024-13-01",
            "30.02.2024",
            "soon",
            "",
            "2024",
            "1é.05.2024",
        ] {
            assert_eq!(shown(text, None), None, "{text}");
        }
    }

    #[test]
    fn the_last_year_stands_for_an_unknown_end() {
        assert!(means_never("9999-12-31", None) && means_never("99991231000000Z", None));
        assert!(means_never("12/31/9999", Some("%m/%d/%Y")) && !means_never("2024-05-31", None));
        assert_eq!(shown("06/06/2024", None).as_deref(), Some("2024-06-06T00:00:00Z"));
    }

    #[test]
    fn a_format_decides_about_other_dates() {
        assert_eq!(shown("05/31/2024", Some("%m/%d/%Y")).as_deref(), Some("2024-05-31T00:00:00Z"));
        assert_eq!(shown("2024-05-31", Some("%m/%d/%Y")), None);
        assert_eq!(today().millis() % 86_400_000, 0);
    }
}
