//! The graph as data for the page.
//!
//! Columns with the structure of the graph are parsed when the page loads. The objects themselves are stored line by
//! line in blocks, and only the blocks that a reader views are parsed. Everything is written directly to the output, so
//! only numbers are kept in memory.

use std::io::{self, Write};

use serde::Serialize;

use super::discs::Map;
use super::index::{Edge, Index};
use super::script_safe::ScriptSafe;
use crate::graph::{Change, GraphEdge, GraphPicture};

/// The number of objects in a block.
const BLOCK: usize = 128;

impl Change {
    /// Returns the number that represents the change in the page's data.
    fn code(&self) -> u8 {
        match self {
            Change::Same => 0,
            Change::Added => 1,
            Change::Removed => 2,
            Change::Changed { .. } => 3,
            Change::Unknown { .. } => 4,
        }
    }

    /// Returns the earlier state of the object, if known.
    fn before(&self) -> Option<&str> {
        match self {
            Change::Changed { before, .. } | Change::Unknown { before: Some(before) } => Some(before),
            _ => None,
        }
    }

    /// Returns the names of properties that may have changed, as JSON.
    fn unknown(&self) -> Option<String> {
        match self {
            Change::Changed { unknown, .. } if !unknown.is_empty() => serde_json::to_string(unknown).ok(),
            _ => None,
        }
    }
}

/// Writes the columns, which `data.js` reads first.
pub(super) fn write_columns(
    graph: &GraphPicture,
    index: &Index<'_>,
    map: &Map,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut out = Object::open(ScriptSafe(out))?;
    let nodes = || map.order.iter().map(|&at| (at, index.nodes[at]));
    let mut rank = vec![0; index.nodes.len()];
    map.order.iter().enumerate().for_each(|(rank_of, &at)| rank[at] = rank_of);
    out.field("title", &graph.title)?;
    out.field("missing", &graph.missing)?;
    out.field("block", &BLOCK)?;
    out.field("types", &index.types)?;
    out.field("kinds", &index.kinds)?;
    out.column("key", nodes().map(|(_, node)| &node.key))?;
    out.column("name", nodes().map(|(_, node)| if node.name == node.key { "" } else { &node.name }))?;
    out.column("type", nodes().map(|(at, _)| index.type_of[at]))?;
    out.column("x", nodes().map(|(at, _)| tenths(map.places[at].0)))?;
    out.column("y", nodes().map(|(at, _)| tenths(map.places[at].1)))?;
    out.column("radius", nodes().map(|(at, _)| tenths(map.places[at].2)))?;
    let (sets, set_of) = class_sets(index);
    out.field("classes", &sets)?;
    out.column("set", nodes().map(|(at, _)| set_of[at]))?;
    out.column("discX", map.discs.iter().map(|disc| tenths(disc.x)))?;
    out.column("discY", map.discs.iter().map(|disc| tenths(disc.y)))?;
    out.column("discRadius", map.discs.iter().map(|disc| tenths(disc.radius)))?;
    out.column("discCentred", map.discs.iter().map(|disc| u8::from(disc.node.is_some())))?;
    out.column("discStart", map.discs.iter().map(|disc| disc.start))?;
    out.column("discOwnEnd", map.discs.iter().map(|disc| disc.own_end))?;
    out.column("discEnd", map.discs.iter().map(|disc| disc.end))?;
    out.column("discDiscsEnd", map.discs.iter().map(|disc| disc.discs_end))?;
    out.column("from", index.edges.iter().map(|edge| rank[edge.from]))?;
    out.column("to", index.edges.iter().map(|edge| rank[edge.to]))?;
    out.column("kind", index.edges.iter().map(|edge| edge.kind))?;
    out.field("edgeKeys", &odd_keys(&index.edges))?;
    if graph.nodes.iter().any(|node| node.change != Change::Same)
        || graph.edges.iter().any(|edge| edge.change != Change::Same)
    {
        out.column("change", nodes().map(|(_, node)| node.change.code()))?;
        out.column("edgeChange", index.edges.iter().map(|edge| edge.source.change.code()))?;
    }
    let dangling = |edge: &&GraphEdge| {
        let GraphEdge { key, object_type, class, from, to, change, .. } = *edge;
        (key.clone(), object_type.clone(), class.clone(), from.clone(), to.clone(), change.code())
    };
    out.column("dangling", index.dangling.iter().map(dangling))?;
    out.close()
}

/// Writes the blocks of nodes, then the blocks of relationships, in the order of the columns.
///
/// Each block is a separate element, so that a browser can work while it is still reading the page.
pub(super) fn write_objects(index: &Index<'_>, map: &Map, out: &mut impl Write) -> io::Result<()> {
    let nodes = map.order.iter().map(|&at| (index.nodes[at].json.as_str(), &index.nodes[at].change));
    write_blocks("n", nodes, out)?;
    let edges = index.edges.iter().map(|edge| (edge.source.json.as_str(), &edge.source.change));
    write_blocks("e", edges, out)
}

