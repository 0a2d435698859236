//! The traits of a store of jobs, and the values that cross them.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use futures::future::BoxFuture;
use integration_graph::run::{Position, StepReport, Summary};
use integration_graph::{JobId, ObjectKey, ObjectType, StepId};
use serde_json::Value;

use crate::{
    AppendReport, DeclaredEnds, DescribedAgain, EarlierGaps, GraphReader, JobRow, Lease, NewJob, Publication,
    Reconciled, ResponseStore, ResumePoint, RewindTo, StepBatch, StoreError, TypeCount,
};

/// The future of a store's answer.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// The outcome of an appended batch, which arrives after the batch was queued.
pub type Receipt = Answer<'static, AppendReport>;

/// A store of jobs and of the graphs that they publish.
pub trait JobStore: Send + Sync {
    /// Begins a job, and takes its lease.
    ///
    /// Fails with [`StoreError::Running`] if another job of the instance is running.
    fn begin(&self, job: NewJob) -> Answer<'_, Arc<dyn JobWriter>>;

    /// Takes the lease of a job that did not end, or that ended with gaps.
    ///
    /// Writers with earlier leases of the job are fenced from then on. The store records the gaps of all reports before
    /// any of them can be discarded. Fails with [`StoreError::Busy`], [`StoreError::Running`],
    /// [`StoreError::Complete`], [`StoreError::Superseded`], or [`StoreError::Forgotten`].
    fn resume(&self, job: JobId) -> Answer<'_, Resumed>;

    /// Returns all jobs, newest first.
    fn jobs(&self) -> Answer<'_, Vec<JobRow>>;

    /// Returns the graph that a job published last, if it has published one.
    ///
    /// Without stale objects, it is the graph that the job itself collected.
    fn published(&self, job: JobId, with_stale: bool) -> Answer<'_, Option<Arc<dyn GraphReader>>>;

    /// Returns the responses that the store keeps for conditional requests; `None` if it keeps none.
    fn responses(&self) -> Option<Arc<dyn ResponseStore>> {
        None
    }
}

impl<S: JobStore + ?Sized> JobStore for Arc<S> {
    fn begin(&self, job: NewJob) -> Answer<'_, Arc<dyn JobWriter>> {
        (**self).begin(job)
    }

    fn resume(&self, job: JobId) -> Answer<'_, Resumed> {
        (**self).resume(job)
    }

    fn jobs(&self) -> Answer<'_, Vec<JobRow>> {
        (**self).jobs()
    }

    fn published(&self, job: JobId, with_stale: bool) -> Answer<'_, Option<Arc<dyn GraphReader>>> {
        (**self).published(job, with_stale)
    }

    fn responses(&self) -> Option<Arc<dyn ResponseStore>> {
        (**self).responses()
    }
}

/// A job that is about to continue.
pub struct Resumed {
    /// The writer.
    pub writer: Arc<dyn JobWriter>,
    /// The reports of the steps that ended.
    pub reports: Vec<StepReport>,
    /// The gaps that any earlier run of the job left.
    pub earlier_gaps: EarlierGaps,
}

/// The right to write a job, and the view of its unpublished objects.
///
/// Dropping the last reference returns the lease. A job whose writer was dropped before [`end`](Self::end) is
/// interrupted, and can be resumed.
///
/// Every write fails with [`StoreError::Fenced`] once the job has ended or another writer has resumed it. Any other error
/// of a write means that later writes are refused too, so that a job never continues without some of its objects.
///
/// What a kill leaves behind: all writes up to some point in the order of the calls, each of them as a whole. A batch is
/// one write; a partition is therefore complete or absent.
pub trait JobWriter: JobReader {
    /// Returns the lease.
    fn lease(&self) -> &Lease;

    /// Queues a batch. The future waits for space in the queue, so that steps are not faster than the store.
    ///
    /// Dropping the future before it is ready queues nothing. Afterwards the batch is written even if the receipt is
    /// dropped.
    ///
    /// Of several descriptions of one object, one stays, regardless of their order: see [`rules`](crate::rules).
    /// Quarantined rows are set apart. A partition is marked as complete unless one of its objects was rejected.
    fn append(&self, batch: Arc<StepBatch>) -> Answer<'_, Receipt>;

    /// Waits until all queued writes are durable and visible to readers.
    fn commit(&self) -> Answer<'_, ()>;

    /// Replaces the properties of entities that have not changed since the caller read them (compare-and-set).
    ///
    /// Returns one outcome for each amendment, in order. Amendments of one call see each other's effects.
    fn amend(&self, amendments: Vec<Amendment>) -> Answer<'_, Vec<AmendOutcome>>;

    /// Stores a value of job data.
    fn put_data(&self, name: String, value: Value) -> Answer<'_, ()>;

