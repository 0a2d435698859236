//! Stored objects with their step.

use integration_graph::{ObjectJson, StepId};

use super::Row;

/// A stored object with its columns.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The step that the object belongs to.
    pub step: StepId,
    /// The columns of the object.
    pub row: Row,
    /// The properties as JSON.
    pub properties: String,
    /// The raw data as a JSON list, if it was requested and there is any.
    pub raw: Option<String>,
    /// Whether the job of the snapshot could not confirm the object.
    pub is_stale: bool,
}

impl Stored {
    /// Returns both texts of the object.
    pub fn json(&self) -> ObjectJson<'_> {
        ObjectJson { properties: &self.properties, raw: self.raw.as_deref() }
    }
}
