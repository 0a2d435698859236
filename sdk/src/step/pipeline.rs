//! Batches on their way to the store: gathered by the step, checked and serialized on threads of their own, handed to the
//! writer in the order of their gathering.
//!
//! The order is what parts rely on: a part's mark comes behind all its objects. One task at a time moves batches on, under a
//! lock that is held across nothing but the queue to the writer.
//!
//! An object that is to fail its step closes the pipeline: nothing behind it is admitted, and only the step that added it gets
//! the error. A follower that flushes the pipeline of another step gets errors of the store alone.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::{JoinHandle, spawn_blocking};

use crate::graph::{ObjectKey, StepId};
use crate::store::{Conflict, DonePart, Insertion, Kind, Pending, Rows};

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
    /// Keys of entities that were refused before they became objects of the batch.
    doubtful: Vec<ObjectKey>,
    done: Vec<Arc<Part>>,
    bytes: usize,
}

impl Batch {
    fn is_full(&self) -> bool {
        self.objects.len() + self.done.len() >= BATCH_OBJECTS || self.bytes >= BATCH_BYTES
    }

    fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.done.is_empty() && self.doubtful.is_empty()
    }
}

/// A batch in the hands of a thread: its rows up to the first that is not admitted, and why that is not.
struct Checking {
    rows: JoinHandle<(Rows, Result<(), ObjectError>)>,
    done: Vec<Arc<Part>>,
}

/// Why nothing more of a step is admitted.
enum Closed {
    Refused(ObjectError),
    Unchecked(String),
}

impl Closed {
    fn error(&self) -> StepError {
        match self {
            Self::Refused(error) => error.clone().into(),
            Self::Unchecked(why) => StepError::Other(format!("a batch could not be checked: {why}")),
        }
    }
}

#[derive(Default)]
struct Stages {
    checking: VecDeque<Checking>,
    written: VecDeque<Pending<Insertion>>,
    closed: Option<Closed>,
}

impl Stages {
    fn verdict(&self) -> StepResult {
        self.closed.as_ref().map_or(Ok(()), |closed| Err(closed.error()))
    }
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

    /// Notes an entity that was refused before it could be pushed.
    pub(super) fn doubt(&self, kind: Kind, key: &ObjectKey) {
        if kind == Kind::Entity {
            self.open().doubtful.push(key.clone());
        }
    }

