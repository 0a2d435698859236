//! The rows of a query's result as comma-separated values, as RFC 4180 defines them.

use std::io::{self, Write};

use serde_json::Value;

use super::{Rows, cell};

/// Writes the header and the rows.
///
/// A text that a spreadsheet would run as a formula gets an apostrophe in front: its content is from the provider, and
/// a display name may well be `=HYPERLINK(…)`.
pub(crate) fn write(columns: &[String], rows: Rows<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut text = String::new();
    line(columns.iter().map(|name| field(name)), &mut text);
    out.write_all(text.as_bytes())?;
    for row in rows {
        text.clear();
        line(row.into_iter().map(of_value), &mut text);
        out.write_all(text.as_bytes())?;
    }
    Ok(())
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
        let rows = [vec![json!("a, \"b\""), json!(-1)], vec![json!("=HYPERLINK(1)"), json!(null)]];
        let mut text = Vec::new();
        write(&columns, Box::new(rows.iter().map(|row| row.iter().collect())), &mut text).expect("memory");
        assert_eq!(String::from_utf8_lossy(&text), "name,n\r\n\"a, \"\"b\"\"\",-1\r\n'=HYPERLINK(1),\r\n");
    }
}
