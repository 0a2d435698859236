//! CSV files for `neo4j-admin database import`.
//!
//! ```text
//!   DIR/entities/<type>.csv          :ID,:LABEL, and typed properties
//!      /relationships/<type>.csv     :START_ID,:END_ID,:TYPE, and typed properties
//! ```
//!
//! The files are those of a [`TableFolder`] with other headers: `name:long`, `tags:string[]`. Labels and elements of
//! lists are separated by U+001F; in a text of the provider, this character becomes U+FFFD. Relationships whose end is
//! not part of the transfer are skipped, because the import counts them as bad.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use integration_sink::{
    Batch, BlockingSink, Capabilities, Cell, Element, Manifest, Origin, Record, Replacement, Report, SinkError, Table,
    TransferKind, ValueType,
};
use integration_store::{Kind, SnapshotId};

use crate::csv::double;
use crate::graph_file::{named, prefix};
use crate::output::Output;
use crate::table_folder::TableFolder;
use crate::table_format::{TableFormat, TableWriter};

/// The separator of labels and of elements of lists.
const SEPARATOR: char = '\u{1f}';
/// The property with the name of the transfer, by which later transfers over Bolt find absent objects.
const TRANSFER: &str = "_transfer";
/// The label of every node.
const ENTITY: &str = "_Entity";

/// The separator in elements of lists.
const REPLACED: Replacement = Replacement {
    hints: &["\\u001f", "\\u001F"],
    is_replaced: |letter| letter == SEPARATOR,
    only_in_lists: true,
    reason: "U+001F separates the elements of lists, so in an element it becomes U+FFFD",
};

/// A sink that writes CSV files for the import into Neo4j.
pub struct Neo4jCsv {
    tables: TableFolder,
    manifest: Option<Manifest>,
    /// The digests of the nodes.
    nodes: HashSet<u64>,
    /// The skipped and the altered objects.
    notes: Report,
}

impl Neo4jCsv {
    /// Creates a sink that replaces a folder.
    pub fn new(path: &Path) -> Self {
        let tables = TableFolder::new(path, Format);
        Self { tables, manifest: None, nodes: HashSet::new(), notes: Report::default() }
    }

    /// Returns whether both ends of a relationship are nodes.
    fn has_ends(&self, record: &Record, prefix: &str) -> bool {
        let is_node = |key| self.nodes.contains(&named(prefix, key).1);
        record.object.ends.as_ref().is_some_and(|(from, to)| is_node(from) && is_node(to))
    }
}

impl BlockingSink for Neo4jCsv {
    fn capabilities(&self) -> Capabilities {
        Capabilities { columns: true, changes: false, raw: true }
    }

    fn begin(&mut self, manifest: &Manifest) -> Result<(), SinkError> {
        (self.nodes, self.notes, self.manifest) = (HashSet::new(), Report::default(), Some(manifest.clone()));
        BlockingSink::begin(&mut self.tables, manifest)
    }

    fn add(&mut self, batch: &Batch) -> Result<(), SinkError> {
        let manifest = self.manifest.as_ref().ok_or(SinkError::Stopped)?;
        let prefix = prefix(&manifest.snapshots[batch.snapshot].id);
        let (is_kept, reason): (Vec<bool>, _) = match batch.kind {
            Kind::Entity => {
                self.nodes.extend(batch.records.iter().map(|record| named(&prefix, &record.object.key).1));
                let report = self.notes.of(batch.kind, &batch.object_type);
                batch.records.iter().for_each(|record| REPLACED.note(record, report));
                return BlockingSink::add(&mut self.tables, batch);
            }
            Kind::Relationship => (
                batch.records.iter().map(|record| self.has_ends(record, &prefix)).collect(),
                "an end is not part of the transfer",
            ),
            _ => (vec![false; batch.records.len()], "it is a mapped relationship, whose target is in another graph"),
        };
        let report = self.notes.of(batch.kind, &batch.object_type);
        let mut kept = Batch { records: Vec::new(), object_type: batch.object_type.clone(), ..*batch };
        for (record, is_kept) in batch.records.iter().zip(is_kept) {
            match is_kept {
                true => {
                    REPLACED.note(record, report);
                    kept.records.push(record.clone());
                }
                false => report.skip(reason, record.object.key.as_str()),
            }
        }
        if kept.records.is_empty() { Ok(()) } else { BlockingSink::add(&mut self.tables, &kept) }
    }

    fn end(&mut self) -> Result<Report, SinkError> {
        let mut report = BlockingSink::end(&mut self.tables)?;
        for ((kind, object_type), notes) in std::mem::take(&mut self.notes).types {
            let report = report.of(kind, &object_type);
            (report.skipped, report.altered) = (notes.skipped, notes.altered);
        }
        Ok(report)
    }

    fn discard(&mut self) {
        BlockingSink::discard(&mut self.tables);
    }
}

#[derive(Debug, Clone, Copy)]
struct Format;

struct Writer {
    out: Output,
    line: String,
}

impl TableFormat for Format {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn needs_columns(&self) -> bool {
        true
    }

