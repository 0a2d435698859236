//! The rows of a query's result as comma-separated values, as RFC 4180 defines them.

use serde_json::Value;

use super::cell;

/// Returns the header and the rows.
///
/// A text that a spreadsheet would run as a formula gets an apostrophe in front: its content is from the provider, and
/// a display name may well be `=HYPERLINK(…)`.
pub(crate) fn text(columns: &[String], rows: &[Vec<Value>]) -> String {
    let mut out = String::new();
    line(columns.iter().map(|name| field(name)), &mut out);
    for row in rows {
        line(row.iter().map(of_value), &mut out);
    }
    out
}

fn line(fields: impl Iterator<Item = String>, out: &mut String) {
    for (at, field) in fields.enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push_str(&field);
    }
    out.push_str("\r\n");
}

fn of_value(value: &Value) -> String {
    let text = cell::plain(value);
    let is_formula = !value.is_number() && text.starts_with(['=', '+', '-', '@']);
    field(&if is_formula { format!("'{text}") } else { text })
}

fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_quoted_and_formulas_are_not_run() {
        let columns = ["name", "n"].map(str::to_owned);
        let rows = vec![vec![json!("a, \"b\""), json!(-1)], vec![json!("=HYPERLINK(1)"), json!(null)]];
        assert_eq!(text(&columns, &rows), "name,n\r\n\"a, \"\"b\"\"\",-1\r\n'=HYPERLINK(1),\r\n");
    }
}
