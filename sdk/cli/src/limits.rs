//! The limits of one query, while its result is computed and while it is written.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use integration_query::QueryError;

use crate::failure::Failure;

/// The number of bytes that are written together, between two checks.
pub(crate) const BUFFER: usize = 1 << 16;
/// The time from which a write counts as a wait for the receiver.
const WAIT: Duration = Duration::from_millis(20);

/// The time limit of a query, and the flag that cancels it.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    cancelled: Arc<AtomicBool>,
    deadline: Option<Instant>,
}

impl Limits {
    /// Creates the limits of a query that starts now.
    pub(crate) fn new(cancelled: Arc<AtomicBool>, timeout: Duration) -> Self {
        Self { cancelled, deadline: Instant::now().checked_add(timeout) }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    pub(crate) fn cancelled(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.cancelled)
    }

    /// Returns a writer that fails at the limits.
    pub(crate) fn writer<W: Write>(&self, inner: W) -> LimitedWriter<W> {
        LimitedWriter { inner, limits: self.clone() }
    }

    fn check(&self) -> Result<(), QueryError> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(QueryError::Cancelled);
        }
        match self.deadline {
            Some(deadline) if Instant::now() >= deadline => Err(QueryError::TimedOut { activity: "wrote its result" }),
            _ => Ok(()),
        }
    }
}

/// A writer that fails at the limits of a query.
///
/// The time in which the receiver accepts nothing does not count: a person may read the beginning of a result in a pager.
#[derive(Debug)]
pub(crate) struct LimitedWriter<W> {
    inner: W,
    limits: Limits,
}

impl<W: Write> Write for LimitedWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.limits.check().map_err(io::Error::other)?;
        let begun = Instant::now();
        let written = self.inner.write(&bytes[..bytes.len().min(BUFFER)])?;
        let waited = begun.elapsed();
        if waited >= WAIT {
            self.limits.deadline = self.limits.deadline.map(|deadline| deadline + waited);
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Returns the failure of a query that a [`LimitedWriter`] raised, or that of another error.
pub(crate) fn failure(error: io::Error, other: impl FnOnce(io::Error) -> Failure) -> Failure {
    match error.downcast::<QueryError>() {
        Ok(exceeded) => Failure::query("", exceeded),
        Err(error) => other(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(timeout: Duration) -> Limits {
        Limits::new(Arc::default(), timeout)
    }

    #[test]
    fn output_ends_at_the_limits_of_its_query() {
        let mut out = Vec::new();
        limits(Duration::from_secs(3_600)).writer(&mut out).write_all(&[b'x'; 3 * BUFFER]).expect("enough time");
        assert_eq!(out.len(), 3 * BUFFER);
        let late = limits(Duration::ZERO).writer(Vec::new()).write_all(b"x").expect_err("no time");
        assert!(matches!(late.downcast(), Ok(QueryError::TimedOut { .. })));
        let cancelled = limits(Duration::from_secs(3_600));
        let mut writer = cancelled.writer(Vec::new());
        writer.write_all(b"x").expect("not yet cancelled");
        cancelled.cancelled().store(true, Ordering::Relaxed);
        let error = writer.write_all(b"x").expect_err("cancelled");
        assert!(failure(error, Failure::Stdout).is_cancelled());
    }

    #[test]
    fn the_time_of_a_slow_receiver_does_not_count() {
        struct Slow;
        impl Write for Slow {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                std::thread::sleep(WAIT);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let limits = limits(Duration::from_secs(3_600));
        let mut writer = limits.writer(Slow);
        writer.write_all(b"x").expect("enough time");
        assert!(writer.limits.deadline >= limits.deadline.map(|deadline| deadline + WAIT));
    }
}
