//! A graph in Neo4j, or in another server that speaks Bolt and Cypher.
//!
//! ```text
//!   Neo4jSink ─ open ──▶ constraint of the key · Marker: the snapshots that the database contains
//!             ─ write ─▶ UNWIND … MERGE … SET n = row.p ─▶ labels ─▶ relationships, 1,000 objects in a statement
//!             ─ close ─▶ observed removals, absent objects without a gap ─▶ Marker
//! ```
//!
//! The layout is that of `j1-integration neo4j push`: nodes have the properties of entities, the labels `_type` and
//! each `_class`, and `_integrationInstanceID`; the type of a relationship is its class. Differences: lists stay lists,
//! relationships of one class between the same nodes stay apart, and `_integrationType` names an instance as well.
//! All nodes have the label `_Entity`, whose constraint makes keys unique and finds the ends of relationships.
//!
//! ```no_run
//! use integration_sink_neo4j::{Neo4jSink, Neo4jTarget};
//!
//! # fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let target = Neo4jTarget::parse("neo4j+s://db.example.com")?.user("writer").password("…".to_owned().into());
//! let sink = Neo4jSink::new(target);
//! # Ok(())
//! # }
//! ```
//!
//! A transfer consists of many transactions, because one of the whole graph would exceed the memory of the server. All
//! statements are idempotent: after a killed process, the same transfer leads to the state of an undisturbed one. Until
//! then, the marker makes the sink refuse changes that begin elsewhere.
//!
//! [`CypherScript`] writes the same statements into a file.
#![deny(missing_docs)]

mod cypher;
mod labels;
mod marker;
mod row;
mod script;
mod server;
mod sink;
mod sweep;
mod target;
mod value;

pub use row::Layout;
pub use script::CypherScript;
pub use sink::Neo4jSink;
pub use target::Neo4jTarget;
