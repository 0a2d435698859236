//! The steps as a page: the drawing, then a table with the same data.

use super::links::Links;
use super::model::{RunStatus, StepGraph, StepNode};
use super::svg::svg;
use crate::html::{Cell, Column, Page, Table};
use crate::number::grouped;
use crate::svg::Setting;

pub(super) fn html(graph: &StepGraph) -> String {
    let links = Links::of(graph);
    let page = Page {
        title: &graph.title,
        facts: &links.facts(graph),
        drawing: &svg(graph, Setting::InPage),
        tables: &[table(graph, &links)],
    };
    page.html()
}

fn table(graph: &StepGraph, links: &Links) -> Table {
    let has_runs = graph.steps.iter().any(|step| step.shown_run().is_some());
    let mut columns = vec![Column::text("Step"), Column::text("State")];
    if has_runs {
        columns.extend([Column::number("Duration"), Column::number("Objects"), Column::number("Requests")]);
    }
    columns.extend(["Waits for", "Reads", "Emits", "Scopes", "Source"].map(Column::text));
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for (at, step) in graph.steps.iter().enumerate() {
        let mut row =
            vec![Cell { words: vec![step.name.clone()], code: vec![step.id.clone()], class: "" }, state(step)];
        if has_runs {
            row.extend(cost(step));
        }
        let sources: Vec<String> = links.into(at).map(|link| links.id(graph, link.from).to_owned()).collect();
        row.extend([&sources, &step.reads, &step.emits, &step.scopes].map(|values| Cell::code(values)));
        row.push(Cell::code(step.source.as_slice()));
        rows.push(row);
    }
    for id in &links.missing {
        let state = Cell { class: "state missing", ..Cell::words("✗ no such step") };
        rows.push([Cell::code(std::slice::from_ref(id)), state].into_iter().chain(blank(columns.len() - 2)).collect());
    }
    Table { caption: "Steps", columns, rows }
}

fn blank(count: usize) -> impl Iterator<Item = Cell> {
    std::iter::repeat_with(Cell::default).take(count)
}

fn state(step: &StepNode) -> Cell {
    let mut cell = match step.shown_run() {
        Some(run) => {
            let class = match run.status {
                RunStatus::Success => "state success",
                RunStatus::Cached => "state cached",
                RunStatus::Partial => "state partial",
                RunStatus::Failure => "state failure",
                RunStatus::Pending => "state pending",
            };
            let critical = run.critical.then(|| "critical path".to_owned());
            let words = [format!("{} {}", run.status.sign(), run.status.label())].into_iter().chain(critical).collect();
            Cell { class, words, ..Cell::default() }
        }
        None if step.disabled().is_some() => Cell { class: "state off", ..Cell::default() },
        None => Cell::words("enabled"),
    };
    cell.words.extend(step.disabled());
    cell
}

fn cost(step: &StepNode) -> [Cell; 3] {
    match step.shown_run() {
        Some(run) if run.status != RunStatus::Pending => {
            [run.duration(), grouped(run.objects), grouped(run.requests)].map(Cell::number)
        }
        _ => Default::default(),
    }
}
