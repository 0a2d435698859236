//! The rows of a query's result as a table that fits the terminal.

use comfy_table::Cell;
use serde_json::Value;

use super::cell;
use crate::report::table;
use crate::style::printable;

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
