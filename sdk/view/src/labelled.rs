//! Boxes that are joined by arrows with labels.
//!
//! The layout treats a label as a box, so that labels cannot collide: each arrow leads to its label and on from it.

use crate::card::Card;
use crate::escape::visible;
use crate::layout::{Layout, Place, Size, lay_out};
use crate::measure::{Font, fit, width};
use crate::svg::{edge, pill};

const COLUMN_GAP: f64 = 36.0;
const PILL_HEIGHT: f64 = 26.0;
const PILL_FONT: f64 = 12.0;
const PILL_WIDEST: f64 = 180.0;

/// The positions of boxes and labels.
pub(crate) struct Labelled {
    pub(crate) layout: Layout,
    cards: usize,
    labels: Vec<String>,
    /// Two edges for each arrow: to its label, and from it.
    halves: Vec<(usize, usize)>,
}

impl Labelled {
    /// Lays out cards and the arrows between them. `ends` are the positions of the cards at the ends of each arrow.
    pub(crate) fn new<'t>(
        cards: &[Card],
        labels: impl Iterator<Item = impl AsRef<str> + 't>,
        ends: impl Iterator<Item = (usize, usize)>,
    ) -> Self {
        let shortened = |label: &str| fit(&visible(label), Font::Bold, PILL_FONT, PILL_WIDEST);
        let labels: Vec<String> = labels.map(|label| shortened(label.as_ref())).collect();
        let pill_size =
            |label: &String| Size { width: width(label, Font::Bold, PILL_FONT) + 26.0, height: PILL_HEIGHT };
        let sizes: Vec<Size> = cards.iter().map(|card| card.size).chain(labels.iter().map(pill_size)).collect();
        let half = |(at, (from, to)): (usize, (usize, usize))| [(from, cards.len() + at), (cards.len() + at, to)];
        let halves: Vec<(usize, usize)> = ends.enumerate().flat_map(half).collect();
        let layout = lay_out(&sizes, &halves, COLUMN_GAP);
        Self { layout, cards: cards.len(), labels, halves }
    }

    /// Draws the arrows, each of a class.
    pub(crate) fn arrows(&self, class: impl Fn(usize) -> &'static str) -> String {
        let halves = self.halves.iter().enumerate();
        let draw = |(half, (from, _)): (usize, &(usize, usize))| {
            let leads_to_card = half % 2 == 1;
            edge(&self.layout.routes[half], &self.layout.places[*from], class(half / 2), leads_to_card, "")
        };
        halves.map(draw).collect()
    }

    /// Returns the place of a card.
    pub(crate) fn place(&self, card: usize) -> &Place {
        &self.layout.places[card]
    }

    /// Draws the label of an arrow, with its class and a hint.
    pub(crate) fn label(&self, at: usize, classes: &str, hint: &String) -> String {
        pill(&self.labels[at], &self.layout.places[self.cards + at], classes, std::slice::from_ref(hint))
    }
}
