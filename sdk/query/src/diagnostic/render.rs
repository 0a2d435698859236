//! Diagnostics as text with the source line and a caret.
//!
//! `miette` draws such reports as well, but only with its feature `fancy`, which brings colours and terminal detection
//! into a library. The layout below is small, and the same in a terminal, a log, and JSON.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar;

use super::Diagnostic;
use super::location::{Location, floor};

/// The kind of a piece of a rendered diagnostic, for colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// The sentence that names the error.
    Message,
    /// Line numbers and rules.
    Frame,
    /// A line of the query.
    Source,
    /// The caret and the label.
    Mark,
    /// The remedy.
    Help,
}

/// The columns between two tab stops.
const TAB: usize = 4;
/// The columns of a source line that are shown. A longer line is cut around the caret.
const WIDTH: usize = 100;
/// The columns before the caret that are shown of a long line.
const BEFORE: usize = 60;
/// The bytes around the caret that are looked at. They are more than the columns that are shown.
const WINDOW: usize = 1000;
/// The lines of one error that are shown.
const LINES: usize = 3;

pub(super) fn render(diagnostic: &Diagnostic, text: &str, mut paint: impl FnMut(Part, &str) -> String) -> String {
    let lines = marked_lines(diagnostic, text);
    let digits = lines.last().map_or(1, |line| line.number.to_string().len());
    let mut rendered = paint(Part::Message, &diagnostic.message);
    rendered.push('\n');
    let _ = writeln!(rendered, "{}", paint(Part::Frame, &format!("{:digits$} |", "")));
    for (index, line) in lines.iter().enumerate() {
        let number = paint(Part::Frame, &format!("{:>digits$} |", line.number));
        let _ = writeln!(rendered, "{number} {}", paint(Part::Source, &line.shown));
        let mut marks = "^".repeat(line.marks);
        if index + 1 == lines.len()
            && let Some(label) = &diagnostic.label
        {
            let _ = write!(marks, " {label}");
        }
        let frame = paint(Part::Frame, &format!("{:digits$} |", ""));
        let _ = writeln!(rendered, "{frame} {}{}", " ".repeat(line.indent), paint(Part::Mark, &marks));
    }
    if let Some(help) = &diagnostic.help {
        let frame = paint(Part::Frame, &format!("{:digits$} =", ""));
        let _ = writeln!(rendered, "{frame} {}", paint(Part::Help, &format!("help: {help}")));
    }
    rendered
}

/// A source line as shown, and the columns below which the marks are.
struct Marked {
    number: usize,
    shown: String,
    indent: usize,
    marks: usize,
}

fn marked_lines(diagnostic: &Diagnostic, text: &str) -> Vec<Marked> {
    let start = floor(text, diagnostic.span.start);
    let end = floor(text, diagnostic.span.end).max(start);
    let first = Location::of(text, start).line;
    let mut begin = text[..start].rfind('\n').map_or(0, |feed| feed + 1);
    let mut lines = Vec::new();
    for number in first..first + LINES {
        let line = text[begin..].split('\n').next().unwrap_or_default();
        let until = begin + line.len();
        let line = line.strip_suffix('\r').unwrap_or(line);
        let from = start.saturating_sub(begin);
        let low = floor(line, from.saturating_sub(WINDOW));
        let high = floor(line, from.saturating_add(WINDOW));
        let to = (end.min(until) - begin).min(high);
        lines.push(marked(number, &line[low..high], from.saturating_sub(low), to.saturating_sub(low)));
        begin = until + 1;
        if end < begin {
            break;
        }
    }
    lines
}

/// Marks the bytes from `start` to `end` of a line.
fn marked(number: usize, line: &str, start: usize, end: usize) -> Marked {
    let mut shown = Vec::new();
    let mut width = 0;
    let (mut from, mut to) = (None, None);
    for (offset, letter) in line.char_indices() {
        if offset >= start {
            from.get_or_insert(width);
        }
        if offset >= end {
            to.get_or_insert(width);
        }
        let (piece, columns) = visible(letter, width);
        shown.push((width, piece));
        width += columns;
    }
    let from = from.unwrap_or(width);
    let marks = to.unwrap_or(width).saturating_sub(from).max(1);
    cut(number, shown, width, from, marks)
}

