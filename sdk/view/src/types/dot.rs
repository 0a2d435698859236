//! Drawing of types for Graphviz.

use super::links::{Links, with_count};
use super::model::TypeGraph;
use crate::escape::dot as escaped;
use crate::graphviz::{Look, head, missing};

const LOOK: Look = Look { columns_apart: "0.9", label: "#124a91", label_size: 10 };

pub(super) fn dot(graph: &TypeGraph) -> String {
    let links = Links::of(graph);
    let mut out = head("types", &graph.title, &graph.missing, &LOOK);
    for (at, entity) in graph.entities.iter().enumerate() {
        let mapped = if entity.mapped { ", style=\"rounded,dashed\"" } else { "" };
        out += &format!("  t{at} [label=\"{}\"{mapped}];\n", entity.lines(escaped).join("\\n"));
    }
    for (at, object_type) in links.missing.iter().enumerate() {
        out += &missing(&format!("t{}", graph.entities.len() + at), object_type, "declared by nobody");
    }
    out.push('\n');
    for (edge, (from, to)) in graph.relationships.iter().zip(&links.ends) {
        let label = escaped(&with_count(&edge.class, edge.count));
        let mapped = if edge.mapped { ", style=dashed" } else { "" };
        let hint = escaped(&edge.object_type);
        out += &format!("  t{from} -> t{to} [label=\"{label}\", tooltip=\"{hint}\"{mapped}];\n");
    }
    out + "}\n"
}
