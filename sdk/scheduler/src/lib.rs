//! Decisions about polling, without a clock.
#![deny(missing_docs)]

mod interval;

pub use interval::{IntervalError, PollingInterval};
