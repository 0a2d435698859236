//! Errors with the place in the text.

use std::fmt;
use std::ops::Range;

/// The longest line that an error shows.
const SHOWN: usize = 120;

/// An expression or a template that cannot be read or evaluated.
///
/// The text shows the message, the line, and a caret below the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(Box<Details>);

/// The parts of an error, in a box because the parser returns a result from each of its nested functions.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Details {
    message: String,
    span: Range<usize>,
    line: usize,
    column: usize,
    excerpt: String,
}

impl Error {
    /// Creates an error about a part of a source text. The span is in bytes.
    pub(crate) fn new(message: impl Into<String>, span: Range<usize>, source: &str) -> Self {
        let start = floor(source, span.start);
        let span = start..floor(source, span.end.max(start));
        let before = &source[..start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line_end = source[start..].find('\n').map_or(source.len(), |at| start + at);
        let (shown, column) = excerpt(source, line_start..line_end, start);
        let marked = source[start..span.end.min(line_end).max(start)].chars().count().clamp(1, SHOWN);
        let excerpt = format!("{shown}\n{}{}", " ".repeat(column), "^".repeat(marked));
        Self(Box::new(Details {
            message: message.into(),
            line: before.matches('\n').count() + 1,
            column: source[line_start..start].chars().count() + 1,
            span,
            excerpt,
        }))
    }

    /// Returns the message without the place.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the place in the text, in bytes.
    pub fn span(&self) -> Range<usize> {
        self.0.span.clone()
    }
}

/// Returns a part of a line around a position, and the column of the position in that part.
fn excerpt(source: &str, line: Range<usize>, at: usize) -> (String, usize) {
    let column = source[line.start..at].chars().count();
    let skipped = column.saturating_sub(SHOWN / 2);
    let visible = |letter: char| if letter.is_control() { ' ' } else { letter };
    let shown: String = source[line].chars().skip(skipped).take(SHOWN).map(visible).collect();
    (shown, column - skipped)
}

/// Returns the nearest character boundary at or below a position.
fn floor(source: &str, at: usize) -> usize {
    let mut at = at.min(source.len());
    while !source.is_char_boundary(at) {
        at -= 1;
    }
    at
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Details { message, line, column, excerpt, .. } = &*self.0;
        write!(f, "{message} at line {line} column {column}\n{excerpt}")
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_is_below_the_place() {
        let error = Error::new("Unexpected token \"*\"", 12..13, "first\nab + * c");
        assert_eq!(error.to_string(), "Unexpected token \"*\" at line 2 column 7\nab + * c\n      ^");
    }

    #[test]
    fn long_lines_are_cut_around_the_place() {
        let source = "x".repeat(1_000);
        let error = Error::new("m", 500..501, &source).to_string();
        let caret = error.lines().last().expect("a caret line");
        assert_eq!(caret.len(), 61);
        assert!(error.len() < 300);
    }

    #[test]
    fn a_span_inside_a_letter_or_beyond_the_text_is_moved() {
        assert!(Error::new("m", 1..2, "ä").to_string().contains("column 1"));
        assert!(Error::new("m", 9..12, "ä").to_string().contains("column 2"));
    }
}
