//! Drawing of objects for Graphviz.

use super::links::{Links, lines, mark, title};
use super::model::{Change, GraphPicture};
use crate::escape::dot as escaped;
use crate::graphviz::{Look, head, missing};

const LOOK: Look = Look { columns_apart: "0.9", label: "#57626e", label_size: 9 };

/// The backgrounds of the types, all readable with black text. They repeat after the last one.
const GROUNDS: [&str; 8] = ["#d8e8fb", "#d9f2dc", "#fdeccb", "#f9dcdf", "#e8def8", "#d3f0ee", "#f4e3d3", "#e6eaee"];

pub(super) fn dot(graph: &GraphPicture) -> String {
    let links = Links::of(graph);
    let mut out = head("collected", &title(graph), &graph.missing, &LOOK);
    for (at, node) in links.nodes.iter().enumerate() {
        let label = lines(node).map(|line| escaped(&line)).join("\\n");
        let place = links.types.binary_search(&node.object_type.as_str()).unwrap_or_default();
        let ground = GROUNDS[place % GROUNDS.len()];
        let hint = escaped(&hint(&node.key, &node.change));
        let marks = marks(&node.change, "rounded,filled,dashed", "rounded,filled,dotted");
        out += &format!("  n{at} [label=\"{label}\", tooltip=\"{hint}\", fillcolor=\"{ground}\"{marks}];\n");
    }
    for (at, key) in links.missing.iter().enumerate() {
        out += &missing(&format!("n{}", links.nodes.len() + at), key, "not in the graph");
    }
    out.push('\n');
    for (edge, from, to) in &links.edges {
        let (label, hint) = (escaped(&edge.class), escaped(&hint(&edge.object_type, &edge.change)));
        let marks = marks(&edge.change, "dashed", "dotted");
        out += &format!("  n{from} -> n{to} [label=\"{label}\", tooltip=\"{hint}\"{marks}];\n");
    }
    out + "}\n"
}

/// Returns the tooltip of an object: its name and its change.
fn hint(name: &str, change: &Change) -> String {
    match mark(change) {
        Some((word, _)) => format!("{name} ({word})"),
        None => name.to_owned(),
    }
}

/// Returns the style of an object that has changed.
fn marks(change: &Change, removed: &str, unknown: &str) -> String {
    let Some((_, colour)) = mark(change) else { return String::new() };
    let style = match change {
        Change::Removed => format!(", style=\"{removed}\""),
        Change::Unknown { .. } => format!(", style=\"{unknown}\""),
        _ => String::new(),
    };
    format!(", color=\"{colour}\", penwidth=2{style}")
}