fn write_blocks<'a>(
    prefix: &str,
    mut objects: impl Iterator<Item = (&'a str, &'a Change)>,
    out: &mut impl Write,
) -> io::Result<()> {
    for number in 0.. {
        let block: Vec<_> = objects.by_ref().take(BLOCK).collect();
        if block.is_empty() {
            break;
        }
        if block.iter().all(|(json, change)| json.is_empty() && change.before().is_none()) {
            continue;
        }
        write!(out, "<script type=\"application/x-ndjson\" id=\"{prefix}{number}\">")?;
        for (json, change) in block {
            write_line(json, out)?;
            let unknown = change.unknown();
            for more in change.before().into_iter().chain(unknown.as_deref()) {
                out.write_all(b"\t")?;
                write_line(more, out)?;
            }
            out.write_all(b"\n")?;
        }
        out.write_all(b"</script>\n")?;
    }
    Ok(())
}

/// Writes JSON on one line. Line breaks and tabs occur only between tokens, so spaces can replace them.
fn write_line(json: &str, out: &mut impl Write) -> io::Result<()> {
    let mut out = ScriptSafe(out);
    for part in json.split_inclusive(|char: char| char.is_ascii_control()) {
        match part.as_bytes() {
            [text @ .., b'\n' | b'\r' | b'\t'] => {
                out.write_all(text)?;
                out.write_all(b" ")?;
            }
            [text @ .., control] if control.is_ascii_control() => {
                out.write_all(text)?;
                write!(out, "\\u{control:04x}")?;
            }
            text => out.write_all(text)?,
        }
    }
    Ok(())
}

/// Returns the distinct sets of classes, and the index of the set of each node.
fn class_sets<'a>(index: &Index<'a>) -> (Vec<&'a [String]>, Vec<usize>) {
    let mut sets: Vec<&[String]> = index.nodes.iter().map(|node| node.classes.as_slice()).collect();
    sets.sort_unstable();
    sets.dedup();
    let set_of = index.nodes.iter().map(|node| sets.partition_point(|set| *set < node.classes.as_slice())).collect();
    (sets, set_of)
}

/// Returns unusual keys of relationships, which do not consist of both ends and the class.
fn odd_keys<'a>(edges: &[Edge<'a>]) -> Vec<(usize, &'a str)> {
    let usual = |edge: &GraphEdge| {
        let rest = edge.key.strip_prefix(edge.from.as_str()).and_then(|rest| rest.strip_prefix('|'));
        let class = rest.and_then(|rest| rest.strip_suffix(edge.to.as_str())).and_then(|rest| rest.strip_suffix('|'));
        class.is_some_and(|class| class == edge.class.to_lowercase())
    };
    let odd = edges.iter().enumerate().filter(|(_, edge)| !usual(edge.source));
    odd.map(|(at, edge)| (at, edge.source.key.as_str())).collect()
}

fn tenths(value: f64) -> f64 {
    let rounded = (value * 10.0).round() / 10.0;
    if rounded == 0.0 { 0.0 } else { rounded }
}

/// A JSON object that is written field by field.
struct Object<W> {
    out: W,
    empty: bool,
}

impl<W: Write> Object<W> {
    fn open(mut out: W) -> io::Result<Object<W>> {
        out.write_all(b"{")?;
        Ok(Object { out, empty: true })
    }

    fn name(&mut self, name: &str) -> io::Result<()> {
        let comma = if self.empty { "" } else { ",\n" };
        self.empty = false;
        write!(self.out, "{comma}\"{name}\":")
    }

    fn field(&mut self, name: &str, value: &impl Serialize) -> io::Result<()> {
        self.name(name)?;
        Ok(serde_json::to_writer(&mut self.out, value)?)
    }

    fn column<T: Serialize>(&mut self, name: &str, values: impl Iterator<Item = T>) -> io::Result<()> {
        self.name(name)?;
        self.out.write_all(b"[")?;
        for (at, value) in values.enumerate() {
            if at > 0 {
                self.out.write_all(b",")?;
            }
            serde_json::to_writer(&mut self.out, &value)?;
        }
        self.out.write_all(b"]")
    }

    fn close(mut self) -> io::Result<()> {
        self.out.write_all(b"}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_of_any_shape_takes_one_line_and_closes_no_script() {
        let mut out = Vec::new();
        write_line("{\n\t\"a\": \"</script>\u{1}\u{2028}\"\r\n}", &mut out).unwrap();
        let line = String::from_utf8(out).unwrap();
        assert_eq!(line, "{  \"a\": \"\\u003c/script>\\u0001\u{2028}\"  }");
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["a"], "</script>\u{1}\u{2028}");
    }

    #[test]
    fn a_key_of_the_usual_form_is_not_written_twice() {
        let edge = |key: &str| GraphEdge {
            key: key.into(),
            class: "HAS".into(),
            from: "a|b".into(),
            to: "c".into(),
            ..GraphEdge::default()
        };
        let sources = [edge("a|b|has|c"), edge("a|has|b"), edge("a|b|c"), edge("")];
        let edges: Vec<Edge<'_>> = sources.iter().map(|source| Edge { from: 0, to: 1, kind: 0, source }).collect();
        assert_eq!(odd_keys(&edges), [(1, "a|has|b"), (2, "a|b|c"), (3, "")]);
    }
}
