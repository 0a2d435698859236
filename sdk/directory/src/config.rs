//! The configuration of the integration.

use std::collections::BTreeSet;

use encoding_rs::Encoding;
use integration_sdk::Config;
use integration_sdk::config::ConfigValue;

use crate::columns::{Columns, Field};
pub use crate::format::Format;
use crate::options::Options;
use crate::record::simplified;

/// The files, their form, and the columns.
///
/// A column is found by its common names, such as `Work Email`, `mail`, or `Primary Email`. A configured name replaces
/// them. Names are compared without regard to case, spaces, and punctuation.
#[derive(Debug, Config)]
pub struct DirectoryConfig {
    /// The file of people, or a folder whose CSV, TSV, JSON, NDJSON, and LDIF files are all read.
    pub people_file: String,
    /// The format: `csv`, `json`, `ndjson`, or `ldif`. By default it follows from the name or the contents.
    pub people_format: Option<Format>,
    /// The encoding, such as `utf-8`, `utf-16le`, or `windows-1252`. By default it is recognised.
    pub people_encoding: Option<Charset>,
    /// The separator of CSV: one character, or `tab`. By default it is recognised.
    pub csv_separator: Option<Separator>,
    /// The form of dates, such as `%d/%m/%Y`. By default dates are read if they have one meaning only.
    pub date_format: Option<DateFormat>,
    /// Additional values of the status, separated by commas, that mean that a person has left.
    pub inactive_status: Option<String>,
    /// The column of the e-mail address.
    pub email_column: Option<String>,
    /// The column of the full name.
    pub name_column: Option<String>,
    /// The column of the first name.
    pub first_name_column: Option<String>,
    /// The column of the last name.
    pub last_name_column: Option<String>,
    /// The column of the id of a person.
    pub id_column: Option<String>,
    /// The column of the manager: an e-mail address, an id, a full name, or a DN.
    pub manager_column: Option<String>,
    /// The column of the department.
    pub department_column: Option<String>,
    /// The column of the job title.
    pub title_column: Option<String>,
    /// The column of the status.
    pub status_column: Option<String>,
    /// The column of the first day.
    pub start_column: Option<String>,
    /// The column of the last day.
    pub end_column: Option<String>,
    /// The column of further e-mail addresses.
    pub aliases_column: Option<String>,
    /// Whether a login with one of the further addresses of a person belongs to that person.
    #[config(default = "true")]
    pub match_aliases: bool,
    /// Whether a login with a tag in its address, such as `ada+ops@example.com`, belongs to `ada@example.com`.
    #[config(default = "false")]
    pub match_plus_addresses: bool,
}

impl DirectoryConfig {
    /// Returns the options for reading a file.
    pub(crate) fn options(&self) -> Options {
        let of_field = |field| match field {
            Field::Email => &self.email_column,
            Field::Name => &self.name_column,
            Field::FirstName => &self.first_name_column,
            Field::LastName => &self.last_name_column,
            Field::Id => &self.id_column,
            Field::Manager => &self.manager_column,
            Field::Department => &self.department_column,
            Field::Title => &self.title_column,
            Field::Status => &self.status_column,
            Field::Start => &self.start_column,
            Field::End => &self.end_column,
            Field::Aliases => &self.aliases_column,
        };
        let inactive = self.inactive_status.iter().flat_map(|values| values.split(','));
        Options {
            format: self.people_format,
            encoding: self.people_encoding.map(|charset| charset.0),
            separator: self.csv_separator.map(|separator| separator.0),
            date_format: self.date_format.as_ref().map(|format| format.0.clone()),
            inactive: inactive.map(simplified).filter(|value| !value.is_empty()).collect::<BTreeSet<_>>(),
            columns: Columns::new(Field::ALL.map(|field| (field, of_field(field).clone()))),
        }
    }
}

/// An encoding of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charset(pub(crate) &'static Encoding);

impl ConfigValue for Charset {
    const KIND: &'static str = "string";
    const EXPECTED: &'static str = "the name of an encoding, such as utf-8 or windows-1252";
    fn parse(text: &str) -> Option<Self> {
        Encoding::for_label(text.as_bytes()).map(Self)
    }
}

/// The separator of values in CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Separator(pub(crate) u8);

impl ConfigValue for Separator {
    const KIND: &'static str = "string";
    const EXPECTED: &'static str = "one character other than a quotation mark, or `tab`";
    fn parse(text: &str) -> Option<Self> {
        match text.as_bytes() {
            _ if text.eq_ignore_ascii_case("tab") || text == "\\t" => Some(Self(b'\t')),
            [byte] if byte.is_ascii_punctuation() && *byte != b'"' => Some(Self(*byte)),
            _ => None,
        }
    }
}

/// The form of dates, in the syntax of `strptime`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateFormat(pub(crate) String);

impl ConfigValue for DateFormat {
    const KIND: &'static str = "string";
    const EXPECTED: &'static str = "a form with year, month, and day, such as %d/%m/%Y";
    fn parse(text: &str) -> Option<Self> {
        // A form without one of the three cannot be read back.
        let day = jiff::civil::date(2024, 5, 31);
        let shown = jiff::fmt::strtime::format(text, day).ok()?;
        let read = jiff::civil::Date::strptime(text, shown).ok()?;
        (read == day).then(|| Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_the_configuration_are_checked() {
        assert_eq!(Format::parse("CSV"), Some(Format::Csv));
        assert_eq!(Format::parse("xls"), None);
        assert!(Charset::parse("latin1").is_some() && Charset::parse("klingon").is_none());
        assert_eq!(Separator::parse("tab"), Some(Separator(b'\t')));
        assert_eq!((Separator::parse(";"), Separator::parse("::")), (Some(Separator(b';')), None));
        assert!(DateFormat::parse("%d/%m/%Y").is_some() && DateFormat::parse("%d %B %Y").is_some());
        assert!(["%m/%Y", "dd/mm/yyyy", "%", "%Q"].iter().all(|format| DateFormat::parse(format).is_none()));
    }
}
