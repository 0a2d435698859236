//! Batches between a step and the writer of the store.
//!
//! A step gathers objects into batches, blocking threads validate and serialize them, and the writer receives the
//! batches in the order in which they were gathered. Partitions depend on this order: their mark is queued behind their
//! last object, so a committed mark proves that all objects are committed. Therefore only one task at a time moves
//! batches forward, under the lock of the stages. While it holds the lock, it waits only for validation and for the
//! writer.
//!
//! An object that must fail its step closes the writer: no later object is admitted. Only the step that added the
//! object receives this error. A follower that flushes the writer of another step receives only errors of the store.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::{JoinHandle, spawn_blocking};

use crate::graph::{ObjectKey, StepId};
use crate::store::{AppendReport, CompletedPartition, Conflict, Kind, ObjectBatch, Receipt, StepBatch};

use super::pending::PendingObject;
use super::policy::IngestPolicy;
use super::{ObjectError, Partition, StepError, StepResult, StepStats};

/// The limits of a batch. They make transactions cheap, and bound memory and the loss on a kill.
const BATCH_OBJECTS: usize = 150;
const BATCH_BYTES: usize = 120_000;
/// The size from which an object is stored before the next one is gathered. Several such objects would fill the memory.
const LARGE: usize = 1 << 20;
/// The maximum number of batches of a step in validation.
const CHECKED_AT_ONCE: usize = 1;
/// The maximum number of batches that the writer has received while the step gathers the next one.
const BATCHES_AHEAD: usize = 2;

#[derive(Default)]
struct Batch {
    objects: Vec<PendingObject>,
    /// Keys of entities that were rejected before they entered the batch.
    doubtful: Vec<ObjectKey>,
    done: Vec<Arc<Partition>>,
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

/// A batch on its way to the writer, with the partitions that are complete with it.
enum Checking {
    /// In validation. The result consists of the rows before the first failing object, and that error.
    Running(JoinHandle<(ObjectBatch, Result<(), ObjectError>)>, Vec<Arc<Partition>>),
    /// Waits for space in the queue of the writer. Behind its last row may be the object that closes the step.
    Checked(Arc<StepBatch>, Option<Closed>),
}

/// The reason why no further objects of a step are admitted.
enum Closed {
    Rejected(ObjectError),
    Panicked(String),
}

impl Closed {
    fn error(&self) -> StepError {
        match self {
            Self::Rejected(error) => error.clone().into(),
            Self::Panicked(why) => StepError::Other(format!("a batch could not be checked: {why}")),
        }
    }
}

#[derive(Default)]
struct Stages {
    checking: VecDeque<Checking>,
    written: VecDeque<Receipt>,
    closed: Option<Closed>,
}

impl Stages {
    fn verdict(&self) -> StepResult {
        self.closed.as_ref().map_or(Ok(()), |closed| Err(closed.error()))
    }
}

pub(super) struct BatchWriter {
    policy: Arc<IngestPolicy>,
    step: StepId,
    stats: Arc<StepStats>,
    batch: Mutex<Batch>,
    stages: tokio::sync::Mutex<Stages>,
}

impl BatchWriter {
    pub(super) fn new(policy: Arc<IngestPolicy>, step: StepId, stats: Arc<StepStats>) -> Self {
        Self { policy, step, stats, batch: Mutex::default(), stages: tokio::sync::Mutex::default() }
    }

