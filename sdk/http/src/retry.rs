//! Retries: the policy, the pauses that a provider demands, and the gate for rate limits.

use std::collections::BTreeMap;
use std::fmt;
use std::iter::successors;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use tokio::time::Instant;

/// The number of attempts, and the pauses between them.
///
/// Pauses double from the first to the longest. A random factor extends each one up to twofold, within the longest
/// pause, so that requests that failed together do not return together. A pause in `Retry-After` replaces the computed
/// one, up to the longest pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The maximum number of attempts after failures of provider or connection, 5 by default.
    ///
    /// At least one attempt is made.
    pub attempts: u32,
    /// The maximum number of attempts that meet a rate limit (429), 10 by default.
    ///
    /// Such attempts wait for the provider instead of straining it, so more of them are allowed.
    pub rate_limited_attempts: u32,
    /// The first pause, 500 ms by default.
    pub first_pause: Duration,
    /// The longest pause, even if the provider demands more; 60 s by default.
    pub longest_pause: Duration,
    /// The longest acceptable `Retry-After`, 10 min by default.
    ///
    /// If the provider demands more, the request fails at once, and so do the next requests until that time: all of
    /// them after a rate limit (429), those to the same endpoint after another failure.
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
    /// Returns the pauses of one request, without end.
    ///
    /// The caller counts the attempts.
    pub(super) fn pauses(&self) -> impl Iterator<Item = Duration> + Send + use<> {
        let longest = self.longest_pause;
        let doubled = successors(Some(self.first_pause), move |pause| Some(pause.saturating_mul(2).min(longest)));
        doubled.map(move |pause| {
            let jitter = Duration::try_from_secs_f64(pause.as_secs_f64() * fastrand::f64()).unwrap_or(longest);
            pause.saturating_add(jitter).min(longest)
        })
    }
}

/// The decision whether to retry a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RetryDecision {
    /// No retry, because the response would be the same.
    Never,
    /// One retry, unless other attempts have failed: the response will probably be the same.
    Once,
    /// A retry after the demanded pause, or else after a pause of the policy.
    Paused(Option<Duration>),
    /// A retry after a pause that also stops all other requests.
    RateLimited(Option<Duration>),
    /// An immediate retry, with memory for a body of this many bytes.
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

/// The smallest number of seconds that is a time and not a pause.
///
/// A pause of this length would last for decades. Some providers send the end of the pause in seconds since 1970.
const SECONDS_IN_2001: u64 = 1_000_000_000;

/// A duration longer than any wait, but short enough to be added to an instant.
const FOR_EVER: Duration = Duration::from_secs(10 * 365 * 86_400);

/// Returns the pause that `Retry-After` demands, in seconds or as a date.
///
/// A date is compared with the `Date` of the response if there is one, so that the clocks need not agree.
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
    // A pause of zero is no useful demand, so the policy decides.
    Some(pause.min(FOR_EVER)).filter(|pause| !pause.is_zero())
}

/// Parses seconds, with or without a fraction as in `0.7`.
fn seconds(told: &str) -> Option<Duration> {
    if !told.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return None;
    }
    let seconds: f64 = told.parse().ok()?;
    Some(Duration::try_from_secs_f64(seconds).unwrap_or(FOR_EVER))
}

/// Returns the time of a number of seconds or milliseconds since 1970.
///
/// Smaller numbers are pauses.
fn epoch(told: Duration) -> Option<SystemTime> {
    let since = match told.as_secs() {
        SECONDS_IN_2001..1_000_000_000_000 => told,
        1_000_000_000_000..10_000_000_000_000 => told / 1_000,
        _ => return None,
    };
    SystemTime::UNIX_EPOCH.checked_add(since)
}

/// Parses a date of HTTP or of ISO 8601.
///
/// A date without an offset is in UTC.
fn moment(text: &str) -> Option<SystemTime> {
    let http = || httpdate::parse_http_date(text).ok();
    let instant = || text.parse::<Timestamp>().ok();
    let civil = || TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok();
    http().or_else(|| instant().or_else(civil).and_then(|instant| instant.try_into().ok()))
}

/// The end of a long pause, as messages display it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct End(Option<Timestamp>);

impl End {
    /// Returns the end of a pause that starts now.
    ///
    /// The wall clock serves only for display.
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

/// The rejection of a request during a long pause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) end: End,
    pub(super) because: Because,
}

/// The reason for a long pause, which determines the affected requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Because {
    /// The rate limit (429), which affects every request.
    RateLimit,
    /// A failing endpoint (408, 5xx), which affects only the requests to it.
    Failure,
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = &self.end;
        match self.because {
            Because::RateLimit => write!(f, "it was not sent, since the provider's rate limit lasts {end}"),
            Because::Failure => {
                write!(f, "it was not sent, since the provider demands a pause {end} at this endpoint")
            }
        }
    }
}

/// The gate for all clones of a client, closed by a rate limit.
#[derive(Debug, Default)]
pub(super) struct Gate(Mutex<Closed>);

#[derive(Debug, Default)]
struct Closed {
    until: Option<Instant>,
    /// The long pause that rejects all requests.
    held: Option<Hold>,
    /// The long pauses of single endpoints.
    held_at: BTreeMap<String, Hold>,
}

#[derive(Debug)]
struct Hold {
    until: Instant,
    end: End,
    because: Because,
}

impl Hold {
    /// Returns the rejection of a request while the pause lasts.
    fn refusal(&self) -> Option<Held> {
        (self.until > Instant::now()).then(|| Held { end: self.end.clone(), because: self.because })
    }
}

impl Gate {
    /// Closes the gate until `then`, unless it is already closed for longer.
    pub(super) fn close_until(&self, then: Instant) {
        let mut closed = self.closed();
        closed.until = Some(closed.until.map_or(then, |already| already.max(then)));
    }

    /// Rejects requests until the given time.
    ///
    /// After a rate limit this concerns all requests, otherwise those to `endpoint`.
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

    /// Checks that no long pause rejects a request to `endpoint`.
    pub(super) fn passable(&self, endpoint: &str) -> Result<(), Held> {
        let closed = self.closed();
        let holds = [closed.held.as_ref(), closed.held_at.get(endpoint)];
        holds.into_iter().flatten().find_map(Hold::refusal).map_or(Ok(()), Err)
    }

    /// Returns the time when the gate opens, if it is closed now.
    pub(super) fn closed_until(&self) -> Option<Instant> {
        self.closed().until.filter(|until| *until > Instant::now())
    }

    /// Waits until the gate is open.
    pub(super) async fn opened(&self) {
        while let Some(until) = self.closed_until() {
            tokio::time::sleep_until(until).await;
        }
    }

    /// Locks the state.
    ///
    /// Every change is one assignment, so the state stays valid even after a panic elsewhere.
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
        assert_eq!(told_pause(&headers(&[(RETRY_AFTER, "1700000000")]), now), None, "the pause has ended");
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
        assert!(others.len() > 1, "requests that failed together must not return together");
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
