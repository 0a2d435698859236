//! A runtime for integrations: programs that turn a service into a graph of entities and relationships.
//!
//! An [`Integration`] consists of a configuration, a client of the provider, and steps. A step is an async function
//! whose parameters are its declaration: it reads types from the graph, adds others, and sends requests. A [`Job`]
//! derives the [`Plan`] of the steps, runs them concurrently, validates all objects, and stores the graph with a
//! [`Summary`].
//!
//! | task | module |
//! | --- | --- |
//! | describe entities, relationships, and their properties | [`graph`] |
//! | write steps | [`mod@step`], [`prelude`] |
//! | describe an API: authentication, pagination, rate limits | [`http`] |
//! | read the configuration | [`config`] |
//! | run a job, observe and resume it | [`runtime`] |
//! | read the collected graph | [`store`], [`dataset`] |
//! | compare the graphs of two jobs | [`diff`] |
//! | check objects against class and type schemas | [`schema`] |
//!
//! The libraries access neither the terminal nor the environment nor the home directory; programs pass everything in.
#![deny(missing_docs)]

#[allow(unused_extern_crates)]
// The derives refer to this crate by its external name, also in its own tests.
extern crate self as integration_sdk;

mod clock;
pub mod config;
pub mod dataset;
mod declarations;
pub mod diff;
pub mod http;
mod integration;
pub mod plan;
pub mod runtime;
pub mod step;
pub mod store;

pub use clock::ClockError;
pub use integration::{Integration, SetupError};
pub use integration_files::{input, owner_only};
#[doc(inline)]
pub use integration_graph as graph;
use integration_graph::redact;
pub use integration_graph::run::Summary;
pub use integration_graph::{REDACTED, RawJson, Redaction, Timestamp, secrets};
#[doc(inline)]
pub use integration_schema as schema;
pub use integration_sdk_macros::{Config, EntityKind, EntityView, RelationshipProperties, step};
pub use plan::Plan;
pub use runtime::{Event, Job, JobError};
// These types occur in the signatures and derives of integrations, which need the same versions.
pub use {secrecy, serde, serde_json, url};

/// The usual imports of an integration's modules.
pub mod prelude {
    pub use futures::TryStreamExt;

    pub use crate::config::Config;
    pub use crate::graph::{Draft, EntityKind, EntityRef, MappedRelationshipKind, RelationshipKind};
    pub use crate::step::{Amend, Client, ConfigOf, Emit, Follow, JobData, Publish, Read, StepResult};
    pub use crate::{Config, EntityKind, EntityView, Timestamp, mapped_relationship, relationship, step};
}