    pub(super) async fn push(&self, mut object: PendingObject) -> StepResult {
        // The memory of the response is held until this function returns. The batch must not hold it, because the next
        // object may take arbitrarily long.
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

    /// Records an entity that was rejected before it could be pushed.
    pub(super) fn doubt(&self, kind: Kind, key: &ObjectKey) {
        if kind == Kind::Entity {
            self.open().doubtful.push(key.clone());
        }
    }

    /// Queues the mark of a complete partition behind all its objects.
    pub(super) async fn mark(&self, partition: Arc<Partition>) -> StepResult {
        let full = {
            let mut batch = self.open();
            batch.done.push(partition);
            batch.is_full()
        };
        if full { self.advance(false).await } else { Ok(()) }
    }

    /// Passes the current batch to the writer.
    pub(super) async fn flush(&self) -> StepResult {
        self.advance(true).await
    }

    /// Waits until the writer has stored the current batch.
    ///
    /// Only one large object of a job is validated and written at a time. The task that holds the permit waits for
    /// nothing but the writer, so the permit is always released.
    async fn written(&self) -> StepResult {
        let _one = self.policy.large.acquire().await.map_err(|error| StepError::Other(error.to_string()))?;
        self.advance(true).await?;
        let mut stages = self.stages.lock().await;
        self.settle(&mut stages, 0).await?;
        stages.verdict()
    }

    /// Flushes on behalf of a follower, without returning errors that concern only this step.
    pub(super) async fn flush_for_follower(&self) -> StepResult {
        let mut stages = self.stages.lock().await;
        self.move_on(&mut stages, true).await
    }

    /// Closes the writer behind the current batch, because of an object that fails the step.
    pub(super) async fn close(&self, error: ObjectError) -> StepResult {
        let mut stages = self.stages.lock().await;
        self.move_on(&mut stages, true).await?;
        stages.closed.get_or_insert(Closed::Rejected(error));
        stages.verdict()
    }

    /// Waits until all objects are committed.
    pub(super) async fn finish(&self) -> StepResult {
        let mut stages = self.stages.lock().await;
        self.move_on(&mut stages, true).await?;
        self.settle(&mut stages, 0).await?;
        let verdict = stages.verdict();
        drop(stages);
        self.policy.job.commit().await?;
        verdict
    }

    async fn advance(&self, all: bool) -> StepResult {
        let mut stages = self.stages.lock().await;
        self.move_on(&mut stages, all).await?;
        stages.verdict()
    }

    /// Validates the current batch if it is full or `all` is set, and advances earlier ones.
    async fn move_on(&self, stages: &mut Stages, all: bool) -> StepResult {
        let batch = {
            // The batch is taken under both locks, so that batches enter the stages in the order in which they were
            // gathered.
            let mut batch = self.open();
            if batch.is_full() || all { std::mem::take(&mut *batch) } else { Batch::default() }
        };
        if stages.closed.is_none() && !batch.is_empty() {
            let Batch { objects, doubtful, done, bytes } = batch;
            let (policy, stats) = (Arc::clone(&self.policy), Arc::clone(&self.stats));
            let rows = spawn_blocking(move || check(&policy, &stats, objects, doubtful, bytes));
            stages.checking.push_back(Checking::Running(rows, done));
        }
        while stages.closed.is_none() && stages.checking.len() > if all { 0 } else { CHECKED_AT_ONCE } {
            self.write_oldest(stages).await?;
        }
        Ok(())
    }

    async fn write_oldest(&self, stages: &mut Stages) -> StepResult {
        // A batch leaves its stage only after the await that completes the stage, so a dropped future loses nothing.
        let Some(oldest) = stages.checking.front_mut() else { return Ok(()) };
        if let Checking::Running(rows, done) = oldest {
            let (objects, verdict) = match rows.await {
                Ok((rows, verdict)) => (rows, verdict.map_err(Closed::Rejected)),
                Err(error) => (ObjectBatch::default(), Err(Closed::Panicked(error.to_string()))),
            };
            let marks = verdict.and_then(|()| marks(done).map_err(|error| Closed::Panicked(error.to_string())));
            let (completed, closed) = marks.map_or_else(|closed| (Vec::new(), Some(closed)), |marks| (marks, None));
            *oldest = Checking::Checked(Arc::new(StepBatch { step: self.step.clone(), objects, completed }), closed);
        }
        if let Checking::Checked(batch, _) = oldest {
            let receipt = self.policy.job.append(Arc::clone(batch)).await?;
            stages.written.push_back(receipt);
        }
        if let Some(Checking::Checked(_, Some(closed))) = stages.checking.pop_front() {
            stages.closed = Some(closed);
        }
        self.settle(stages, BATCHES_AHEAD).await
    }

    /// Applies the writer's results of all but the newest `ahead` batches.
    async fn settle(&self, stages: &mut Stages, ahead: usize) -> StepResult {
        while stages.written.len() > ahead {
            let Some(oldest) = stages.written.front_mut() else { break };
            let outcome = oldest.await;
            stages.written.pop_front();
            let AppendReport { conflicts, repeated } = outcome?;
            self.stats.take_off(repeated);
            for conflict in conflicts {
                self.lose(stages, conflict);
            }
        }
        Ok(())
    }

    /// Records the object that lost a key conflict, in the statistics of the step that added it.
    fn lose(&self, stages: &mut Stages, conflict: Conflict) {
        if conflict.step != self.step {
            return self.stats.displace(conflict);
        }
        let Conflict { key, object_type, other_type, other_step, .. } = conflict;
        let rejected = ObjectError::DuplicateKey { key, object_type, other_type, other_step };
        // The writer omits the mark of the object's partition.
        if let Err(error) = self.policy.reject(&self.stats, rejected, None) {
            stages.closed.get_or_insert(Closed::Rejected(error));
        }
    }

    /// Locks the batch. Every change is one push or one take, so it is consistent even after a panic elsewhere.
    fn open(&self) -> MutexGuard<'_, Batch> {
        self.batch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check(
    policy: &IngestPolicy,
    stats: &StepStats,
    objects: Vec<PendingObject>,
    doubtful: Vec<ObjectKey>,
    bytes: usize,
) -> (ObjectBatch, Result<(), ObjectError>) {
    let (mut rows, mut scratch) = (ObjectBatch::with_capacity(objects.len(), bytes), Vec::new());
    doubtful.iter().for_each(|key| rows.reject(Kind::Entity, key));
    for object in objects {
        if let Err(error) = policy.admit(stats, object, &mut rows, &mut scratch) {
            return (rows, Err(error));
        }
    }
    (rows, Ok(()))
}

/// Returns the marks of the complete partitions. All their objects are validated at this point.
fn marks(done: &[Arc<Partition>]) -> serde_json::Result<Vec<CompletedPartition>> {
    done.iter().filter_map(|partition| partition.mark().transpose()).collect()
}
