//! Drawing of types for Mermaid.

use super::links::{Links, with_count};
use super::model::TypeGraph;
use crate::escape::mermaid as escaped;
use crate::flowchart;

pub(super) fn mermaid(graph: &TypeGraph) -> String {
    let links = Links::of(graph);
    let mut out = flowchart::head(&graph.title, &graph.missing);
    for (at, entity) in graph.entities.iter().enumerate() {
        out += &format!("  t{at}[\"{}\"]\n", entity.lines(escaped).join("<br/>"));
    }
    for (at, object_type) in links.missing.iter().enumerate() {
        out += &flowchart::missing(&format!("t{}", graph.entities.len() + at), object_type, "declared by nobody");
    }
    for (edge, (from, to)) in graph.relationships.iter().zip(&links.ends) {
        let arrow = if edge.mapped { "-.->" } else { "-->" };
        out += &format!("  t{from} {arrow}|\"{}\"| t{to}\n", escaped(&with_count(&edge.class, edge.count)));
    }
    let declared = graph.entities.len();
    let ids = |members: &mut dyn Iterator<Item = usize>| members.map(|at| format!("t{at}")).collect::<Vec<_>>();
    let mapped = ids(&mut (0..declared).filter(|&at| graph.entities[at].mapped));
    let missing = ids(&mut (declared..declared + links.missing.len()));
    out + &flowchart::class("mapped", "stroke-dasharray:5 4", &mapped)
        + &flowchart::class("missing", flowchart::MISSING, &missing)
}
