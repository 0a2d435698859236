//! CSV in the dialects of spreadsheets: separated by commas, semicolons, tabs, or bars.
//!
//! A quotation mark that is never closed would make the rest of a file one value. A record is therefore bounded, and a
//! record of several lines must have the number of columns; otherwise only its first line is lost.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::NoColumn;
use crate::columns::{Columns, Field};
use crate::record::{BadLine, Record, line_ends, simplified};

/// The maximum length of a record in bytes.
const LONGEST: usize = 16 << 10;
/// The maximum number of columns.
const WIDEST: usize = 1_000;
const SEPARATORS: [u8; 4] = *b",;\t|";

/// The records of a CSV text.
pub(super) struct Csv<'a> {
    text: &'a str,
    /// The position behind the last record.
    at: usize,
    /// The number of the line at the position.
    line: u64,
    reader: Reader,
    columns: Vec<String>,
}

/// The fields of one record, and its length in the text.
struct Parsed {
    fields: Vec<String>,
    length: usize,
}

impl<'a> Csv<'a> {
    /// Reads the line of headings. The separator is the given one, that of a line `sep=;`, or the most frequent one.
    pub(super) fn open(text: &'a str, separator: Option<u8>, columns: &Columns) -> Result<Self, NoColumn> {
        let text = text.trim_start_matches('\u{feff}');
        let first = &text[..end_of_line(text, 0)];
        let declared = first.strip_prefix("sep=").or_else(|| first.strip_prefix("SEP="));
        let declared = declared.map(|rest| rest.trim_end_matches(['\r', '\n']).as_bytes());
        let declared = declared.and_then(|rest| if let [separator] = rest { Some(*separator) } else { None });
        let mut csv = Self { text, at: 0, line: 1, reader: Reader::new(), columns: Vec::new() };
        if declared.is_some() {
            csv.skip_to(first.len());
        }
        csv.skip_blank_lines();
        let separator = separator.or(declared).unwrap_or_else(|| most_frequent(&text[csv.at..]));
        csv.reader = ReaderBuilder::new().delimiter(separator).build();
        if let Some(Parsed { fields, length }) = csv.parse() {
            csv.columns = fields.iter().map(|name| simplified(name)).collect();
            csv.skip_to(csv.at + length);
        }
        let no_email = (!columns.has(Field::Email, &csv.columns)).then_some(Field::Email);
        match no_email.or_else(|| columns.absent(&csv.columns).next()) {
            Some(field) => Err(NoColumn { field, columns: csv.columns }),
            None => Ok(csv),
        }
    }

    /// Moves to a position behind the current one.
    fn skip_to(&mut self, at: usize) {
        self.line += line_ends(&self.text[self.at..at]);
        self.at = at;
    }

    fn skip_blank_lines(&mut self) {
        let rest = &self.text[self.at..];
        self.skip_to(self.at + rest.len() - rest.trim_start_matches(['\r', '\n']).len());
    }

    /// Parses the record at the position; `None` if it is too long.
    fn parse(&mut self) -> Option<Parsed> {
        let rest = &self.text.as_bytes()[self.at..];
        let window = &rest[..rest.len().min(LONGEST)];
        let (mut output, mut ends) = (vec![0; window.len()], vec![0; WIDEST]);
        self.reader.reset();
        let (mut result, mut length, written, mut count) = self.reader.read_record(window, &mut output, &mut ends);
        if result == ReadRecordResult::InputEmpty && window.len() == rest.len() {
            // The end of the text ends the last record.
            let end = self.reader.read_record(&[], &mut output[written..], &mut ends[count..]);
            (result, length, count) = (end.0, length + end.1, count + end.3);
        }
        if result != ReadRecordResult::Record {
            return None;
        }
        // A line end of two characters belongs to the record.
        if rest[..length].ends_with(b"\r") && rest.get(length) == Some(&b'\n') {
            length += 1;
        }
        let begins = std::iter::once(0).chain(ends[..count].iter().copied());
        let fields =
            begins.zip(&ends[..count]).map(|(begin, end)| String::from_utf8_lossy(&output[begin..*end]).into());
        Some(Parsed { fields: fields.collect(), length })
    }

    /// Loses the line at the position.
    fn bad(&mut self, reason: impl Into<String>) -> BadLine {
        let bad = BadLine::new(self.line, reason);
        self.skip_to(end_of_line(self.text, self.at));
        bad
    }

    fn record(&mut self) -> Result<Record, BadLine> {
        let Some(Parsed { fields, length }) = self.parse() else {
            return Err(self.bad("the line is too long, or a quotation mark is not closed"));
        };
        let raw = self.text[self.at..self.at + length].trim_end_matches(['\r', '\n']);
        let is_broken = fields.len() != self.columns.len() || raw.matches('"').count() % 2 == 1;
        if is_broken && line_ends(raw) > 0 {
            return Err(self.bad("a quotation mark is not closed"));
        }
        if fields.iter().skip(self.columns.len()).any(|field| !field.trim().is_empty()) {
            return Err(self.bad(format!("{} values for {} columns", fields.len(), self.columns.len())));
        }
        let mut record = Record::on(self.line);
        self.columns.iter().zip(&fields).for_each(|(column, field)| record.add(column, field));
        self.skip_to(self.at + length);
        Ok(record)
    }
}

