//! Batches on their way to the store: gathered by the step, checked and serialized on threads of their own, handed to the
//! writer in the order of their gathering.
//!
//! The order is what parts rely on: a part's mark comes behind all its objects. One task at a time moves batches on, under a
//! lock that is held across nothing but the queue to the writer.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::{JoinHandle, spawn_blocking};

use crate::graph::{ObjectKey, StepId};
use crate::store::{DonePart, Insertion, Pending, Rows};

use super::admission::Intake;
use super::unchecked::Unchecked;
use super::{Ledger, ObjectError, Part, StepError, StepResult};

/// Full enough for cheap transactions, small enough to lose little and to hold little memory.
const BATCH_OBJECTS: usize = 150;
const BATCH_BYTES: usize = 120_000;
/// An object of so many bytes is stored before the next one is gathered: several of them would fill the memory.
const LARGE: usize = 1 << 20;
/// Batches of a step that are checked at once.
const CHECKED_AT_ONCE: usize = 1;
/// Batches of a step that may be with the writer while it gathers the next.
const BATCHES_AHEAD: usize = 2;

#[derive(Default)]
struct Batch {
    objects: Vec<Unchecked>,
    done: Vec<(Arc<Part>, ObjectKey)>,
    bytes: usize,
}

impl Batch {
    fn is_full(&self) -> bool {
        self.objects.len() + self.done.len() >= BATCH_OBJECTS || self.bytes >= BATCH_BYTES
    }

    fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.done.is_empty()
    }
}

/// A batch in the hands of a thread: its rows up to the first that is not admitted, and why that is not.
struct Checking {
    rows: JoinHandle<(Rows, StepResult)>,
    done: Vec<(Arc<Part>, ObjectKey)>,
}

#[derive(Default)]
struct Stages {
    checking: VecDeque<Checking>,
    written: VecDeque<Pending<Insertion>>,
    /// A batch was not admitted: nothing that comes behind it is.
    closed: bool,
}

pub(super) struct Pipeline {
    intake: Arc<Intake>,
    step: StepId,
    ledger: Arc<Ledger>,
    batch: Mutex<Batch>,
    stages: tokio::sync::Mutex<Stages>,
}

impl Pipeline {
    pub(super) fn new(intake: Arc<Intake>, step: StepId, ledger: Arc<Ledger>) -> Self {
        Self { intake, step, ledger, batch: Mutex::default(), stages: tokio::sync::Mutex::default() }
    }

    pub(super) async fn push(&self, mut object: Unchecked) -> StepResult {
        // The memory of its answer is held until this returns. Not by the batch: that may wait for its next object for
        // as long as it likes.
        let _held: Vec<_> = object.raw_data.iter_mut().filter_map(|raw| raw.raw_data.take_hold()).collect();
        let raw_data: usize = object.raw_data.iter().map(|raw| raw.raw_data.as_str().len()).sum();
        let bytes = object.text.as_str().len() + raw_data;
        let full = {
            let mut batch = self.open();
            batch.bytes += bytes;
            batch.objects.push(object);
            batch.is_full()
        };
        if bytes >= LARGE {
            return self.written().await;
        }
        if full { self.advance(false).await } else { Ok(()) }
    }

    /// Marks a part as done, behind all its objects.
    pub(super) async fn mark(&self, part: Arc<Part>, parent: ObjectKey) -> StepResult {
        let full = {
            let mut batch = self.open();
            batch.done.push((part, parent));
            batch.is_full()
        };
        if full { self.advance(false).await } else { Ok(()) }
    }

    /// Hands all that is gathered to the writer.
    pub(super) async fn flush(&self) -> StepResult {
        self.advance(true).await
    }

    /// Waits until the writer is done with all that is gathered. One large object of a job is checked and written at a
    /// time; whoever holds the permit waits for the writer alone.
    async fn written(&self) -> StepResult {
        let _one = self.intake.large.acquire().await.map_err(|error| StepError::Other(error.to_string()))?;
        self.advance(true).await?;
        let mut stages = self.stages.lock().await;
        self.settle(&mut stages, 0).await
    }

