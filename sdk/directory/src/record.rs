//! A record of a file: the values of one person by column, before their meaning is known.

use std::collections::HashMap;

/// The maximum length of a quoted value in a message, in characters.
const QUOTED: usize = 40;

/// The values of one person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Record {
    /// The line on which the record begins, from 1.
    pub(crate) line: u64,
    /// The values by the simplified name of their column.
    cells: HashMap<String, Vec<String>>,
}

impl Record {
    pub(crate) fn on(line: u64) -> Self {
        Self { line, cells: HashMap::new() }
    }

    /// Adds a value, unless it is blank.
    pub(crate) fn add(&mut self, column: &str, value: &str) {
        let value = value.trim();
        // Excel writes a text that looks like a number as a formula.
        let value = value.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
        if !value.is_empty() {
            self.cells.entry(column.to_owned()).or_default().push(value.to_owned());
        }
    }

    /// The values of a column; it has at least one.
    pub(crate) fn values(&self, column: &str) -> Option<&[String]> {
        self.cells.get(column).map(Vec::as_slice)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }
}

/// A part of a file that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadLine {
    pub(crate) line: u64,
    pub(crate) reason: String,
}

impl BadLine {
    pub(crate) fn new(line: u64, reason: impl Into<String>) -> Self {
        Self { line, reason: reason.into() }
    }
}

/// Simplifies the name of a column for comparisons: `E-Mail Address [Required]` becomes `emailaddress`.
pub(crate) fn simplified(name: &str) -> String {
    let name = name.split_once('[').map_or(name, |(before, _)| before);
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Quotes a value in a message, shortened.
pub(crate) fn quoted(value: &str) -> String {
    let short: String = value.chars().take(QUOTED).collect();
    format!("{:?}", if short.len() < value.len() { short + "…" } else { short })
}

/// The number of line ends in a text: `\n`, `\r\n`, or `\r`.
pub(crate) fn line_ends(text: &str) -> u64 {
    let bytes = text.as_bytes();
    let ends = |(at, byte): (usize, &u8)| match byte {
        b'\n' => true,
        b'\r' => bytes.get(at + 1) != Some(&b'\n'),
        _ => false,
    };
    bytes.iter().enumerate().filter(|found| ends(*found)).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_columns_are_compared_by_letters_and_digits() {
        for name in ["E-Mail Address [Required]", "email_address", "Email Address", "EMAILADDRESS"] {
            assert_eq!(simplified(name), "emailaddress");
        }
        assert_eq!((simplified("Straße 2"), simplified("[x]")), ("straße2".to_owned(), String::new()));
    }

    #[test]
    fn a_record_has_no_blank_values() {
        let mut record = Record::on(7);
        record.add("email", "  ");
        assert!(record.is_empty());
        record.add("email", " a@b ");
        assert_eq!(record.values("email"), Some(&["a@b".to_owned()][..]));
        record.add("id", "=\"007\"");
        record.add("id", "=\"");
        assert_eq!(record.values("id"), Some(&["007".to_owned(), "=\"".to_owned()][..]));
    }

    #[test]
    fn every_kind_of_line_end_counts_once() {
        assert_eq!(line_ends("a\nb\r\nc\rd"), 3);
        assert_eq!(quoted(&"x".repeat(50)), format!("\"{}…\"", "x".repeat(40)));
    }
}
