//! Stored objects with their step, and the parents of partitions.

use std::collections::HashMap;

use rusqlite::Connection;

use crate::graph::{ObjectKey, ObjectType, StepId};

use super::batch::{PartitionNumber, Row};
use super::page::Page;
use super::sqlite::unreadable;
use super::{JobStore, StoreError, object};

/// A stored object with its columns.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The step that the object belongs to.
    pub step: StepId,
    /// The columns of the object.
    pub row: Row,
    /// The exported JSON.
    pub json: String,
}

impl JobStore {
    /// Returns the objects of a type in key order, each with its step and partition.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn stored_page(
        &self,
        object_type: ObjectType,
        after: Option<ObjectKey>,
        limit: usize,
    ) -> Result<Page<Vec<Stored>>, StoreError> {
        let job = self.number;
        let read = move |connection: &Connection, object_type: &ObjectType| {
            let mut objects = Vec::new();
            let add = |row, step, json: &str| objects.push(Stored { step, row, json: json.to_owned() });
            let next = object::stored_page(connection, job, object_type, None, after.as_ref(), limit, add)?;
            Ok(Page { objects, next })
        };
        self.in_order(object_type, read).await
    }

    /// Returns the parents of the completed partitions.
    pub(crate) async fn part_parents(&self) -> Result<HashMap<(StepId, PartitionNumber), ObjectKey>, StoreError> {
        let job = self.number;
        self.store
            .read(move |connection| {
                let mut statement = connection.prepare("SELECT step, number, parent FROM part WHERE job = ?1")?;
                let rows = statement.query_map([job], |row| {
                    let step = StepId::new(row.get::<_, String>(0)?).map_err(unreadable)?;
                    let parent = ObjectKey::stored(row.get_ref(2)?.as_str()?).map_err(unreadable)?;
                    Ok(((step, row.get(1)?), parent))
                })?;
                rows.collect()
            })
            .await
    }
}