    /// Records that a step ended. A later report of the step replaces this one.
    fn end_step(&self, report: StepReport) -> Answer<'_, ()>;

    /// Discards the report of a step, and the objects that do not belong to a completed partition.
    ///
    /// Objects that other steps or partitions also added stay. They are merged with their next description, which is
    /// idempotent.
    fn rewind(&self, step: StepId, to: RewindTo) -> Answer<'_, ResumePoint>;

    /// Removes relationships that have lost an end or belong to a superseded description.
    ///
    /// The caller has ended all steps. The partitions of a relationship that lost an end, and its step, count as
    /// incomplete again, so that a resumed job collects the relationship and its end.
    fn reconcile(&self, declared: DeclaredEnds) -> Answer<'_, Reconciled>;

    /// Ends the job, records its summary, and publishes its objects as the next snapshot of the instance.
    ///
    /// All of it happens at once. Without a publication, the newest snapshot of the instance stays. Returns the summary
    /// with the changes to the graph.
    fn end(&self, summary: Summary, publication: Option<Publication>) -> Answer<'_, Summary>;
}

/// Read access to the unpublished objects and the records of a running job.
///
/// Reads see everything that was committed before the call.
pub trait JobReader: Send + Sync {
    /// Returns objects of a type, without raw data. A page holds a bounded number of bytes.
    fn scan(&self, object_type: ObjectType, from: ScanCursor, limit: usize) -> Answer<'_, CollectedPage>;

    /// Returns the entities with these keys, in the order of the argument, without raw data.
    fn entities(&self, keys: Vec<ObjectKey>) -> Answer<'_, Vec<Option<CollectedEntity>>>;

    /// Returns those keys that belong to objects of a type.
    fn known(&self, object_type: ObjectType, keys: Vec<ObjectKey>) -> Answer<'_, HashSet<ObjectKey>>;

    /// Returns the numbers of objects, by kind and type.
    ///
    /// For one step, these are the objects that it described, also if they belong to another step.
    fn counts(&self, step: Option<StepId>) -> Answer<'_, Vec<TypeCount>>;

    /// Returns the objects of which a step gave several descriptions, by type.
    fn duplicates(&self, step: StepId) -> Answer<'_, Vec<DescribedAgain>>;

    /// Returns the parents of all completed partitions, or of those of one step.
    fn completed_parents(&self, step: Option<StepId>) -> Answer<'_, BTreeSet<ObjectKey>>;

    /// Returns the reports of the steps that ended, in the order of their ids.
    fn reports(&self) -> Answer<'_, Vec<StepReport>>;

    /// Returns a value of job data.
    fn data(&self, name: String) -> Answer<'_, Option<Value>>;
}

/// The order of a scan, and the place after which its next page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScanCursor {
    /// The objects in key order, after this key.
    Key(Option<ObjectKey>),
    /// The objects in the order in which they were appended, after this position.
    Appended(Position),
    /// The quarantined entities in the order in which they were appended, after this position.
    Quarantined(Position),
}

impl ScanCursor {
    /// The first object in key order.
    pub const FIRST_KEY: Self = Self::Key(None);
    /// The object that was appended first.
    pub const FIRST_APPENDED: Self = Self::Appended(Position::START);
    /// The entity that was quarantined first.
    pub const FIRST_QUARANTINED: Self = Self::Quarantined(Position::START);
}

/// An object of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectedObject {
    /// The key.
    pub key: ObjectKey,
    /// The properties as canonical JSON.
    pub properties: String,
}

/// A page of a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectedPage {
    /// The objects; empty at the end.
    pub objects: Vec<CollectedObject>,
    /// The place of the next page; `None` if no object is left.
    ///
    /// In the order in which objects are appended, more may follow at any time, so there is always a next place.
    pub next: Option<ScanCursor>,
}

/// A collected entity, found by its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectedEntity {
    /// The type.
    pub object_type: ObjectType,
    /// The properties as canonical JSON.
    pub properties: String,
    /// The state of the properties.
    pub revision: Revision,
}

/// The state of the properties of one entity. Only its store can interpret it.
///
/// Different properties of one entity have different revisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Revision(u64);

impl Revision {
    /// Creates the revision with this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }
}

/// New properties of an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amendment {
    /// The key of the entity.
    pub key: ObjectKey,
    /// The revision that the caller has read.
    pub expected: Revision,
    /// All properties of the amended entity as canonical JSON.
    pub properties: String,
}

/// The outcome of an amendment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AmendOutcome {
    /// The entity has the new properties.
    Amended,
    /// The entity has changed since it was read. This is its current state.
    Conflict(CollectedEntity),
    /// No entity has the key.
    Absent,
}
