//! The events of a job, kept in a bounded log that any number of subscribers read.
//!
//! ```text
//!   engine ──publish──▶ log: [0 JobStarted] … [n StepFinished] ◀──cursor── EventStream (terminal)
//!                        bounded, never waits                  ◀──cursor── EventStream (console)
//! ```
//!
//! Publishing never waits for a subscriber. A subscriber is a cursor into the log, so it receives all kept events,
//! regardless of the time at which it subscribes. Progress replaces earlier progress of the same step. When the log is
//! full, the oldest event after the first one is evicted. A slow subscriber learns that it missed events, and always
//! receives the end of the job, which is the newest event.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::sync::watch;

use crate::graph::history::Published;
use crate::graph::run::{Parent, StepReport, Summary};
use crate::graph::{JobId, ObjectType, StepId, Timestamp};
use crate::plan::StartState;

/// The maximum number of events in the log of a job.
const KEPT: usize = 1_024;

/// A step of a job that has started.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedStep {
    /// The id of the step.
    pub id: StepId,
    /// The name of the step.
    pub name: String,
    /// The state of the step at the start.
    pub start: StartState,
}

/// An event of a running job.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase", tag = "event")]
#[non_exhaustive]
pub enum Event {
    /// The job started.
    JobStarted {
        /// The steps in the order of the plan.
        steps: Vec<PlannedStep>,
    },
    /// A step does not run.
    StepSkipped {
        /// The step.
        step: StepId,
        /// The reason.
        start: StartState,
    },
    /// A step started.
    StepStarted {
        /// The step.
        step: StepId,
    },
    /// A step made progress.
    StepProgress {
        /// The step.
        step: StepId,
        /// The number of objects added so far.
        objects: u64,
        /// The number of requests sent so far.
        requests: u64,
        /// The current number of requests in flight, of all steps.
        in_flight: usize,
    },
    /// Requests wait for the rate budget of the provider.
    Waiting {
        /// The time of the next request.
        until: Timestamp,
    },
    /// A partition could not be collected, and the rest of its step continues.
    PartitionMissing {
        /// The step.
        step: StepId,
        /// The parent of the partition.
        parent: Parent,
        /// The types with a gap.
        types: Vec<ObjectType>,
        /// The cause.
        cause: String,
    },
    /// A step failed.
    StepFailed {
        /// The report of the step.
        report: Arc<StepReport>,
    },
    /// A step ended without an error.
    StepFinished {
        /// The report of the step.
        report: Arc<StepReport>,
    },
    /// The objects of the job became the next snapshot of its instance.
    Published {
        /// The changes since the snapshot before.
        published: Arc<Published>,
    },
    /// The job ended.
    JobFinished {
        /// The summary of the job.
        summary: Arc<Summary>,
    },
}

impl Event {
    /// Returns whether this event makes an earlier one obsolete.
    fn replaces(&self, earlier: &Self) -> bool {
        match (earlier, self) {
            (Self::StepProgress { step, .. }, Self::StepProgress { step: now, .. }) => step == now,
            (Self::StepProgress { step, .. }, Self::StepFailed { report } | Self::StepFinished { report }) => {
                *step == report.id
            }
            (Self::Waiting { .. }, Self::Waiting { .. }) => true,
            _ => false,
        }
    }
}

/// An event with its job, its time, and its number.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    /// The job.
    pub job: JobId,
    /// The time of the event.
    pub at: Timestamp,
    /// The number of the event in its job, starting with 0. Numbers of replaced events are missing.
    pub sequence: u64,
    /// The event.
    #[serde(flatten)]
    pub event: Event,
}

/// An item of an [`EventStream`].
#[derive(Debug, Clone)]
pub enum Delivery {
    /// An event.
    Event(Envelope),
    /// The subscriber was too slow, and missed at most this number of events.
    Missed(u64),
}

