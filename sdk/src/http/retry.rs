//! When to ask again: the policy, what the provider says of it, and the gate that a rate limit closes for all.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use backon::{BackoffBuilder, ExponentialBuilder};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use tokio::time::Instant;

/// How often to ask, and how long to pause in between.
///
/// Pauses double from the first to the longest, each drawn out by chance up to twofold within the longest. What the
/// provider asks for in `Retry-After` comes instead of that, up to the longest pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all where the provider or the connection fails; at least one is made. 5 by default.
    pub attempts: u32,
    /// Attempts in all that may meet a rate limit (429). These wait for the provider rather than try it, so there are
    /// more of them: 10 by default.
    pub rate_limited_attempts: u32,
    /// The first pause, 500 ms by default.
    pub first_pause: Duration,
    /// No pause is longer, whatever the provider asks for; 60 s by default.
    pub longest_pause: Duration,
    /// The longest time for which a provider may ask in `Retry-After`; 10 min by default. If it asks for more, the
    /// request fails at once, and so do the next requests until that time: all of them after a rate limit (429),
    /// those to the same endpoint after another failure.
    pub longest_told: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 5,
            rate_limited_attempts: 10,
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(60),
            longest_told: Duration::from_secs(600),
        }
    }
}

impl RetryPolicy {
    /// The pauses of one request, without end: counting attempts is the caller's.
    pub(super) fn pauses(&self) -> impl Iterator<Item = Duration> + Send + use<> {
        let longest = self.longest_pause;
        ExponentialBuilder::new()
            .with_min_delay(self.first_pause)
            .with_max_delay(longest)
            .with_factor(2.0)
            .with_jitter()
            .without_max_times()
            .build()
            .map(move |pause| pause.min(longest))
    }
}

/// Whether a failed attempt is worth another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RetryDecision {
    /// The answer would be the same.
    Never,
    /// The answer is hardly another one: one more attempt, unless others have failed.
    Once,
    /// After the time that the provider told, or a pause of the policy.
    Paused(Option<Duration>),
    /// The same, and everybody else waits as well.
    RateLimited(Option<Duration>),
    /// At once, when there is memory for a body of so many bytes.
    WithRoom(usize),
}

impl RetryDecision {
    pub(super) fn after(status: StatusCode, headers: &HeaderMap) -> Self {
        match status.as_u16() {
            429 => Self::RateLimited(told_pause(headers, SystemTime::now())),
            408 | 500..=599 => Self::Paused(told_pause(headers, SystemTime::now())),
            _ => Self::Never,
        }
    }
}

/// A pause of so many seconds lasts for decades: it is the time of its end, as some providers tell it.
const SECONDS_IN_2001: u64 = 1_000_000_000;

/// Longer than anybody waits; added to an instant it is still one.
const FOR_EVER: Duration = Duration::from_secs(10 * 365 * 86_400);

/// The pause that `Retry-After` asks for, in seconds or as a date. A date is read against the answer's own `Date`
/// where there is one, so that clocks need not agree.
fn told_pause(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::trim);
    let told = text(RETRY_AFTER)?;
    let until = |end: SystemTime| {
        let sent = text(DATE).and_then(moment).unwrap_or(now);
        end.duration_since(sent).unwrap_or_default()
    };
    let pause = match seconds(told) {
        Some(seconds) => epoch(seconds).map_or(seconds, until),
        None => until(moment(told)?),
    };
    // "At once" is no pause at all: the policy knows better.
    Some(pause.min(FOR_EVER)).filter(|pause| !pause.is_zero())
}

/// Seconds, also with a fraction, as in `0.7`.
fn seconds(told: &str) -> Option<Duration> {
    if !told.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return None;
    }
    let seconds: f64 = told.parse().ok()?;
    Some(Duration::try_from_secs_f64(seconds).unwrap_or(FOR_EVER))
}

/// The time that a number of seconds or milliseconds since 1970 means; smaller numbers are pauses.
fn epoch(told: Duration) -> Option<SystemTime> {
    let since = match told.as_secs() {
        SECONDS_IN_2001..1_000_000_000_000 => told,
        1_000_000_000_000..10_000_000_000_000 => told / 1_000,
        _ => return None,
    };
    SystemTime::UNIX_EPOCH.checked_add(since)
}

