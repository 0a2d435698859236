//! Lines for a terminal: coloured if asked for, never wider than asked for.

use crate::escape::{terminal, visible};
use crate::measure::{columns, fit_columns, wrapped};

/// The colour of a piece of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    Plain,
    Bold,
    Faint,
    Green,
    Blue,
    Yellow,
    Red,
    Magenta,
}

/// A piece of a line. What it says is made harmless when it is written.
pub(crate) type Span<'a> = (Ink, &'a str);

/// Collects lines.
pub(crate) struct Terminal {
    width: usize,
    colour: bool,
    out: String,
}

impl Ink {
    fn code(self) -> &'static str {
        match self {
            Ink::Plain => "",
            Ink::Bold => "1",
            Ink::Faint => "2",
            Ink::Green => "32",
            Ink::Blue => "34",
            Ink::Yellow => "33",
            Ink::Red => "31",
            Ink::Magenta => "35",
        }
    }
}

impl Terminal {
    /// A width of nothing counts as one column.
    pub(crate) fn new(width: usize, colour: bool) -> Terminal {
        Terminal { width: width.max(1), colour, out: String::new() }
    }

    /// Writes a line, shortened where it would be too wide.
    pub(crate) fn line(&mut self, spans: &[Span<'_>]) {
        let whole: String = spans.iter().map(|span| span.1).collect();
        let fits = columns(&whole) <= self.width;
        let fitted = if fits { whole } else { fit_columns(&whole, self.width) };
        let mut left = if fits { fitted.trim_end() } else { fitted.trim_end_matches('…') };
        for &(ink, text) in spans {
            let (piece, rest) = left.split_at(text.len().min(left.len()));
            self.put(ink, piece);
            left = rest;
        }
        if !fits {
            self.out.push('…');
        }
        self.out.push('\n');
    }

    /// Writes remarks that must be read whole: what does not fit goes on on the next line.
    pub(crate) fn notes(&mut self, notes: &[String]) {
        for note in notes {
            for line in wrapped(&visible(note), |line| columns(line) <= self.width) {
                self.line(&[(Ink::Yellow, &line)]);
            }
        }
    }

    fn put(&mut self, ink: Ink, text: &str) {
        let text = terminal(text);
        if self.colour && ink != Ink::Plain && !text.trim().is_empty() {
            self.out += &format!("\u{1b}[{}m{text}\u{1b}[0m", ink.code());
        } else {
            self.out += &text;
        }
    }

    /// Writes a label and a list behind it, over as many lines as it takes; each line begins with `margin`.
    pub(crate) fn list(&mut self, margin: &str, label: &str, ink: Ink, items: &[String]) {
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
            self.line(&[(Ink::Faint, margin), (Ink::Faint, label), (ink, line)]);
        }
    }

    pub(crate) fn finish(self) -> String {
        self.out
    }
}

/// The text with spaces behind it, up to a number of columns; shortened where it has more.
pub(crate) fn padded(text: &str, room: usize) -> String {
    let text = fit_columns(text, room);
    let missing = room.saturating_sub(columns(&text));
    text + &" ".repeat(missing)
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
    fn a_line_is_cut_wherever_it_gets_too_wide() {
        let spans = [(Ink::Plain, "abc "), (Ink::Bold, "def"), (Ink::Plain, "ghi")];
        assert_eq!(written(10, false, &spans), "abc defghi\n");
        assert_eq!(written(9, false, &spans), "abc defg…\n");
        assert_eq!(written(7, false, &spans), "abc de…\n");
        assert_eq!(written(5, false, &spans), "abc…\n");
        assert_eq!(written(0, false, &spans), "…\n");
    }

    #[test]
    fn colours_are_closed_again_and_come_from_nowhere_else() {
        assert_eq!(
            written(9, true, &[(Ink::Red, "a\u{1b}[1m"), (Ink::Plain, "b ")]),
            "\u{1b}[31ma\u{fffd}[1m\u{1b}[0mb\n"
        );
    }

    #[test]
    fn a_list_goes_on_below_its_beginning() {
        let mut terminal = Terminal::new(16, false);
        terminal.list("│ ", "emits ", Ink::Plain, &["aaa", "bbb", "a-longer-one"].map(String::from));
        assert_eq!(terminal.finish(), "│ emits aaa,\n│       bbb,\n│       a-longe…\n");
    }
}
