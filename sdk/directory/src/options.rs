//! The options for reading a file.

use std::collections::BTreeSet;

use encoding_rs::Encoding;

use crate::columns::Columns;
use crate::format::Format;

/// How a file is read. The default recognises everything.
#[derive(Debug, Clone, Default)]
pub struct Options {
    pub(crate) format: Option<Format>,
    pub(crate) encoding: Option<&'static Encoding>,
    pub(crate) separator: Option<u8>,
    pub(crate) date_format: Option<String>,
    /// The simplified status values that mean that a person has left.
    pub(crate) inactive: BTreeSet<String>,
    pub(crate) columns: Columns,
}

impl Options {
    /// Reads every file in one format.
    #[must_use]
    pub fn format(self, format: Format) -> Self {
        Self { format: Some(format), ..self }
    }
}