/// A date of HTTP, or of ISO 8601; one without an offset is in UTC.
fn moment(text: &str) -> Option<SystemTime> {
    let http = || httpdate::parse_http_date(text).ok();
    let instant = || text.parse::<Timestamp>().ok();
    let civil = || TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok();
    http().or_else(|| instant().or_else(civil).and_then(|instant| instant.try_into().ok()))
}

/// The end of a long pause, as people read it after "until now" and the like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct End(Option<Timestamp>);

impl End {
    /// The end of a pause that begins now. The wall clock is for people only.
    pub(super) fn of(pause: Duration) -> Self {
        Self(if pause < FOR_EVER { Timestamp::now().checked_add(pause).ok() } else { None })
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(end) => write!(f, "until {}", end.strftime("%Y-%m-%dT%H:%M:%SZ")),
            None => f.write_str("for more than ten years"),
        }
    }
}

/// No request is sent until the end of a long pause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) end: End,
    pub(super) because: Because,
}

/// The reason of a long pause, which decides on the requests that it concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Because {
    /// The rate limit (429), which concerns every request.
    RateLimit,
    /// An endpoint that fails (408, 5xx): only requests to it.
    Failure,
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = &self.end;
        match self.because {
            Because::RateLimit => write!(f, "it was not sent, since the provider's rate limit lasts {end}"),
            Because::Failure => {
                write!(f, "it was not sent, since the provider asks for a pause {end} at this endpoint")
            }
        }
    }
}

/// Closed by a rate limit until the time told, for all clones of a client.
#[derive(Debug, Default)]
pub(super) struct Gate(Mutex<Closed>);

#[derive(Debug, Default)]
struct Closed {
    until: Option<Instant>,
    /// Until when nobody is let through or waits.
    held: Option<Hold>,
    /// The same for single endpoints.
    held_at: BTreeMap<String, Hold>,
}

#[derive(Debug)]
struct Hold {
    until: Instant,
    end: End,
    because: Because,
}

impl Hold {
    /// The refusal of a request, as long as the hold lasts.
    fn refusal(&self) -> Option<Held> {
        (self.until > Instant::now()).then(|| Held { end: self.end.clone(), because: self.because })
    }
}

impl Gate {
    /// Closes the gate until then, or leaves it closed for longer.
    pub(super) fn close_until(&self, then: Instant) {
        let mut closed = self.closed();
        closed.until = Some(closed.until.map_or(then, |already| already.max(then)));
    }

    /// Lets nobody wait until then: at `endpoint`, or anywhere after a rate limit.
    pub(super) fn hold(&self, endpoint: &str, until: Instant, Held { end, because }: Held) {
        let mut closed = self.closed();
        let hold = Hold { until, end, because };
        let longest = |already: Option<Hold>| already.filter(|already| already.until >= until).unwrap_or(hold);
        match because {
            Because::RateLimit => closed.held = Some(longest(closed.held.take())),
            Because::Failure => {
                let longest = longest(closed.held_at.remove(endpoint));
                closed.held_at.insert(endpoint.to_owned(), longest);
            }
        }
    }

    /// Whether it is worth waiting for a request to `endpoint`.
    pub(super) fn passable(&self, endpoint: &str) -> Result<(), Held> {
        let closed = self.closed();
        let holds = [closed.held.as_ref(), closed.held_at.get(endpoint)];
        holds.into_iter().flatten().find_map(Hold::refusal).map_or(Ok(()), Err)
    }

    /// When the gate opens, if it is closed now.
    pub(super) fn closed_until(&self) -> Option<Instant> {
        self.closed().until.filter(|until| *until > Instant::now())
    }

    /// Waits until the gate is open.
    pub(super) async fn opened(&self) {
        while let Some(until) = self.closed_until() {
            tokio::time::sleep_until(until).await;
        }
    }

