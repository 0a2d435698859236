//! Sinks that write files.
//!
//! | target | sink | contents |
//! | --- | --- | --- |
//! | Parquet | [`TableFolder::parquet`] | a folder with one table for each type |
//! | CSV | [`TableFolder::csv`] | the same as text |
//! | NDJSON | [`TableFolder::ndjson`] | the same with one JSON object on each line |
//! | SQLite | [`Sqlite`] | a database with one table for each type |
//! | exchange layout | [`Exchange`] | the folder that the tools of JupiterOne read |
//! | BloodHound | [`GraphFile::open_graph`] | OpenGraph JSON, and an extension schema |
//! | Gephi, yEd, NetworkX | [`GraphFile::graph_ml`] | GraphML with typed attributes |
//! | Neo4j | [`Neo4jCsv`] | CSV files for `neo4j-admin database import` |
//! | D3, Cytoscape | [`GraphFile::json_graph`] | nodes and links as JSON |
//!
//! Every target is replaced as a whole, and only its owner can access it ([`integration_files::staging`]). A killed
//! process leaves the earlier result. A folder that contains other files is refused.
//!
//! ```
//! # futures::executor::block_on(async {
//! use std::future::pending;
//! use std::sync::Arc;
//!
//! use integration_sink::{Events, SnapshotSource, SourceOptions, transfer};
//! use integration_sink_files::TableFolder;
//! use integration_store::MemoryGraph;
//! use serde_json::json;
//!
//! # let place = tempfile::tempdir()?;
//! # let target = place.path().join("graph");
//! let team = json!({"_key": "team:1", "_type": "acme_team", "_class": ["Team"], "createdOn": 1700000000000_i64});
//! let source = SnapshotSource::open(vec![Arc::new(MemoryGraph::of([team])?)], &SourceOptions::default()).await?;
//! transfer(&mut TableFolder::csv(&target), &source, &Events::ignored(), pending()).await?;
//! let table = std::fs::read_to_string(target.join("entities/acme_team.csv"))?;
//! assert!(table.lines().nth(1).is_some_and(|row| row.contains("2023-11-14T22:13:20.000Z")), "{table}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
#![deny(missing_docs)]

mod access;
mod csv;
mod exchange;
mod folder_manifest;
mod graph_file;
mod graph_format;
mod graph_ml;
mod json_graph;
mod labels;
mod members;
mod ndjson;
mod neo4j_csv;
mod open_graph;
mod output;
mod parquet;
mod sqlite;
mod table_folder;
mod table_format;

pub use exchange::Exchange;
pub use graph_file::GraphFile;
pub use neo4j_csv::Neo4jCsv;
pub use sqlite::Sqlite;
pub use table_folder::TableFolder;

/// The name of the document that describes the contents of a folder.
pub const MANIFEST: &str = "_manifest.json";
