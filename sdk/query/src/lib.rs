//! J1QL over collected graphs, offline.
//!
//! ```text
//! text ─► parse ─► bind ─► plan ─► optimise ─► execute ─► result
//!         syntax   names    │                   │
//!                           types of the graph  graph index: columns and adjacency
//! ```
//!
//! Each phase is a function from one type to the next. The phase of a query is its type: [`syntax::Query`] is text with
//! positions, and nothing in it has been looked up.
//!
//! ```
//! use integration_query::graph::AccountGraph;
//! use integration_query::{Options, QueryResult, run};
//! use integration_store::MemoryGraph;
//! use serde_json::json;
//!
//! # futures::executor::block_on(async {
//! let snapshot = MemoryGraph::of([
//!     json!({"_key": "team:1", "_type": "acme_team", "_class": "Team", "name": "red"}),
//!     json!({"_key": "user:1", "_type": "acme_user", "_class": "User", "name": "ann", "active": true}),
//!     json!({"_key": "team:1|has|user:1", "_type": "acme_team_has_user", "_class": "HAS",
//!            "_fromEntityKey": "team:1", "_toEntityKey": "user:1"}),
//! ])?;
//! let graph = AccountGraph::open(vec![std::sync::Arc::new(snapshot)]).await?;
//! let query = "FIND Team AS t THAT HAS User WITH active = true AS u RETURN t.name, u.name";
//! let answer = run(query, &graph, &Options::default()).await?;
//! let QueryResult::Table(table) = answer.result else { panic!("RETURN gives a table") };
//! assert_eq!(table.columns, ["t.name", "u.name"]);
//! assert_eq!(table.rows, [[json!("red"), json!("ann")]]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! | task | item |
//! | --- | --- |
//! | evaluate a query | [`run`], with [`Options`]; the result is an [`Answer`] |
//! | check names and syntax only | [`check`] |
//! | open the graphs of several instances | [`graph::AccountGraph`] |
//! | print the operators of a query | [`Profile`] |
#![deny(missing_docs)]

mod answer;
mod bind;
mod catalogue;
mod complete;
pub mod diagnostic;
mod error;
mod execute;
pub mod graph;
mod options;
mod plan;
mod profile;
mod result;
mod run;
pub mod syntax;
mod value;

pub use answer::{Answer, Incomplete, Reason};
pub use catalogue::{Catalogue, DeclaredType};
pub use error::QueryError;
pub use options::Options;
pub use profile::{Operator, Profile};
pub use result::{ApiData, ApiObjects, QueryResult, TableResult};
pub use run::{check, run, run_query};
