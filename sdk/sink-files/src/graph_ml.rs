//! GraphML with typed attributes.
//!
//! Booleans, integers, doubles, and texts have the types `boolean`, `long`, `double`, and `string`. A time is a
//! `long` in milliseconds, and a list is a `string` with a JSON list. The attribute `label` is the name of a node, and the class of an
//! edge. Characters that XML does not allow become U+FFFD.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use integration_graph::ObjectType;
use integration_graph::history::ChangeCounts;
use integration_sink::{Cell, Columns, Element, Manifest, ManifestType, Record, Table, TransferKind, ValueType};
use integration_store::{Kind, SnapshotId};

use crate::csv::json;
use crate::graph_file::{Edge, GraphFormat, Node};
use crate::json_graph::{class, label};
use crate::output::Output;

#[derive(Debug, Default)]
pub(crate) struct GraphMl {
    nodes: Option<Table>,
    edges: Option<Table>,
    number: u64,
}

impl GraphFormat for GraphMl {
    fn needs_columns(&self) -> bool {
        true
    }

    fn takes_raw(&self) -> bool {
        false
    }

    fn begin(&mut self, manifest: &Manifest, out: &mut Output) -> io::Result<()> {
        out.write_all(
            b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
              <graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\" \
              xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
              xsi:schemaLocation=\"http://graphml.graphdrawing.org/xmlns \
              http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd\">\n",
        )?;
        let (nodes, edges) = (merged(manifest, Kind::Entity), merged(manifest, Kind::Relationship));
        keys(&nodes, "node", out)?;
        keys(&edges, "edge", out)?;
        (self.nodes, self.edges, self.number) = (Some(nodes), Some(edges), 0);
        out.write_all(b"<graph id=\"graph\" edgedefault=\"directed\">\n")
    }

    fn node(&mut self, node: &Node<'_>, out: &mut Output) -> io::Result<()> {
        let Some(table) = &self.nodes else { return Ok(()) };
        writeln!(out, "<node id=\"{}\"><data key=\"nl\">{}</data>", xml(&node.id), xml(&label(node.record)))?;
        data(table, 'n', node.record, node.snapshot, out)?;
        out.write_all(b"</node>\n")
    }

    fn edge(&mut self, edge: &Edge<'_>, out: &mut Output) -> io::Result<()> {
        let Some(table) = &self.edges else { return Ok(()) };
        self.number += 1;
        let (number, from, to) = (self.number, xml(&edge.from.0), xml(&edge.to.0));
        write!(out, "<edge id=\"e{number}\" source=\"{from}\" target=\"{to}\">")?;
        writeln!(out, "<data key=\"el\">{}</data>", xml(&class(edge.record)))?;
        data(table, 'e', edge.record, edge.snapshot, out)?;
        out.write_all(b"</edge>\n")
    }

    fn end(&mut self, out: &mut Output) -> io::Result<()> {
        out.write_all(b"</graph>\n</graphml>\n")
    }
}

/// Returns the columns of all types of a kind together, because an attribute has one type in the whole file.
fn merged(manifest: &Manifest, kind: Kind) -> Table {
    let mut columns = Columns::default();
    let of_kind = manifest.types.iter().filter(|of_type| of_type.kind == kind);
    of_kind.for_each(|of_type| columns.merge(&of_type.columns));
    let object_type = ObjectType::literal("any");
    let changes = ChangeCounts::default();
    let of_type = ManifestType { kind, object_type, objects: 0, stale: 0, changes, columns };
    Table::new(&of_type, TransferKind::Whole, false, &BTreeMap::new())
}

fn keys(table: &Table, domain: &str, out: &mut Output) -> io::Result<()> {
    let prefix = &domain[..1];
    writeln!(out, "<key id=\"{prefix}l\" for=\"{domain}\" attr.name=\"label\" attr.type=\"string\"/>")?;
    let mut taken: BTreeSet<String> = ["label".to_owned()].into();
    for (at, column) in table.columns.iter().enumerate() {
        let mut names = std::iter::once(column.name.clone()).chain((2..).map(|n| format!("{}_{n}", column.name)));
        let name = names.find(|name| taken.insert(name.to_lowercase())).unwrap_or_default();
        let attribute = match column.value_type {
            ValueType { is_list: true, .. } => "string",
            ValueType { element: Element::Boolean, .. } => "boolean",
            ValueType { element: Element::Integer | Element::Timestamp, .. } => "long",
            ValueType { element: Element::Double, .. } => "double",
            ValueType { element: Element::Text, .. } => "string",
        };
        let name = xml(&name);
        writeln!(out, "<key id=\"{prefix}{at}\" for=\"{domain}\" attr.name=\"{name}\" attr.type=\"{attribute}\"/>")?;
    }
    Ok(())
}

fn data(table: &Table, prefix: char, record: &Record, snapshot: &SnapshotId, out: &mut Output) -> io::Result<()> {
    let mut row = Vec::new();
    table.fill(record, snapshot, &mut row).map_err(io::Error::other)?;
    for (at, cell) in row.iter().enumerate() {
        let value = match cell {
            Cell::Null => continue,
            Cell::Text(text) => xml(text),
            cell @ Cell::List(_) => Cow::Owned(xml(&json(cell).to_string()).into_owned()),
            cell => Cow::Owned(json(cell).to_string()),
        };
        writeln!(out, "<data key=\"{prefix}{at}\">{value}</data>")?;
    }
    Ok(())
}

/// Escapes a text for contents and attributes.
pub(crate) fn xml(text: &str) -> Cow<'_, str> {
    let is_plain = |letter: char| !matches!(letter, '&' | '<' | '>' | '"' | '\r' | '\n' | '\t') && is_allowed(letter);
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // Parsers replace these characters in attributes by spaces, and in contents by line feeds.
            '\r' | '\n' | '\t' => escaped.push_str(&format!("&#{};", u32::from(letter))),
            letter if is_allowed(letter) => escaped.push(letter),
            _ => escaped.push('\u{fffd}'),
        }
    }
    Cow::Owned(escaped)
}

/// Returns whether XML 1.0 allows a character.
fn is_allowed(letter: char) -> bool {
    !matches!(letter, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}