#[derive(Debug, Default)]
struct Log {
    kept: VecDeque<Envelope>,
    /// The number of the next event.
    next: u64,
    /// The number after the last evicted event.
    evicted: u64,
    closed: bool,
}

impl Log {
    fn push(&mut self, envelope: Envelope) {
        self.kept.retain(|earlier| !envelope.event.replaces(&earlier.event));
        self.kept.push_back(envelope);
        if self.kept.len() > KEPT {
            // A subscriber needs the list of steps in the first event.
            let oldest = self.kept.remove(1);
            self.evicted = oldest.map_or(self.evicted, |oldest| oldest.sequence + 1);
        }
    }

    /// Returns the delivery for a cursor, and moves the cursor behind it.
    fn read(&self, cursor: &mut u64) -> Option<Delivery> {
        let at = self.kept.partition_point(|envelope| envelope.sequence < *cursor);
        let envelope = self.kept.get(at)?;
        if *cursor < self.evicted && envelope.sequence >= self.evicted {
            let missed = self.evicted - *cursor;
            *cursor = self.evicted;
            return Some(Delivery::Missed(missed));
        }
        *cursor = envelope.sequence + 1;
        Some(Delivery::Event(envelope.clone()))
    }
}

#[derive(Debug)]
struct Shared {
    log: Mutex<Log>,
    changed: watch::Sender<()>,
}

impl Shared {
    /// Locks the log. No change of it can panic, so it is consistent.
    fn open(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        self.open().closed = true;
        self.changed.send_replace(());
    }
}

/// The log of a job, from which subscribers read.
#[derive(Debug, Clone)]
pub(crate) struct EventLog(Arc<Shared>);

impl EventLog {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Shared { log: Mutex::default(), changed: watch::Sender::new(()) }))
    }

    /// Creates a subscriber, which starts with the first event of the job.
    pub(crate) fn subscribe(&self) -> EventStream {
        EventStream { changed: self.0.changed.subscribe(), shared: Arc::clone(&self.0), cursor: 0 }
    }
}

/// The publisher of a job's events. The log ends when the last clone is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Events {
    job: Option<JobId>,
    open: Arc<Open>,
}

#[derive(Debug)]
struct Open(EventLog);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.0.close();
    }
}

impl Events {
    /// Creates a publisher of a log whose job has not started.
    pub(crate) fn new() -> Self {
        Self { job: None, open: Arc::new(Open(EventLog::new())) }
    }

    pub(crate) fn log(&self) -> &EventLog {
        &self.open.0
    }

    /// Returns the publisher of a job.
    pub(crate) fn of(self, job: JobId) -> Self {
        Self { job: Some(job), ..self }
    }

    /// Appends an event to the log, without waiting. Nothing is published before the job has an id.
    pub(crate) fn publish(&self, event: Event) {
        let Some(job) = self.job.clone() else { return };
        let shared = &self.log().0;
        let mut log = shared.open();
        if !log.closed {
            let envelope = Envelope { job, at: Timestamp::now(), sequence: log.next, event };
            log.next += 1;
            log.push(envelope);
            drop(log);
            shared.changed.send_replace(());
        }
    }

    /// Ends the log, although clones of the publisher remain.
    pub(crate) fn close(&self) {
        self.log().0.close();
    }
}

/// A subscriber of a job's events.
///
/// It receives the events in their order, starting with the first one, and ends with the job. A subscriber that falls
/// behind by more than the bound of the log receives [`Delivery::Missed`] in the place of the evicted events.
#[derive(Debug)]
pub struct EventStream {
    shared: Arc<Shared>,
    changed: watch::Receiver<()>,
    cursor: u64,
}

