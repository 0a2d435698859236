//! Drawing of objects for Mermaid.

use super::links::{Links, lines, mark, title};
use super::model::{Change, GraphPicture};
use crate::escape::mermaid as escaped;
use crate::flowchart;

pub(super) fn mermaid(graph: &GraphPicture) -> String {
    let links = Links::of(graph);
    let mut out = flowchart::head(&title(graph), &graph.missing);
    for (at, node) in links.nodes.iter().enumerate() {
        out += &format!("  n{at}[\"{}\"]\n", lines(node).map(|line| escaped(&line)).join("<br/>"));
    }
    for (at, key) in links.missing.iter().enumerate() {
        out += &flowchart::missing(&format!("n{}", links.nodes.len() + at), key, "not in the graph");
    }
    for (edge, from, to) in &links.edges {
        let arrow = if edge.change == Change::Removed { "-.->" } else { "-->" };
        let unknown = if matches!(edge.change, Change::Unknown { .. }) { " (unknown)" } else { "" };
        let label = if edge.class.trim().is_empty() { &edge.object_type } else { &edge.class };
        out += &format!("  n{from} {arrow}|\"{}{unknown}\"| n{to}\n", escaped(label));
    }
    let missing: Vec<String> = (0..links.missing.len()).map(|at| format!("n{}", links.nodes.len() + at)).collect();
    out + &changes(&links) + &flowchart::class("missing", flowchart::MISSING, &missing)
}

/// Returns the style of changed entities.
fn changes(links: &Links<'_>) -> String {
    let changed = Change::Changed { before: String::new(), unknown: Vec::new() };
    let classes = [Change::Added, Change::Removed, changed, Change::Unknown { before: None }];
    let class = |(name, colour): (&str, &str)| {
        let is_member = |at: &usize| mark(&links.nodes[*at].change).is_some_and(|mark| mark.0 == name);
        let members: Vec<String> = (0..links.nodes.len()).filter(is_member).map(|at| format!("n{at}")).collect();
        let dashes = if name == "unknown" { ",stroke-dasharray:2 3" } else { "" };
        flowchart::class(name, &format!("stroke:{colour},stroke-width:3px{dashes}"), &members)
    };
    classes.iter().filter_map(mark).map(class).collect()
}