    /// Waits until all is committed.
    pub(super) async fn finish(&self) -> StepResult {
        self.advance(true).await?;
        let mut stages = self.stages.lock().await;
        self.settle(&mut stages, 0).await?;
        drop(stages);
        Ok(self.intake.store.settle().await?)
    }

    /// Takes the batch, if it is full or `all` is wanted, and moves those before it on.
    async fn advance(&self, all: bool) -> StepResult {
        let mut stages = self.stages.lock().await;
        let batch = {
            // Taken under both locks, so that batches enter the stages in the order of their gathering.
            let mut batch = self.open();
            if batch.is_full() || all { std::mem::take(&mut *batch) } else { Batch::default() }
        };
        if stages.closed {
            return Ok(());
        }
        if !batch.is_empty() {
            let Batch { objects, done, bytes } = batch;
            let (intake, ledger) = (Arc::clone(&self.intake), Arc::clone(&self.ledger));
            let rows = spawn_blocking(move || check(&intake, &ledger, objects, bytes));
            stages.checking.push_back(Checking { rows, done });
        }
        while stages.checking.len() > if all { 0 } else { CHECKED_AT_ONCE } {
            self.write_oldest(&mut stages).await?;
        }
        Ok(())
    }

    async fn write_oldest(&self, stages: &mut Stages) -> StepResult {
        // Nothing is taken before the last await: a future that is dropped leaves the batch for whoever finishes.
        let place = self.intake.store.place().await?;
        let Some(oldest) = stages.checking.front_mut() else { return Ok(()) };
        let checked = (&mut oldest.rows).await;
        let Some(Checking { done, .. }) = stages.checking.pop_front() else { return Ok(()) };
        let (rows, verdict) =
            checked.map_err(|error| StepError::Other(format!("a batch could not be checked: {error}")))?;
        stages.closed = verdict.is_err();
        let done = if stages.closed { Vec::new() } else { marks(done)? };
        stages.written.push_back(self.intake.store.submit(place, self.step.clone(), rows, done));
        verdict?;
        self.settle(stages, BATCHES_AHEAD).await
    }

    /// Takes the writer's word for all but the newest `ahead` batches.
    async fn settle(&self, stages: &mut Stages, ahead: usize) -> StepResult {
        while stages.written.len() > ahead {
            let Some(oldest) = stages.written.front_mut() else { break };
            let outcome = oldest.done().await;
            stages.written.pop_front();
            self.ledger.settle(outcome?);
        }
        Ok(())
    }

    /// Every change under this lock is one push or one take, so the contents hold even after a panic elsewhere.
    fn open(&self) -> MutexGuard<'_, Batch> {
        self.batch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check(intake: &Intake, ledger: &Ledger, objects: Vec<Unchecked>, bytes: usize) -> (Rows, StepResult) {
    let (mut rows, mut room) = (Rows::with_capacity(objects.len(), bytes), Vec::new());
    for object in objects {
        match intake.admit(ledger, object, &mut rows, &mut room) {
            Ok(()) => {}
            Err(error @ ObjectError::RawData { .. }) => match intake.refuse(ledger, error) {
                Ok(()) => {}
                Err(error) => return (rows, Err(error)),
            },
            Err(error) => return (rows, Err(error.into())),
        }
    }
    (rows, Ok(()))
}

/// The parts with their books, which are complete now: their objects are checked.
fn marks(done: Vec<(Arc<Part>, ObjectKey)>) -> StepResult<Vec<DonePart>> {
    let mark = |(part, parent): (Arc<Part>, ObjectKey)| {
        let books = part.books().map_err(|error| StepError::Other(error.to_string()))?;
        Ok(DonePart { number: part.number(), parent, books })
    };
    done.into_iter().map(mark).collect()
}
