//! Tables of a graph in PostgreSQL.
//!
//! ```text
//!   transfer ─▶ PostgresSink ─▶ Catalogue: tables and columns of earlier transfers
//!                  │             └─▶ Layout: the table of one type, created or altered
//!                  └─ COPY ─▶ table, if it is empty
//!                         └─▶ stage ─▶ INSERT … ON CONFLICT, DELETE
//! ```
//!
//! Each entity and relationship type has a table with typed columns, and each object is one row with the primary key
//! (`_integration`, `_instance`, `_key`). A transfer is one transaction: readers see either the old or the new state, and
//! nothing of a killed transfer remains. Rows are deleted only if a job observed the removal, or if a whole transfer
//! without a gap lacks them.
//!
//! ```no_run
//! use integration_sink_postgres::{PostgresSink, PostgresTarget};
//!
//! # fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let target = PostgresTarget::parse("postgres://writer@db.example.com/warehouse")?.password("…".to_owned().into());
//! let sink = PostgresSink::new(target.schema("heroku"));
//! # Ok(())
//! # }
//! ```
//!
//! Three tables describe the others: `_tables`, `_columns`, and `_snapshots`, the last transfer of each instance.
#![deny(missing_docs)]

mod catalogue;
mod convert;
mod copy;
mod layout;
mod names;
mod passfile;
mod sink;
mod stage;
mod target;
mod tls;

pub use passfile::password_in;
pub use sink::PostgresSink;
pub use target::PostgresTarget;
