//! The box of a step.

use super::links::{Link, Links};
use super::model::{RunStatus, StepGraph, StepNode, StepRun, StepState};
use crate::card::{Card, Look};

/// The maximum number of values that a card lists. Further values are only counted.
const MOST: usize = 6;

pub(super) fn card(step: &StepNode) -> Card {
    let mut card = Card::new();
    if !step.name.trim().is_empty() {
        card.line(Look::Name, &step.name);
    }
    card.line(Look::Id, &step.id);
    if let StepState::Disabled { reason } = &step.state {
        card.line(Look::Status, "○ disabled");
        if !reason.trim().is_empty() {
            card.line(Look::Note, reason);
        }
    }
    if let Some(run) = step.shown_run() {
        card.line(Look::Status, &status(run));
        if run.status != RunStatus::Pending {
            card.line(Look::Note, &run.counts());
        }
    }
    let fields = fields(step);
    if !fields.is_empty() {
        card.rule();
    }
    for (label, values) in fields {
        card.values(label, values, MOST);
    }
    card
}

/// Returns the lines of a box for other formats, escaped accordingly.
pub(super) fn lines(step: &StepNode, escaped: fn(&str) -> String) -> Vec<String> {
    let mut lines: Vec<String> = vec![escaped(&step.name), escaped(&step.id)];
    lines.retain(|line| !line.is_empty());
    lines.extend(step.disabled().as_deref().map(escaped));
    lines.extend(step.shown_run().map(|run| escaped(&status(run))));
    lines
}

/// Creates the box of a step that others wait for although it does not exist.
pub(super) fn missing(id: &str) -> Card {
    let mut card = Card::new();
    card.line(Look::Id, id);
    card.line(Look::Status, "✗ no such step");
    card
}

/// Returns the sign, the word, and the duration of a run.
pub(super) fn status(run: &StepRun) -> String {
    let (sign, label) = (run.status.sign(), run.status.label());
    let critical = if run.critical { " · critical path" } else { "" };
    match run.status {
        RunStatus::Pending => format!("{sign} {label}{critical}"),
        _ => format!("{sign} {label} · {}{critical}", run.duration()),
    }
}

/// Returns the declaration of a step without empty parts.
pub(super) fn fields(step: &StepNode) -> Vec<(&'static str, &[String])> {
    let all = [
        ("reads", step.reads.as_slice()),
        ("emits", step.emits.as_slice()),
        ("scopes", step.scopes.as_slice()),
        ("source", step.source.as_slice()),
    ];
    all.into_iter().filter(|(_, values)| !values.is_empty()).collect()
}

/// Returns everything about a step, line by line, with nothing omitted.
pub(super) fn hint(step: &StepNode) -> Vec<String> {
    let mut lines = vec![format!("{} ({})", step.name, step.id)];
    lines.extend(step.disabled());
    if let Some(run) = step.shown_run() {
        lines.push(format!("{} · {}", status(run), run.counts()));
    }
    lines.extend(fields(step).into_iter().map(|(label, values)| format!("{label} {}", values.join(", "))));
    lines
}

/// Returns the meaning of an arrow.
pub(super) fn link_hint(link: &Link, graph: &StepGraph, links: &Links) -> String {
    let why = match (link.through.is_empty(), link.explicit) {
        (false, _) if link.streams => format!(" to begin, and follows {}", link.through.join(", ")),
        (false, _) => format!(" to read {}", link.through.join(", ")),
        (true, true) => " by an explicit order".into(),
        (true, false) => String::new(),
    };
    format!("{} waits for {}{why}", links.id(graph, link.to), links.id(graph, link.from))
}

/// Returns the CSS classes of a step's box and of its cell.
pub(super) fn classes(step: &StepNode) -> String {
    let mut classes = vec!["step"];
    match (step.shown_run(), &step.state) {
        (Some(run), _) => classes.push(run.status.css_class()),
        (None, StepState::Disabled { .. }) => {}
        (None, StepState::Enabled) => classes.push("plain"),
    }
    if step.state != StepState::Enabled {
        classes.push("off");
    }
    if step.run.as_ref().is_some_and(|run| run.critical) {
        classes.push("critical");
    }
    classes.join(" ")
}
