//! Stored objects with their step, and the parents of partitions.

use std::collections::HashMap;

use crate::graph::run::PartitionId;
use crate::graph::{ObjectJson, ObjectKey, StepId};

use super::batch::Row;
use super::columns;
use super::sqlite::unreadable;
use super::{JobStore, StoreError};

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

impl JobStore {
    /// Returns the parents of the completed partitions.
    pub(crate) async fn partition_parents(&self) -> Result<HashMap<(StepId, PartitionId), ObjectKey>, StoreError> {
        let job = self.number;
        self.store
            .read(move |connection| {
                let mut statement = connection.prepare("SELECT step, number, parent FROM part WHERE job = ?1")?;
                let rows = statement.query_map([job], |row| {
                    let step = StepId::new(row.get::<_, String>(0)?).map_err(unreadable)?;
                    let parent = ObjectKey::stored(row.get_ref(2)?.as_str()?).map_err(unreadable)?;
                    Ok(((step, columns::read_partition_id(row, 1)?), parent))
                })?;
                rows.collect()
            })
            .await
    }
}