impl EventStream {
    /// Waits for the next delivery; `None` after the end of the job.
    pub async fn next(&mut self) -> Option<Delivery> {
        loop {
            // Marked as seen before the log is read, so that an event in between wakes the subscriber.
            self.changed.borrow_and_update();
            {
                let log = self.shared.open();
                let delivery = log.read(&mut self.cursor);
                if delivery.is_some() || log.closed {
                    return delivery;
                }
            }
            self.changed.changed().await.ok()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(text: &str) -> StepId {
        StepId::new(text).expect("an id")
    }

    fn progress(of: &str, objects: u64) -> Event {
        Event::StepProgress { step: step(of), objects, requests: 0, in_flight: 0 }
    }

    fn started() -> Events {
        let events = Events::new().of(JobId::generate());
        events.publish(Event::JobStarted { steps: Vec::new() });
        events
    }

    async fn all(mut stream: EventStream) -> Vec<String> {
        let mut found = Vec::new();
        while let Some(delivery) = stream.next().await {
            found.push(match delivery {
                Delivery::Event(Envelope { sequence, event: Event::StepProgress { objects, .. }, .. }) => {
                    format!("{sequence} {objects}")
                }
                Delivery::Event(Envelope { sequence, .. }) => sequence.to_string(),
                Delivery::Missed(count) => format!("missed {count}"),
            });
        }
        found
    }

    #[tokio::test]
    async fn every_subscriber_receives_all_events_whenever_it_subscribes() {
        let events = started();
        let early = events.log().subscribe();
        events.publish(Event::StepStarted { step: step("teams") });
        let late = events.log().subscribe();
        events.publish(Event::StepStarted { step: step("apps") });
        events.close();
        events.publish(Event::StepStarted { step: step("addons") });
        assert_eq!(all(early).await, ["0", "1", "2"]);
        assert_eq!(all(late).await, ["0", "1", "2"]);
    }

    #[tokio::test]
    async fn progress_replaces_earlier_progress_of_its_step_only() {
        let events = started();
        let log = events.log().clone();
        for objects in 1..=3 {
            events.publish(progress("teams", objects));
            events.publish(progress("apps", 10 * objects));
        }
        drop(events);
        assert_eq!(all(log.subscribe()).await, ["0", "5 3", "6 30"]);
    }

    #[tokio::test]
    async fn a_slow_subscriber_learns_that_it_missed_events_and_receives_the_end() {
        let events = started();
        let mut slow = events.log().subscribe();
        assert!(matches!(slow.next().await, Some(Delivery::Event(first)) if first.sequence == 0));
        let total = KEPT as u64 + 9;
        for number in 1..=total {
            events.publish(Event::StepStarted { step: step(&format!("s{number}")) });
        }
        let log = events.log().clone();
        drop(events);
        let rest = all(slow).await;
        assert_eq!((rest.len(), rest[0].as_str()), (KEPT, "missed 10"));
        assert_eq!((rest[1].as_str(), rest.last().cloned()), ("11", Some(total.to_string())));
        let late = all(log.subscribe()).await;
        assert_eq!(late[..3], ["0", "missed 10", "11"]);
    }

    #[tokio::test]
    async fn a_waiting_subscriber_is_woken_by_an_event_and_by_the_end() {
        let events = started();
        let waiting = tokio::spawn(all(events.log().subscribe()));
        tokio::task::yield_now().await;
        events.publish(Event::StepStarted { step: step("teams") });
        tokio::task::yield_now().await;
        drop(events);
        assert_eq!(waiting.await.expect("a subscriber"), ["0", "1"]);
    }

    #[test]
    fn an_envelope_is_one_flat_object() {
        let (job, at) = (JobId::new("0198f3a2").expect("an id"), Timestamp::from_millis(7));
        let envelope = Envelope { job, at, sequence: 3, event: Event::StepStarted { step: step("teams") } };
        let json = serde_json::to_value(&envelope).expect("JSON");
        let expected = serde_json::json!({
            "job": "0198f3a2", "at": 7, "sequence": 3, "event": "stepStarted", "step": "teams",
        });
        assert_eq!(json, expected);
    }
}
