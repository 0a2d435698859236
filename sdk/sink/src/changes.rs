//! The changes between snapshots as a source.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use integration_graph::ObjectKey;
use integration_graph::ObjectType;
use integration_graph::history::ChangeCounts;
use integration_store::{GraphReader, Kind, StoredObject};

use crate::manifest::{ManifestSnapshot, ManifestType};
use crate::source::{Source, SourceOptions, rest};
use crate::{Action, Batch, Manifest, Position, Record, SinkError, TransferKind};

/// The maximum number of objects in a batch.
const OBJECTS: usize = 1_000;
/// The size of a batch above which the next one has fewer objects.
const BYTES: usize = 2 << 20;

/// The changes of one instance between two snapshots.
pub struct InstanceChanges {
    /// The newer snapshot.
    pub newer: Arc<dyn GraphReader>,
    /// The older snapshot; `None` if the instance had none.
    pub older: Option<Arc<dyn GraphReader>>,
    /// The changed objects. None of them is [`Action::Present`].
    pub changes: Vec<ChangedObject>,
}

/// The name of a changed object, and its change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChangedObject {
    /// The kind of the object.
    pub kind: Kind,
    /// The `_type`.
    pub object_type: ObjectType,
    /// The `_key`.
    pub key: ObjectKey,
    /// The change.
    pub action: Action,
}

/// Changes as a source. The names of the changed objects are in memory, the objects are read in batches.
pub struct ChangeSource {
    instances: Vec<Arc<InstanceChanges>>,
    manifest: Manifest,
}

impl ChangeSource {
    /// Reads the manifest of some changes.
    ///
    /// # Errors
    /// [`SinkError::Read`] if a snapshot cannot be read.
    pub async fn open(mut instances: Vec<InstanceChanges>, options: &SourceOptions) -> Result<Self, SinkError> {
        instances.sort_by_key(|instance| instance.newer.id());
        let (mut snapshots, mut types) = (Vec::new(), BTreeMap::<(Kind, ObjectType), (ChangeCounts, u64)>::new());
        for instance in &mut instances {
            let (newer, older) = (&instance.newer, instance.older.as_ref());
            let gaps = newer.gaps().await?;
            snapshots.push(ManifestSnapshot { id: newer.id(), since: older.map(|older| older.id()), gaps });
            instance.changes.retain(|change| options.wants(&change.object_type));
            instance.changes.sort();
            for change in &instance.changes {
                let (counts, confirmed) = types.entry((change.kind, change.object_type.clone())).or_default();
                match change.action {
                    Action::Present | Action::Added => counts.added += 1,
                    Action::Changed => counts.changed += 1,
                    Action::Confirmed => *confirmed += 1,
                    Action::Removed => counts.removed += 1,
                    Action::Unknown => counts.unknown += 1,
                }
            }
        }
        let types = types.into_iter().map(|((kind, object_type), (changes, confirmed))| {
            let objects = changes.added + changes.changed + changes.removed + changes.unknown + confirmed;
            let columns = options.columns(&object_type);
            ManifestType { kind, object_type, objects, stale: 0, changes, confirmed, columns }
        });
        let manifest = Manifest {
            snapshots,
            transfer: TransferKind::Changes,
            scope: options.scope.clone(),
            with_raw: options.with_raw,
            types: types.collect(),
        };
        Ok(Self { instances: instances.into_iter().map(Arc::new).collect(), manifest })
    }

    /// Returns the ranges of changes with one kind and type, in the order of a transfer.
    fn parts(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        for (snapshot, instance) in self.instances.iter().enumerate() {
            let mut begin = 0;
            for same in instance.changes.chunk_by(|a, b| (a.kind, &a.object_type) == (b.kind, &b.object_type)) {
                let (kind, object_type) = (same[0].kind, same[0].object_type.clone());
                let (from, until) = (begin, begin + same.len());
                parts.push(Part { kind, object_type, snapshot, instance: Arc::clone(instance), from, until });
                begin = until;
            }
        }
        parts.sort_by(|a, b| (a.kind, &a.object_type, a.snapshot).cmp(&(b.kind, &b.object_type, b.snapshot)));
        parts
    }
}

impl Source for ChangeSource {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn read(&self, with_raw: bool, after: Option<Position>) -> BoxStream<'static, Result<Batch, SinkError>> {
        let first = after.as_ref().map(|after| (after.kind, after.object_type.clone(), after.snapshot));
        let is_left = move |part: &Part| {
            let place = (part.kind, &part.object_type, part.snapshot);
            first.as_ref().is_none_or(|first| place >= (first.0, &first.1, first.2))
        };
        let parts: Vec<Part> = self.parts().into_iter().filter(is_left).collect();
        let batches = move |part: Part| {
            let begin = (part, 1_usize);
            let after = after.clone();
            let read = move |(mut part, size): (Part, usize)| async move {
                if part.from == part.until {
                    return Ok(None);
                }
                let until = part.until.min(part.from + size);
                let batch = part.batch(until, with_raw).await?;
                part.from = until;
                // Objects can have megabytes of raw data, so the size of a batch is approached from below.
                let next = if batch.bytes() > BYTES { (size / 2).max(1) } else { (size * 2).min(OBJECTS) };
                Ok(Some((batch, (part, next))))
            };
            stream::try_unfold(begin, read).map(move |batch| batch.map(|batch| rest(batch, after.as_ref())))
        };
        let is_left = |batch: &Result<Batch, SinkError>| {
            let is_left = batch.as_ref().map_or(true, |batch| !batch.records.is_empty());
            async move { is_left }
        };
        stream::iter(parts).flat_map(batches).filter(is_left).boxed()
    }
}

/// Consecutive changes of one kind, type, and instance.
struct Part {
    kind: Kind,
    object_type: ObjectType,
    snapshot: usize,
    instance: Arc<InstanceChanges>,
    from: usize,
    until: usize,
}

impl Part {
    async fn batch(&self, until: usize, with_raw: bool) -> Result<Batch, SinkError> {
        let changes = &self.instance.changes[self.from..until];
        let newer = find(Some(&self.instance.newer), changes.iter().filter(|of| of.action != Action::Removed)).await?;
        let lacks = |of: &&ChangedObject| !newer.contains_key(&of.key);
        let older = find(self.instance.older.as_ref(), changes.iter().filter(lacks)).await?;
        let mut found: BTreeMap<ObjectKey, StoredObject> = older.into_iter().chain(newer).collect();
        let mut records = Vec::with_capacity(changes.len());
        for ChangedObject { object_type, key, action, .. } in changes {
            let vanished = || SinkError::Vanished { object_type: object_type.to_string(), key: key.to_string() };
            let mut object = found.remove(key).ok_or_else(vanished)?;
            if !with_raw {
                object.raw = None;
            }
            records.push(Record { action: *action, object });
        }
        Ok(Batch { kind: self.kind, object_type: self.object_type.clone(), snapshot: self.snapshot, records })
    }
}

async fn find(
    reader: Option<&Arc<dyn GraphReader>>,
    changes: impl Iterator<Item = &ChangedObject>,
) -> Result<BTreeMap<ObjectKey, StoredObject>, SinkError> {
    let wanted: Vec<_> = changes.map(|of| (of.object_type.clone(), of.key.clone())).collect();
    let (Some(reader), false) = (reader, wanted.is_empty()) else { return Ok(BTreeMap::new()) };
    let found = reader.objects(wanted).await?;
    Ok(found.into_iter().flatten().map(|object| (object.key.clone(), object)).collect())
}
