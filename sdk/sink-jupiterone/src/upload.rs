//! The upload of objects to one job: batches, concurrency, and bodies that are too large.
//!
//! ```text
//!   add ─▶ open batch ─ full ─▶ task: compress ─▶ upload ─ 413 ─▶ two halves, or less raw data
//! ```
//!
//! At most [`IN_FLIGHT`] tasks exist, so the memory does not depend on the number of objects. The first error ends the
//! upload. Dropping an [`Uploader`] aborts its tasks.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::api::Refused;
use crate::batch::{Batch, Kind, Packed};
use crate::shrink::shrunk;
use crate::target::IN_FLIGHT;
use crate::{SyncApi, SyncError};

/// The maximum number of keys that a report names.
const NAMED: usize = 100;

/// The maximum size of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// The maximum number of bytes of a body before compression, 5,000,000 by default.
    pub bytes: usize,
    /// The maximum number of entities, unlimited by default.
    pub objects: usize,
    /// The maximum number of relationships, unlimited by default.
    pub relationships: usize,
}

impl Default for BatchLimits {
    fn default() -> Self {
        Self { bytes: 5_000_000, objects: usize::MAX, relationships: usize::MAX }
    }
}

/// The objects and bodies that were accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Uploaded {
    /// Entities.
    pub entities: u64,
    /// Relationships, including mapped ones.
    pub relationships: u64,
    /// Accepted bodies.
    pub batches: u64,
    /// The bytes of the bodies before compression.
    pub bytes: u64,
    /// The bytes of the bodies as they were sent.
    pub sent_bytes: u64,
    /// The number of objects that lost raw data, because they were too large.
    pub shrunk: u64,
    /// Some of their keys.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub shrunk_keys: BTreeSet<String>,
}

impl Uploaded {
    fn add(&mut self, other: Self) {
        self.entities += other.entities;
        self.relationships += other.relationships;
        self.batches += other.batches;
        self.bytes += other.bytes;
        self.sent_bytes += other.sent_bytes;
        self.shrunk += other.shrunk;
        self.shrunk_keys.extend(other.shrunk_keys);
        while self.shrunk_keys.len() > NAMED {
            self.shrunk_keys.pop_last();
        }
    }
}

/// Uploads objects to a job.
pub(crate) struct Uploader {
    api: SyncApi,
    job: Arc<str>,
    limits: BatchLimits,
    /// The size that the service accepts, lower than the limit after a refusal.
    accepted: Arc<AtomicUsize>,
    open: Option<Batch>,
    tasks: JoinSet<Result<Uploaded, SyncError>>,
    uploaded: Uploaded,
}

impl Uploader {
    pub(crate) fn new(api: SyncApi, job: &str, limits: BatchLimits) -> Self {
        let accepted = Arc::new(AtomicUsize::new(limits.bytes));
        let (tasks, uploaded) = (JoinSet::new(), Uploaded::default());
        Self { api, job: job.into(), limits, accepted, open: None, tasks, uploaded }
    }

    /// Adds an object to the open batch. Waits while enough batches are on their way.
    pub(crate) async fn add(&mut self, kind: Kind, object: &str) -> Result<(), SyncError> {
        let accepted = self.accepted.load(Ordering::Relaxed);
        let objects = match kind {
            Kind::Entities => self.limits.objects,
            Kind::Relationships => self.limits.relationships,
        };
        let is_full = |batch: &Batch| {
            batch.kind() != kind || batch.objects() >= objects.max(1) || batch.bytes() + 1 + object.len() > accepted
        };
        if let Some(full) = self.open.take_if(|batch| is_full(batch)) {
            self.send(full).await?;
        }
        if Batch::bytes_with(object.len()) <= self.limits.bytes {
            // A batch of one object may exceed the size that was accepted last, because that is only an estimate.
            self.open.get_or_insert_with(|| Batch::new(kind)).push(object);
            return Ok(());
        }
        self.send(smaller(kind, object, self.limits.bytes)?).await
    }

