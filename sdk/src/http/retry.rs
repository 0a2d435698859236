//! When to ask again: the policy, what the provider says of it, and the gate that a rate limit closes for all.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use backon::{BackoffBuilder, ExponentialBuilder};
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
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 5,
            rate_limited_attempts: 10,
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(60),
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
pub(super) enum Again {
    /// The answer would be the same.
    Never,
    /// After the time that the provider told, or a pause of the policy.
    Paused(Option<Duration>),
    /// The same, and everybody else waits as well.
    RateLimited(Option<Duration>),
    /// At once, when there is memory for a body of so many bytes.
    WithRoom(usize),
}

impl Again {
    pub(super) fn after(status: StatusCode, headers: &HeaderMap) -> Self {
        match status.as_u16() {
            429 => Self::RateLimited(told_pause(headers, SystemTime::now())),
            408 | 500..=599 => Self::Paused(told_pause(headers, SystemTime::now())),
            _ => Self::Never,
        }
    }
}

/// The pause that `Retry-After` asks for, in seconds or as a date. A date is read against the answer's own `Date`
/// where there is one, so that clocks need not agree.
fn told_pause(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::trim);
    let told = text(RETRY_AFTER)?;
    let pause = match told.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let until = httpdate::parse_http_date(told).ok()?;
            let sent = text(DATE).and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or(now);
            until.duration_since(sent).unwrap_or_default()
        }
    };
    // "At once" is no pause at all: the policy knows better.
    Some(pause).filter(|pause| !pause.is_zero())
}

/// Closed by a rate limit until the time told, for all clones of a client.
#[derive(Debug, Default)]
pub(super) struct Gate(Mutex<Option<Instant>>);

impl Gate {
    /// Closes the gate until then, or leaves it closed for longer.
    pub(super) fn close_until(&self, then: Instant) {
        let mut until = self.until();
        *until = Some(until.map_or(then, |already| already.max(then)));
    }

    /// When the gate opens, if it is closed now.
    pub(super) fn closed_until(&self) -> Option<Instant> {
        self.until().filter(|until| *until > Instant::now())
    }

    /// Waits until the gate is open.
    pub(super) async fn opened(&self) {
        while let Some(until) = self.closed_until() {
            tokio::time::sleep_until(until).await;
        }
    }

    /// One assignment is all that happens under the lock.
    fn until(&self) -> MutexGuard<'_, Option<Instant>> {
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
    fn a_date_is_read_against_the_providers_own_clock() {
        let dates = headers(&[(RETRY_AFTER, "Fri, 01 Jan 2100 00:00:30 GMT"), (DATE, "Fri, 01 Jan 2100 00:00:10 GMT")]);
        assert_eq!(told_pause(&dates, SystemTime::now()), Some(Duration::from_secs(20)));
    }

    #[test]
    fn what_tells_no_time_to_come_tells_no_pause() {
        for told in ["0", "soon", "-3", "Thu, 01 Jan 1970 00:00:00 GMT"] {
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
        let again = |status: u16| Again::after(StatusCode::from_u16(status).unwrap(), &HeaderMap::new());
        assert!([408, 500, 502, 503, 504].iter().all(|status| again(*status) == Again::Paused(None)));
        assert_eq!(again(429), Again::RateLimited(None));
        assert!([301, 400, 401, 402, 403, 404, 409, 410, 416, 422].iter().all(|status| again(*status) == Again::Never));
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
