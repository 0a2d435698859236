//! Text of the provider in Markdown: within code spans, so that it cannot mention people, link, or format.

use super::changes::value::window;
use crate::visible::visible;

/// The maximum width of a value or name, in columns.
pub(crate) const VALUE: usize = 160;

/// Returns a text as a code span on one line, cut if it is long.
pub(crate) fn code(text: &str) -> String {
    fenced(&window(&visible(text), 0, VALUE))
}

/// Returns a text within a fence that is longer than any other one in it.
pub(crate) fn fenced(text: &str) -> String {
    let longest = text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let needs_space = text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) || text.is_empty();
    let space = if needs_space { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

/// Returns a text as a code span within a table, which even there ends at a bar.
pub(crate) fn cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}
