//! The types as SVG: cards for entity types, and pills on the arrows of relationships.
//!
//! The layout treats a pill as a box, so that labels cannot collide.

use super::links::{Links, facts, with_count};
use super::model::{TypeEdge, TypeGraph, TypeNode};
use crate::card::{Card, Look};
use crate::escape::visible;
use crate::layout::{Layout, Size, lay_out};
use crate::measure::{Font, fit, width};
use crate::number::counted;
use crate::svg::{Drawing, Setting, Swatch, card as draw_card, edge, pill};

const COLUMN_GAP: f64 = 36.0;
const PILL_HEIGHT: f64 = 26.0;
const PILL_FONT: f64 = 12.0;
const PILL_WIDEST: f64 = 180.0;

pub(super) fn svg(graph: &TypeGraph, setting: Setting) -> String {
    let links = Links::of(graph);
    let cards: Vec<Card> =
        graph.entities.iter().map(entity_card).chain(links.missing.iter().map(|id| missing_card(id))).collect();
    let labels: Vec<String> = graph.relationships.iter().map(pill_text).collect();
    let sizes: Vec<Size> =
        cards.iter().map(|card| card.size).chain(labels.iter().map(|label| pill_size(label))).collect();
    let mut edges = Vec::with_capacity(2 * links.ends.len());
    for (at, &(from, to)) in links.ends.iter().enumerate() {
        let pill = cards.len() + at;
        edges.extend([(from, pill), (pill, to)]);
    }
    let layout = lay_out(&sizes, &edges, COLUMN_GAP);
    let elements = arrows(graph, &layout, &edges) + &boxes(graph, &layout, &cards, &labels);
    let facts = facts(graph);
    let drawing = Drawing {
        title: &graph.title,
        facts: &facts,
        description: &description(graph, &facts),
        legend: &legend(graph, &links),
        layout: &layout,
        elements: &elements,
    };
    drawing.svg(setting)
}

fn arrows(graph: &TypeGraph, layout: &Layout, edges: &[(usize, usize)]) -> String {
    let mut out = String::new();
    for (at, relationship) in graph.relationships.iter().enumerate() {
        let class = if relationship.mapped { "mapped" } else { "" };
        for half in [2 * at, 2 * at + 1] {
            let leads_to_entity = half % 2 == 1;
            out += &edge(&layout.routes[half], &layout.places[edges[half].0], class, leads_to_entity, "");
        }
    }
    out
}

fn boxes(graph: &TypeGraph, layout: &Layout, cards: &[Card], labels: &[String]) -> String {
    let mut out = String::new();
    for (at, card) in cards.iter().enumerate() {
        let place = &layout.places[at];
        out += &match graph.entities.get(at) {
            Some(entity) => {
                let classes = if entity.mapped { "entity plain mapped" } else { "entity plain" };
                draw_card(card, place, classes, false, &[entity.name().into(), entity.object_type.clone()])
            }
            None => draw_card(card, place, "entity missing", false, &["declared by nobody".into()]),
        };
    }
    for (at, (label, relationship)) in labels.iter().zip(&graph.relationships).enumerate() {
        let classes = if relationship.mapped { "pill mapped" } else { "pill" };
        out += &pill(label, &layout.places[cards.len() + at], classes, std::slice::from_ref(&relationship.object_type));
    }
    out
}

fn entity_card(entity: &TypeNode) -> Card {
    let mut card = Card::new();
    if entity.name() != entity.object_type {
        card.line(Look::Name, entity.name());
    }
    card.line(Look::Id, &entity.object_type);
    card.values("class", &entity.classes, 4);
    if let Some(count) = entity.count {
        card.line(Look::Status, &counted(count, "entity", "entities"));
    }
    if entity.mapped {
        card.line(Look::Note, "owned by another source");
    }
    card
}

fn missing_card(object_type: &str) -> Card {
    let mut card = Card::new();
    card.line(Look::Id, object_type);
    card.line(Look::Status, "✗ declared by nobody");
    card
}

fn pill_text(relationship: &TypeEdge) -> String {
    fit(&visible(&with_count(&relationship.class, relationship.count)), Font::Bold, PILL_FONT, PILL_WIDEST)
}

fn pill_size(label: &str) -> Size {
    Size { width: width(label, Font::Bold, PILL_FONT) + 26.0, height: PILL_HEIGHT }
}

fn legend(graph: &TypeGraph, links: &Links) -> Vec<(Swatch, &'static str)> {
    let entries = [
        (graph.relationships.iter().any(|edge| edge.mapped), Swatch::Edge("mapped"), "mapped relationship"),
        (graph.entities.iter().any(|entity| entity.mapped), Swatch::Box("mapped"), "entity of another source"),
        (!links.missing.is_empty(), Swatch::Box("missing"), "declared by nobody"),
    ];
    entries.into_iter().filter(|entry| entry.0).map(|(_, swatch, label)| (swatch, label)).collect()
}

fn description(graph: &TypeGraph, facts: &[String]) -> String {
    let mut out = format!("Entity types and their relationships: {}.", facts.join("; "));
    for edge in &graph.relationships {
        out += &format!(" {} {} {}.", edge.from, edge.class, edge.to);
    }
    out
}
