//! The types as SVG: cards for entity types, and pills on the arrows of relationships.

use super::links::{Links, facts, with_count};
use super::model::{TypeGraph, TypeNode};
use crate::card::{Card, Look};
use crate::labelled::Labelled;
use crate::number::counted;
use crate::svg::{Drawing, Setting, Swatch, card as draw_card};

pub(super) fn svg(graph: &TypeGraph, setting: Setting) -> String {
    let links = Links::of(graph);
    let cards: Vec<Card> =
        graph.entities.iter().map(entity_card).chain(links.missing.iter().map(|id| missing_card(id))).collect();
    let labels = graph.relationships.iter().map(|edge| with_count(&edge.class, edge.count));
    let drawn = Labelled::new(&cards, labels, links.ends.iter().copied());
    let arrows = drawn.arrows(|at| if graph.relationships[at].mapped { "mapped" } else { "" });
    let elements = arrows + &boxes(graph, &drawn, &cards);
    let facts = facts(graph);
    let drawing = Drawing {
        title: &graph.title,
        facts: &facts,
        description: &description(graph, &facts),
        legend: &legend(graph, &links),
        layout: &drawn.layout,
        elements: &elements,
    };
    drawing.svg(setting)
}

fn boxes(graph: &TypeGraph, drawn: &Labelled, cards: &[Card]) -> String {
    let mut out = String::new();
    for (at, card) in cards.iter().enumerate() {
        let place = drawn.place(at);
        out += &match graph.entities.get(at) {
            Some(entity) => {
                let classes = if entity.mapped { "entity plain mapped" } else { "entity plain" };
                draw_card(card, place, classes, false, &[entity.name().into(), entity.object_type.clone()])
            }
            None => draw_card(card, place, "entity missing", false, &["declared by nobody".into()]),
        };
    }
    for (at, relationship) in graph.relationships.iter().enumerate() {
        let classes = if relationship.mapped { "pill mapped" } else { "pill" };
        out += &drawn.label(at, classes, &relationship.object_type);
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
