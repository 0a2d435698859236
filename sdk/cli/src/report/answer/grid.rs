//! The rows of a query's result as a table that fits the terminal.

use std::io::{self, Write};

use comfy_table::Cell;
use serde_json::Value;
use textwrap::core::display_width;

use super::{Rows, cell};
use crate::report::table;
use crate::style::{BOLD, paint, printable};

/// Returns rows as aligned columns. Numbers are right-aligned; long cells are wrapped to fit the width.
pub(crate) fn text(columns: &[String], rows: &[Vec<Value>], width: usize) -> String {
    let numeric: Vec<bool> = (0..columns.len()).map(|at| is_numeric(rows, at)).collect();
    let mut table = table::plain();
    table.set_header(columns.iter().zip(&numeric).map(|(name, numeric)| aligned(printable(name), *numeric)));
    for row in rows {
        let cells = row.iter().zip(columns).zip(&numeric);
        table.add_row(cells.map(|((value, column), numeric)| aligned(cell::shown(column, value), *numeric)));
    }
    table::fitted(&mut table, width)
}

/// The maximum number of rows that are drawn together. A table in memory needs many times the bytes of its text.
const TOGETHER: usize = 1_000;

/// Writes rows like [`text`], but never more than [`TOGETHER`] at once. `rows` is called for each pass over them.
///
/// A long table that does not fit the width is drawn in parts, each with widths of its own.
pub(super) fn write<'r>(
    columns: &[String],
    rows: &dyn Fn() -> Rows<'r>,
    width: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let owned = |row: Vec<&Value>| row.into_iter().cloned().collect::<Vec<Value>>();
    let mut first = rows();
    let together: Vec<Vec<Value>> = first.by_ref().take(TOGETHER).map(owned).collect();
    if first.next().is_none() {
        return out.write_all(text(columns, &together, width).as_bytes());
    }
    drop((first, together));
    let layout = Layout::of(columns, rows());
    if layout.width() <= width {
        return layout.write(columns, rows(), out);
    }
    let (mut rows, mut header) = (rows(), columns.to_vec());
    loop {
        let part: Vec<Vec<Value>> = rows.by_ref().take(TOGETHER).map(owned).collect();
        if part.is_empty() {
            return Ok(());
        }
        let drawn = text(&header, &part, width);
        // The header is the first line of the first part only.
        let begin = if header.iter().all(String::is_empty) { drawn.find('\n').map_or(0, |end| end + 1) } else { 0 };
        out.write_all(&drawn.as_bytes()[begin..])?;
        header.iter_mut().for_each(String::clear);
    }
}

/// The natural widths and the alignments of columns.
struct Layout {
    widths: Vec<usize>,
    numeric: Vec<bool>,
}

/// The blanks between two columns.
const GAP: &str = "  ";

impl Layout {
    fn of(columns: &[String], rows: Rows<'_>) -> Self {
        let mut widths: Vec<usize> = columns.iter().map(|name| display_width(&printable(name))).collect();
        let (mut numeric, mut has_value) = (vec![true; columns.len()], vec![false; columns.len()]);
        for row in rows {
            for (at, value) in row.into_iter().enumerate().filter(|(_, value)| !value.is_null()) {
                widths[at] = widths[at].max(display_width(&cell::shown(&columns[at], value)));
                numeric[at] &= value.is_number();
                has_value[at] = true;
            }
        }
        let numeric = numeric.into_iter().zip(has_value).map(|(numeric, has_value)| numeric && has_value).collect();
        Self { widths, numeric }
    }

    fn width(&self) -> usize {
        self.widths.iter().sum::<usize>() + GAP.len() * self.widths.len().saturating_sub(1)
    }

    fn write(&self, columns: &[String], rows: Rows<'_>, out: &mut dyn Write) -> io::Result<()> {
        let header = self.line(columns.iter().map(|name| printable(name)));
        writeln!(out, "{}", paint(BOLD, header))?;
        for row in rows {
            let cells = row.into_iter().zip(columns).map(|(value, column)| cell::shown(column, value));
            writeln!(out, "{}", self.line(cells))?;
        }
        Ok(())
    }

    fn line(&self, cells: impl Iterator<Item = String>) -> String {
        let mut line = String::new();
        for (at, (text, width)) in cells.zip(&self.widths).enumerate() {
            let blanks = " ".repeat(width.saturating_sub(display_width(&text)));
            line += if at > 0 { GAP } else { "" };
            line += &if self.numeric[at] { blanks + &text } else { text + &blanks };
        }
        line.truncate(line.trim_end().len());
        line
    }
}

fn aligned(text: String, numeric: bool) -> Cell {
    if numeric { table::right(text) } else { Cell::new(text) }
}

fn is_numeric(rows: &[Vec<Value>], at: usize) -> bool {
    let mut values = rows.iter().filter_map(|row| row.get(at)).filter(|value| !value.is_null()).peekable();
    values.peek().is_some() && values.all(Value::is_number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_long_table_is_drawn_like_a_short_one() {
        let columns = ["name", "n", "absent", "mixed"].map(str::to_owned);
        let mixed = |at: usize| if at.is_multiple_of(2) { json!(at) } else { json!("漢字") };
        let all: Vec<Vec<Value>> =
            (0..TOGETHER + 5).map(|at| vec![json!(format!("row {at}")), json!(at), json!(null), mixed(at)]).collect();
        let rows = || -> Rows<'_> { Box::new(all.iter().map(|row| row.iter().collect())) };
        let written = |width: usize| {
            let mut out = Vec::new();
            write(&columns, &rows, width, &mut out).expect("memory");
            String::from_utf8(out).expect("text")
        };
        assert_eq!(written(usize::MAX), text(&columns, &all, usize::MAX));
        let narrow = anstream::adapter::strip_str(&written(20)).to_string();
        assert!(narrow.lines().all(|line| display_width(line) <= 20), "{narrow}");
        assert!(narrow.lines().all(|line| !line.is_empty()), "only the first part has a header");
    }

    #[test]
    fn a_wide_table_is_wrapped_and_a_pipe_gets_complete_lines() {
        let columns = ["app.name", "count(addon)"].map(str::to_owned);
        let rows =
            vec![vec![json!("a name of many words that is far too long"), json!(12)], vec![json!("b"), json!(3)]];
        let wide = anstream::adapter::strip_str(&text(&columns, &rows, usize::MAX)).to_string();
        assert_eq!(
            wide,
            "app.name                                   count(addon)\n\
             a name of many words that is far too long            12\n\
             b                                                     3\n"
        );
        let narrow = anstream::adapter::strip_str(&text(&columns, &rows, 40)).to_string();
        assert!(narrow.lines().count() > 3 && narrow.lines().all(|line| line.chars().count() <= 40), "{narrow}");
    }
}
