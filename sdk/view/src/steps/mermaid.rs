//! Drawing of steps for Mermaid.

use super::card;
use super::links::{Link, Links};
use super::model::{StepGraph, StepNode, StepState};
use crate::escape::mermaid as escaped;
use crate::flowchart;

const CLASSES: &[(&str, &str)] = &[
    ("success", "stroke:#2da44e"),
    ("cached", "stroke:#218bff"),
    ("partial", "stroke:#d4a72c"),
    ("failure", "stroke:#cf222e"),
    ("critical", "stroke-width:3px"),
    ("off", "stroke-dasharray:5 4"),
    ("missing", flowchart::MISSING),
];

pub(super) fn mermaid(graph: &StepGraph) -> String {
    let links = Links::of(graph);
    let mut out = flowchart::head(&graph.title, &graph.missing);
    for (at, step) in graph.steps.iter().enumerate() {
        out += &node(at, step);
    }
    for (at, id) in links.missing.iter().enumerate() {
        out += &flowchart::missing(&format!("s{}", graph.steps.len() + at), id, "no such step");
    }
    for link in &links.edges {
        out += &edge(link);
    }
    for (class, style) in CLASSES {
        out += &flowchart::class(class, style, &members(graph, &links, class));
    }
    out
}

fn node(at: usize, step: &StepNode) -> String {
    format!("  s{at}[\"{}\"]\n", card::lines(step, escaped).join("<br/>"))
}

fn edge(link: &Link) -> String {
    let arrow = match (link.critical, link.explicit) {
        (true, _) => "==>",
        (false, true) => "-.->",
        (false, false) => "-->",
    };
    let mut through: Vec<String> = link.through.iter().map(|object_type| escaped(object_type)).collect();
    if link.streams {
        through.push("item by item".into());
    }
    let label = if through.is_empty() { String::new() } else { format!("|\"{}\"|", through.join("<br/>")) };
    format!("  s{} {arrow}{label} s{}\n", link.from, link.to)
}

fn members(graph: &StepGraph, links: &Links, class: &str) -> Vec<String> {
    let is_member = |at: &usize| match graph.steps.get(*at) {
        None => class == "missing",
        Some(step) => {
            let run = step.shown_run();
            run.is_some_and(|run| run.status.css_class() == class || run.critical && class == "critical")
                || step.state != StepState::Enabled && class == "off"
        }
    };
    (0..graph.steps.len() + links.missing.len()).filter(is_member).map(|at| format!("s{at}")).collect()
}
