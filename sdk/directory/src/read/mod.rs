//! Records of a text, by format.

mod csv;
mod json;
mod ldif;

use crate::columns::{Columns, Field};
use crate::format::Format;
use crate::record::{BadLine, Record};

/// The records of a text, and the parts that cannot be read, in the order of the text.
pub(crate) type Records<'a> = Box<dyn Iterator<Item = Result<Record, BadLine>> + 'a>;

/// A required or configured column that the headings lack.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoColumn {
    pub(crate) field: Field,
    /// The simplified names of the columns.
    pub(crate) columns: Vec<String>,
}

/// Returns the records of a text.
pub(crate) fn records<'a>(
    text: &'a str,
    format: Format,
    separator: Option<u8>,
    columns: &Columns,
) -> Result<Records<'a>, NoColumn> {
    Ok(match format {
        Format::Csv => Box::new(csv::Csv::open(text, separator, columns)?),
        Format::Json => Box::new(json::Json::open(text)),
        Format::Ndjson => Box::new(json::lines(text)),
        Format::Ldif => Box::new(ldif::Ldif::open(text)),
    })
}

/// Returns the format of a file by its name, or by its first characters.
pub(crate) fn format_of(name: &str, text: &str) -> Format {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    match extension.as_deref() {
        Some("csv" | "tsv" | "tab") => return Format::Csv,
        Some("ndjson" | "jsonl") => return Format::Ndjson,
        Some("ldif" | "ldf") => return Format::Ldif,
        _ => {}
    }
    let begin = text.trim_start();
    match begin.bytes().next() {
        Some(b'[' | b'{') => Format::Json,
        _ if ["dn:", "version:", "# extended LDIF"].iter().any(|known| begin.starts_with(known)) => Format::Ldif,
        _ => Format::Csv,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_follows_from_the_name_or_the_contents() {
        for (name, text, format) in [
            ("a.CSV", "[", Format::Csv),
            ("a.tsv", "", Format::Csv),
            ("a.jsonl", "", Format::Ndjson),
            ("a.ldif", "", Format::Ldif),
            ("a.json", "{", Format::Json),
            ("a.txt", " [{}]", Format::Json),
            ("export", "dn: cn=a\n", Format::Ldif),
            ("a.txt", "email;name\n", Format::Csv),
        ] {
            assert_eq!(format_of(name, text), format, "{name}");
        }
    }
}
