//! Where indexes are kept between queries.
//!
//! A cache maps the identity of a snapshot to bytes. It may lose an index at any time, and it need not protect it
//! against damage: an index that cannot be used is built again.

mod file;
mod memory;
#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::sync::Arc;

use integration_store::SnapshotId;

pub use file::FileCache;
pub use memory::MemoryCache;
pub(super) use memory::Unshared;

/// Indexes by snapshot.
pub trait IndexCache: Send + Sync {
    /// Returns the index of a snapshot, if there is one.
    fn open(&self, snapshot: &SnapshotId) -> Option<Arc<dyn IndexSource>>;

    /// Begins the index of a snapshot. It replaces an existing one when it is finished.
    ///
    /// # Errors
    /// The index cannot be kept. It is then built in memory.
    fn create(&self, snapshot: &SnapshotId) -> io::Result<Box<dyn IndexSink>>;

    /// Removes the index of a snapshot.
    fn remove(&self, snapshot: &SnapshotId);
}

/// The bytes of an index.
pub trait IndexSource: Send + Sync {
    /// The size in bytes.
    fn length(&self) -> u64;

    /// Fills a buffer with the bytes from a position on.
    ///
    /// # Errors
    /// The bytes cannot be read, for example because the index ends before.
    fn read_at(&self, position: u64, buffer: &mut [u8]) -> io::Result<()>;
}

/// An index that is being written. Dropping it discards it.
pub trait IndexSink: Write + Send {
    /// Completes the index.
    ///
    /// # Errors
    /// The index cannot be kept.
    fn finish(self: Box<Self>) -> io::Result<Arc<dyn IndexSource>>;
}
