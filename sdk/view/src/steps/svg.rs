//! The steps as SVG: their cards in a layered layout.

use super::card;
use super::links::{Link, Links};
use super::model::{StepGraph, StepState};
use crate::card::Card;
use crate::layout::{Size, lay_out};
use crate::svg::{Drawing, Setting, Swatch, card as draw_card, edge};

/// The minimum distance between two columns, which leaves room for readable curves.
const COLUMN_GAP: f64 = 64.0;

pub(super) fn svg(graph: &StepGraph, setting: Setting) -> String {
    let links = Links::of(graph);
    let cards: Vec<Card> =
        graph.steps.iter().map(card::card).chain(links.missing.iter().map(|id| card::missing(id))).collect();
    let sizes: Vec<Size> = cards.iter().map(|card| card.size).collect();
    let layout = lay_out(&sizes, &links.pairs(), COLUMN_GAP);
    let mut elements = String::new();
    // The most important elements are drawn last, on top.
    let mut order: Vec<usize> = (0..links.edges.len()).collect();
    order.sort_by_key(|&at| (links.edges[at].critical, !links.edges[at].off));
    for at in order {
        let link = &links.edges[at];
        let hint = card::link_hint(link, graph, &links);
        elements += &edge(&layout.routes[at], &layout.places[link.from], &edge_classes(link), true, &hint);
    }
    for (at, card) in cards.iter().enumerate() {
        let place = &layout.places[at];
        elements += &match graph.steps.get(at) {
            Some(step) => draw_card(card, place, &card::classes(step), step.shown_run().is_some(), &card::hint(step)),
            None => draw_card(card, place, "step missing", false, &["no such step".into()]),
        };
    }
    let facts = links.facts(graph);
    let drawing = Drawing {
        title: &graph.title,
        facts: &facts,
        description: &description(graph, &links, &facts),
        legend: &legend(graph, &links),
        layout: &layout,
        elements: &elements,
    };
    drawing.svg(setting)
}

fn edge_classes(link: &Link) -> String {
    let marks =
        [(link.explicit, "explicit"), (link.streams, "streams"), (link.critical, "critical"), (link.off, "off")];
    marks.into_iter().filter(|mark| mark.0).map(|mark| mark.1).collect::<Vec<_>>().join(" ")
}

/// Returns the classes that occur and need an explanation.
fn legend(graph: &StepGraph, links: &Links) -> Vec<(Swatch, &'static str)> {
    let edges = &links.edges;
    let any_off = graph.steps.iter().any(|step| step.state != StepState::Enabled);
    let entries = [
        (edges.iter().any(|link| link.critical), Swatch::Edge("critical"), "critical path"),
        (edges.iter().any(|link| !link.explicit && !link.streams), Swatch::Edge(""), "reads when the other has ended"),
        (edges.iter().any(|link| link.streams), Swatch::Edge("streams"), "follows item by item"),
        (edges.iter().any(|link| link.explicit), Swatch::Edge("explicit"), "explicit order"),
        (any_off, Swatch::Box("off"), "disabled"),
        (!links.missing.is_empty(), Swatch::Box("missing"), "missing"),
    ];
    let shown: Vec<_> = entries.into_iter().filter(|entry| entry.0).map(|(_, swatch, label)| (swatch, label)).collect();
    // A legend with ordinary arrows only would add nothing.
    if shown.len() > 1 || shown.iter().any(|entry| entry.0 != Swatch::Edge("")) { shown } else { Vec::new() }
}

fn description(graph: &StepGraph, links: &Links, facts: &[String]) -> String {
    let mut out = format!("Steps and what they wait for: {}.", facts.join("; "));
    for (at, step) in graph.steps.iter().enumerate() {
        let sources: Vec<&str> = links.into(at).map(|link| links.id(graph, link.from)).collect();
        let waits = if sources.is_empty() { "for nothing".into() } else { format!("for {}", sources.join(", ")) };
        let run = step.shown_run().map(|run| format!(" ({})", run.status.label())).unwrap_or_default();
        out += &format!(" {}{run} waits {waits}.", step.id);
    }
    out
}
