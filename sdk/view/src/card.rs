//! The contents of a box: lines of text and the space that they need.

use crate::escape::visible;
use crate::layout::Size;
use crate::measure::{Font, fit, width};

/// The texts of a box and their positions in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Card {
    pub(crate) rows: Vec<Row>,
    /// The heights of the hairlines between sections.
    pub(crate) rules: Vec<f64>,
    pub(crate) size: Size,
}

/// A line of a card.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) look: Look,
    pub(crate) x: f64,
    pub(crate) baseline: f64,
    /// The text, cleaned and shortened but not escaped.
    pub(crate) text: String,
}

/// The style of a line. The names are classes of the style sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// The name of the subject.
    Name,
    /// The id of the subject.
    Id,
    /// The result of a run.
    Status,
    /// A remark.
    Note,
    /// The label of a value.
    Label,
    /// A value.
    Value,
}

/// The space between the edge of a card and its text.
const PADDING: f64 = 14.0;
/// The bounds of a card's width, which otherwise follows the text.
const NARROWEST: f64 = 130.0;
const WIDEST: f64 = 290.0;
/// The space for the label of a value.
const LABEL: f64 = 48.0;

impl Look {
    pub(crate) fn class(self) -> &'static str {
        match self {
            Look::Name => "name",
            Look::Id => "id",
            Look::Status => "status",
            Look::Note => "note",
            Look::Label => "label",
            Look::Value => "value",
        }
    }

    fn font(self) -> (Font, f64) {
        match self {
            Look::Name => (Font::Bold, 14.0),
            Look::Status => (Font::Bold, 12.0),
            Look::Note => (Font::Sans, 12.0),
            Look::Label => (Font::Sans, 11.0),
            Look::Id | Look::Value => (Font::Mono, 11.0),
        }
    }

    /// The distance from the top of the line to the baseline of its text.
    fn ascent(self) -> f64 {
        match self {
            Look::Name => 14.5,
            Look::Status | Look::Note => 12.5,
            Look::Id | Look::Label | Look::Value => 11.5,
        }
    }

    fn line_height(self) -> f64 {
        match self {
            Look::Name => 19.0,
            Look::Id => 18.0,
            Look::Status | Look::Note => 17.0,
            Look::Label | Look::Value => 16.0,
        }
    }
}

impl Card {
    pub(crate) fn new() -> Card {
        let size = Size { width: NARROWEST + 2.0 * PADDING, height: 2.0 * PADDING - 4.0 };
        Card { size, ..Card::default() }
    }

    /// Adds a line.
    pub(crate) fn line(&mut self, look: Look, text: &str) {
        self.put(look, 0.0, text);
        self.size.height += look.line_height();
    }

    /// Separates the following lines from the preceding ones.
    pub(crate) fn rule(&mut self) {
        self.rules.push(self.bottom() + 7.0);
        self.size.height += 13.0;
    }

    /// Adds values with a label before the first one. Values beyond `most` are only counted.
    pub(crate) fn values(&mut self, label: &str, values: &[String], most: usize) {
        let shown = if values.len() <= most { values.len() } else { most.saturating_sub(1) };
        for (at, value) in values.iter().take(shown).enumerate() {
            if at == 0 {
                self.put(Look::Label, 0.0, label);
            }
            self.put(Look::Value, LABEL, value);
            self.size.height += Look::Value.line_height();
        }
        if shown < values.len() {
            self.put(Look::Label, LABEL, &format!("and {} more", values.len() - shown));
            self.size.height += Look::Label.line_height();
        }
    }

    fn put(&mut self, look: Look, x: f64, text: &str) {
        let (font, size) = look.font();
        let text = fit(&visible(text), font, size, WIDEST - x);
        self.size.width = self.size.width.max(x + width(&text, font, size) + 2.0 * PADDING);
        self.rows.push(Row { look, x: PADDING + x, baseline: self.bottom() + look.ascent(), text });
    }

    /// Returns the vertical position of the next line.
    fn bottom(&self) -> f64 {
        self.size.height - PADDING + 2.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_holds_all_its_lines() {
        let mut card = Card::new();
        card.line(Look::Name, &"A very long name ".repeat(20));
        card.rule();
        card.values("emits", &["a", "b", "c", "d"].map(String::from), 3);
        let texts: Vec<&str> = card.rows[1..].iter().map(|row| row.text.as_str()).collect();
        assert_eq!(texts, ["emits", "a", "b", "and 2 more"]);
        assert!(card.size.width <= WIDEST + 2.0 * PADDING && card.rows[0].text.ends_with('…'));
        assert!(card.rows.iter().all(|row| row.baseline < card.size.height - 6.0));
    }
}
