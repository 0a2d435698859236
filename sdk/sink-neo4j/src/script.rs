//! A Cypher script with the statements of a transfer, for `cypher-shell` and servers without a connection.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::fmt::Write as _;
use std::fs::File;
use std::hash::{Hash, Hasher};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use integration_files::staging::Staging;
use integration_graph::ObjectKey;
use integration_sink::{Batch, BlockingSink, Capabilities, Manifest, Record, Replacement, Report, SinkError};
use integration_store::{Kind, SnapshotId};

use crate::cypher::{ENTITY, constraint, labels, quoted};
use crate::row::{Layout, entity_labels, mark, relationship_type};
use crate::value::PropertyValue;

/// The maximum number of objects in a statement.
const OBJECTS: usize = 500;
/// The size of a statement above which it takes no more objects.
const BYTES: usize = 1 << 20;
/// The number of bytes written at once.
const BUFFER: usize = 1 << 18;

/// The first line. It names this program, so that no other file is replaced.
const MARK: &str = "// integration-graph-files/1\n";

/// A file of Cypher statements that create the graph, or bring an earlier one into its state.
///
/// The statements delete nothing. The file is replaced as a whole.
pub struct CypherScript {
    path: PathBuf,
    layout: Layout,
    transfer: Option<Transfer>,
}

struct Transfer {
    staging: Staging,
    out: BufWriter<File>,
    bytes: u64,
    manifest: Manifest,
    /// The objects of the next statement.
    pending: Option<Statement>,
    /// The digests of the nodes.
    nodes: HashSet<u64>,
    report: Report,
}

/// Objects that one statement writes.
struct Statement {
    snapshot: usize,
    kind: Kind,
    /// The labels, or the type of the relationships.
    names: Vec<String>,
    rows: String,
    keys: String,
    number: usize,
}

impl CypherScript {
    /// Creates a sink that replaces a file.
    pub fn new(path: &Path, layout: Layout) -> Self {
        Self { path: path.to_owned(), layout, transfer: None }
    }

    /// Checks that the target is absent, or an earlier script.
    fn check_target(&self, staging: &Staging) -> Result<(), SinkError> {
        let check = || Ok(staging.target()?.is_none() || staging.is_marked(MARK.as_bytes())?);
        match check().map_err(SinkError::target::<io::Error>("read", self.path.display()))? {
            true => Ok(()),
            false => Err(SinkError::Unsuitable(format!(
                "{} is not a file that an export wrote; choose another name, or remove it first",
                self.path.display()
            ))),
        }
    }
}

impl Transfer {
    fn add(&mut self, batch: &Batch, record: &Record, layout: Layout) -> io::Result<()> {
        let (key, id) = (&record.object.key, self.manifest.snapshots[batch.snapshot].id.clone());
        let report = self.report.of(batch.kind, &batch.object_type);
        let names = match (batch.kind, &record.object.ends) {
            (Kind::Entity, _) => {
                self.nodes.insert(digest(batch.snapshot, key));
                entity_labels(record)
            }
            (Kind::Relationship, Some((from, to))) => {
                let is_node = |key| self.nodes.contains(&digest(batch.snapshot, key));
                if !is_node(from) || !is_node(to) {
                    report.skip("an end is not part of the transfer", key.as_str());
                    return Ok(());
                }
                vec![relationship_type(record)]
            }
            _ => {
                report.skip("it is a mapped relationship, whose target is in another graph", key.as_str());
                return Ok(());
            }
        };
        report.written += 1;
        Replacement::NUL.note(record, report);
        let fits = |of: &Statement| {
            (of.snapshot, of.kind, &of.names) == (batch.snapshot, batch.kind, &names)
                && of.number < OBJECTS
                && of.rows.len() < BYTES
        };
        if !self.pending.as_ref().is_some_and(fits) {
            self.flush()?;
        }
        let new = || Statement {
            snapshot: batch.snapshot,
            kind: batch.kind,
            names,
            rows: String::new(),
            keys: String::new(),
            number: 0,
        };
        self.pending.get_or_insert_with(new).add(record, &id, layout);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        let Some(statement) = self.pending.take() else { return Ok(()) };
        let text = statement.text(&self.manifest.snapshots[statement.snapshot].id);
        self.put(&text)
    }

    fn put(&mut self, text: &str) -> io::Result<()> {
        self.bytes += text.len() as u64;
        self.out.write_all(text.as_bytes())
    }
}

impl Statement {
    fn add(&mut self, record: &Record, id: &SnapshotId, layout: Layout) {
        let separator = if self.number > 0 { ",\n" } else { "" };
        let key = literal_text(record.object.key.as_str());
        let properties: Vec<String> = layout
            .properties(record, id, &mark(id))
            .iter()
            .map(|(name, value)| format!("{}: {}", quoted(name), literal(value)))
            .collect();
        let ends = match (&record.object.ends, self.kind) {
            (Some((from, to)), Kind::Relationship) => {
                format!("from: {}, to: {}, ", literal_text(from.as_str()), literal_text(to.as_str()))
            }
            _ => String::new(),
        };
        // Writing to a string cannot fail.
        let _ = write!(self.rows, "{separator}{{key: {key}, {ends}properties: {{{}}}}}", properties.join(", "));
        let _ = write!(self.keys, "{separator}{key}");
        self.number += 1;
    }