    /// Uploads the rest and waits for all uploads.
    pub(crate) async fn finish(&mut self) -> Result<Uploaded, SyncError> {
        if let Some(batch) = self.open.take() {
            self.send(batch).await?;
        }
        while !self.tasks.is_empty() {
            self.settle_one().await?;
        }
        Ok(self.uploaded.clone())
    }

    async fn send(&mut self, batch: Batch) -> Result<(), SyncError> {
        while self.tasks.len() >= IN_FLIGHT {
            self.settle_one().await?;
        }
        let (api, job, accepted) = (self.api.clone(), Arc::clone(&self.job), Arc::clone(&self.accepted));
        self.tasks.spawn(async move {
            let packed = tokio::task::spawn_blocking(move || batch.pack()).await?;
            deliver(&api, &job, packed, &accepted).await
        });
        Ok(())
    }

    async fn settle_one(&mut self) -> Result<(), SyncError> {
        if let Some(settled) = self.tasks.join_next().await {
            self.uploaded.add(settled??);
        }
        Ok(())
    }
}

/// Uploads a batch, in parts if it is too large.
async fn deliver(api: &SyncApi, job: &str, batch: Packed, accepted: &AtomicUsize) -> Result<Uploaded, SyncError> {
    let (mut uploaded, mut waiting) = (Uploaded::default(), vec![batch]);
    while let Some(batch) = waiting.pop() {
        match api.upload(job, &batch).await {
            Ok(()) => uploaded.add(accepted_batch(batch)),
            Err(Refused::Failed(error)) => return Err(error),
            Err(Refused::TooLarge) => {
                let half = batch.bytes / 2;
                // Later batches are not larger than those that are tried next.
                accepted.fetch_min(half, Ordering::Relaxed);
                let parts = tokio::task::spawn_blocking(move || divided(&batch, half)).await??;
                waiting.extend(parts.into_iter().rev());
            }
        }
    }
    Ok(uploaded)
}

fn accepted_batch(batch: Packed) -> Uploaded {
    let (objects, shrunk) = (batch.objects as u64, u64::from(batch.shrunk_key.is_some()));
    let (entities, relationships) = match batch.kind {
        Kind::Entities => (objects, 0),
        Kind::Relationships => (0, objects),
    };
    let (bytes, sent_bytes) = (batch.bytes as u64, batch.gzip.len() as u64);
    let shrunk_keys = batch.shrunk_key.into_iter().collect();
    Uploaded { entities, relationships, batches: 1, bytes, sent_bytes, shrunk, shrunk_keys }
}

/// Divides a batch that is too large. Only an object that is too large alone loses raw data.
fn divided(batch: &Packed, target: usize) -> Result<Vec<Packed>, SyncError> {
    if batch.objects > 1 {
        return batch.halves().map_err(SyncError::Malformed);
    }
    let object = batch.only_object().map_err(SyncError::Malformed)?;
    Ok(vec![smaller(batch.kind, object.get(), target)?.pack()])
}

/// A batch of one object without its largest raw data.
fn smaller(kind: Kind, object: &str, target: usize) -> Result<Batch, SyncError> {
    let around = Batch::bytes_with(0);
    let shrunk = shrunk(object, target.saturating_sub(around)).map_err(SyncError::Malformed)?;
    let key = key(object);
    if shrunk.removed == 0 {
        return Err(SyncError::TooLarge { key, bytes: object.len() });
    }
    Ok(Batch::of_shrunk(kind, &shrunk.json, key))
}

fn key(object: &str) -> String {
    #[derive(Deserialize)]
    struct Keyed {
        #[serde(rename = "_key")]
        key: String,
    }
    serde_json::from_str::<Keyed>(object).map_or_else(|_| "without a key".to_owned(), |object| object.key)
}
