//! The trait of all readers, and the values that cross it.

use std::error::Error;

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use integration_graph::history::SnapshotGap;
use integration_graph::{InstanceId, JobId, ObjectKey, ObjectType, StepId, Timestamp};

use crate::{Kind, StoredObject};

/// Read access to one published snapshot.
///
/// A snapshot never changes, so each method returns the same result at any time, except after the snapshot was pruned.
/// A reader owns all that it needs: results do not borrow from it.
pub trait GraphReader: Send + Sync {
    /// Returns the identity of the snapshot.
    fn id(&self) -> SnapshotId;

    /// Returns the types of the snapshot with the number of their objects, in the order of kinds and types.
    fn types(&self) -> BoxFuture<'static, Result<Vec<TypeCount>, ReadError>>;

    /// Returns the selected objects in batches, in the order of types and keys.
    ///
    /// No batch is empty. A batch ends after a bounded number of objects and bytes, so that a slow consumer holds little
    /// memory. Dropping the stream stops the scan. Nothing follows an error.
    fn scan(&self, selection: Selection) -> BoxStream<'static, Result<Vec<StoredObject>, ReadError>>;

    /// Returns the objects with these types and keys, with raw data, in the order of the argument.
    fn objects(
        &self,
        wanted: Vec<(ObjectType, ObjectKey)>,
    ) -> BoxFuture<'static, Result<Vec<Option<StoredObject>>, ReadError>>;

    /// Returns the data that the job of the snapshot could not collect.
    fn gaps(&self) -> BoxFuture<'static, Result<Vec<SnapshotGap>, ReadError>>;
}

/// The identity of a snapshot. Two snapshots with equal identities have equal objects.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SnapshotId {
    /// The integration.
    pub integration: String,
    /// The instance.
    pub instance: InstanceId,
    /// The job that published the snapshot.
    pub job: JobId,
    /// The number of the publication in its store. A job that is resumed publishes again with another number.
    pub number: u64,
    /// The time of the publication.
    pub published: Timestamp,
    /// Whether the objects that the job could not confirm are included.
    pub with_stale: bool,
}

impl SnapshotId {
    /// Returns a file name for data that is derived from the snapshot. It consists of letters, digits, and dashes.
    pub fn file_name(&self) -> String {
        let Self { job, number, with_stale, .. } = self;
        let form = if *with_stale { "" } else { "-collected" };
        format!("{job}-{number}{form}")
    }
}

/// The number of objects of one type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TypeCount {
    /// The kind of the objects.
    pub kind: Kind,
    /// The type.
    pub object_type: ObjectType,
    /// The number of objects.
    pub objects: u64,
    /// The number of stale objects among them.
    pub stale: u64,
}

/// The objects to scan. The default selects all objects without raw data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Selection {
    /// The types of the objects, or any type.
    pub types: Option<Vec<ObjectType>>,
    /// The kind of the objects, or any kind.
    pub kind: Option<Kind>,
    /// The step that the objects belong to, or any step.
    pub step: Option<StepId>,
    /// Whether raw data is read.
    pub with_raw: bool,
}

impl Selection {
    /// Selects the objects of one type, without raw data.
    pub fn of_type(object_type: ObjectType) -> Self {
        Self { types: Some(vec![object_type]), ..Self::default() }
    }

    /// Selects the objects of one kind, without raw data.
    pub fn of_kind(kind: Kind) -> Self {
        Self { kind: Some(kind), ..Self::default() }
    }

    /// Restricts the selection to the objects of a step.
    #[must_use]
    pub fn by(self, step: StepId) -> Self {
        Self { step: Some(step), ..self }
    }

    /// Includes raw data.
    #[must_use]
    pub fn with_raw(self) -> Self {
        Self { with_raw: true, ..self }
    }

    /// Returns whether an object is selected.
    pub fn contains(&self, object: &StoredObject) -> bool {
        self.kind.is_none_or(|kind| kind == object.kind)
            && self.types.as_ref().is_none_or(|types| types.contains(&object.object_type))
            && self.step.as_ref().is_none_or(|step| *step == object.step)
    }
}

/// A store that could not read.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct ReadError(Box<dyn Error + Send + Sync>);

impl ReadError {
    /// Wraps the error of a store.
    pub fn new(error: impl Error + Send + Sync + 'static) -> Self {
        Self(Box::new(error))
    }
}
