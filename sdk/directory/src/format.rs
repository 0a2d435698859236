//! The formats of files.

use integration_sdk::config::ConfigValue;

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Values separated by commas, semicolons, tabs, or bars.
    Csv,
    /// A JSON list of objects, or an object with such a list.
    Json,
    /// One JSON object a line.
    Ndjson,
    /// The entries of an LDAP directory.
    Ldif,
}

impl ConfigValue for Format {
    const KIND: &'static str = "string";
    const EXPECTED: &'static str = "csv, json, ndjson, or ldif";
    fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "csv" | "tsv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            "ldif" => Some(Self::Ldif),
            _ => None,
        }
    }
}
