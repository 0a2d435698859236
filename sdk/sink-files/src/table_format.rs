//! File formats for tables.

use std::fs::File;
use std::io;

use integration_sink::{Batch, SinkError, Table, TransferKind};
use integration_store::SnapshotId;

/// A file format for tables.
pub(crate) trait TableFormat: Send {
    /// The name, which is the extension of the files.
    fn name(&self) -> &'static str;
    /// Whether the columns must be surveyed.
    fn needs_columns(&self) -> bool;
    fn begin(&self, file: File, table: &Table, transfer: TransferKind) -> io::Result<Box<dyn TableWriter>>;
}

/// A table that is being written.
pub(crate) trait TableWriter: Send {
    fn write(&mut self, batch: &Batch, snapshot: &SnapshotId, table: &Table) -> Result<(), SinkError>;
    /// Waits until the file is on disk, and returns its size.
    fn finish(self: Box<Self>) -> io::Result<u64>;
}
