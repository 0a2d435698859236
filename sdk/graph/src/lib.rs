//! The data model of integrations: entities, relationships, their names and properties.
//!
//! Everything here is plain data. Types of Rust structs implement [`EntityKind`] and [`RelationshipKind`], by the
//! derives and macros of integration-sdk; objects built at run time are [`Entity`], [`Relationship`], and
//! [`MappedRelationship`] themselves. Their text is canonical: equal objects have equal bytes.
//!
//! ```
//! use integration_graph::{RelationshipClass, ObjectType, relationship_type};
//!
//! let (team, user) = (ObjectType::literal("acme_team"), ObjectType::literal("acme_user"));
//! assert_eq!(relationship_type(&team, RelationshipClass::HAS, &user).as_str(), "acme_team_has_user");
//! ```
//!
//! | task | module |
//! | --- | --- |
//! | describe entities, relationships, and properties | this one |
//! | keep the unparsed JSON of a provider | [`RawJson`] |
//! | report what a run collected, and its gaps | [`run`] |
//! | report what changed between snapshots | [`history`] |
//! | find credentials by their form or name | [`secrets`] |
//! | remove secrets from JSON text | [`redact`] |
//!
//! This crate depends on no store, no schema registry, no network, and no step. Authors of integrations use it as
//! `integration_sdk::graph`.
#![deny(missing_docs)]

mod entity;
pub mod history;
mod host;
mod kind;
mod names;
mod parted;
mod properties;
mod property;
mod published;
mod raw;
pub mod redact;
mod relationship;
pub mod run;
mod scan;
pub mod secrets;
mod text;
mod value;

pub use entity::{Entity, RawData, Tags};
pub use kind::{
    AsEntityRef, Draft, EntityDeclaration, EntityKind, EntityRef, EntityView, MappedRelationshipDeclaration,
    MappedRelationshipKind, OnDuplicateKey, RelationshipDeclaration, RelationshipKind, RelationshipProperties,
};
pub use names::{Class, InstanceId, InvalidName, JobId, ObjectKey, ObjectType, StepId};
pub use parted::ObjectJson;
pub use properties::Properties;
pub use property::{Property, PropertyError, PropertySchema, Timestamp};
pub use raw::RawJson;
pub use redact::{REDACTED, Redaction};
pub use relationship::{
    Direction, MappedRelationship, Relationship, RelationshipClass, relationship_key, relationship_type,
};
pub use text::ObjectWriter;
pub use value::ValueWriter;

pub(crate) use property::rfc_3339;
pub(crate) use value::write_text;

// Other crates of the workspace use these items. They are no interface for authors.
pub use entity::{join_property, merge};
pub use host::is_this_machine;
pub use parted::{Parted, write_raw_data};
pub use scan::{Values, json_string, plain_text};
pub use text::{ObjectText, written};

/// The functions that derives call. Use the derives instead.
#[doc(hidden)]
pub mod macro_support {
    pub use crate::kind::viewed_type;
    pub use crate::property::{pick_properties, read_property};
}
