//! Transfer of a graph to other systems.
//!
//! ```text
//!   GraphReader ─▶ SnapshotSource ─┐                        ┌─▶ files · graph formats
//!                                  ├─▶ transfer ─▶ dyn Sink ┤
//!   changes ─────▶ ChangeSource ───┘     │                  └─▶ databases · services
//!                                        └─▶ Event, Report
//! ```
//!
//! A [`Source`] passes whole snapshots, or the changes between two snapshots of each instance. A [`Sink`] is a
//! target. The driver [`transfer`] reads one batch while the sink writes another one. The [`Manifest`] lists the
//! snapshots, types, and gaps before the first object. Gaps never cause a deletion: see
//! [`Manifest::may_delete_absent`] and [`Action`]. A sink that only writes local files implements [`BlockingSink`].
//!
//! ```
//! # futures::executor::block_on(async {
//! use std::future::pending;
//! use std::sync::Arc;
//!
//! use integration_sink::memory::MemorySink;
//! use integration_sink::{Events, SnapshotSource, SourceOptions, transfer};
//! use integration_store::MemoryGraph;
//! use serde_json::json;
//!
//! let graph = MemoryGraph::of([json!({"_key": "team:1", "_type": "acme_team", "_class": "Team"})])?;
//! let source = SnapshotSource::open(vec![Arc::new(graph)], &SourceOptions::default()).await?;
//! let target = MemorySink::default();
//! let report = transfer(&mut target.clone(), &source, &Events::ignored(), pending()).await?;
//! assert_eq!((report.written(), target.len()), (1, 1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! Every sink passes the [`conformance`] suite. Targets with typed columns use [`Table`], which assigns a column with a
//! stable name and type to each property. This crate depends on no network, no database, and no schema registry.
#![deny(missing_docs)]

mod blocking;
mod changes;
mod columns;
pub mod conformance;
mod error;
mod event;
mod manifest;
pub mod memory;
mod record;
mod recorded;
mod replacement;
mod report;
mod sink;
mod source;
mod subset;
mod table;
mod target_error;
mod transfer;

pub use blocking::BlockingSink;
pub use changes::{ChangeSource, ChangedObject, InstanceChanges};
pub use columns::{Columns, Element, UnknownValueType, ValueType};
pub use error::SinkError;
pub use event::{Event, Events};
pub use manifest::{Manifest, ManifestDocument, ManifestSnapshot, ManifestType, Scope, TransferKind, kind_name};
pub use record::{Action, Batch, Position, Record};
pub use recorded::{RecordedPublication, RecordedSnapshot, check_changes};
pub use replacement::Replacement;
pub use report::{Report, ReportDocument, TypeReport};
pub use sink::{Capabilities, Opened, Sink};
pub use source::{SnapshotSource, Source, SourceOptions};
pub use subset::Subset;
pub use table::{Cell, Column, Misfit, Origin, Table};
pub use target_error::TargetError;
pub use transfer::{manifest, transfer};