    fn begin(&self, file: File, table: &Table, _: TransferKind) -> io::Result<Box<dyn TableWriter>> {
        let mut header =
            String::from(if table.kind == Kind::Entity { ":ID,:LABEL" } else { ":START_ID,:END_ID,:TYPE" });
        // A property of the provider with this name gets a number.
        let mut taken = BTreeSet::from([TRANSFER.to_owned()]);
        for column in &table.columns {
            let name = match column.origin {
                Origin::Integration => "_integrationType",
                Origin::Instance => "_integrationInstanceID",
                _ => &column.name,
            };
            // Writing to a string cannot fail.
            let _ = write!(header, ",{}:{}", free(name, &mut taken), type_name(column.value_type));
        }
        let _ = write!(header, ",{TRANSFER}:string");
        let mut out = Output::new(file);
        writeln!(out, "{header}")?;
        Ok(Box::new(Writer { out, line: String::new() }))
    }
}

impl TableWriter for Writer {
    fn write(&mut self, batch: &Batch, snapshot: &SnapshotId, table: &Table) -> Result<(), SinkError> {
        let (prefix, mut row) = (prefix(snapshot), Vec::new());
        let transfer = format!("{}/{}", snapshot.job, snapshot.number);
        let class = table.columns.iter().position(|column| column.origin.property() == Some("_class"));
        for record in &batch.records {
            table.fill(record, snapshot, &mut row).map_err(SinkError::target("write", &batch.object_type))?;
            self.line.clear();
            let classes = class.and_then(|at| row.get(at));
            match &record.object.ends {
                Some((from, to)) if batch.kind == Kind::Relationship => {
                    self.text(&named(&prefix, from).0);
                    self.line.push(',');
                    self.text(&named(&prefix, to).0);
                    self.line.push(',');
                    let class = classes.and_then(|cell| texts(cell).next());
                    self.text(class.unwrap_or(batch.object_type.as_str()));
                }
                _ => {
                    self.text(&named(&prefix, &record.object.key).0);
                    self.line.push(',');
                    let mut labels = vec![ENTITY, batch.object_type.as_str()];
                    labels.extend(classes.into_iter().flat_map(texts));
                    let labels: Vec<String> = labels.into_iter().map(without_separator).collect();
                    self.text(&labels.join(&SEPARATOR.to_string()));
                }
            }
            for cell in &row {
                self.line.push(',');
                self.cell(cell);
            }
            self.line.push(',');
            self.text(&transfer);
            self.line.push('\n');
            self.out.write_all(self.line.as_bytes()).map_err(SinkError::target("write", &batch.object_type))?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<u64> {
        self.out.finish()
    }
}

impl Writer {
    fn cell(&mut self, cell: &Cell<'_>) {
        match cell {
            Cell::Null => {}
            Cell::Text(text) => self.text(text),
            Cell::List(elements) => {
                let elements = elements.iter().filter(|element| **element != Cell::Null);
                let elements: Vec<String> = elements.map(|element| without_separator(&plain(element))).collect();
                self.text(&elements.join(&SEPARATOR.to_string()));
            }
            cell => self.line.push_str(&plain(cell)),
        }
    }

    fn text(&mut self, text: &str) {
        self.line.push('"');
        self.line.push_str(&text.replace('"', "\"\""));
        self.line.push('"');
    }
}

fn texts<'a>(cell: &'a Cell<'_>) -> Box<dyn Iterator<Item = &'a str> + 'a> {
    match cell {
        Cell::Text(text) => Box::new(std::iter::once(text.as_ref())),
        Cell::List(elements) => Box::new(elements.iter().flat_map(texts)),
        _ => Box::new(std::iter::empty()),
    }
}

fn plain(cell: &Cell<'_>) -> String {
    match cell {
        Cell::Boolean(value) => value.to_string(),
        Cell::Integer(value) | Cell::Timestamp(value) => value.to_string(),
        Cell::Double(value) => double(*value),
        Cell::Text(text) => text.to_string(),
        Cell::Null | Cell::List(_) => String::new(),
    }
}

fn without_separator(text: &str) -> String {
    text.replace(SEPARATOR, "\u{fffd}")
}

fn type_name(value_type: ValueType) -> String {
    let element = match value_type.element {
        Element::Boolean => "boolean",
        Element::Timestamp | Element::Integer => "long",
        Element::Double => "double",
        Element::Text => "string",
    };
    format!("{element}{}", if value_type.is_list { "[]" } else { "" })
}

/// Returns a name without the characters that have a meaning in a header, and that no other column has.
fn free(name: &str, taken: &mut BTreeSet<String>) -> String {
    let has_meaning = |letter: char| letter.is_control() || matches!(letter, ':' | '{' | '}' | '(' | ')' | ',' | '"');
    let plain = name.replace(has_meaning, "_");
    let plain = if plain.trim().is_empty() { "_" } else { plain.trim() };
    let mut names = std::iter::once(plain.to_owned()).chain((2..).map(|number| format!("{plain}_{number}")));
    let free = names.find(|name| taken.insert(name.clone()));
    free.unwrap_or_else(|| plain.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_properties_have_no_meaning_in_a_header() {
        let mut taken = BTreeSet::new();
        let names = ["tag.a:b", "tag.a_b", " x ", "x", "(a)", ""].map(|name| free(name, &mut taken));
        assert_eq!(names, ["tag.a_b", "tag.a_b_2", "x", "x_2", "_a_", "_"]);
    }
}
