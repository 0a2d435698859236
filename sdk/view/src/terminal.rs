//! Lines for a terminal, optionally coloured, within a maximum width.

use std::ops::Range;

use anstyle::{AnsiColor, Style};

use crate::escape::{terminal, visible};
use crate::measure::{columns, wrapped};

// The styles of pieces of a line. Escape sequences are written only if the caller wants colours.
pub(crate) const PLAIN: Style = Style::new();
pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const FAINT: Style = Style::new().dimmed();
pub(crate) const GREEN: Style = AnsiColor::Green.on_default();
pub(crate) const BLUE: Style = AnsiColor::Blue.on_default();
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default();
pub(crate) const RED: Style = AnsiColor::Red.on_default();
pub(crate) const MAGENTA: Style = AnsiColor::Magenta.on_default();

/// A piece of a line. The text is sanitised when it is written.
pub(crate) type Span<'a> = (Style, &'a str);

/// Collects lines.
pub(crate) struct Terminal {
    width: usize,
    colour: bool,
    out: String,
}

impl Terminal {
    /// Creates an empty terminal. A width of zero counts as one column.
    pub(crate) fn new(width: usize, colour: bool) -> Terminal {
        Terminal { width: width.max(1), colour, out: String::new() }
    }

    /// Writes a line. A long line is wrapped and indented, so that ids stay complete and can be copied.
    pub(crate) fn line(&mut self, spans: &[Span<'_>]) {
        let whole: String = spans.iter().map(|span| span.1).collect();
        let margin: String = whole.chars().take_while(|char| matches!(char, ' ' | '│')).take(self.width / 4).collect();
        let indent = margin + &" ".repeat((self.width / 8).min(4));
        for (at, piece) in pieces(whole.trim_end(), self.width, columns(&indent)).into_iter().enumerate() {
            if at > 0 {
                self.out += &indent;
            }
            self.put_range(spans, piece);
            self.out.push('\n');
        }
    }

    /// Writes the part of the spans that is in a range of their combined text.
    fn put_range(&mut self, spans: &[Span<'_>], range: Range<usize>) {
        let mut begin = 0;
        for &(style, text) in spans {
            let (from, to) = (range.start.max(begin), range.end.min(begin + text.len()));
            if from < to {
                self.put(style, &text[from - begin..to - begin]);
            }
            begin += text.len();
        }
    }

    /// Writes remarks in full: a long remark continues on the next line.
    pub(crate) fn notes(&mut self, notes: &[String]) {
        for note in notes {
            for line in wrapped(&visible(note), |line| columns(line) <= self.width) {
                self.line(&[(YELLOW, &line)]);
            }
        }
    }

    fn put(&mut self, style: Style, text: &str) {
        let text = terminal(text);
        if self.colour && !style.is_plain() && !text.trim().is_empty() {
            self.out += &format!("{style}{text}{style:#}");
        } else {
            self.out += &text;
        }
    }

    /// Writes a label and a list over as many lines as necessary. Each line starts with `margin`.
    pub(crate) fn list(&mut self, margin: &str, label: &str, style: Style, items: &[String]) {
        let room = self.width.saturating_sub(columns(margin) + columns(label));
        let mut lines: Vec<String> = Vec::new();
        for (at, item) in items.iter().enumerate() {
            let item = if at + 1 < items.len() { format!("{item},") } else { item.clone() };
            match lines.last_mut() {
                Some(line) if columns(line) + 1 + columns(&item) <= room => *line = format!("{line} {item}"),
                _ => lines.push(item),
            }
        }
        let blank = " ".repeat(columns(label));
        for (at, line) in lines.iter().enumerate() {
            let label = if at == 0 { label } else { &blank };
            self.line(&[(FAINT, margin), (FAINT, label), (style, line)]);
        }
    }

    pub(crate) fn finish(self) -> String {
        self.out
    }
}

/// Returns the ranges of a text that fit on lines of a width.
///
/// Lines break between words, or within a word that is longer than a line. Lines after the first have `indent` columns
/// less.
fn pieces(text: &str, width: usize, indent: usize) -> Vec<Range<usize>> {
    let (mut pieces, mut start) = (Vec::new(), 0);
    loop {
        let room = if pieces.is_empty() { width } else { width.saturating_sub(indent).max(1) };
        let end = start + fitting(&text[start..], room);
        let rest = text[end..].trim_start();
        if rest.is_empty() {
            pieces.push(start..end.min(text.trim_end().len()).max(start));
            return pieces;
        }
        pieces.push(start..start + text[start..end].trim_end().len());
        start = text.len() - rest.len();
    }
}

/// Returns the length of the longest prefix that fits.
///
/// The prefix has at least one character, and ends between words if possible.
fn fitting(text: &str, room: usize) -> usize {
    let mut used = 0;
    let most = text.char_indices().find_map(|(at, char)| {
        used += columns(char.encode_utf8(&mut [0; 4]));
        (used > room && at > 0).then_some(at)
    });
    let Some(most) = most else { return text.len() };
    if text[most..].starts_with(' ') {
        return most;
    }
    match text[..most].rfind(' ') {
        Some(space) if !text[..space].trim_matches([' ', '│']).is_empty() => space,
        _ => most,
    }
}

/// Pads the text with spaces to a number of columns; a longer text is unchanged.
pub(crate) fn padded(text: &str, room: usize) -> String {
    let missing = room.saturating_sub(columns(text));
    text.to_owned() + &" ".repeat(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(width: usize, colour: bool, spans: &[Span<'_>]) -> String {
        let mut terminal = Terminal::new(width, colour);
        terminal.line(spans);
        terminal.finish()
    }

    #[test]
    fn what_does_not_fit_goes_on_below_and_nothing_is_lost() {
        let spans = [(PLAIN, "abc "), (BOLD, "def"), (PLAIN, "ghi")];
        assert_eq!(written(10, false, &spans), "abc defghi\n");
        assert_eq!(written(9, false, &spans), "abc\n defghi\n");
        assert_eq!(written(9, true, &spans), "abc\n \u{1b}[1mdef\u{1b}[0mghi\n");
        assert_eq!(written(5, false, &spans), "abc\ndefgh\ni\n");
        assert_eq!(written(0, false, &[(PLAIN, "ab")]), "a\nb\n");
        assert_eq!(
            written(20, false, &[(FAINT, "│  "), (PLAIN, "one-very-long-identifier")]),
            "│  one-very-long-ide\n│    ntifier\n"
        );
    }

    #[test]
    fn colours_are_closed_again_and_come_from_nowhere_else() {
        assert_eq!(written(9, true, &[(RED, "a\u{1b}[1m"), (PLAIN, "b ")]), "\u{1b}[31ma\u{fffd}[1m\u{1b}[0mb\n");
    }

    #[test]
    fn a_list_goes_on_below_its_beginning() {
        let mut terminal = Terminal::new(16, false);
        terminal.list("│ ", "emits ", PLAIN, &["aaa", "bbb", "a-longer-one"].map(String::from));
        assert_eq!(terminal.finish(), "│ emits aaa,\n│       bbb,\n│       a-longer\n│     -one\n");
    }
}
