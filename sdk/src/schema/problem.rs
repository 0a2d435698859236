//! What can be wrong with a schema, and where.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

/// Something about a schema that keeps it from being used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SchemaProblem {
    /// The class or type.
    pub schema: String,
    /// The file, where it was read from one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// Where in the schema, as a JSON pointer.
    pub pointer: String,
    /// What is wrong there.
    pub reason: String,
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

/// Schemas that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// The folder cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The folder holds no schema.
    #[error("{path} holds no class schemas: expected files like User.json", path = path.display())]
    Empty {
        /// Which.
        path: PathBuf,
    },
    /// Schemas are not valid, or refer to what is not there: all that is wrong with them.
    #[error("{}", list(.0))]
    Invalid(Vec<SchemaProblem>),
}

fn list(problems: &[SchemaProblem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    match lines.as_slice() {
        [one] => one.clone(),
        several => format!("{} things are wrong with the schemas:\n{}", several.len(), several.join("\n")),
    }
}
