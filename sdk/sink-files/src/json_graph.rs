//! Nodes and links as JSON, in the form that D3 and NetworkX use.
//!
//! ```text
//!   {"generator": "integration-graph-files/1", "directed": true, "multigraph": true, "graph": {manifest},
//!    "nodes": [{"id", "label", "type", "class": [...], "integration", "instance", "stale", "properties": {...}}],
//!    "links": [{"source", "target", "key", "label", "type", "integration", "instance", "stale", "properties": {...}}]}
//! ```

use std::borrow::Cow;
use std::io::{self, Write};

use integration_graph::{Values, plain_text};
use integration_sink::{Manifest, Record};
use integration_store::SnapshotId;

use crate::graph_file::{Edge, GraphFormat, Node};
use crate::output::{Output, json_text};

#[derive(Debug, Default)]
pub(crate) struct JsonGraph {
    nodes: u64,
    links: u64,
}

impl GraphFormat for JsonGraph {
    fn needs_columns(&self) -> bool {
        false
    }

    fn takes_raw(&self) -> bool {
        true
    }

    fn mark(&self) -> &'static str {
        r#"{"generator":"integration-graph-files/1","#
    }

    fn begin(&mut self, manifest: &Manifest, out: &mut Output) -> io::Result<()> {
        out.write_all(b"\"directed\":true,\"multigraph\":true,\"graph\":")?;
        serde_json::to_writer(&mut *out, &manifest.document())?;
        out.write_all(b",\n\"nodes\":[")
    }

    fn node(&mut self, node: &Node<'_>, out: &mut Output) -> io::Result<()> {
        separate(&mut self.nodes, out)?;
        out.write_all(b"{\"id\":")?;
        json_text(&node.id, out)?;
        out.write_all(b",\"label\":")?;
        json_text(&label(node.record), out)?;
        let class = member(&node.record.object.properties, "\"_class\"").unwrap_or("[]");
        match class.starts_with('[') {
            true => write!(out, ",\"class\":{class}")?,
            false => write!(out, ",\"class\":[{class}]")?,
        }
        rest(node.record, node.snapshot, out)
    }

    fn edge(&mut self, edge: &Edge<'_>, out: &mut Output) -> io::Result<()> {
        self.begin_links(out)?;
        separate(&mut self.links, out)?;
        out.write_all(b"{\"source\":")?;
        json_text(&edge.from.0, out)?;
        out.write_all(b",\"target\":")?;
        json_text(&edge.to.0, out)?;
        out.write_all(b",\"key\":")?;
        json_text(edge.record.object.key.as_str(), out)?;
        out.write_all(b",\"label\":")?;
        json_text(&class(edge.record), out)?;
        rest(edge.record, edge.snapshot, out)
    }

    fn end(&mut self, out: &mut Output) -> io::Result<()> {
        self.begin_links(out)?;
        out.write_all(b"\n]}\n")?;
        *self = Self::default();
        Ok(())
    }
}

impl JsonGraph {
    /// Ends the nodes before the first link.
    fn begin_links(&self, out: &mut Output) -> io::Result<()> {
        if self.links == 0 { out.write_all(b"\n],\n\"links\":[") } else { Ok(()) }
    }
}

pub(crate) fn separate(number: &mut u64, out: &mut Output) -> io::Result<()> {
    *number += 1;
    out.write_all(if *number == 1 { b"\n" } else { b",\n" })
}

fn rest(record: &Record, snapshot: &SnapshotId, out: &mut Output) -> io::Result<()> {
    let object = &record.object;
    write!(out, ",\"type\":\"{}\",\"integration\":", object.object_type)?;
    json_text(&snapshot.integration, out)?;
    out.write_all(b",\"instance\":")?;
    json_text(snapshot.instance.as_str(), out)?;
    write!(out, ",\"stale\":{},\"properties\":{}", object.is_stale, object.properties)?;
    if let Some(raw) = &object.raw {
        write!(out, ",\"rawData\":{raw}")?;
    }
    out.write_all(b"}")
}

/// Returns the value of a member as JSON. The name is a JSON text as well.
pub(crate) fn member<'a>(properties: &'a str, name: &str) -> Option<&'a str> {
    let mut tokens = Values::within(properties);
    while let (Some(found), Some(value)) = (tokens.next(), tokens.next()) {
        if found == name {
            return Some(value);
        }
    }
    None
}

/// Returns the text of a JSON string; `None` if the value is something else.
pub(crate) fn text(value: &str) -> Option<Cow<'_, str>> {
    match plain_text(value) {
        Some(plain) => Some(Cow::Borrowed(plain)),
        None => serde_json::from_str(value).ok().map(Cow::Owned),
    }
}

/// Returns the name for users: `displayName`, or the key.
pub(crate) fn label(record: &Record) -> Cow<'_, str> {
    let name = member(&record.object.properties, "\"displayName\"").and_then(text);
    name.unwrap_or(Cow::Borrowed(record.object.key.as_str()))
}

/// Returns the classes of an object.
pub(crate) fn classes(record: &Record) -> Vec<String> {
    let value = member(&record.object.properties, "\"_class\"").unwrap_or("[]");
    match value.starts_with('[') {
        true => Values::within(value).filter_map(text).map(Cow::into_owned).collect(),
        false => text(value).map(Cow::into_owned).into_iter().collect(),
    }
}

/// Returns the class of a relationship.
pub(crate) fn class(record: &Record) -> String {
    classes(record).into_iter().next().unwrap_or_default()
}
