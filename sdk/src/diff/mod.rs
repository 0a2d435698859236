//! The changes between the graphs of two jobs, taking the gaps of both into account.
//!
//! A job that could not collect an object has not observed that it is gone. Each difference is therefore judged against
//! the [`Coverage`] of both jobs:
//!
//! | the object is … | and … | change |
//! | --- | --- | --- |
//! | in the older graph only | the newer job has no gap of its type | [`Change::Removed`] |
//! | in the newer graph only | the older job has no gap of its type | [`Change::Added`] |
//! | in one graph only | the other job has a gap of its type, under any parent | [`Change::Unknown`] |
//! | in both, and differs | a missing description explains the whole difference | [`Change::Unknown`] |
//! | in both, and differs | otherwise | [`Change::Changed`] |
//!
//! ```text
//!   summaries ─▶ coverage ─┐
//!                          ├─▶ judge (pure) ─▶ change
//!   stores ─▶ pairs, by type and key
//! ```
//!
//! [`judge`] contains the rules as pure functions. [`compare`] iterates over both graphs in key order. It
//! keeps one page of each in memory, and 16 bytes for each entity that only one of them contains.

mod compare;
mod coverage;
pub mod judge;
mod pages;
#[cfg(test)]
mod tests;

pub use compare::{Difference, Side, compare};
pub use coverage::{Coverage, Gap};
pub use judge::Change;
