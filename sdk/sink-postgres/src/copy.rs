//! Rows in the text form of COPY.

use std::fmt::Write;

use integration_sink::Cell;
use jiff::Timestamp;

/// Appends a row to the text of a COPY.
pub(crate) fn write_row<'a, 'b: 'a>(cells: impl Iterator<Item = &'a Cell<'b>>, text: &mut String) {
    let mut value = String::new();
    for (at, cell) in cells.enumerate() {
        if at > 0 {
            text.push('\t');
        }
        match cell {
            Cell::Null => text.push_str("\\N"),
            Cell::Text(plain) => escaped(plain, text),
            cell => {
                value.clear();
                write_value(cell, &mut value);
                escaped(&value, text);
            }
        }
    }
    text.push('\n');
}

/// Writes the literal of a value, without the escapes of COPY.
fn write_value(cell: &Cell<'_>, text: &mut String) {
    // Writing into a string does not fail.
    let _ = match cell {
        Cell::Null => write!(text, "NULL"),
        Cell::Boolean(value) => write!(text, "{value}"),
        Cell::Integer(value) => write!(text, "{value}"),
        Cell::Double(value) => write!(text, "{value:e}"),
        Cell::Timestamp(milliseconds) => write!(text, "{}", time(*milliseconds)),
        Cell::Text(plain) => write!(text, "{plain}"),
        Cell::List(elements) => {
            text.push('{');
            for (at, element) in elements.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                write_element(element, text);
            }
            write!(text, "}}")
        }
    };
}

fn write_element(element: &Cell<'_>, text: &mut String) {
    match element {
        Cell::Text(_) | Cell::Timestamp(_) => {
            let mut value = String::new();
            write_value(element, &mut value);
            text.push('"');
            for letter in value.chars() {
                if matches!(letter, '"' | '\\') {
                    text.push('\\');
                }
                text.push(letter);
            }
            text.push('"');
        }
        other => write_value(other, text),
    }
}

/// Returns a time in UTC with milliseconds.
fn time(milliseconds: i64) -> String {
    let time = Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH);
    time.strftime("%Y-%m-%d %H:%M:%S.%3f+00").to_string()
}

/// Appends a text with the escapes of COPY. PostgreSQL has no place for the character NUL.
fn escaped(plain: &str, text: &mut String) {
    for letter in plain.chars() {
        match letter {
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\0' => text.push('\u{fffd}'),
            letter => text.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_meaning_in_a_row() {
        let cells = [
            Cell::Null,
            Cell::Text("a\tb\\\n".into()),
            Cell::Boolean(true),
            Cell::Timestamp(1_700_000_000_123),
            Cell::Double(1e-300),
            Cell::List(vec![Cell::Text("\"x\\".into()), Cell::Null, Cell::Integer(-7)]),
            Cell::List(vec![]),
        ];
        let mut text = String::new();
        write_row(cells.iter(), &mut text);
        let expected =
            "\\N\ta\\tb\\\\\\n\ttrue\t2023-11-14 22:13:20.123+00\t1e-300\t{\"\\\\\"x\\\\\\\\\",NULL,-7}\t{}\n";
        assert_eq!(text, expected);
    }
}
