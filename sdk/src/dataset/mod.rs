//! A collected graph in files: the exchange layout that other tools read.
//!
//! ```text
//!   DIR/summary.json
//!   DIR/graph/<step>/entities/<type>-<number>.json         {"entities": [...]}
//!   DIR/graph/<step>/relationships/<type>-<number>.json    {"relationships": [...]}
//! ```
//!
//! Objects stand in the order of their keys, so a graph is the same bytes however it was collected. Whatever happens while
//! writing, `DIR` holds either the old graph or the new one, and nothing that no export wrote is replaced or removed. All
//! files are for their owner only. Nothing here knows schemas or steps' code.

mod content;
mod error;
mod export;
mod read;

pub use error::DatasetError;
pub use export::{ExportFolder, Exported, export};
pub use read::{Found, Read, Wrapper, read, read_text};
