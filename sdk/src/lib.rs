//! A runtime for integrations: programs that turn a service into a graph of entities and relationships.
#![deny(missing_docs)]

#[allow(unused_extern_crates)]
// The derives name this crate by its outside name, also in this crate's own tests.
extern crate self as integration_sdk;

mod clock;
pub mod config;
pub mod dataset;
pub mod diff;
pub mod graph;
pub mod http;
pub mod input;
mod integration;
pub mod owner_only;
pub mod plan;
mod raw;
#[cfg(feature = "recording")]
pub mod recording;
mod redact;
mod room;
pub mod runtime;
pub mod schema;
pub mod secrets;
pub mod step;
pub mod store;
pub mod summary;

pub use clock::ClockError;
pub use graph::Timestamp;
pub use integration::{Integration, SetupError};
pub use integration_sdk_macros::{Config, EntityKind, EntityView, RelationshipProperties, step};
pub use plan::Plan;
pub use raw::RawJson;
pub use redact::{REDACTED, Redaction};
pub use runtime::{Event, Job, JobError};
pub use summary::Summary;
// What an integration meets in signatures, and what derives name: the same versions as ours.
pub use {secrecy, serde, serde_json, url};

/// What an integration's modules begin with.
pub mod prelude {
    pub use futures::TryStreamExt;

    pub use crate::config::Config;
    pub use crate::graph::{Draft, EntityKind, KeyOf, MappedRelationshipKind, RelationshipKind};
    pub use crate::step::{Amend, Client, Data, Each, Emit, Publish, Read, Settings, StepResult};
    pub use crate::{Config, EntityKind, EntityView, Timestamp, mapped_relationship, relationship, step};
}
