//! Errors in schemas, with their location.

use std::fmt;
use std::path::PathBuf;

use serde::{Serialize, Serializer};

/// An error that makes a schema unusable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SchemaProblem {
    /// The class or type.
    pub schema: String,
    /// The file, if the schema was read from one.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "lossy")]
    pub file: Option<PathBuf>,
    /// The location in the schema, as a JSON pointer.
    pub pointer: String,
    /// The error.
    pub reason: String,
}

/// Serializes a path as text, with U+FFFD for bytes that are not Unicode.
fn lossy<S: Serializer>(path: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
    path.as_ref().map(|path| path.to_string_lossy()).serialize(serializer)
}

impl fmt::Display for SchemaProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "{}", file.display())?,
            None => write!(f, "the schema of {}", self.schema)?,
        }
        if !self.pointer.is_empty() {
            write!(f, ", at {}", self.pointer)?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// Unusable schemas.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// The folder cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Unreadable {
        /// The path of the folder.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The folder contains no schemas.
    #[error("{path} contains no class schemas: expected files like User.json", path = path.display())]
    Empty {
        /// The path of the folder.
        path: PathBuf,
    },
    /// Schemas are invalid or contain unresolvable references. All errors are included.
    #[error("{}", list(.0))]
    Invalid(Vec<SchemaProblem>),
}

fn list(problems: &[SchemaProblem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    match lines.as_slice() {
        [one] => one.clone(),
        several => format!("the schemas have {} errors:\n{}", several.len(), several.join("\n")),
    }
}

pub(super) fn problem(
    name: &str,
    file: Option<impl Into<PathBuf>>,
    pointer: &str,
    reason: impl Into<String>,
) -> SchemaProblem {
    let file = file.map(Into::into);
    SchemaProblem { schema: name.to_owned(), file, pointer: pointer.to_owned(), reason: reason.into() }
}
