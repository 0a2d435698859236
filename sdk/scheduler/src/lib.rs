//! Decisions about polling: which instances run, and when.
//!
//! Nothing here reads a clock, waits, or starts a job. The caller asks for the runs that are due, starts them, reports their
//! ends, and stores the states:
//!
//! ```
//! use std::collections::BTreeMap;
//! use integration_scheduler::{Cadence, PollingInterval, RunEnd, Scheduler, Settings};
//!
//! let at = |text: &str| text.parse().expect("a time");
//! let mut scheduler = Scheduler::new(4, BTreeMap::new());
//! let cadence = Cadence::Every(PollingInterval::OneHour);
//! let settings = Settings { cadence, revision: "1".to_owned() };
//! scheduler.configure([("production".to_owned(), settings)].into(), at("2026-01-10T08:00:00Z"));
//!
//! let starts = scheduler.start(at("2026-01-10T08:00:00Z"));
//! assert_eq!(starts[0].instance, "production");
//! scheduler.ended("production", RunEnd::Published, at("2026-01-10T08:01:00Z"));
//!
//! // The next run is an hour after the first one, and late by the jitter of the instance: at most six minutes.
//! let wake = scheduler.wake(at("2026-01-10T08:01:00Z")).expect("a time");
//! assert!((at("2026-01-10T09:00:00Z")..at("2026-01-10T09:06:00Z")).contains(&wake));
//!
//! // After a weekend without power, there is one run, not 48.
//! assert_eq!(scheduler.start(at("2026-01-12T08:30:00Z")).len(), 1);
//! scheduler.ended("production", RunEnd::Published, at("2026-01-12T08:31:00Z"));
//! assert!(scheduler.start(at("2026-01-12T08:31:00Z")).is_empty());
//! ```
//!
//! # Rules
//!
//! | situation | decision |
//! | --- | --- |
//! | a regular time has passed | one run, however many times have passed |
//! | more instances are due than can run | the longest due ones run first |
//! | a run takes longer than its interval | the times that passed meanwhile are left out |
//! | a run failed | the next one after 5, 10, 20 minutes and so on, at most a day, or when the configuration changes; regular times in between are left out |
//! | the credentials were refused | no run until the configuration changes or a person requests one |
//! | the process was killed during a run | a run that resumes the job, before all others |
//! | the clock was set back | a next time beyond the second regular time is replaced by the first one |
//! | a change to or from daylight saving | intervals are elapsed time; see [`CronExpression::next_after`] for the time of day |
//! | a person requests a run | a run as soon as the current one has ended, regardless of the rules above |
#![deny(missing_docs)]

mod cadence;
mod calendar;
mod cron;
mod interval;
mod scheduler;
mod state;
#[cfg(test)]
mod tests;

pub use cadence::{Cadence, PollingTime};
pub use cron::{CronError, CronExpression};
pub use interval::{IntervalError, PollingInterval};
pub use scheduler::{Scheduler, Settings, Start, UnknownInstance};
pub use state::{InstanceState, LastRun, Refused, RunEnd, Running, StartReason};
