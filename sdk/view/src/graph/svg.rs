//! Drawing of objects as SVG: cards for entities, and pills on the arrows of relationships.

use super::links::{Links, lines, mark, title};
use super::model::GraphPicture;
use crate::card::{Card, Look};
use crate::labelled::Labelled;
use crate::number::counted;
use crate::svg::{Drawing, Setting, Swatch, card as draw_card};

pub(super) fn svg(graph: &GraphPicture) -> String {
    let links = Links::of(graph);
    let entities = links.nodes.iter().map(|node| {
        let [name, object_type] = lines(node);
        card(&name, &object_type, mark(&node.change).map(|(change, _)| change))
    });
    let cards: Vec<Card> =
        entities.chain(links.missing.iter().map(|key| card(key, "not in the graph", None))).collect();
    let labels = links.edges.iter().map(|(edge, ..)| &edge.class);
    let drawn = Labelled::new(&cards, labels, links.edges.iter().map(|(_, from, to)| (*from, *to)));
    let mut elements = drawn.arrows(|_| "");
    for (at, card) in cards.iter().enumerate() {
        let (classes, hints) = match links.nodes.get(at) {
            Some(node) => ("entity plain", [node.key.clone(), node.object_type.clone()]),
            None => {
                ("entity missing", [links.missing[at - links.nodes.len()].to_owned(), "not in the graph".to_owned()])
            }
        };
        elements += &draw_card(card, drawn.place(at), classes, false, &hints);
    }
    for (at, (edge, ..)) in links.edges.iter().enumerate() {
        elements += &drawn.label(at, "pill", &edge.object_type);
    }
    let facts = facts(graph);
    let legend: &[(Swatch, &'static str)] =
        if links.missing.is_empty() { &[] } else { &[(Swatch::Box("missing"), "not in the graph")] };
    let (title, description) = (title(graph), format!("Entities and their relationships: {}.", facts.join("; ")));
    let drawing = Drawing {
        title: &title,
        facts: &facts,
        description: &description,
        legend,
        layout: &drawn.layout,
        elements: &elements,
    };
    drawing.svg(Setting::Alone)
}

fn card(name: &str, object_type: &str, change: Option<&str>) -> Card {
    let mut card = Card::new();
    card.line(Look::Name, name);
    card.line(Look::Id, object_type);
    if let Some(change) = change {
        card.line(Look::Status, change);
    }
    card
}

fn facts(graph: &GraphPicture) -> Vec<String> {
    let entities = counted(graph.nodes.len() as u64, "entity", "entities");
    let relationships = counted(graph.edges.len() as u64, "relationship", "relationships");
    [format!("{entities} · {relationships}")].into_iter().chain(graph.missing.iter().cloned()).collect()
}
