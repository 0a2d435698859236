//! The description of a transfer, before its first object.

use std::collections::BTreeSet;

use integration_graph::history::{ChangeCounts, SnapshotGap};
use integration_graph::{InstanceId, JobId, ObjectType, Timestamp};
use integration_store::{Kind, SnapshotId};
use serde::Serialize;

use crate::Columns;

/// The contents of a transfer.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// The snapshots that are read, in the order of integrations and instances.
    pub snapshots: Vec<ManifestSnapshot>,
    /// Whether whole snapshots or changes are transferred.
    pub transfer: TransferKind,
    /// The part of the snapshots that is transferred.
    pub scope: Scope,
    /// Whether the objects have raw data.
    pub with_raw: bool,
    /// The types with their numbers of objects, in the order of kinds and types.
    pub types: Vec<ManifestType>,
}

/// One of the snapshots of a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestSnapshot {
    /// The identity of the snapshot.
    pub id: SnapshotId,
    /// The older snapshot of a transfer of changes; `None` if the instance had none, so that every object is added.
    pub since: Option<SnapshotId>,
    /// The data that the snapshot lacks.
    pub gaps: Vec<SnapshotGap>,
}

/// The kind of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum TransferKind {
    /// All objects of the scope.
    Whole,
    /// The objects of the scope that differ from the older snapshots.
    Changes,
}

/// The part of the snapshots that is transferred.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Scope {
    /// All objects.
    All,
    /// The objects of these types.
    Types(BTreeSet<ObjectType>),
    /// The result of this query.
    Query(String),
}

impl Scope {
    /// Returns whether the scope includes all objects of a type, not only a selection.
    pub fn is_whole(&self, object_type: &ObjectType) -> bool {
        match self {
            Self::All => true,
            Self::Types(types) => types.contains(object_type),
            Self::Query(_) => false,
        }
    }
}

/// A type of a transfer.
#[derive(Debug, Clone, PartialEq)]
pub struct ManifestType {
    /// The kind of the objects.
    pub kind: Kind,
    /// The type.
    pub object_type: ObjectType,
    /// The number of objects, of changed ones if changes are transferred.
    pub objects: u64,
    /// The number of stale objects among them.
    pub stale: u64,
    /// The numbers of changes; zero in a whole transfer.
    pub changes: ChangeCounts,
    /// The number of objects that were stale, and that a later job confirmed; zero in a whole transfer.
    pub confirmed: u64,
    /// The properties: the declared ones, and after a survey all others. See [`Capabilities::columns`].
    ///
    /// [`Capabilities::columns`]: crate::Capabilities::columns
    pub columns: Columns,
}

impl Manifest {
    /// The number of objects of all types.
    pub fn objects(&self) -> u64 {
        self.types.iter().map(|of_type| of_type.objects).sum()
    }

    /// Returns the description of a type; `None` if the transfer has no objects of it.
    pub fn of_type(&self, kind: Kind, object_type: &ObjectType) -> Option<&ManifestType> {
        self.types.iter().find(|of_type| of_type.kind == kind && of_type.object_type == *object_type)
    }

    /// Returns the types that a gap of any snapshot covers, in part or as a whole.
    pub fn partial_types(&self) -> BTreeSet<&ObjectType> {
        self.snapshots.iter().flat_map(|snapshot| &snapshot.gaps).flat_map(|gap| &gap.types).collect()
    }

    /// Returns whether a target may delete the objects of a type that it has of a snapshot's instance, and that this
    /// transfer does not contain.
    ///
    /// This is permitted only after a whole transfer of a type that no gap covers: otherwise the absence of an object
    /// does not mean that the provider lacks it.
    pub fn may_delete_absent(&self, snapshot: usize, object_type: &ObjectType) -> bool {
        let Some(snapshot) = self.snapshots.get(snapshot) else { return false };
        let is_covered = snapshot.gaps.iter().any(|gap| gap.types.contains(object_type));
        self.transfer == TransferKind::Whole && self.scope.is_whole(object_type) && !is_covered
    }

    /// Returns a text that two transfers share only if they pass the same objects in the same order.
    ///
    /// A target that resumes a transfer compares it with the text of the interrupted one.
    pub fn identity(&self) -> String {
        let name = |id: &SnapshotId| format!("{}/{}/{}", id.integration, id.instance, id.file_name());
        let part = |snapshot: &ManifestSnapshot| {
            let since = snapshot.since.as_ref().map(|since| format!(" since {}", name(since))).unwrap_or_default();
            format!("{}{since}", name(&snapshot.id))
        };
        let parts: Vec<String> = self.snapshots.iter().map(part).collect();
        format!("{}; {:?}; {:?}; raw {}", parts.join(", "), self.transfer, self.scope, self.with_raw)
    }

    /// Returns the manifest as JSON: snapshots, kind of the transfer, types with counts, gaps, and partial types.
    pub fn document(&self) -> ManifestDocument<'_> {
        ManifestDocument {
            transfer: self.transfer,
            scope: &self.scope,
            with_raw: self.with_raw,
            snapshots: self.snapshots.iter().map(SnapshotDocument::of).collect(),
            types: self.types.iter().map(TypeDocument::of).collect(),
            partial_types: self.partial_types(),
        }
    }
}

/// A [`Manifest`] as JSON, for files next to a graph and for reports.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ManifestDocument<'a> {
    transfer: TransferKind,
    scope: &'a Scope,
    with_raw: bool,
    snapshots: Vec<SnapshotDocument<'a>>,
    types: Vec<TypeDocument<'a>>,
    partial_types: BTreeSet<&'a ObjectType>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SnapshotDocument<'a> {
    integration: &'a str,
    instance: &'a InstanceId,
    job: &'a JobId,
    publication: u64,
    published_on: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    since_job: Option<&'a JobId>,
    gaps: &'a [SnapshotGap],
}

impl<'a> SnapshotDocument<'a> {
    fn of(snapshot: &'a ManifestSnapshot) -> Self {
        let ManifestSnapshot { id, since, gaps } = snapshot;
        Self {
            integration: &id.integration,
            instance: &id.instance,
            job: &id.job,
            publication: id.number,
            published_on: id.published,
            since_job: since.as_ref().map(|since| &since.job),
            gaps,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TypeDocument<'a> {
    kind: &'static str,
    #[serde(rename = "type")]
    object_type: &'a ObjectType,
    objects: u64,
    stale: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<ChangeCounts>,
    #[serde(skip_serializing_if = "is_zero")]
    confirmed: u64,
}

impl<'a> TypeDocument<'a> {
    fn of(of_type: &'a ManifestType) -> Self {
        let ManifestType { kind, object_type, objects, stale, changes, confirmed, .. } = of_type;
        let changes = (*changes != ChangeCounts::default()).then_some(*changes);
        let confirmed = *confirmed;
        Self { kind: kind_name(*kind), object_type, objects: *objects, stale: *stale, changes, confirmed }
    }
}

pub(crate) fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Returns the name of a kind as in documents.
pub fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Entity => "entity",
        Kind::Relationship => "relationship",
        Kind::MappedRelationship => "mappedRelationship",
    }
}
