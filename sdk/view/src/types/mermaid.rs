//! The types for Mermaid.

use super::links::{Links, with_count};
use super::model::TypeGraph;
use crate::escape::{mermaid as escaped, quoted};
use crate::number::counted;

pub(super) fn mermaid(graph: &TypeGraph) -> String {
    let links = Links::of(graph);
    let mut out = String::new();
    if !graph.title.trim().is_empty() {
        out += &format!("---\ntitle: {}\n---\n", quoted(&graph.title));
    }
    out += "flowchart LR\n";
    for (at, entity) in graph.entities.iter().enumerate() {
        let count = entity.count.map(|count| counted(count, "entity", "entities")).unwrap_or_default();
        let mut lines =
            [entity.resource.as_str(), &entity.object_type, &entity.classes.join(", "), &count].map(escaped).to_vec();
        lines.retain(|line| !line.is_empty());
        out += &format!("  t{at}[\"{}\"]\n", lines.join("<br/>"));
    }
    for (at, object_type) in links.missing.iter().enumerate() {
        out += &format!("  t{}[\"{}<br/>declared by nobody\"]\n", graph.entities.len() + at, escaped(object_type));
    }
    for (edge, (from, to)) in graph.relationships.iter().zip(&links.ends) {
        let arrow = if edge.mapped { "-.->" } else { "-->" };
        out += &format!("  t{from} {arrow}|\"{}\"| t{to}\n", escaped(&with_count(&edge.class, edge.count)));
    }
    let declared = graph.entities.len();
    let mapped = (0..declared).filter(|&at| graph.entities[at].mapped).collect();
    let missing = (declared..declared + links.missing.len()).collect();
    out + &class("mapped", "stroke-dasharray:5 4", mapped)
        + &class("missing", "stroke:#cf222e,stroke-dasharray:5 4", missing)
}

fn class(name: &str, style: &str, members: Vec<usize>) -> String {
    if members.is_empty() {
        return String::new();
    }
    let members: Vec<String> = members.iter().map(|at| format!("t{at}")).collect();
    format!("  classDef {name} {style}\n  class {} {name}\n", members.join(","))
}
