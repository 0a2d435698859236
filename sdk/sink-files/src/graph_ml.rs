//! GraphML with typed attributes.
//!
//! Booleans, integers, doubles, and texts have the types `boolean`, `long`, `double`, and `string`. A time is a
//! `long` in milliseconds, and a list is a `string` with a JSON list. The type of an attribute holds the values of all
//! types of objects, but the form of a value depends on its own type of objects only. The attribute `label` is the name of a node, and the class of an
//! edge. Characters that XML does not allow become U+FFFD.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use integration_graph::ObjectType;
use integration_sink::{
    Cell, Column, Columns, Element, Manifest, ManifestType, Record, Replacement, Table, TransferKind, ValueType,
};
use integration_store::{Kind, SnapshotId};

use crate::csv::json;
use crate::graph_format::{Edge, GraphFormat, Node};
use crate::labels::{class, label};
use crate::output::Output;

#[derive(Debug, Default)]
pub(crate) struct GraphMl {
    /// The columns of each type, with the ids of their attributes.
    tables: BTreeMap<(Kind, ObjectType), (Table, Vec<String>)>,
    number: u64,
}

impl GraphFormat for GraphMl {
    fn needs_columns(&self) -> bool {
        true
    }

    fn takes_raw(&self) -> bool {
        false
    }

    fn replaces(&self) -> Option<Replacement> {
        Some(Replacement {
            hints: &["\\u00", "\\b", "\\f", "\u{fffe}", "\u{ffff}"],
            is_replaced: |letter| !is_allowed(letter),
            only_in_lists: false,
            reason: "XML has no place for some control characters, which become U+FFFD",
        })
    }

    fn mark(&self) -> &'static str {
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- integration-graph-files/1 -->\n"
    }

    fn begin(&mut self, manifest: &Manifest, out: &mut Output) -> io::Result<()> {
        out.write_all(
            b"<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\" \
              xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
              xsi:schemaLocation=\"http://graphml.graphdrawing.org/xmlns \
              http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd\">\n",
        )?;
        *self = Self::default();
        for (kind, domain) in [(Kind::Entity, "node"), (Kind::Relationship, "edge")] {
            let of_kind: Vec<&ManifestType> = manifest.types.iter().filter(|of| of.kind == kind).collect();
            let tables = of_kind.iter().map(|of| Table::new(of, TransferKind::Whole, false, &BTreeMap::new()));
            let tables: Vec<Table> = tables.collect();
            let keys = Keys::of(&tables, &of_kind);
            keys.write(domain, out)?;
            for table in tables {
                let ids = table.columns.iter().map(|column| keys.id(domain, column)).collect();
                self.tables.insert((kind, table.object_type.clone()), (table, ids));
            }
        }
        out.write_all(b"<graph id=\"graph\" edgedefault=\"directed\">\n")
    }

    fn node(&mut self, node: &Node<'_>, out: &mut Output) -> io::Result<()> {
        writeln!(out, "<node id=\"{}\"><data key=\"nl\">{}</data>", xml(&node.id), xml(&label(node.record)))?;
        self.data(node.record, node.snapshot, out)?;
        out.write_all(b"</node>\n")
    }

    fn edge(&mut self, edge: &Edge<'_>, out: &mut Output) -> io::Result<()> {
        self.number += 1;
        let (number, from, to) = (self.number, xml(&edge.from.0), xml(&edge.to.0));
        write!(out, "<edge id=\"e{number}\" source=\"{from}\" target=\"{to}\">")?;
        writeln!(out, "<data key=\"el\">{}</data>", xml(&class(edge.record)))?;
        self.data(edge.record, edge.snapshot, out)?;
        out.write_all(b"</edge>\n")
    }

    fn end(&mut self, out: &mut Output) -> io::Result<()> {
        out.write_all(b"</graph>\n</graphml>\n")
    }
}

/// The attributes of all nodes, or of all edges.
struct Keys {
    /// The names and types, in the order of the ids.
    attributes: Vec<(String, &'static str)>,
    /// The positions by property, or by the name of a column that is no property.
    places: BTreeMap<(bool, String), usize>,
}

impl Keys {
    /// Collects the columns of all types. An attribute has one type in the whole file, which holds all values.
    fn of(tables: &[Table], types: &[&ManifestType]) -> Self {
        let mut merged = Columns::default();
        types.iter().for_each(|of_type| merged.merge(&of_type.columns));
        let mut keys = Self { attributes: Vec::new(), places: BTreeMap::new() };
        let mut taken: BTreeSet<String> = ["label".to_owned()].into();
        for column in tables.iter().flat_map(|table| &table.columns) {
            let place = place(column);
            if keys.places.contains_key(&place) {
                continue;
            }
            let mut names = std::iter::once(column.name.clone()).chain((2..).map(|n| format!("{}_{n}", column.name)));
            let name = names.find(|name| taken.insert(name.to_lowercase())).unwrap_or_default();
            // The types of identifying properties depend on no values.
            let own = column.value_type;
            let value_type = column.origin.property().and_then(|property| merged.get(property)).unwrap_or(own);
            let value_type = if own.is_list { own } else { value_type };
            keys.places.insert(place, keys.attributes.len());
            keys.attributes.push((name, attribute_type(value_type)));
        }
        keys
    }

    fn write(&self, domain: &str, out: &mut Output) -> io::Result<()> {
        let prefix = &domain[..1];
        writeln!(out, "<key id=\"{prefix}l\" for=\"{domain}\" attr.name=\"label\" attr.type=\"string\"/>")?;
        for (at, (name, attribute)) in self.attributes.iter().enumerate() {
            let name = xml(name);
            writeln!(
                out,
                "<key id=\"{prefix}{at}\" for=\"{domain}\" attr.name=\"{name}\" attr.type=\"{attribute}\"/>"
            )?;
        }
        Ok(())
    }

    fn id(&self, domain: &str, column: &Column) -> String {
        format!("{}{}", &domain[..1], self.places.get(&place(column)).copied().unwrap_or_default())
    }
}

fn place(column: &Column) -> (bool, String) {
    let property = column.origin.property();
    (property.is_some(), property.unwrap_or(&column.name).to_owned())
}

fn attribute_type(value_type: ValueType) -> &'static str {
    match value_type {
        ValueType { is_list: true, .. } => "string",
        ValueType { element: Element::Boolean, .. } => "boolean",
        ValueType { element: Element::Integer | Element::Timestamp, .. } => "long",
        ValueType { element: Element::Double, .. } => "double",
        ValueType { element: Element::Text, .. } => "string",
    }
}

impl GraphMl {
    fn data(&self, record: &Record, snapshot: &SnapshotId, out: &mut Output) -> io::Result<()> {
        let of_type = (record.object.kind, record.object.object_type.clone());
        let Some((table, ids)) = self.tables.get(&of_type) else { return Ok(()) };
        let mut row = Vec::new();
        table.fill(record, snapshot, &mut row).map_err(io::Error::other)?;
        for (id, cell) in ids.iter().zip(&row) {
            let value = match cell {
                Cell::Null => continue,
                Cell::Text(text) => xml(text),
                cell @ Cell::List(_) => Cow::Owned(xml(&json(cell).to_string()).into_owned()),
                cell => Cow::Owned(json(cell).to_string()),
            };
            writeln!(out, "<data key=\"{id}\">{value}</data>")?;
        }
        Ok(())
    }
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
