//! Cron expressions of five fields.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The names of months, from January.
const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
/// The names of days, from Sunday.
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
/// The abbreviations of whole expressions.
const MACROS: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

/// A cron expression: minute, hour, day of the month, month, and day of the week.
///
/// A field is a list of `*`, a value, a range `a-b`, or one of them with a step `/n`. Months and days of the week have names.
/// If both days are restricted, one of them must match, as in cron.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CronExpression {
    text: String,
    minutes: Set,
    hours: Set,
    days: Set,
    months: Set,
    weekdays: Set,
    /// Whether one matching day suffices, because both fields of days are restricted.
    either_day: bool,
}

/// A set of small numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Set(u64);

impl Set {
    fn contains(self, number: u32) -> bool {
        self.0 >> number & 1 == 1
    }

    fn iter(self) -> impl Iterator<Item = u32> {
        (0..64).filter(move |number| self.contains(*number))
    }
}

/// A text that is no cron expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// The expression has another number of fields.
    #[error(
        "the cron expression `{text}` has {found} fields, expected five: minute, hour, day of month, month, day of week"
    )]
    Fields {
        /// The expression.
        text: String,
        /// The number of fields.
        found: usize,
    },
    /// A field cannot be read.
    #[error("the {field} `{text}` of the cron expression is not understood, expected {expected}")]
    Field {
        /// The name of the field.
        field: &'static str,
        /// The text of the field.
        text: String,
        /// The accepted values.
        expected: String,
    },
    /// No month of the expression has the day.
    #[error("the cron expression `{0}` never matches a day")]
    Never(String),
}

/// A field with its smallest and greatest value, and the names of its values.
struct Field {
    name: &'static str,
    least: u32,
    most: u32,
    names: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field { name: "minute", least: 0, most: 59, names: &[] },
    Field { name: "hour", least: 0, most: 23, names: &[] },
    Field { name: "day of the month", least: 1, most: 31, names: &[] },
    Field { name: "month", least: 1, most: 12, names: &MONTHS },
    // 7 is Sunday as well.
    Field { name: "day of the week", least: 0, most: 7, names: &DAYS },
];

impl Field {
    fn parse(&self, text: &str) -> Result<Set, CronError> {
        let parts = text.split(',').map(|part| self.part(part));
        let set = parts.collect::<Option<Vec<u64>>>().ok_or_else(|| CronError::Field {
            field: self.name,
            text: text.to_owned(),
            expected: self.expected(),
        })?;
        Ok(Set(set.into_iter().fold(0, |all, part| all | part)))
    }

    fn expected(&self) -> String {
        let Self { least, most, .. } = self;
        let example = self.names.first().map(|name| format!(" or names such as `{name}`")).unwrap_or_default();
        format!("`*` or numbers from {least} to {most}{example}, such as `{least}-{most}/2` or `{least},{}`", least + 1)
    }

    fn part(&self, text: &str) -> Option<u64> {
        let (range, step) = match text.split_once('/') {
            Some((range, step)) => (range, Some(number(step)?)),
            None => (text, None),
        };
        let (from, to) = match (range, range.split_once('-'), step) {
            ("*", ..) => (self.least, self.most),
            (_, Some((from, to)), _) => (self.value(from)?, self.value(to)?),
            // A value with a step is a range up to the end.
            (one, None, Some(_)) => (self.value(one)?, self.most),
            (one, None, None) => (self.value(one)?, self.value(one)?),
        };
        let step = step.unwrap_or(1);
        if from > to || step == 0 {
            return None;
        }
        Some((from..=to).step_by(step as usize).fold(0, |set, number| set | 1 << number))
    }

    fn value(&self, text: &str) -> Option<u32> {
        let named = self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let value = match named {
            Some(at) => u32::try_from(at).ok()? + self.least,
            None => number(text)?,
        };
        (self.least..=self.most).contains(&value).then_some(value)
    }
}

