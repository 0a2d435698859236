//! Findings: violations of schemas by objects.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A violation of a schema by an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The `_type` of the object.
    #[serde(rename = "type")]
    pub object_type: String,
    /// The `_key` of the object.
    pub key: String,
    /// The location in the object, as a JSON pointer.
    pub pointer: String,
    /// The violated rule.
    pub reason: String,
    /// The violated schema: a class or a type.
    pub schema: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() { "the object" } else { &self.pointer };
        write!(f, "{place}: {} (schema {})", self.reason, self.schema)
    }
}

/// The number of similar findings, with the first of them as an example.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FindingCount {
    /// The number of findings.
    pub count: u64,
    /// The first finding.
    pub example: Finding,
}
