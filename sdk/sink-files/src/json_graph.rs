//! Nodes and links as JSON, in the form that D3 and NetworkX use.
//!
//! ```text
//!   {"generator": "integration-graph-files/1", "directed": true, "multigraph": true, "graph": {manifest},
//!    "nodes": [{"id", "label", "type", "class": [...], "integration", "instance", "stale", "properties": {...}}],
//!    "links": [{"source", "target", "key", "label", "type", "integration", "instance", "stale", "properties": {...}}]}
//! ```

use std::io::{self, Write};

use integration_sink::{Manifest, Record};
use integration_store::SnapshotId;

use crate::graph_format::{Edge, GraphFormat, Node};
use crate::labels::{class, label, member};
use crate::output::{Output, json_text, separate};

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
