//! The types for Graphviz.

use super::links::{Links, with_count};
use super::model::TypeGraph;
use crate::escape::dot as escaped;
use crate::number::counted;

const STYLE: &str = "  graph [rankdir=LR, ranksep=0.9, nodesep=0.35, labelloc=t, fontname=\"Helvetica,Arial,sans-serif\"];\n  \
                     node [shape=box, style=\"rounded,filled\", fillcolor=\"#ffffff\", color=\"#87919c\", \
                     fontname=\"Helvetica,Arial,sans-serif\", fontsize=12, margin=\"0.2,0.1\"];\n  \
                     edge [color=\"#87919c\", fontcolor=\"#124a91\", fontname=\"Helvetica,Arial,sans-serif\", \
                     fontsize=10, arrowsize=0.8];\n";

pub(super) fn dot(graph: &TypeGraph) -> String {
    let links = Links::of(graph);
    let mut out = format!("digraph types {{\n{STYLE}");
    if !graph.title.trim().is_empty() {
        out += &format!("  label=\"{}\";\n", escaped(&graph.title));
    }
    out.push('\n');
    for (at, entity) in graph.entities.iter().enumerate() {
        let count = entity.count.map(|count| counted(count, "entity", "entities")).unwrap_or_default();
        let mut lines =
            [entity.resource.as_str(), &entity.object_type, &entity.classes.join(", "), &count].map(escaped).to_vec();
        lines.retain(|line| !line.is_empty());
        let mapped = if entity.mapped { ", style=\"rounded,dashed\"" } else { "" };
        out += &format!("  t{at} [label=\"{}\"{mapped}];\n", lines.join("\\n"));
    }
    for (at, object_type) in links.missing.iter().enumerate() {
        let at = graph.entities.len() + at;
        out += &format!(
            "  t{at} [label=\"{}\\ndeclared by nobody\", style=\"rounded,dashed\", color=\"#cf222e\", fontcolor=\"#cf222e\"];\n",
            escaped(object_type)
        );
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
