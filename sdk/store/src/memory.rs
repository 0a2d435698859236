//! A graph in memory, for tests and for readers of files.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt};
use integration_graph::history::SnapshotGap;
use integration_graph::{InstanceId, JobId, ObjectKey, ObjectType, StepId, Timestamp};
use serde_json::Value;

use crate::{GraphReader, InvalidObject, Kind, ReadError, Selection, SnapshotId, StoredObject, TypeCount};

/// The limits of a batch.
const OBJECTS: usize = 1_000;
const BYTES: usize = 4 << 20;

type Objects = BTreeMap<(ObjectType, ObjectKey), StoredObject>;

/// A snapshot in memory.
#[derive(Debug, Clone)]
pub struct MemoryGraph {
    id: SnapshotId,
    objects: Arc<Objects>,
    gaps: Vec<SnapshotGap>,
}

impl MemoryGraph {
    /// Creates a graph of these objects. Of several objects with one type and key, the last one stays.
    pub fn new(id: SnapshotId, objects: impl IntoIterator<Item = StoredObject>) -> Self {
        let keyed = |object: StoredObject| ((object.object_type.clone(), object.key.clone()), object);
        Self { id, objects: Arc::new(objects.into_iter().map(keyed).collect()), gaps: Vec::new() }
    }

    /// Creates a graph from exported JSON, as the first publication of the default instance of `acme`.
    ///
    /// ```
    /// # use integration_store::{GraphReader, MemoryGraph};
    /// let json = serde_json::json!({"_key": "team:1", "_type": "acme_team", "_class": "Team"});
    /// assert_eq!(MemoryGraph::of([json])?.id().instance.as_str(), "default");
    /// # Ok::<(), integration_store::InvalidObject>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidObject`] if one of the values is no object of a graph.
    pub fn of(objects: impl IntoIterator<Item = Value>) -> Result<Self, InvalidObject> {
        Self::of_instance(InstanceId::default(), objects)
    }

    /// Creates a graph from exported JSON, as the first publication of this instance of `acme`.
    ///
    /// # Errors
    /// [`InvalidObject`] if one of the values is no object of a graph.
    pub fn of_instance(instance: InstanceId, objects: impl IntoIterator<Item = Value>) -> Result<Self, InvalidObject> {
        let (job, published) = (JobId::new("0197a1b2-0000-7000-8000-000000000001")?, Timestamp::from_millis(0));
        let id = SnapshotId { integration: "acme".to_owned(), instance, job, number: 1, published, with_stale: true };
        let step = StepId::new("add")?;
        let objects = objects.into_iter().map(|json| StoredObject::from_json(step.clone(), json));
        Ok(Self::new(id, objects.collect::<Result<Vec<_>, _>>()?))
    }

    /// Adds gaps.
    #[must_use]
    pub fn with_gaps(mut self, gaps: impl IntoIterator<Item = SnapshotGap>) -> Self {
        self.gaps.extend(gaps);
        self
    }
}

impl GraphReader for MemoryGraph {
    fn id(&self) -> SnapshotId {
        self.id.clone()
    }

    fn types(&self) -> BoxFuture<'static, Result<Vec<TypeCount>, ReadError>> {
        let mut counts: BTreeMap<(Kind, ObjectType), (u64, u64)> = BTreeMap::new();
        for object in self.objects.values() {
            let (objects, stale) = counts.entry((object.kind, object.object_type.clone())).or_default();
            *objects += 1;
            *stale += u64::from(object.is_stale);
        }
        let count = |((kind, object_type), (objects, stale))| TypeCount { kind, object_type, objects, stale };
        let counts = counts.into_iter().map(count).collect();
        async { Ok(counts) }.boxed()
    }

    fn scan(&self, selection: Selection) -> BoxStream<'static, Result<Vec<StoredObject>, ReadError>> {
        let objects = Arc::clone(&self.objects);
        let next = move |after: Option<(ObjectType, ObjectKey)>| {
            let batch = batch(&objects, &selection, after.as_ref());
            let last = batch.last().map(|object| (object.object_type.clone(), object.key.clone()));
            async { last.map(|last| (Ok(batch), Some(last))) }
        };
        stream::unfold(None, next).boxed()
    }

    fn objects(
        &self,
        wanted: Vec<(ObjectType, ObjectKey)>,
    ) -> BoxFuture<'static, Result<Vec<Option<StoredObject>>, ReadError>> {
        let found = wanted.iter().map(|name| self.objects.get(name).cloned()).collect();
        async { Ok(found) }.boxed()
    }

    fn gaps(&self) -> BoxFuture<'static, Result<Vec<SnapshotGap>, ReadError>> {
        let gaps = self.gaps.clone();
        async { Ok(gaps) }.boxed()
    }
}

/// Returns the next selected objects.
fn batch(objects: &Objects, selection: &Selection, after: Option<&(ObjectType, ObjectKey)>) -> Vec<StoredObject> {
    use std::ops::Bound::{Excluded, Unbounded};
    let rest = objects.range((after.map_or(Unbounded, Excluded), Unbounded));
    let selected = rest.map(|(_, object)| object).filter(|object| selection.contains(object));
    let (mut batch, mut bytes) = (Vec::new(), 0);
    for object in selected {
        let mut object = object.clone();
        if !selection.with_raw {
            object.raw = None;
        }
        bytes += object.bytes();
        batch.push(object);
        if batch.len() == OBJECTS || bytes >= BYTES {
            break;
        }
    }
    batch
}
