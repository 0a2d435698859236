//! The rate bucket: the remaining requests and the time of the next free one. It never sleeps.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// A budget of requests that refills over time.
///
/// One bucket serves the whole provider, as if all tokens belonged to one account.
#[derive(Debug, Clone, PartialEq)]
pub struct RateBucket {
    /// The capacity of the bucket.
    pub capacity: u32,
    /// The requests added per minute.
    pub refill_per_minute: f64,
    /// The form of `Retry-After` in a refusal.
    pub retry_after: RetryAfter,
    /// The speed of the provider's clock relative to the real one.
    ///
    /// A value of 60 turns a minute into a second, so that tests are fast. `Retry-After` is in real time.
    pub time_scale: f64,
}

impl RateBucket {
    /// A bucket in real time without a `Retry-After` header.
    pub fn new(capacity: u32, refill_per_minute: f64) -> Self {
        Self { capacity, refill_per_minute, retry_after: RetryAfter::Absent, time_scale: 1.0 }
    }
}

/// The form of the `Retry-After` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum RetryAfter {
    /// No header.
    #[default]
    Absent,
    /// Whole seconds, rounded up.
    Seconds,
    /// An HTTP date, rounded up to a whole second.
    HttpDate,
}

impl RetryAfter {
    pub(crate) fn written(self, wait: Duration, now: SystemTime) -> Option<String> {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        match self {
            Self::Absent => None,
            Self::Seconds => Some(seconds.to_string()),
            // A date has no fractions of a second. Without the extra second it could be in the past.
            Self::HttpDate => Some(httpdate::fmt_http_date(now + Duration::from_secs(seconds + 1))),
        }
    }
}

/// The state of a [`RateBucket`].
#[derive(Debug)]
pub(crate) struct Bucket {
    rule: RateBucket,
    tokens: f64,
    counted_at: Instant,
}

impl Bucket {
    pub(crate) fn full(rule: RateBucket, now: Instant) -> Self {
        Self { tokens: f64::from(rule.capacity), rule, counted_at: now }
    }

    /// Takes one token, or returns the time until one is available.
    pub(crate) fn take(&mut self, now: Instant) -> Result<(), Duration> {
        self.refill(now);
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Ok(());
        }
        let seconds = (1.0 - self.tokens) / self.per_second();
        Err(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::from_secs(u32::MAX.into())))
    }

    pub(crate) fn remaining(&mut self, now: Instant) -> u32 {
        self.refill(now);
        self.tokens as u32
    }

    pub(crate) fn retry_after(&self) -> RetryAfter {
        self.rule.retry_after
    }

    fn refill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.counted_at).as_secs_f64();
        self.counted_at = now;
        self.tokens = (self.tokens + passed * self.per_second()).min(f64::from(self.rule.capacity));
    }

    fn per_second(&self) -> f64 {
        self.rule.refill_per_minute / 60.0 * self.rule.time_scale
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_bucket_says_how_long_to_wait_and_fills_up_again() {
        let start = Instant::now();
        let mut bucket = Bucket::full(RateBucket::new(2, 60.0), start);
        assert_eq!((bucket.take(start), bucket.take(start)), (Ok(()), Ok(())));
        assert_eq!(bucket.take(start), Err(Duration::from_secs(1)));
        assert_eq!(bucket.take(start + Duration::from_secs(1)), Ok(()));
        assert_eq!(bucket.remaining(start + Duration::from_secs(600)), 2);
    }

    #[test]
    fn scaled_time_passes_faster() {
        let start = Instant::now();
        let mut bucket = Bucket::full(RateBucket { time_scale: 60.0, ..RateBucket::new(1, 1.0) }, start);
        assert_eq!(bucket.take(start), Ok(()));
        assert_eq!(bucket.take(start + Duration::from_secs(1)), Ok(()));
    }

    #[test]
    fn a_bucket_that_never_refills_asks_for_a_long_wait() {
        let start = Instant::now();
        let mut bucket = Bucket::full(RateBucket::new(0, 0.0), start);
        assert!(bucket.take(start).unwrap_err() > Duration::from_secs(86_400));
    }

    #[test]
    fn the_time_to_come_back_is_rounded_up() {
        let wait = Duration::from_millis(1_200);
        assert_eq!(RetryAfter::Seconds.written(wait, SystemTime::UNIX_EPOCH).as_deref(), Some("2"));
        assert_eq!(
            RetryAfter::HttpDate.written(wait, SystemTime::UNIX_EPOCH).as_deref(),
            Some("Thu, 01 Jan 1970 00:00:03 GMT")
        );
        assert_eq!(RetryAfter::Absent.written(wait, SystemTime::UNIX_EPOCH), None);
    }
}
