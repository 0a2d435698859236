//! Objects with their origin: the step, and the parent under which they were collected.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Row as SqlRow, params};

use crate::graph::{ObjectKey, ObjectType, StepId};

use super::page::{Page, Space};
use super::rows::{Kind, PartNumber, Row};
use super::sqlite::unreadable;
use super::{JobStore, StoreError, keys};

/// An object as stored.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The step under which it is listed.
    pub step: StepId,
    /// Its columns.
    pub row: Row,
    /// The JSON that leaves the program.
    pub json: String,
}

/// The origin of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) object_type: ObjectType,
    pub(crate) step: StepId,
    pub(crate) part: PartNumber,
}

impl JobStore {
    /// Objects of a type in the order of their keys, each with its step and part.
    ///
    /// # Errors
    /// [`StoreError`] if the store does not work.
    pub async fn stored_page(
        &self,
        object_type: ObjectType,
        after: Option<ObjectKey>,
        limit: usize,
    ) -> Result<Page<Vec<Stored>>, StoreError> {
        let job = self.number;
        let read = move |connection: &Connection, object_type: &ObjectType| {
            page(connection, job, object_type, after.as_ref(), limit)
        };
        self.in_order(object_type, read).await
    }

    /// The parents of the parts that are done.
    pub(crate) async fn part_parents(&self) -> Result<HashMap<(StepId, PartNumber), ObjectKey>, StoreError> {
        let job = self.number;
        self.store
            .read(move |connection| {
                let mut statement = connection.prepare("SELECT step, number, parent FROM part WHERE job = ?1")?;
                let rows = statement.query_map([job], |row| {
                    let step = StepId::new(row.get::<_, String>(0)?).map_err(unreadable)?;
                    let parent = ObjectKey::new(row.get::<_, String>(2)?).map_err(unreadable)?;
                    Ok(((step, row.get(1)?), parent))
                })?;
                rows.collect()
            })
            .await
    }

    /// The origin of an entity.
    pub(crate) async fn origin(&self, key: ObjectKey) -> Result<Option<Origin>, StoreError> {
        let (job, recent) = (self.number, self.store.recent_keys());
        self.store
            .read(move |connection| {
                let Some(rowid) = keys::look_up(connection, &recent, job, &key)? else { return Ok(None) };
                let sql = "SELECT type, step, part FROM object WHERE rowid = ?1 AND kind = ?2";
                let mut statement = connection.prepare_cached(sql)?;
                let origin = statement.query_row(params![rowid, Kind::Entity as i64], |row| {
                    Ok(Origin {
                        object_type: ObjectType::new(row.get::<_, String>(0)?).map_err(unreadable)?,
                        step: StepId::new(row.get::<_, String>(1)?).map_err(unreadable)?,
                        part: row.get(2)?,
                    })
                });
                origin.optional()
            })
            .await
    }
}

fn page(
    connection: &Connection,
    job: i64,
    object_type: &ObjectType,
    after: Option<&ObjectKey>,
    most: usize,
) -> rusqlite::Result<Page<Vec<Stored>>> {
    let sql = "SELECT object.kind, sorted.key, object.class, object.step, object.part, object.from_key, object.to_key, \
               object.json FROM sorted JOIN object ON object.rowid = sorted.object \
               WHERE sorted.job = ?1 AND sorted.type = ?2 AND sorted.key > ?3 ORDER BY sorted.key LIMIT ?4";
    let mut statement = connection.prepare_cached(sql)?;
    let after = after.map_or("", |key| key.as_str());
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![job, object_type.as_str(), after, limit])?;
    let (mut objects, mut space) = (Vec::new(), Space::of(most));
    while !space.is_full()
        && let Some(row) = rows.next()?
    {
        let stored = stored(row, object_type)?;
        space.take(&stored.json);
        objects.push(stored);
    }
    let next = objects.last().filter(|_| space.is_full()).map(|stored| stored.row.key.clone());
    Ok(Page { objects, next })
}

fn stored(row: &SqlRow<'_>, object_type: &ObjectType) -> rusqlite::Result<Stored> {
    let key = |text: String| ObjectKey::new(text).map_err(unreadable);
    let ends = row.get::<_, Option<String>>(5)?.zip(row.get::<_, Option<String>>(6)?);
    Ok(Stored {
        step: StepId::new(row.get::<_, String>(3)?).map_err(unreadable)?,
        row: Row {
            kind: Kind::read(row.get(0)?)?,
            key: key(row.get(1)?)?,
            object_type: object_type.clone(),
            class: row.get(2)?,
            part: row.get(4)?,
            ends: ends.map(|(from, to)| Ok::<_, rusqlite::Error>((key(from)?, key(to)?))).transpose()?,
            merge: false,
            quarantined: None,
        },
        json: row.get(7)?,
    })
}
