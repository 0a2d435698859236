//! Drawing of objects as SVG: cards for entities, and pills on the arrows of relationships.
//!
//! The layout treats a pill as a box, so that labels cannot collide.

use super::links::{Links, lines, mark, title};
use super::model::GraphPicture;
use crate::card::{Card, Look};
use crate::escape::visible;
use crate::layout::{Size, lay_out};
use crate::measure::{Font, fit, width};
use crate::number::counted;
use crate::svg::{Drawing, Setting, Swatch, card as draw_card, edge as draw_edge, pill};

const COLUMN_GAP: f64 = 36.0;
const PILL_HEIGHT: f64 = 26.0;
const PILL_FONT: f64 = 12.0;
const PILL_WIDEST: f64 = 180.0;

pub(super) fn svg(graph: &GraphPicture) -> String {
    let links = Links::of(graph);
    let entities = links.nodes.iter().map(|node| {
        let [name, object_type] = lines(node);
        card(&name, &object_type, mark(&node.change).map(|(change, _)| change))
    });
    let cards: Vec<Card> =
        entities.chain(links.missing.iter().map(|key| card(key, "not in the graph", None))).collect();
    let label = |class: &str| fit(&visible(class), Font::Bold, PILL_FONT, PILL_WIDEST);
    let labels: Vec<String> = links.edges.iter().map(|(edge, ..)| label(&edge.class)).collect();
    let pills =
        labels.iter().map(|label| Size { width: width(label, Font::Bold, PILL_FONT) + 26.0, height: PILL_HEIGHT });
    let sizes: Vec<Size> = cards.iter().map(|card| card.size).chain(pills).collect();
    let ends = links.edges.iter().enumerate().flat_map(|(at, (_, from, to))| {
        let pill = cards.len() + at;
        [(*from, pill), (pill, *to)]
    });
    let edges: Vec<(usize, usize)> = ends.collect();
    let layout = lay_out(&sizes, &edges, COLUMN_GAP);
    let mut elements = String::new();
    for (half, (from, _)) in edges.iter().enumerate() {
        let leads_to_entity = half % 2 == 1;
        elements += &draw_edge(&layout.routes[half], &layout.places[*from], "", leads_to_entity, "");
    }
    for (at, card) in cards.iter().enumerate() {
        let (classes, hints) = match links.nodes.get(at) {
            Some(node) => ("entity plain", [node.key.clone(), node.object_type.clone()]),
            None => {
                ("entity missing", [links.missing[at - links.nodes.len()].to_owned(), "not in the graph".to_owned()])
            }
        };
        elements += &draw_card(card, &layout.places[at], classes, false, &hints);
    }
    for (at, (label, (edge, ..))) in labels.iter().zip(&links.edges).enumerate() {
        let place = &layout.places[cards.len() + at];
        elements += &pill(label, place, "pill", std::slice::from_ref(&edge.object_type));
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
        layout: &layout,
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
