//! The types for a terminal: each entity type, and below it its outgoing relationships.

use super::links::{Links, facts};
use super::model::{TypeEdge, TypeGraph};
use crate::escape::visible;
use crate::measure::columns;
use crate::number::{counted, grouped};
use crate::terminal::{BLUE, BOLD, FAINT, PLAIN, RED, Terminal, padded};

/// The maximum width to which names are aligned.
const WIDEST_COLUMN: usize = 34;

pub(super) fn text(graph: &TypeGraph, width: usize, colour: bool) -> String {
    let links = Links::of(graph);
    let mut out = Terminal::new(width, colour);
    if !graph.title.trim().is_empty() {
        out.line(&[(BOLD, &visible(&graph.title))]);
    }
    let facts = facts(graph);
    for fact in &facts[..facts.len() - graph.missing.len()] {
        out.line(&[(FAINT, fact)]);
    }
    out.notes(&graph.missing);
    let widths = Widths::of(graph);
    for (at, entity) in graph.entities.iter().enumerate() {
        let count = entity.count.map(|count| counted(count, "entity", "entities")).unwrap_or_default();
        let owner = if entity.mapped { "of another source" } else { "" };
        let remarks: Vec<String> = [visible(&entity.classes.join(", ")), count, owner.into()]
            .into_iter()
            .filter(|text| !text.is_empty())
            .collect();
        out.line(&[]);
        out.line(&[
            (BOLD, &padded(&visible(&entity.object_type), widths.object_type)),
            (PLAIN, &format!("  {}", padded(&visible(&entity.resource), widths.resource))),
            (FAINT, &format!("  {}", remarks.join(" · "))),
        ]);
        relationships(&mut out, graph, &links, at, &widths);
    }
    for (at, object_type) in links.missing.iter().enumerate() {
        out.line(&[]);
        out.line(&[(RED, "✗ "), (BOLD, &visible(object_type)), (RED, "  declared by nobody")]);
        relationships(&mut out, graph, &links, graph.entities.len() + at, &widths);
    }
    out.finish()
}

struct Widths {
    object_type: usize,
    resource: usize,
    class: usize,
    target: usize,
    relationship: usize,
    count: usize,
}

impl Widths {
    fn of(graph: &TypeGraph) -> Widths {
        let widest = |texts: &mut dyn Iterator<Item = &String>| {
            texts.map(|text| columns(&visible(text))).max().unwrap_or(0).min(WIDEST_COLUMN)
        };
        Widths {
            object_type: widest(&mut graph.entities.iter().map(|entity| &entity.object_type)),
            resource: widest(&mut graph.entities.iter().map(|entity| &entity.resource)),
            class: widest(&mut graph.relationships.iter().map(|edge| &edge.class)),
            target: widest(&mut graph.relationships.iter().map(|edge| &edge.to)),
            relationship: widest(&mut graph.relationships.iter().map(|edge| &edge.object_type)),
            count: graph
                .relationships
                .iter()
                .filter_map(|edge| edge.count)
                .map(|count| grouped(count).len())
                .max()
                .unwrap_or(0),
        }
    }
}

fn relationships(out: &mut Terminal, graph: &TypeGraph, links: &Links, entity: usize, widths: &Widths) {
    let ends = graph.relationships.iter().zip(&links.ends);
    let leaving: Vec<&TypeEdge> = ends.filter(|(_, ends)| ends.0 == entity).map(|(edge, _)| edge).collect();
    for (at, edge) in leaving.iter().enumerate() {
        let branch = if at + 1 == leaving.len() { "└─ " } else { "├─ " };
        let count = format!("{:>width$}", edge.count.map(grouped).unwrap_or_default(), width = widths.count);
        let mapped = if edge.mapped { "  mapped" } else { "" };
        let arrow = if edge.mapped { " ╌▶ " } else { " ─▶ " };
        out.line(&[
            (FAINT, branch),
            (BLUE, &padded(&visible(&edge.class), widths.class)),
            (FAINT, arrow),
            (PLAIN, &padded(&visible(&edge.to), widths.target)),
            (FAINT, &format!("  {}", padded(&visible(&edge.object_type), widths.relationship))),
            (PLAIN, &format!("  {count}")),
            (FAINT, mapped),
        ]);
    }
}
