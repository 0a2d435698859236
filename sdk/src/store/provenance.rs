//! Stored objects with their step, and the parents of partitions.

use std::collections::HashMap;

use rusqlite::Connection;

use crate::graph::run::PartitionId;
use crate::graph::{ObjectJson, ObjectKey, ObjectType, StepId};

use super::batch::Row;
use super::columns;
use super::object::Selection;
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
    /// The properties as JSON.
    pub properties: String,
    /// The raw data as a JSON list, if it was requested and there is any.
    pub raw: Option<String>,
}

impl Stored {
    /// Returns both texts of the object.
    pub fn json(&self) -> ObjectJson<'_> {
        ObjectJson { properties: &self.properties, raw: self.raw.as_deref() }
    }
}

impl JobStore {
    /// Returns the objects of a type in key order, each with its step and partition.
    ///
    /// Raw data is read if `with_raw` is set.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn stored_page(
        &self,
        object_type: ObjectType,
        after: Option<ObjectKey>,
        limit: usize,
        with_raw: bool,
    ) -> Result<Page<Vec<Stored>>, StoreError> {
        let job = self.number;
        let read = move |connection: &Connection, object_type: &ObjectType| {
            let mut objects = Vec::new();
            let add = |row, step, json: ObjectJson<'_>| {
                let (properties, raw) = (json.properties.to_owned(), json.raw.map(str::to_owned));
                objects.push(Stored { step, row, properties, raw });
            };
            let after = after.as_ref();
            let selection = Selection { object_type, step: None, after, most: limit, with_raw };
            let next = object::stored_page(connection, job, selection, add)?;
            Ok(Page { objects, next })
        };
        self.in_order(object_type, read).await
    }

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
