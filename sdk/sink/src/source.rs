//! The input of a transfer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use integration_graph::ObjectType;
use integration_graph::history::ChangeCounts;
use integration_store::{GraphReader, Kind, Selection, StoredObject};

use crate::manifest::{ManifestSnapshot, ManifestType};
use crate::{Action, Batch, Columns, Manifest, Position, Record, Scope, SinkError, TransferKind};

/// The objects of a transfer, which can be read several times.
pub trait Source: Send + Sync {
    /// Returns the description of the transfer. Its columns are the declared ones.
    fn manifest(&self) -> &Manifest;

    /// Returns the objects after a position, in the order of kinds, types, snapshots, and keys.
    ///
    /// A batch has a bounded size. Nothing follows an error.
    fn read(&self, with_raw: bool, after: Option<Position>) -> BoxStream<'static, Result<Batch, SinkError>>;
}

/// The part of the graph that is transferred, and its declarations.
#[derive(Debug, Clone)]
pub struct SourceOptions {
    /// The part of the graph.
    pub scope: Scope,
    /// Whether raw data is transferred, if the target has a place for it.
    pub with_raw: bool,
    /// The declared properties of types, so that a table has the columns of properties without values.
    pub declared: BTreeMap<ObjectType, Columns>,
}

impl Default for SourceOptions {
    fn default() -> Self {
        Self { scope: Scope::All, with_raw: false, declared: BTreeMap::new() }
    }
}

impl SourceOptions {
    pub(crate) fn wants(&self, object_type: &ObjectType) -> bool {
        match &self.scope {
            Scope::Types(types) => types.contains(object_type),
            Scope::All | Scope::Query(_) => true,
        }
    }

    pub(crate) fn columns(&self, object_type: &ObjectType) -> Columns {
        self.declared.get(object_type).cloned().unwrap_or_default()
    }
}

/// Whole snapshots as a source.
pub struct SnapshotSource {
    readers: Vec<Arc<dyn GraphReader>>,
    manifest: Manifest,
}

impl SnapshotSource {
    /// Reads the manifest of some snapshots.
    ///
    /// # Errors
    /// [`SinkError::Read`] if a snapshot cannot be read.
    pub async fn open(mut readers: Vec<Arc<dyn GraphReader>>, options: &SourceOptions) -> Result<Self, SinkError> {
        readers.sort_by_key(|reader| reader.id());
        let (mut snapshots, mut types) = (Vec::new(), BTreeMap::<(Kind, ObjectType), (u64, u64)>::new());
        for reader in &readers {
            snapshots.push(ManifestSnapshot { id: reader.id(), since: None, gaps: reader.gaps().await? });
            for count in reader.types().await?.into_iter().filter(|count| options.wants(&count.object_type)) {
                let (objects, stale) = types.entry((count.kind, count.object_type)).or_default();
                *objects += count.objects;
                *stale += count.stale;
            }
        }
        let types = types.into_iter().map(|((kind, object_type), (objects, stale))| {
            let columns = options.columns(&object_type);
            ManifestType { kind, object_type, objects, stale, changes: ChangeCounts::default(), confirmed: 0, columns }
        });
        let manifest = Manifest {
            snapshots,
            transfer: TransferKind::Whole,
            scope: options.scope.clone(),
            with_raw: options.with_raw,
            types: types.collect(),
        };
        Ok(Self { readers, manifest })
    }
}

impl Source for SnapshotSource {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn read(&self, with_raw: bool, after: Option<Position>) -> BoxStream<'static, Result<Batch, SinkError>> {
        let readers = self.readers.clone();
        let types: BTreeSet<_> = self.manifest.types.iter().map(|of| (of.kind, of.object_type.clone())).collect();
        let parts = types.into_iter().flat_map(move |(kind, object_type)| {
            let readers = readers.clone().into_iter().enumerate();
            readers.map(move |(snapshot, reader)| (kind, object_type.clone(), snapshot, reader))
        });
        let first = after.as_ref().map(|after| (after.kind, after.object_type.clone(), after.snapshot));
        let parts = parts.filter(move |(kind, object_type, snapshot, _)| {
            first.as_ref().is_none_or(|first| (*kind, object_type, *snapshot) >= (first.0, &first.1, first.2))
        });
        let batches = move |(kind, object_type, snapshot, reader): (Kind, ObjectType, usize, Arc<dyn GraphReader>)| {
            let mut selection = Selection::of_type(object_type.clone());
            selection.kind = Some(kind);
            selection.with_raw = with_raw;
            let after = after.clone();
            reader.scan(selection).map_err(SinkError::from).map_ok(move |objects| {
                let batch = Batch { kind, object_type: object_type.clone(), snapshot, records: present(objects) };
                rest(batch, after.as_ref())
            })
        };
        let is_left = |batch: &Result<Batch, SinkError>| {
            let is_left = batch.as_ref().map_or(true, |batch| !batch.records.is_empty());
            async move { is_left }
        };
        stream::iter(parts).flat_map(batches).filter(is_left).boxed()
    }
}

fn present(objects: Vec<StoredObject>) -> Vec<Record> {
    objects.into_iter().map(|object| Record { action: Action::Present, object }).collect()
}

/// Removes the objects up to a position from a batch.
pub(crate) fn rest(mut batch: Batch, after: Option<&Position>) -> Batch {
    let is_before = |after: &&Position| {
        (after.kind, &after.object_type, after.snapshot) == (batch.kind, &batch.object_type, batch.snapshot)
    };
    if let Some(after) = after.filter(is_before) {
        batch.records.retain(|record| record.object.key > after.key);
    }
    batch
}
