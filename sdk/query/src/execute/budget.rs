//! The limits of one query: time, memory, and cancellation.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::error::QueryError;
use crate::options::Options;

/// The number of cheap operations between two looks at the clock.
const TICKS: u32 = 1024;

/// The limits of a query, and what it used of them.
pub(crate) struct Budget<'o> {
    deadline: Option<Instant>,
    cancelled: &'o AtomicBool,
    limit: usize,
    used: Cell<usize>,
    ticks: Cell<u32>,
    activity: Cell<&'static str>,
}

impl<'o> Budget<'o> {
    pub(crate) fn new(options: &'o Options) -> Self {
        Self {
            deadline: options.deadline,
            cancelled: &options.cancelled,
            limit: options.memory,
            used: Cell::new(0),
            ticks: Cell::new(0),
            activity: Cell::new("started"),
        }
    }

    /// Names the work in progress, for errors.
    pub(crate) fn begin(&self, activity: &'static str) -> Result<(), QueryError> {
        self.activity.set(activity);
        self.check()
    }

    /// Counts a cheap operation; now and then it checks the limits of time.
    pub(crate) fn tick(&self) -> Result<(), QueryError> {
        self.work(1)
    }

    /// Counts cheap operations; now and then it checks the limits of time.
    pub(crate) fn work(&self, operations: usize) -> Result<(), QueryError> {
        let ticks = self.ticks.get().saturating_add(u32::try_from(operations).unwrap_or(TICKS));
        if ticks < TICKS {
            self.ticks.set(ticks);
            return Ok(());
        }
        self.ticks.set(0);
        self.check()
    }

    fn check(&self) -> Result<(), QueryError> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(QueryError::Cancelled);
        }
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(QueryError::TimedOut { activity: self.activity.get() });
        }
        Ok(())
    }

    /// Counts memory that the query keeps until its end.
    pub(crate) fn charge(&self, bytes: usize, content: &'static str) -> Result<(), QueryError> {
        let used = self.used.get().saturating_add(bytes);
        self.used.set(used);
        if used > self.limit {
            return Err(QueryError::TooLarge { limit: self.limit >> 20, content });
        }
        Ok(())
    }
}