/// Cuts a long line around its marks.
fn cut(number: usize, pieces: Vec<(usize, String)>, width: usize, from: usize, marks: usize) -> Marked {
    if width <= WIDTH {
        let shown = pieces.into_iter().map(|(_, piece)| piece).collect();
        return Marked { number, shown, indent: from, marks };
    }
    let low = from.saturating_sub(BEFORE);
    let kept: Vec<&(usize, String)> = pieces.iter().filter(|(column, _)| (low..low + WIDTH).contains(column)).collect();
    let origin = kept.first().map_or(from, |(column, _)| *column);
    let prefix = if origin > 0 { "…" } else { "" };
    let suffix = if low + WIDTH < width { "…" } else { "" };
    let body: String = kept.iter().map(|(_, piece)| piece.as_str()).collect();
    Marked {
        number,
        shown: format!("{prefix}{body}{suffix}"),
        indent: from - origin + usize::from(origin > 0),
        marks: marks.min((low + WIDTH).saturating_sub(from)).max(1),
    }
}

/// Returns a character as shown, and its number of columns. `column` is its place in the line.
fn visible(letter: char, column: usize) -> (String, usize) {
    if letter == '\t' {
        let columns = TAB - column % TAB;
        return (" ".repeat(columns), columns);
    }
    if is_hidden(letter) {
        let escaped = letter.escape_unicode().to_string();
        let columns = escaped.len();
        return (escaped, columns);
    }
    (letter.to_string(), letter.width().unwrap_or(0))
}

/// Returns whether a character would change the terminal, or the order or the look of the text around it.
pub(crate) fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Returns a piece of a query as one short line for a message, without control characters.
pub(crate) fn excerpt(text: &str) -> String {
    const LETTERS: usize = 40;
    let mut shown = String::new();
    for (index, letter) in text.chars().enumerate() {
        if index == LETTERS {
            shown.push('…');
            break;
        }
        if is_hidden(letter) {
            shown.extend(letter.escape_debug());
        } else {
            shown.push(letter);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::Span;

    fn rendered(text: &str, start: usize, end: usize) -> String {
        Diagnostic::new("Wrong", Span { start, end }).with_label("here").with_help("Change it.").render(text)
    }

    #[test]
    fn the_caret_is_below_the_characters_of_the_span() {
        insta::assert_snapshot!(rendered("FIND User\nWITH x", 10, 14), @r"
        Wrong
          |
        2 | WITH x
          | ^^^^ here
          = help: Change it.
        ");
    }

    #[test]
    fn wide_characters_and_tabs_move_the_caret() {
        insta::assert_snapshot!(rendered("\tx='日本' y", 12, 13), @r"
        Wrong
          |
        1 |     x='日本' y
          |              ^ here
          = help: Change it.
        ");
    }

    #[test]
    fn control_characters_are_visible() {
        insta::assert_snapshot!(rendered("a\u{1b}[1m\u{202e}b c", 10, 11), @r"
        Wrong
          |
        1 | a\u{1b}[1m\u{202e}b c
          |                     ^ here
          = help: Change it.
        ");
    }

    #[test]
    fn a_long_line_is_cut_around_the_caret() {
        let text = format!("{}X{}", "a ".repeat(100), " b".repeat(100));
        insta::assert_snapshot!(rendered(&text, 200, 201), @r"
        Wrong
          |
        1 | …a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a X b b b b b b b b b b b b b b b b b b b …
          |                                                              ^ here
          = help: Change it.
        ");
    }

    #[test]
    fn a_huge_line_is_not_read_as_a_whole() {
        let text = "é".repeat(5_000_000);
        let rendered = rendered(&text, 5_000_001, 5_000_002);
        let columns: Vec<usize> = rendered.lines().map(|line| line.chars().count()).collect();
        assert_eq!(columns, [5, 3, 106, 71, 20]);
    }

    #[test]
    fn an_error_of_several_lines_is_marked_in_each() {
        insta::assert_snapshot!(rendered("a (b\r\nc\nd) e", 2, 10), @r"
        Wrong
          |
        1 | a (b
          |   ^^
        2 | c
          | ^
        3 | d) e
          | ^^ here
          = help: Change it.
        ");
    }

    #[test]
    fn a_place_outside_the_text_is_its_end() {
        insta::assert_snapshot!(rendered("ab", 700, 900), @r"
        Wrong
          |
        1 | ab
          |   ^ here
          = help: Change it.
        ");
    }
}
