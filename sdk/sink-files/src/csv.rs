//! Comma-separated values as RFC 4180 defines them, in UTF-8, with a header.
//!
//! | type | text |
//! | --- | --- |
//! | boolean | `true`, `false` |
//! | integer, double | decimal digits with a point |
//! | timestamp | `2024-01-31T12:00:00.000Z` |
//! | text | the text |
//! | list | a JSON list |
//! | no value | nothing; an empty text is `""` |
//!
//! A text that a spreadsheet would run as a formula gets an apostrophe in front, because it comes from the provider. A
//! text that begins with an apostrophe gets another one, so a reader removes one from each text that begins with it.

use std::fs::File;
use std::io::{self, Write};

use integration_graph::Timestamp;
use integration_sink::{Batch, Cell, SinkError, Table, TransferKind};
use integration_store::SnapshotId;
use serde_json::Value;

use crate::output::Output;
use crate::table_format::{TableFormat, TableWriter};

/// The first characters of texts that get an apostrophe in front. Spreadsheets skip control characters before formulas.
const GUARDED: [char; 8] = ['=', '+', '-', '@', '\t', '\r', '\n', '\''];

#[derive(Debug, Clone, Copy)]
pub(crate) struct Csv;

pub(crate) struct CsvWriter {
    out: Output,
    line: String,
}

impl TableFormat for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn needs_columns(&self) -> bool {
        true
    }

    fn begin(&self, file: File, table: &Table, _: TransferKind) -> io::Result<Box<dyn TableWriter>> {
        let mut writer = CsvWriter { out: Output::new(file), line: String::new() };
        for (at, column) in table.columns.iter().enumerate() {
            writer.separate(at);
            writer.text(&column.name);
        }
        writer.end_line()?;
        Ok(Box::new(writer))
    }
}

impl TableWriter for CsvWriter {
    fn write(&mut self, batch: &Batch, snapshot: &SnapshotId, table: &Table) -> Result<(), SinkError> {
        let mut row = Vec::new();
        for record in &batch.records {
            table.fill(record, snapshot, &mut row).map_err(SinkError::target("write", &batch.object_type))?;
            for (at, cell) in row.iter().enumerate() {
                self.separate(at);
                self.cell(cell);
            }
            self.end_line().map_err(SinkError::target("write", &batch.object_type))?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<u64> {
        self.out.finish()
    }
}

impl CsvWriter {
    fn separate(&mut self, at: usize) {
        if at > 0 {
            self.line.push(',');
        }
    }

    fn end_line(&mut self) -> io::Result<()> {
        self.line.push_str("\r\n");
        self.out.write_all(self.line.as_bytes())?;
        self.line.clear();
        Ok(())
    }

    fn cell(&mut self, cell: &Cell<'_>) {
        use std::fmt::Write;
        // Writing to a string cannot fail.
        let _ = match cell {
            Cell::Null => Ok(()),
            Cell::Boolean(value) => write!(self.line, "{value}"),
            Cell::Integer(value) => write!(self.line, "{value}"),
            Cell::Double(value) => write!(self.line, "{}", double(*value)),
            Cell::Timestamp(value) => write!(self.line, "{}", time(*value)),
            Cell::Text(text) => {
                self.text(text);
                Ok(())
            }
            Cell::List(_) => {
                self.quoted(&json(cell).to_string());
                Ok(())
            }
        };
    }

    fn text(&mut self, text: &str) {
        if text.starts_with(GUARDED) {
            self.quoted(&format!("'{text}"));
        } else if text.is_empty() || text.contains([',', '"', '\n', '\r']) || text.trim() != text {
            self.quoted(text);
        } else {
            self.line.push_str(text);
        }
    }

    fn quoted(&mut self, text: &str) {
        self.line.push('"');
        for part in text.split_inclusive('"') {
            self.line.push_str(part);
            if part.ends_with('"') {
                self.line.push('"');
            }
        }
        self.line.push('"');
    }
}

/// Returns a time with milliseconds, so that all values of a column have one form.
pub(crate) fn time(millis: i64) -> String {
    format!("{:.3}", Timestamp::from_millis(millis))
}

/// Returns the shortest text that a reader parses to the same number.
pub(crate) fn double(value: f64) -> String {
    serde_json::Number::from_f64(value).map(|number| number.to_string()).unwrap_or_default()
}

/// Returns a value as JSON. Times are in milliseconds.
pub(crate) fn json(cell: &Cell<'_>) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Boolean(value) => (*value).into(),
        Cell::Integer(value) | Cell::Timestamp(value) => (*value).into(),
        Cell::Double(value) => (*value).into(),
        Cell::Text(text) => text.as_ref().into(),
        Cell::List(elements) => elements.iter().map(json).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guarded_texts_stay_different() {
        let mut writer = CsvWriter { out: Output::new(tempfile::tempfile().expect("a file")), line: String::new() };
        for text in ["=1", "'=1", "''", "\t=1", "\r=1", "a"] {
            writer.text(text);
            writer.separate(1);
        }
        assert_eq!(writer.line, "\"'=1\",\"''=1\",\"'''\",\"'\t=1\",\"'\r=1\",a,");
    }
}
