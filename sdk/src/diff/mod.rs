//! The changes between two graphs, taking the gaps of both into account.
//!
//! A job that could not collect an object has not observed that it is gone. If one snapshot follows another in the same
//! instance, publications have decided about every difference: the changes are those of the versions, and a stale object
//! is [`Change::Unknown`]. Other graphs have no common history. Each of their differences is judged against the
//! [`Coverage`] of both jobs:
//!
//! | the object is … | and … | change |
//! | --- | --- | --- |
//! | in the older graph only | no gap of the newer job covers it | [`Change::Removed`] |
//! | in the newer graph only | no gap of the older job covers it | [`Change::Added`] |
//! | in one graph only | a gap of the other job covers its type and parent | [`Change::Unknown`] |
//! | in both with equal properties | the newer job could not confirm it | [`Change::Unknown`] |
//! | in both, and differs | a missing description explains the whole difference | [`Change::Unknown`] |
//! | in both, and differs | otherwise | [`Change::Changed`] |
//!
//! ```text
//!   summaries ─▶ coverage ─┐
//!                          ├─▶ judge (pure) ─▶ change ─▶ describe ─▶ ObjectChange
//!   stores ─▶ pairs, by type and key
//!   files  ─▶ pairs, by type and key
//! ```
//!
//! [`judge`] contains the rules as pure functions. [`compare`] iterates over two jobs in key order. It
//! keeps one page of each in memory, and 16 bytes for each entity that only one of them contains. [`Files`] reads graphs
//! in files, whose objects have any order: [`FileComparison`] keeps a digest of each object, and the text of the
//! different ones. Both sources pass [`ObjectChange`]s to their caller.
//!
//! ```
//! # use std::fs;
//! use integration_sdk::diff::{ChangeKind, ChangeOptions, Files};
//!
//! # let folder = tempfile::tempdir()?;
//! # let [older, newer] = ["older", "newer"].map(|name| folder.path().join(name));
//! # for (export, name) in [(&older, "Earth"), (&newer, "Terra")] {
//! #     let graph = export.join("graph/fetch-planets/entities");
//! #     fs::create_dir_all(&graph)?;
//! #     let planet = format!(r#"{{"_key": "p1", "_type": "space_planet", "_class": ["Site"], "name": "{name}"}}"#);
//! #     fs::write(graph.join("space_planet-0.json"), format!(r#"{{"entities": [{planet}]}}"#))?;
//! # }
//! // Two exports that contain one planet, which was renamed from Earth to Terra.
//! let files = Files::open(&older, &newer)?;
//! let mut changes = Vec::new();
//! let counts = files.compare()?.changes(&ChangeOptions::default(), |change| changes.push(change))?;
//! assert_eq!(counts.total().changed, 1);
//! assert_eq!((changes[0].kind, changes[0].key.as_str()), (ChangeKind::Changed, "p1"));
//! assert_eq!(changes[0].properties[0].new, Some("Terra".into()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod absent;
mod change;
mod changes;
mod compare;
mod coverage;
mod describe;
mod file_graph;
#[cfg(test)]
mod file_tests;
mod files;
mod files_error;
mod files_index;
mod files_text;
mod foreign;
mod history;
pub mod judge;
mod pages;
mod pattern;
#[cfg(test)]
mod publication_tests;
#[cfg(test)]
mod tests;

pub use crate::graph::history::{ChangeCounts, ChangeKind, ObjectKind, PropertyChange};
pub use change::{ChangeOptions, ChangesByType, CoveringGap, GraphSide, ObjectChange};
pub use changes::changes;
pub use compare::{Difference, Side, compare};
pub use coverage::{Coverage, Gap};
pub use file_graph::FileGraph;
pub use files::{FileComparison, Files, Repeated};
pub use files_error::FilesError;
pub use foreign::{FolderSummary, folder_summary};
pub use history::{HistoryEvent, HistoryEventKind, ObjectHistory};
pub use judge::Change;
pub use pattern::{EmptyPattern, PropertyPattern};