impl Iterator for Csv<'_> {
    type Item = Result<Record, BadLine>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.skip_blank_lines();
            if self.at == self.text.len() {
                return None;
            }
            match self.record() {
                Ok(record) if record.is_empty() => {}
                other => return Some(other),
            }
        }
    }
}

/// Returns the position behind the line at a position.
fn end_of_line(text: &str, at: usize) -> usize {
    let line = text[at..].find(['\r', '\n']).map_or(text.len(), |length| at + length);
    match text.as_bytes().get(line..line + 2) {
        Some(b"\r\n") => line + 2,
        _ => text.len().min(line + 1),
    }
}

/// Returns the separator that is most frequent outside quotation marks in the first line.
fn most_frequent(text: &str) -> u8 {
    let line = &text[..end_of_line(text, 0).min(text.len())];
    let outside: Vec<&str> = line.split('"').step_by(2).collect();
    let count = |separator: &u8| outside.iter().map(|part| part.matches(char::from(*separator)).count()).sum::<usize>();
    // The first of several equal ones.
    let best = SEPARATORS.iter().rev().max_by_key(|separator| count(separator));
    best.copied().unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Result<(u64, String), (u64, String)>> {
        let csv = Csv::open(text, None, &Columns::default()).expect("a column for e-mail addresses");
        let email = |record: &Record| record.values("email").map_or_else(String::new, |values| values.join(" "));
        csv.map(|result| match result {
            Ok(record) => Ok((record.line, email(&record))),
            Err(BadLine { line, reason }) => Err((line, reason)),
        })
        .collect()
    }

    fn ok(line: u64, email: &str) -> Result<(u64, String), (u64, String)> {
        Ok((line, email.to_owned()))
    }

    #[test]
    fn the_dialects_of_spreadsheets_are_recognised() {
        for text in [
            "name,email\nAda,a@x\n",
            "name;email\r\nAda;a@x\r\n",
            "name\temail\rAda\ta@x",
            "name|email\n\"Ada|L\"|a@x\n",
            "\"a;b;c;d\",email\n1,a@x",
            "\u{feff}email\na@x",
        ] {
            assert_eq!(read(text), [ok(2, "a@x")], "{text:?}");
        }
        assert_eq!(read("sep=|\r\nname,x|email\r\nAda|a@x\r\n"), [ok(3, "a@x")]);
    }

    #[test]
    fn lines_are_numbered_as_in_an_editor() {
        let text = "\r\nname,email\r\n\r\n\"Ada\r\nLovelace\",a@x\r\n,,\r\nBob,b@x";
        assert_eq!(read(text), [ok(4, "a@x"), ok(7, "b@x")]);
    }

    #[test]
    fn an_open_quotation_mark_loses_one_line() {
        let text = "name,email\nAda,a@x\n\"Bob,b@x\nEve,e@x\nFay,f@x\n";
        let lost = |line: u64| Err((line, "a quotation mark is not closed".to_owned()));
        assert_eq!(read(text), [ok(2, "a@x"), lost(3), ok(4, "e@x"), ok(5, "f@x")]);
        let last = "email,note\na@x,\"open\nb@x,\nc@x,";
        assert_eq!(read(last), [lost(2), ok(3, "b@x"), ok(4, "c@x")]);
    }

    #[test]
    fn a_long_record_is_lost_alone() {
        let text = format!("email,note\na@x,\"{}\nb@x,\n", "y\n".repeat(LONGEST));
        let records = read(&text);
        assert_eq!(records[0], Err((2, "the line is too long, or a quotation mark is not closed".to_owned())));
        assert_eq!(records.last(), Some(&ok(LONGEST as u64 + 3, "b@x")));
    }

    #[test]
    fn values_beyond_the_columns_are_not_guessed() {
        let text = "email,title\na@x,Chief, Security\nb@x,,,\nc@x";
        let wrong = Err((2, "3 values for 2 columns".to_owned()));
        assert_eq!(read(text), [wrong, ok(3, "b@x"), ok(4, "c@x")]);
    }

    #[test]
    fn a_file_without_a_column_of_addresses_is_refused_with_its_columns() {
        let refused = |text: &str| Csv::open(text, None, &Columns::default()).err();
        let columns = vec!["name".into(), "login".into()];
        assert_eq!(refused("Name;Login\nAda;ada\n"), Some(NoColumn { field: Field::Email, columns }));
        assert_eq!(refused(""), Some(NoColumn { field: Field::Email, columns: Vec::new() }));
        // A misspelt status column would hide all leavers.
        let configured = Columns::new([(Field::Status, Some("Sttus".to_owned()))]);
        let error = Csv::open("email;status\n", None, &configured).err().expect("no such column");
        assert_eq!(error.field, Field::Status);
    }
}
