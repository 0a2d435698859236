//! The properties of objects that their own JSON does not contain.

use integration_graph::{ObjectKey, ObjectType, Properties};
use integration_store::{SnapshotId, StoredObject};
use serde_json::Value;

/// The name of the time of the first snapshot with the object, as JSON.
pub(super) const CREATED: &str = "\"_createdOn\"";
/// The name of the time of the first snapshot with the version, as JSON.
pub(super) const BEGAN: &str = "\"_beginOn\"";
/// The source of placeholders. JupiterOne marks the entities that its mapper creates in the same way.
pub(super) const MAPPER: &str = "system-mapper";
/// The name of the mark of stale objects, as JSON.
pub(super) const STALE: &str = "\"_stale\"";

/// The end of an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    From,
    To,
}

/// The ids of the objects of one instance. Keys are unique in an instance only, ids in the whole graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ids(String);

impl Ids {
    /// The ids of the objects of a snapshot.
    pub(super) fn of(snapshot: &SnapshotId) -> Self {
        Self(format!("{}/{}/", snapshot.integration, snapshot.instance))
    }

    /// The ids of the placeholders of a type.
    pub(super) fn of_placeholders(object_type: &ObjectType) -> Self {
        Self(format!("{MAPPER}/{object_type}/"))
    }

    /// Returns the id of the object with a key.
    pub(super) fn id(&self, key: &str) -> String {
        format!("{}{key}", self.0)
    }
}

/// A property that is not stored in a column of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Derived {
    /// The id of the object.
    Id,
    /// Equal for all objects of the instance.
    Constant(String),
    /// Equal to the key of the entity at one end.
    KeyOf(End),
    /// Equal to the id of the entity at one end.
    IdOf(End),
}

/// The derived properties of every object.
const OF_NODES: [&str; 4] = ["_id", "_integrationInstanceId", "_integrationName", "_integrationType"];
/// The derived properties of relationships.
const OF_EDGES: [&str; 4] = ["_fromEntityId", "_fromEntityKey", "_toEntityId", "_toEntityKey"];

/// Returns the names of all derived properties.
pub(super) fn derived<'a>(is_edge: bool) -> impl Iterator<Item = &'a str> {
    OF_NODES.into_iter().chain(OF_EDGES.into_iter().filter(move |_| is_edge))
}

/// Whether a property, with its name as JSON, is derived or set by the index.
pub(super) fn is_derived(name: &str) -> bool {
    let bare = name.trim_matches('"');
    bare.starts_with('_') && (derived(true).any(|derived| derived == bare) || [CREATED, BEGAN, STALE].contains(&name))
}

impl Derived {
    /// Returns the derived property with a name.
    pub(super) fn of(name: &str, snapshot: &SnapshotId, is_edge: bool) -> Option<Self> {
        let constant = |text: &str| Some(Self::Constant(Value::from(text).to_string()));
        match name {
            "_id" => Some(Self::Id),
            "_integrationInstanceId" | "_integrationName" => constant(snapshot.instance.as_str()),
            "_integrationType" => constant(&snapshot.integration),
            "_fromEntityId" if is_edge => Some(Self::IdOf(End::From)),
            "_fromEntityKey" if is_edge => Some(Self::KeyOf(End::From)),
            "_toEntityId" if is_edge => Some(Self::IdOf(End::To)),
            "_toEntityKey" if is_edge => Some(Self::KeyOf(End::To)),
            _ => None,
        }
    }
}

/// The key and the id of the entity at one end of an edge.
pub(super) struct NamedEnd {
    pub(super) key: ObjectKey,
    pub(super) id: String,
}

/// Returns all properties of an object. `ends` are those of an edge.
pub(super) fn complete(object: &StoredObject, snapshot: &SnapshotId, ends: Option<&[NamedEnd; 2]>) -> Properties {
    let mut properties: Properties = serde_json::from_str(&object.properties).unwrap_or_default();
    let mut set = |name: &str, value: Value| properties.insert(name.to_owned(), value);
    set("_id", Ids::of(snapshot).id(object.key.as_str()).into());
    set("_integrationInstanceId", snapshot.instance.as_str().into());
    set("_integrationName", snapshot.instance.as_str().into());
    set("_integrationType", snapshot.integration.as_str().into());
    set("_createdOn", object.created.millis().into());
    set("_beginOn", object.began.millis().into());
    if object.is_stale {
        set("_stale", true.into());
    }
    if let Some([from, to]) = ends {
        set("_fromEntityId", from.id.as_str().into());
        set("_fromEntityKey", from.key.as_str().into());
        set("_toEntityId", to.id.as_str().into());
        set("_toEntityKey", to.key.as_str().into());
    }
    properties
}
