//! The times at which a cron expression is due.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use crate::cron::CronExpression;

/// The number of days in which every expression is due at least once: a leap day can be eight years away.
const DAYS: usize = 9 * 366;

impl CronExpression {
    /// Returns the first time after another time at which the expression is due.
    ///
    /// An expression with certain hours is due once for each time of day: at the end of the change if the clock skips the
    /// time, and the first time if the clock repeats it. An expression for every hour is due whenever the clock shows a
    /// matching minute. `None` means that the time is out of range.
    pub fn next_after(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let mut date = zone.to_datetime(after).date();
        for _ in 0..DAYS {
            if self.matches(date) {
                let found = if self.is_hourly() {
                    self.elapsed_on(date, after, zone)
                } else {
                    self.civil_on(date, after, zone)
                };
                if found.is_some() {
                    return found;
                }
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    fn matches(&self, date: Date) -> bool {
        let part = |number: i8| u32::from(number.unsigned_abs());
        self.matches_date(part(date.month()), part(date.day()), part(date.weekday().to_sunday_zero_offset()))
    }

    /// Returns the first due time of a day for an expression with certain hours.
    fn civil_on(&self, date: Date, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let part = |number: u32| i8::try_from(number).ok();
        let times = self.times().filter_map(|(hour, minute)| Time::new(part(hour)?, part(minute)?, 0, 0).ok());
        times.filter_map(|time| first_at(DateTime::from_parts(date, time), zone)).find(|due| *due > after)
    }

    /// Returns the first due time of a day for an expression for every hour.
    fn elapsed_on(&self, date: Date, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let minute = SignedDuration::from_mins(1);
        let start = first_at(date.at(0, 0, 0, 0), zone)?;
        let end = first_at(date.tomorrow().ok()?.at(0, 0, 0, 0), zone)?;
        // Full minutes of the clock that follow `after`.
        let passed = after.duration_since(start).as_mins().max(-1) + 1;
        let mut due = start.checked_add(SignedDuration::from_mins(passed.max(0))).ok()?;
        while due < end {
            let shown = zone.to_datetime(due);
            // A change of the clock in the middle of a minute shifts the grid.
            if shown.second() != 0 {
                due = due.checked_add(SignedDuration::from_secs(60 - i64::from(shown.second()))).ok()?;
                continue;
            }
            if due > after && self.matches_minute(u32::from(shown.minute().unsigned_abs())) {
                return Some(due);
            }
            due = due.checked_add(minute).ok()?;
        }
        None
    }
}

/// Returns the first time at which a clock shows a time of day, or a later one if it skips that time.
fn first_at(civil: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(civil);
    match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => ambiguous.compatible().ok(),
        AmbiguousOffset::Gap { before, .. } => {
            // With the former offset, the skipped time is at or after the change.
            let later = before.to_timestamp(civil).ok()?;
            let change = zone.preceding(later.checked_add(SignedDuration::from_nanos(1)).ok()?).next()?;
            Some(change.timestamp())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Time zones as rules, so that the tests need no database: Berlin, New York, Lord Howe, UTC.
    const ZONES: [&str; 4] =
        ["CET-1CEST,M3.5.0,M10.5.0/3", "EST5EDT,M3.2.0,M11.1.0", "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "UTC0"];

    fn zone(text: &str) -> TimeZone {
        TimeZone::posix(text).expect(text)
    }

    fn time(text: &str) -> Timestamp {
        text.parse().expect(text)
    }

    fn due(cron: &str, after: &str, count: usize) -> Vec<String> {
        let (cron, zone): (CronExpression, _) = (cron.parse().expect(cron), zone(ZONES[0]));
        let mut now = time(after);
        let next = |_| {
            now = cron.next_after(now, &zone).expect("a time");
            jiff::ZonedDateTime::new(now, zone.clone()).strftime("%m-%d %H:%M%:z").to_string()
        };
        (0..count).map(next).collect()
    }

    #[test]
    fn a_skipped_time_is_due_at_the_change() {
        assert_eq!(
            due("30 2 * * *", "2026-03-28T00:00:00Z", 3),
            ["03-28 02:30+01:00", "03-29 03:00+02:00", "03-30 02:30+02:00"]
        );
        assert_eq!(due("0,30 2-3 * * *", "2026-03-29T00:30:00Z", 2), ["03-29 03:00+02:00", "03-29 03:30+02:00"]);
    }

    #[test]
    fn a_repeated_time_is_due_once() {
        assert_eq!(due("30 2 * * *", "2026-10-24T12:00:00Z", 2), ["10-25 02:30+02:00", "10-26 02:30+01:00"]);
    }

    #[test]
    fn every_hour_follows_elapsed_time() {
        assert_eq!(
            due("30 * * * *", "2026-10-24T23:40:00Z", 4),
            ["10-25 02:30+02:00", "10-25 02:30+01:00", "10-25 03:30+01:00", "10-25 04:30+01:00"]
        );
        assert_eq!(due("30 * * * *", "2026-03-29T00:20:00Z", 2), ["03-29 01:30+01:00", "03-29 03:30+02:00"]);
    }

    #[test]
    fn rare_days_are_found() {
        let leap: CronExpression = "0 0 29 2 *".parse().expect("cron");
        assert_eq!(leap.next_after(time("2096-03-01T00:00:00Z"), &TimeZone::UTC), Some(time("2104-02-29T00:00:00Z")));
        assert_eq!(leap.next_after(Timestamp::MAX, &TimeZone::UTC), None);
        assert_eq!(due("0 9 * * mon", "2026-01-05T08:00:00Z", 2), ["01-12 09:00+01:00", "01-19 09:00+01:00"]);
    }

    /// Watches a clock minute by minute. A time of day is due when the clock first shows it or a later time.
    fn by_watching(cron: &CronExpression, after: Timestamp, zone: &TimeZone, minutes: i64) -> Option<Timestamp> {
        let minute = SignedDuration::from_mins(1);
        let start = Timestamp::from_second(after.as_second().div_euclid(60) * 60).expect("a time");
        // The greatest time that the clock has shown. A day is longer than every repetition.
        let mut shown = (1..=1_440).map(|past| zone.to_datetime(start - minute * past)).max()?;
        for step in 0..minutes {
            let now = start + minute * i32::try_from(step).expect("a small number");
            let clock = zone.to_datetime(now);
            let is_due = if cron.is_hourly() {
                cron.matches(clock.date()) && cron.matches_minute(clock.minute().unsigned_abs().into())
            } else {
                let mut passed = shown;
                let mut any = false;
                while passed < clock {
                    passed = passed.checked_add(minute).expect("a time");
                    let time = (u32::from(passed.hour().unsigned_abs()), u32::from(passed.minute().unsigned_abs()));
                    any |= cron.matches(passed.date()) && cron.times().any(|due| due == time);
                }
                any
            };
            shown = shown.max(clock);
            if is_due && now > after {
                return Some(now);
            }
        }
        None
    }

    fn expression() -> impl Strategy<Value = String> {
        let minute = prop::sample::select(vec!["*", "0", "30", "*/20", "5,35", "10-40/15", "59"]);
        let hour = prop::sample::select(vec!["*", "0", "1", "2", "3", "1-3", "*/6", "23", "0-23"]);
        let day = prop::sample::select(vec!["*", "29", "25-31", "1", "*/2"]);
        let month = prop::sample::select(vec!["*", "3,10", "4,11", "*/3"]);
        let weekday = prop::sample::select(vec!["*", "sun", "1-5", "6,7"]);
        (minute, hour, day, month, weekday)
            .prop_map(|(minute, hour, day, month, weekday)| format!("{minute} {hour} {day} {month} {weekday}"))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(150))]
        #[test]
        fn the_next_time_is_the_first_one_that_a_watcher_sees(
            text in expression(),
            at in prop::sample::select(ZONES.to_vec()),
            // Around the changes of the clocks in 2026, and any other time.
            around in prop::sample::select(vec!["2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z", "2026-03-08T07:00:00Z",
                "2026-11-01T06:00:00Z", "2026-04-04T15:00:00Z", "2026-10-03T15:30:00Z", "2026-12-31T12:00:00Z"]),
            offset in -100_000_i64..100_000,
        ) {
            let cron: CronExpression = text.parse().expect("cron");
            let zone = zone(at);
            let after = time(around) + SignedDuration::from_secs(offset);
            let (days, found) = (3, cron.next_after(after, &zone));
            let watched = by_watching(&cron, after, &zone, days * 1_440);
            match watched {
                Some(watched) => prop_assert_eq!(found, Some(watched), "{} {}", text, at),
                None => prop_assert!(found.is_none_or(|found| found >= after + SignedDuration::from_hours(24 * days) - SignedDuration::from_mins(1))),
            }
        }
    }
}