/// Reads up to three digits without a sign.
fn number(text: &str) -> Option<u32> {
    let is_number = (1..=3).contains(&text.len()) && text.bytes().all(|letter| letter.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

impl FromStr for CronExpression {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Self, CronError> {
        let trimmed = text.trim();
        let known = MACROS.iter().find(|(name, _)| trimmed.eq_ignore_ascii_case(name));
        let fields: Vec<&str> = known.map_or(trimmed, |(_, expression)| expression).split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields.as_slice() else {
            return Err(CronError::Fields { text: trimmed.to_owned(), found: fields.len() });
        };
        let [minutes, hours, days, months, weekdays] = &FIELDS;
        let weekday_set = weekdays.parse(weekday)?;
        let expression = Self {
            text: trimmed.to_owned(),
            minutes: minutes.parse(minute)?,
            hours: hours.parse(hour)?,
            days: days.parse(day)?,
            months: months.parse(month)?,
            weekdays: Set(weekday_set.0 | weekday_set.0 >> 7 & 1),
            either_day: !day.starts_with('*') && !weekday.starts_with('*'),
        };
        if expression.is_never_due() { Err(CronError::Never(trimmed.to_owned())) } else { Ok(expression) }
    }
}

impl CronExpression {
    /// Returns whether a day matches. The day of the week is 0 for Sunday.
    pub(crate) fn matches_date(&self, month: u32, day: u32, weekday: u32) -> bool {
        let (by_day, by_weekday) = (self.days.contains(day), self.weekdays.contains(weekday));
        self.months.contains(month) && if self.either_day { by_day || by_weekday } else { by_day && by_weekday }
    }

    /// Returns the hours and minutes of a matching day, in order.
    pub(crate) fn times(&self) -> impl Iterator<Item = (u32, u32)> {
        self.hours.iter().flat_map(|hour| self.minutes.iter().map(move |minute| (hour, minute)))
    }

    /// Returns whether a minute matches.
    pub(crate) fn matches_minute(&self, minute: u32) -> bool {
        self.minutes.contains(minute)
    }

    /// Returns whether the expression matches in every hour, and so follows elapsed time instead of the time of day.
    pub(crate) fn is_hourly(&self) -> bool {
        self.hours.iter().count() == 24
    }

    fn is_never_due(&self) -> bool {
        if self.either_day {
            return false;
        }
        let longest = |month: u32| match month {
            2 => 29,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        !self.months.iter().any(|month| self.days.iter().any(|day| day <= longest(month)))
    }
}

impl fmt::Display for CronExpression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for CronExpression {
    type Error = CronError;

    fn try_from(text: String) -> Result<Self, CronError> {
        text.parse()
    }
}

impl From<CronExpression> for String {
    fn from(expression: CronExpression) -> Self {
        expression.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set(field: usize, text: &str) -> Vec<u32> {
        FIELDS[field].parse(text).expect(text).iter().collect()
    }

    #[test]
    fn fields_are_sets() {
        assert_eq!(set(0, "*/20"), [0, 20, 40]);
        assert_eq!(set(0, "5-11/3,59"), [5, 8, 11, 59]);
        assert_eq!(set(1, "22/1"), [22, 23]);
        assert_eq!(set(2, "*").len(), 31);
        assert_eq!(set(3, "JAN-mar"), [1, 2, 3]);
        assert_eq!(set(4, "sun,Fri"), [0, 5]);
    }

    #[test]
    fn sunday_has_two_numbers() {
        for text in ["0 0 * * 7", "0 0 * * 0", "0 0 * * SUN"] {
            let cron: CronExpression = text.parse().expect(text);
            assert!(cron.matches_date(1, 1, 0) && !cron.matches_date(1, 1, 1), "{text}");
        }
    }

    #[test]
    fn one_of_two_restricted_days_suffices() {
        let either: CronExpression = "0 0 13 * fri".parse().expect("cron");
        assert!(either.matches_date(1, 13, 0) && either.matches_date(1, 1, 5) && !either.matches_date(1, 1, 0));
        let both: CronExpression = "0 0 13 * *".parse().expect("cron");
        assert!(both.matches_date(1, 13, 0) && !both.matches_date(1, 1, 5));
        let step: CronExpression = "0 0 */2 * mon".parse().expect("cron");
        assert!(step.matches_date(1, 3, 1) && !step.matches_date(1, 3, 2) && !step.matches_date(1, 2, 1));
    }

    #[test]
    fn errors_name_the_field() {
        for (text, part) in [
            ("* * * *", "4 fields"),
            ("@reboot", "1 fields"),
            ("60 * * * *", "minute `60`"),
            ("* 24 * * *", "hour `24`"),
            ("* * 0 * *", "day of the month `0`"),
            ("* * * 13 *", "month `13`"),
            ("* * * * 8", "day of the week `8`"),
            ("5-1 * * * *", "minute `5-1`"),
            ("*/0 * * * *", "minute `*/0`"),
            ("1,,2 * * * *", "minute"),
            ("+1 * * * *", "minute"),
            ("* * 30 feb *", "never"),
            ("* * 31 2,4 *", "never"),
            ("a * * * *", "numbers from 0 to 59"),
        ] {
            let error = text.parse::<CronExpression>().expect_err(text).to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
        assert!("0 0 29 2 *".parse::<CronExpression>().is_ok());
        assert!("0 0 31 2 mon".parse::<CronExpression>().is_ok());
        assert!("@Daily".parse::<CronExpression>().is_ok());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[-*/,0-9a-f @]{0,24}") {
            let _ = text.parse::<CronExpression>();
            let _ = format!("{text} * * * *").parse::<CronExpression>();
        }

        #[test]
        fn ranges_with_steps_are_those_of_arithmetic(from in 0_u32..60, to in 0_u32..60, step in 1_u32..70) {
            let parsed = FIELDS[0].parse(&format!("{from}-{to}/{step}"));
            let expected: Vec<u32> = (from..=to).filter(|number| (number - from) % step == 0).collect();
            match parsed {
                Ok(set) => prop_assert_eq!(set.iter().collect::<Vec<_>>(), expected),
                Err(_) => prop_assert!(from > to),
            }
        }
    }
}
