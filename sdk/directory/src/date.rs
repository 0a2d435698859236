//! Dates in the forms of exports.

use integration_sdk::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Returns the begin of a day in UTC, or `None` if the form is unknown.
///
/// Without `format`, the known forms are those that can be read in one way only: ISO 8601, year first, German dates with
/// dots, and the times of LDAP.
pub(crate) fn day(text: &str, format: Option<&str>) -> Option<Timestamp> {
    let date = match format {
        Some(format) => Date::strptime(format, text).ok(),
        None => plain(text),
    };
    let begin = TimeZone::UTC.to_timestamp(date?.at(0, 0, 0, 0)).ok()?;
    Some(Timestamp::from_millis(begin.as_millisecond()))
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
        _ => None,
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
        for text in forms.into_iter().chain(["2024-05-31 08:00", "31.5.2024", "2024-5-31"]) {
            assert_eq!(shown(text, None).as_deref(), Some("2024-05-31T00:00:00Z"), "{text}");
        }
        for text in ["05/31/2024", "31/05/2024", "45443", "2024-13-01", "30.02.2024", "soon", "", "2024", "1é.05.2024"]
        {
            assert_eq!(shown(text, None), None, "{text}");
        }
    }

    #[test]
    fn a_format_decides_about_other_dates() {
        assert_eq!(shown("05/31/2024", Some("%m/%d/%Y")).as_deref(), Some("2024-05-31T00:00:00Z"));
        assert_eq!(shown("2024-05-31", Some("%m/%d/%Y")), None);
        assert_eq!(today().millis() % 86_400_000, 0);
    }
}
