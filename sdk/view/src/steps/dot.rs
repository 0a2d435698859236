//! Drawing of steps for Graphviz.

use super::card;
use super::links::{Link, Links};
use super::model::{RunStatus, StepGraph, StepNode};
use crate::escape::dot as escaped;
use crate::graphviz::{Look, head, missing};

const LOOK: Look = Look { columns_apart: "0.8", label: "#57626e", label_size: 9 };

pub(super) fn dot(graph: &StepGraph) -> String {
    let links = Links::of(graph);
    let mut out = head("steps", &graph.title, &graph.missing, &LOOK);
    for (at, step) in graph.steps.iter().enumerate() {
        out += &node(at, step);
    }
    for (at, id) in links.missing.iter().enumerate() {
        out += &missing(&format!("s{}", graph.steps.len() + at), id, "no such step");
    }
    out.push('\n');
    for link in &links.edges {
        out += &edge(link);
    }
    out + "}\n"
}

fn node(at: usize, step: &StepNode) -> String {
    let hint: Vec<String> = card::hint(step).iter().map(|line| escaped(line)).collect();
    let mut out =
        format!("  s{at} [label=\"{}\", tooltip=\"{}\"", card::lines(step, escaped).join("\\n"), hint.join("\\n"));
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
