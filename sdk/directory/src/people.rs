//! The people of one file.

use std::fmt;

pub use crate::options::Options;
pub use crate::person::Person;
use crate::record::BadLine;
use crate::{decode, read};

/// The first bytes of workbooks: ZIP archives, and the older format of Excel.
const WORKBOOKS: [&[u8]; 2] = [b"PK\x03\x04", b"\xd0\xcf\x11\xe0"];

/// The people of a file, and the lines that cannot be read.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct List {
    /// The people, in the order of the file.
    pub people: Vec<Person>,
    /// The lines that cannot be read, or not completely.
    pub problems: Vec<Problem>,
}

/// A line that cannot be read, or not completely.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The name of the file.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// The cause.
    pub reason: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}: {}", self.file, self.line, self.reason)
    }
}

/// The reason why no line of a file can be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The headings contain no column of e-mail addresses, or not the configured column of another value.
    #[error("{file} has no column of {wanted}; {columns}")]
    NoColumn {
        /// The name of the file.
        file: String,
        /// The contents of the column.
        wanted: &'static str,
        /// The variable that sets the column.
        variable: &'static str,
        /// The simplified names of the columns, as a sentence with the remedy.
        columns: String,
    },
    /// The file is not text.
    #[error("{file} is a workbook or an archive; save its sheet as CSV")]
    Workbook {
        /// The name of the file.
        file: String,
    },
    /// The file or the folder cannot be read.
    #[error("cannot read {file}: {source}")]
    Unreadable {
        /// The name of the file.
        file: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The folder contains no file of people.
    #[error("{folder} contains no CSV, TSV, JSON, NDJSON, or LDIF file")]
    NoFiles {
        /// The path of the folder.
        folder: String,
    },
}

/// Reads the people of a file. `name` serves for messages and for the format.
///
/// # Errors
/// [`FileError::NoColumn`] if the headings of a CSV file lack the e-mail address or a configured column,
/// [`FileError::Workbook`] if the file is not text.
pub fn read(name: &str, bytes: &[u8], options: &Options) -> Result<List, FileError> {
    if WORKBOOKS.iter().any(|begin| bytes.starts_with(begin)) {
        return Err(FileError::Workbook { file: name.to_owned() });
    }
    let text = decode::decode(bytes, options.encoding);
    let format = options.format.unwrap_or_else(|| read::format_of(name, &text));
    let records = read::records(&text, format, options.separator, &options.columns).map_err(
        |read::NoColumn { field, columns }| {
            let (wanted, variable) = field.described();
            let columns = match columns.as_slice() {
                [] => "it has no headings".to_owned(),
                columns => format!("its columns are {}; set {variable} to one of them", columns.join(", ")),
            };
            FileError::NoColumn { file: name.to_owned(), wanted, variable, columns }
        },
    )?;
    let mut list = List::default();
    let problem = |BadLine { line, reason }| Problem { file: name.to_owned(), line, reason };
    for record in records {
        match record.and_then(|record| Person::of(&record, options)) {
            Ok((person, unread)) => {
                list.people.push(person);
                list.problems.extend(unread.into_iter().map(problem));
            }
            Err(bad) => list.problems.push(problem(bad)),
        }
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::format::Format;

    use super::*;

    #[test]
    fn all_formats_describe_the_same_person() {
        let files = [
            ("p.csv", "Employee ID,Work Email,Full Name,Manager\n7,ada@x.com,Ada Lovelace,bob@x.com\n"),
            ("p.csv", "employee_id;e-mail;name;manager\r\n7;ADA@X.COM;Ada Lovelace;bob@x.com\r\n"),
            (
                "p.json",
                r#"[{"employeeId": 7, "email": "ada@x.com", "displayName": "Ada Lovelace", "manager": "bob@x.com"}]"#,
            ),
            (
                "p.ndjson",
                r#"{"id": "7", "mail": "ada@x.com", "name": "Ada Lovelace", "manager": {"email": "bob@x.com"}}"#,
            ),
        ];
        for (name, text) in files {
            let list = read(name, text.as_bytes(), &Options::default()).expect("people");
            let [ada] = list.people.as_slice() else { panic!("{text}: {list:?}") };
            assert_eq!((ada.email.as_str(), ada.id.as_deref()), ("ada@x.com", Some("7")), "{text}");
            assert_eq!(
                (ada.name.as_deref(), ada.manager.as_deref()),
                (Some("Ada Lovelace"), Some("bob@x.com")),
                "{text}"
            );
        }
    }

    #[test]
    fn a_file_without_addresses_names_its_columns() {
        let error = read("p.csv", b"Name,Login\nAda,ada\n", &Options::default()).expect_err("no column");
        assert_eq!(
            error.to_string(),
            "p.csv has no column of e-mail addresses; its columns are name, login; set DIRECTORY_EMAIL_COLUMN to one of them"
        );
    }

    #[test]
    fn a_workbook_and_an_empty_file_have_a_message_of_their_own() {
        let error = |bytes: &[u8]| read("p", bytes, &Options::default()).expect_err("no people").to_string();
        assert_eq!(error(b"PK\x03\x04 [Content_Types].xml"), "p is a workbook or an archive; save its sheet as CSV");
        assert_eq!(error(b""), "p has no column of e-mail addresses; it has no headings");
    }

    /// A line of a CSV file: whole, damaged, or blank.
    fn line() -> impl Strategy<Value = String> {
        let cell = prop_oneof!["[a-z]{1,6}", Just("\"".to_owned()), Just("a,b".to_owned()), Just("\"q\"".to_owned())];
        prop_oneof![
            3 => "[a-z]{1,8}".prop_map(|name| format!("{name}@x.com,{name},Ops")),
            1 => prop::collection::vec(cell, 0..5).prop_map(|cells| cells.join(",")),
        ]
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic_in_every_format(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            for format in [Format::Csv, Format::Json, Format::Ndjson, Format::Ldif] {
                let _ = read("p", &bytes, &Options::default().format(format));
            }
        }

        #[test]
        fn a_damaged_line_never_loses_the_whole_lines_before_it(lines in prop::collection::vec(line(), 0..12)) {
            let text = format!("email,name,department\n{}", lines.join("\n"));
            let list = read("p.csv", text.as_bytes(), &Options::default()).expect("a column");
            let before = lines.iter().take_while(|line| line.ends_with(",Ops")).count();
            prop_assert!(list.people.len() >= before, "{text}: {list:?}");
            let all = lines.len() as u64 + 1;
            prop_assert!(list.problems.iter().all(|problem| (2..=all).contains(&problem.line)), "{text}: {list:?}");
        }
    }
}
