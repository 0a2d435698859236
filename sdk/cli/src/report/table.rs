//! Tables without borders: aligned columns, a bold header, no trailing spaces.

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};

use crate::style::{BOLD, paint};

/// Creates a table with its natural width. The caller checks that the width [`fits`].
pub(crate) fn plain() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled).enforce_styling();
    table.style_text_only();
    table
}

/// Creates a right-aligned cell.
pub(crate) fn right(text: impl ToString) -> Cell {
    Cell::new(text.to_string()).set_alignment(CellAlignment::Right)
}

pub(crate) fn write(table: &mut Table) -> String {
    if let Some(first) = table.column_mut(0) {
        first.set_padding((0, 1));
    }
    let lines = table.lines().enumerate();
    let lines = lines.map(|(at, line)| match at {
        0 => paint(BOLD, line.trim_end()) + "\n",
        _ => line.trim_end().to_owned() + "\n",
    });
    lines.collect()
}

/// Draws a table with its natural width if that fits, and otherwise with wrapped cells.
pub(crate) fn fitted(table: &mut Table, width: usize) -> String {
    let drawn = write(table);
    if fits(&drawn, width) {
        return drawn;
    }
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(u16::try_from(width).unwrap_or(u16::MAX));
    write(table)
}

/// Returns whether a rendered table fits into the width.
pub(crate) fn fits(drawn: &str, width: usize) -> bool {
    drawn.lines().all(|line| textwrap::core::display_width(line) <= width)
}
