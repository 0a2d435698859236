//! NDJSON: one JSON object on each line.

use std::fs::File;
use std::io::{self, Write};

use integration_sink::{Batch, SinkError, Table, TransferKind};
use integration_store::SnapshotId;

use crate::members;
use crate::output::Output;
use crate::table_format::{TableFormat, TableWriter};

#[derive(Debug, Clone, Copy)]
pub(crate) struct Ndjson;

pub(crate) struct NdjsonWriter {
    out: Output,
    transfer: TransferKind,
}

impl TableFormat for Ndjson {
    fn name(&self) -> &'static str {
        "ndjson"
    }

    fn needs_columns(&self) -> bool {
        false
    }

    fn begin(&self, file: File, _: &Table, transfer: TransferKind) -> io::Result<Box<dyn TableWriter>> {
        Ok(Box::new(NdjsonWriter { out: Output::new(file), transfer }))
    }
}

impl TableWriter for NdjsonWriter {
    fn write(&mut self, batch: &Batch, snapshot: &SnapshotId, _: &Table) -> Result<(), SinkError> {
        let written = batch.records.iter().try_for_each(|record| {
            members::write(record, snapshot, self.transfer, &mut self.out)?;
            self.out.write_all(b"\n")
        });
        written.map_err(SinkError::target("write", batch.object_type.as_str()))
    }

    fn finish(self: Box<Self>) -> io::Result<u64> {
        self.out.finish()
    }
}
