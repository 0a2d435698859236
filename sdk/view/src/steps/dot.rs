//! The steps for Graphviz.

use super::card;
use super::links::{Link, Links};
use super::model::{RunStatus, StepGraph, StepNode};
use crate::escape::dot as escaped;

/// What every node and edge has in common. One grey for lines and texts that can be read on white and on black.
const STYLE: &str = "  graph [rankdir=LR, ranksep=0.8, nodesep=0.35, labelloc=t, fontname=\"Helvetica,Arial,sans-serif\"];\n  \
                     node [shape=box, style=\"rounded,filled\", fillcolor=\"#ffffff\", color=\"#87919c\", \
                     fontname=\"Helvetica,Arial,sans-serif\", fontsize=12, margin=\"0.2,0.1\"];\n  \
                     edge [color=\"#87919c\", fontcolor=\"#57626e\", fontname=\"Helvetica,Arial,sans-serif\", \
                     fontsize=9, arrowsize=0.8];\n";

pub(super) fn dot(graph: &StepGraph) -> String {
    let links = Links::of(graph);
    let mut out = format!("digraph steps {{\n{STYLE}");
    if !graph.title.trim().is_empty() {
        out += &format!("  label=\"{}\";\n", escaped(&graph.title));
    }
    out.push('\n');
    for (at, step) in graph.steps.iter().enumerate() {
        out += &node(at, step);
    }
    for (at, id) in links.missing.iter().enumerate() {
        let at = graph.steps.len() + at;
        out += &format!(
            "  s{at} [label=\"{}\\nno such step\", style=\"rounded,dashed\", color=\"#cf222e\", fontcolor=\"#cf222e\"];\n",
            escaped(id)
        );
    }
    out.push('\n');
    for link in &links.edges {
        out += &edge(link);
    }
    out + "}\n"
}

fn node(at: usize, step: &StepNode) -> String {
    let mut lines: Vec<String> = vec![escaped(&step.name), escaped(&step.id)];
    lines.retain(|line| !line.is_empty());
    lines.extend(step.disabled().as_deref().map(escaped));
    if let Some(run) = step.shown_run() {
        lines.push(escaped(&card::status(run)));
    }
    let hint: Vec<String> = card::hint(step).iter().map(|line| escaped(line)).collect();
    let mut out = format!("  s{at} [label=\"{}\", tooltip=\"{}\"", lines.join("\\n"), hint.join("\\n"));
    if let Some(run) = step.shown_run() {
        out += &format!(", color=\"{}\", penwidth={}", colour(run.status), if run.critical { "2.5" } else { "1.5" });
    }
    if step.disabled().is_some() {
        out += ", style=\"rounded,dashed\", fontcolor=\"#57626e\"";
    }
    out + "];\n"
}

fn edge(link: &Link) -> String {
    let through: Vec<String> = link.through.iter().map(|object_type| escaped(object_type)).collect();
    let mut marks: Vec<String> = Vec::new();
    if !through.is_empty() {
        marks.push(format!("label=\"{}\"", through.join("\\n")));
    }
    if link.explicit {
        marks.push("style=dashed".into());
    }
    if link.streams {
        marks.push("style=dotted".into());
    }
    if link.critical {
        marks.push("color=\"#8250df\", penwidth=2.5".into());
    }
    let marks = if marks.is_empty() { String::new() } else { format!(" [{}]", marks.join(", ")) };
    format!("  s{} -> s{}{marks};\n", link.from, link.to)
}

fn colour(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Success => "#2da44e",
        RunStatus::Cached => "#218bff",
        RunStatus::Partial => "#d4a72c",
        RunStatus::Failure => "#cf222e",
        RunStatus::Pending => "#87919c",
    }
}