    /// Marks a part as done, behind all its objects.
    pub(super) async fn mark(&self, part: Arc<Part>) -> StepResult {
        let full = {
            let mut batch = self.open();
            batch.done.push(part);
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
        self.settle(&mut stages, 0).await?;
        stages.verdict()
    }

    /// The same for a step that follows this one: what this step is to fail for is no concern of it.
    pub(super) async fn flush_for_follower(&self) -> StepResult {
        let mut stages = self.stages.lock().await;
        self.move_on(&mut stages, true).await
    }

    /// Admits nothing more, behind what was gathered before, because of an object that is to fail the step.
    pub(super) async fn close(&self, error: ObjectError) -> StepResult {
        let mut stages = self.stages.lock().await;
        self.move_on(&mut stages, true).await?;
        stages.closed.get_or_insert(Closed::Refused(error));
        stages.verdict()
    }

    /// Waits until all is committed.
    pub(super) async fn finish(&self) -> StepResult {
        let mut stages = self.stages.lock().await;
        self.move_on(&mut stages, true).await?;
        self.settle(&mut stages, 0).await?;
        let verdict = stages.verdict();
        drop(stages);
        self.intake.store.settle().await?;
        verdict
    }

    async fn advance(&self, all: bool) -> StepResult {
        let mut stages = self.stages.lock().await;
        self.move_on(&mut stages, all).await?;
        stages.verdict()
    }

    /// Takes the batch, if it is full or `all` is wanted, and moves those before it on.
    async fn move_on(&self, stages: &mut Stages, all: bool) -> StepResult {
        let batch = {
            // Taken under both locks, so that batches enter the stages in the order of their gathering.
            let mut batch = self.open();
            if batch.is_full() || all { std::mem::take(&mut *batch) } else { Batch::default() }
        };
        if stages.closed.is_none() && !batch.is_empty() {
            let Batch { objects, doubtful, done, bytes } = batch;
            let (intake, ledger) = (Arc::clone(&self.intake), Arc::clone(&self.ledger));
            let rows = spawn_blocking(move || check(&intake, &ledger, objects, doubtful, bytes));
            stages.checking.push_back(Checking { rows, done });
        }
        while stages.closed.is_none() && stages.checking.len() > if all { 0 } else { CHECKED_AT_ONCE } {
            self.write_oldest(stages).await?;
        }
        Ok(())
    }

    async fn write_oldest(&self, stages: &mut Stages) -> StepResult {
        // Nothing is taken before the last await: a future that is dropped leaves the batch for whoever finishes.
        let place = self.intake.store.place().await?;
        let Some(oldest) = stages.checking.front_mut() else { return Ok(()) };
        let checked = (&mut oldest.rows).await;
        let Some(Checking { done, .. }) = stages.checking.pop_front() else { return Ok(()) };
        let (rows, verdict) = match checked {
            Ok((rows, verdict)) => (rows, verdict.map_err(Closed::Refused)),
            Err(error) => (Rows::default(), Err(Closed::Unchecked(error.to_string()))),
        };
        let done = match verdict {
            Ok(()) => marks(&done)?,
            Err(closed) => {
                stages.closed = Some(closed);
                Vec::new()
            }
        };
        stages.written.push_back(self.intake.store.submit(place, self.step.clone(), rows, done));
        self.settle(stages, BATCHES_AHEAD).await
    }

    /// Takes the writer's word for all but the newest `ahead` batches.
    async fn settle(&self, stages: &mut Stages, ahead: usize) -> StepResult {
        while stages.written.len() > ahead {
            let Some(oldest) = stages.written.front_mut() else { break };
            let outcome = oldest.done().await;
            stages.written.pop_front();
            let Insertion { conflicts, repeated } = outcome?;
            self.ledger.take_off(repeated);
            for conflict in conflicts {
                self.lose(stages, conflict);
            }
        }
        Ok(())
    }

    /// Notes the object that gave way, with the step that added it.
    fn lose(&self, stages: &mut Stages, conflict: Conflict) {
        if conflict.step != self.step {
            return self.ledger.displace(conflict);
        }
        let Conflict { key, object_type, other_type, other_step, .. } = conflict;
        let refused = ObjectError::DuplicateKey { key, object_type, other_type, other_step };
        // The writer leaves its part without a mark.
        if let Err(error) = self.intake.refuse(&self.ledger, refused, None) {
            stages.closed.get_or_insert(Closed::Refused(error));
        }
    }

    /// Every change under this lock is one push or one take, so the contents hold even after a panic elsewhere.
    fn open(&self) -> MutexGuard<'_, Batch> {
        self.batch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check(
    intake: &Intake,
    ledger: &Ledger,
    objects: Vec<Unchecked>,
    doubtful: Vec<ObjectKey>,
    bytes: usize,
) -> (Rows, Result<(), ObjectError>) {
    let (mut rows, mut room) = (Rows::with_capacity(objects.len(), bytes), Vec::new());
    doubtful.iter().for_each(|key| rows.doubt(Kind::Entity, key));
    for object in objects {
        if let Err(error) = intake.admit(ledger, object, &mut rows, &mut room) {
            return (rows, Err(error));
        }
    }
    (rows, Ok(()))
}

/// The marks of the parts that are complete now: all their objects are checked.
fn marks(done: &[Arc<Part>]) -> StepResult<Vec<DonePart>> {
    let marks = done.iter().filter_map(|part| part.mark().transpose());
    marks.collect::<Result<_, _>>().map_err(|error| StepError::Other(error.to_string()))
}
