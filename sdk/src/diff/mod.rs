//! The changes between two graphs, taking the gaps of both into account.
//!
//! A job that could not collect an object has not observed that it is gone. Each difference is therefore judged against
//! the [`Coverage`] of both jobs:
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
mod tests;

pub use change::{
    ChangeCounts, ChangeKind, ChangeOptions, CoveringGap, GraphSide, KindCounts, ObjectChange, ObjectKind,
    PropertyChange,
};
pub use changes::changes;
pub use compare::{Difference, Side, compare};
pub use coverage::{Coverage, Gap};
pub use file_graph::FileGraph;
pub use files::{FileComparison, Files, Repeated};
pub use files_error::FilesError;
pub use history::{HistoryEvent, HistoryEventKind, ObjectHistory};
pub use judge::Change;
pub use pattern::{EmptyPattern, PropertyPattern};