    /// One assignment is all that happens under the lock.
    fn closed(&self) -> MutexGuard<'_, Closed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        let now = SystemTime::UNIX_EPOCH;
        assert_eq!(told_pause(&headers(&[(RETRY_AFTER, " 7 ")]), now), Some(Duration::from_secs(7)));
        let date = headers(&[(RETRY_AFTER, "Thu, 01 Jan 1970 00:00:09 GMT")]);
        assert_eq!(told_pause(&date, now), Some(Duration::from_secs(9)));
    }

    #[test]
    fn fractions_and_dates_of_iso_8601_are_read() {
        let now = SystemTime::UNIX_EPOCH;
        let pause = |told: &str| told_pause(&headers(&[(RETRY_AFTER, told)]), now);
        assert_eq!(pause("0.7"), Some(Duration::from_millis(700)));
        for nine in
            ["1970-01-01T00:00:09Z", "1970-01-01 00:00:09", "1970-01-01T02:00:09+02:00", "1970-01-01T00:00:09.000Z"]
        {
            assert_eq!(pause(nine), Some(Duration::from_secs(9)), "{nine}");
        }
        for nine in [
            "1970-01-01T00:00:09+00:00",
            "1970-01-01T01:00:09+0100",
            "1970-01-01t00:00:09z",
            "19700101T000009Z",
            "1970-01-01T00:00:09,000Z",
            "Thursday, 01-Jan-70 00:00:09 GMT",
            "Thu Jan  1 00:00:09 1970",
        ] {
            assert_eq!(pause(nine), Some(Duration::from_secs(9)), "{nine}");
        }
        assert_eq!(pause("1970-01-01T00:01Z"), Some(Duration::from_secs(60)));
        assert_eq!(pause("1970-01-02"), Some(Duration::from_secs(86_400)));
        assert_eq!(pause("99999999999999999999999"), Some(FOR_EVER));
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        for nine in ["1800000009", "1800000009000", "1800000009.0"] {
            let told = told_pause(&headers(&[(RETRY_AFTER, nine)]), now);
            assert_eq!(told, Some(Duration::from_secs(9)), "{nine}");
        }
        assert_eq!(told_pause(&headers(&[(RETRY_AFTER, "1700000000")]), now), None, "it is over");
        assert_eq!(End::of(FOR_EVER).to_string(), "for more than ten years");
    }

    #[test]
    fn a_date_is_read_against_the_providers_own_clock() {
        let dates = headers(&[(RETRY_AFTER, "Fri, 01 Jan 2100 00:00:30 GMT"), (DATE, "Fri, 01 Jan 2100 00:00:10 GMT")]);
        assert_eq!(told_pause(&dates, SystemTime::now()), Some(Duration::from_secs(20)));
    }

    #[test]
    fn what_tells_no_time_to_come_tells_no_pause() {
        for told in ["0", "0.0", "", ".", "soon", "-3", "nan", "inf", "1970-01-01", "Thu, 01 Jan 1970 00:00:00 GMT"] {
            assert_eq!(told_pause(&headers(&[(RETRY_AFTER, told)]), SystemTime::now()), None, "{told}");
        }
    }

    #[test]
    fn pauses_grow_to_the_longest_and_differ_by_chance() {
        let policy = RetryPolicy {
            first_pause: Duration::from_millis(100),
            longest_pause: Duration::from_millis(450),
            ..RetryPolicy::default()
        };
        let pauses: Vec<_> = policy.pauses().take(6).collect();
        assert!(pauses[0] >= Duration::from_millis(100) && pauses[0] <= Duration::from_millis(200), "{pauses:?}");
        assert!(pauses[1] >= Duration::from_millis(200) && pauses[1] <= Duration::from_millis(400), "{pauses:?}");
        assert_eq!(pauses[5], Duration::from_millis(450));
        let others = (0..50).map(|_| policy.pauses().next().unwrap()).collect::<std::collections::BTreeSet<_>>();
        assert!(others.len() > 1, "requests that fail together must not return together");
    }

    #[test]
    fn only_failures_of_the_moment_are_worth_another_attempt() {
        let again = |status: u16| RetryDecision::after(StatusCode::from_u16(status).unwrap(), &HeaderMap::new());
        assert!([408, 500, 502, 503, 504].iter().all(|status| again(*status) == RetryDecision::Paused(None)));
        assert_eq!(again(429), RetryDecision::RateLimited(None));
        assert!(
            [301, 400, 401, 402, 403, 404, 409, 410, 416, 422]
                .iter()
                .all(|status| again(*status) == RetryDecision::Never)
        );
    }

    #[test]
    fn a_gate_stays_closed_for_the_longest_time_told() {
        let gate = Gate::default();
        assert_eq!(gate.closed_until(), None);
        let later = Instant::now() + Duration::from_secs(3_600);
        gate.close_until(later);
        gate.close_until(Instant::now() + Duration::from_secs(60));
        assert_eq!(gate.closed_until(), Some(later));
    }
}
