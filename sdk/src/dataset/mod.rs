//! A collected graph in files: the exchange layout that other tools read.
//!
//! ```text
//!   DIR/summary.json
//!   DIR/graph/<step>/entities/<type>-<number>.json         {"entities": [...]}
//!   DIR/graph/<step>/relationships/<type>-<number>.json    {"relationships": [...]}
//! ```
//!
//! Objects are sorted by key, so the bytes of a graph do not depend on how it was collected. At any time, even after a
//! failure, `DIR` contains either the old graph or the new one, and only files of an earlier export are replaced or
//! removed. All files are accessible to their owner only. This module depends neither on schemas nor on the code of
//! steps.

mod content;
mod error;
mod export;
mod read;
mod tree;

pub use error::DatasetError;
pub use export::{ExportFolder, Exported, check_apart, check_kept, export};
pub use read::{Found, Read, Wrapper, read, read_text, unread};
pub use tree::read_tree;