    fn text(&self, id: &SnapshotId) -> String {
        let (integration, instance) = (literal_text(&id.integration), literal_text(id.instance.as_str()));
        let node = |variable: &str, key: &str| {
            let place = format!("_integrationType: {integration}, _integrationInstanceID: {instance}");
            format!("({variable}:{ENTITY} {{{place}, _key: {key}}})")
        };
        let Self { rows, keys, names, .. } = self;
        if self.kind == Kind::Entity {
            let labels = labels(names.iter().map(String::as_str));
            // Labels need a separate statement: some servers lose properties if one statement sets both.
            return format!(
                "UNWIND [\n{rows}\n] AS row MERGE {} SET n = row.properties;\n\
                 UNWIND [\n{keys}\n] AS key MATCH {} SET n{labels};\n",
                node("n", "row.key"),
                node("n", "key")
            );
        }
        let name = quoted(names.first().map(String::as_str).unwrap_or_default());
        format!(
            "UNWIND [\n{rows}\n] AS row MATCH {} MATCH {} MERGE (a)-[r:{name} {{_key: row.key}}]->(b) \
             SET r = row.properties;\n",
            node("a", "row.from"),
            node("b", "row.to")
        )
    }
}

fn digest(snapshot: usize, key: &ObjectKey) -> u64 {
    let mut hasher = DefaultHasher::new();
    (snapshot, key.as_str()).hash(&mut hasher);
    hasher.finish()
}

fn literal(value: &PropertyValue) -> String {
    match value {
        PropertyValue::Boolean(value) => value.to_string(),
        // The least integer has no literal, because a literal has no sign.
        PropertyValue::Integer(i64::MIN) => "(-9223372036854775807 - 1)".to_owned(),
        PropertyValue::Integer(value) => value.to_string(),
        PropertyValue::Float(value) => format!("{value:?}"),
        PropertyValue::Text(text) => literal_text(text),
        PropertyValue::List(values) => format!("[{}]", values.iter().map(literal).collect::<Vec<_>>().join(", ")),
    }
}

/// Returns a text in quotation marks, on one line.
fn literal_text(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('"');
    for letter in text.chars() {
        match letter {
            '"' => literal.push_str("\\\""),
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            '\0' => literal.push('\u{fffd}'),
            letter => literal.push(letter),
        }
    }
    literal.push('"');
    literal
}

impl BlockingSink for CypherScript {
    fn capabilities(&self) -> Capabilities {
        Capabilities { columns: false, changes: false, raw: true }
    }

    fn begin(&mut self, manifest: &Manifest) -> Result<(), SinkError> {
        let failed = || SinkError::target::<io::Error>("write to", self.path.display());
        let staging = Staging::open(&self.path).map_err(SinkError::target("write to", self.path.display()))?;
        self.check_target(&staging)?;
        let out = BufWriter::with_capacity(BUFFER, staging.create_file().map_err(failed())?);
        let (manifest, nodes, report) = (manifest.clone(), HashSet::new(), Report::default());
        let mut transfer = Transfer { staging, out, bytes: 0, manifest, pending: None, nodes, report };
        transfer.put(&format!("{MARK}{};\n", constraint())).map_err(failed())?;
        self.transfer = Some(transfer);
        Ok(())
    }

    fn add(&mut self, batch: &Batch) -> Result<(), SinkError> {
        let transfer = self.transfer.as_mut().ok_or(SinkError::Stopped)?;
        let mut add = |record| transfer.add(batch, record, self.layout);
        batch.records.iter().try_for_each(&mut add).map_err(SinkError::target("write to", self.path.display()))
    }

    fn end(&mut self) -> Result<Report, SinkError> {
        let mut transfer = self.transfer.take().ok_or(SinkError::Stopped)?;
        let failed = || SinkError::target::<io::Error>("write to", self.path.display());
        transfer.flush().map_err(failed())?;
        let Transfer { staging, mut out, bytes, mut report, .. } = transfer;
        // The earlier file is removed afterwards.
        out.flush().and_then(|()| out.get_ref().sync_data()).map_err(failed())?;
        drop(out);
        // Another file may have got this name while the script was written.
        self.check_target(&staging)?;
        staging.publish_file().map_err(failed())?;
        (report.bytes, report.files) = (Some(bytes), Some(1));
        Ok(report)
    }

    fn discard(&mut self) {
        // Dropping the staging folder discards the new file.
        self.transfer = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_inside_its_quotation_marks() {
        assert_eq!(literal_text("a\"}) DETACH DELETE n //\\"), r#""a\"}) DETACH DELETE n //\\""#);
        assert_eq!(literal_text("line\nline\t\0"), "\"line\\nline\\t\u{fffd}\"");
    }

    #[test]
    fn values_have_literals() {
        let list = PropertyValue::List(vec![PropertyValue::Float(1.0), PropertyValue::Float(1e300)]);
        assert_eq!(literal(&list), "[1.0, 1e300]");
        assert_eq!(literal(&PropertyValue::Integer(i64::MIN)), "(-9223372036854775807 - 1)");
        assert_eq!(literal(&PropertyValue::List(Vec::new())), "[]");
    }
}
