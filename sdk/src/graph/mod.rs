//! The data model: entities, relationships, their names and properties.
//!
//! Everything here is plain data. Types of Rust structs implement [`EntityKind`] and
//! [`RelationshipKind`] (by derive and by [`relationship!`](crate::relationship)); objects built at
//! run time are [`Entity`], [`Relationship`], and [`MappedRelationship`] themselves.
//! This module depends on no store, no schema registry, and no network.

mod entity;
mod kind;
mod names;
mod parted;
mod property;
mod relationship;
pub mod run;
mod scan;
mod text;
mod value;

pub use entity::{Entity, Properties, RawData, Tags};
pub(crate) use entity::{join_property, merge};
pub use kind::{
    Draft, EntityDeclaration, EntityKind, EntityRef, EntityView, MappedRelationshipDeclaration, MappedRelationshipKind,
    OnDuplicateKey, RelationshipDeclaration, RelationshipKind, RelationshipProperties, viewed_type,
};
pub use names::{Class, InvalidName, JobId, ObjectKey, ObjectType, StepId};
pub use parted::ObjectJson;
pub(crate) use parted::{Parted, write_raw_data};
pub(crate) use property::rfc_3339;
pub use property::{Property, PropertyError, PropertySchema, Timestamp, pick_properties, read_property};
pub use relationship::{
    Direction, MappedRelationship, Relationship, RelationshipClass, relationship_key, relationship_type,
};
pub(crate) use scan::{Values, plain_text};
pub use text::ObjectWriter;
pub(crate) use text::{ObjectText, written};
pub use value::ValueWriter;
pub(crate) use value::write_text;
