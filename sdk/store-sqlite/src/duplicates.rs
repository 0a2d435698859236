//! Several descriptions of one object in one job.
//!
//! An application that moves while two teams are listed, for example, appears in both lists. The description with the
//! latest `updatedOn` stays, then the one with the lesser text, so that the result does not depend on the order of
//! arrival.
//!
//! The relationships that a partition adds to an entity belong to the partition's description of the entity. When no
//! step runs any more, the relationships of superseded descriptions are removed, so that the entity keeps those of its
//! stored description only.

use std::cmp::Ordering;

use integration_graph::run::PartitionRef;
use integration_graph::{ObjectKey, ObjectType, StepId};
use rusqlite::{Connection, params};

use super::ends_of::{self, column};
use super::index::key_order;
use super::index::keys::Keys;
use super::sqlite_error::unreadable;
use super::{DescribedAgain, Superseded, columns};

/// Records that a step gave several descriptions of an object.
pub(super) fn note(
    connection: &Connection,
    job: i64,
    step: &StepId,
    object_type: &ObjectType,
    key: &ObjectKey,
) -> rusqlite::Result<()> {
    let sql = "INSERT OR IGNORE INTO duplicate (job, step, type, key) VALUES (?1, ?2, ?3, ?4)";
    let values = params![job, step.as_str(), object_type.as_str(), key.as_str()];
    connection.prepare_cached(sql)?.execute(values).map(drop)
}

/// Returns the objects of which a step gave several descriptions, by type.
pub(super) fn of_step(connection: &Connection, job: i64, step: &StepId) -> rusqlite::Result<Vec<DescribedAgain>> {
    let sql = "SELECT type, key FROM duplicate WHERE job = ?1 AND step = ?2 ORDER BY type, key";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![job, step.as_str()], |row| {
        Ok((ObjectType::new(row.get::<_, String>(0)?).map_err(unreadable)?, row.get(1)?))
    })?;
    Ok(DescribedAgain::grouped(rows.collect::<rusqlite::Result<Vec<_>>>()?))
}

/// A partition that described an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Describer<'a> {
    pub(super) step: &'a str,
    pub(super) partition: PartitionRef,
}

/// Records the partitions that described an entity.
///
/// `stored` is the partition of the stored description, if known; `now` is that of the new one. `compared` is the
/// result of comparing the new description with the stored one.
pub(super) fn describe(
    connection: &Connection,
    job: i64,
    key: &ObjectKey,
    stored: Option<Describer<'_>>,
    now: Describer<'_>,
    compared: Ordering,
) -> rusqlite::Result<()> {
    if stored == Some(now) {
        return Ok(());
    }
    let sql = "INSERT INTO description (job, key, step, part, stays) VALUES (?1, ?2, ?3, ?4, ?5) \
               ON CONFLICT DO UPDATE SET stays = max(stays, ?5)";
    let mut note = connection.prepare_cached(sql)?;
    if let Some(stored) = stored {
        note.execute(params![job, key.as_str(), stored.step, columns::partition(stored.partition), true])?;
    }
    if compared == Ordering::Greater {
        let sql = "UPDATE description SET stays = 0 WHERE job = ?1 AND key = ?2";
        connection.prepare_cached(sql)?.execute(params![job, key.as_str()])?;
    }
    let partition = columns::partition(now.partition);
    note.execute(params![job, key.as_str(), now.step, partition, compared != Ordering::Less]).map(drop)
}

/// Removes the relationships of superseded descriptions.
///
/// This leaves no gap, because the relationships of the stored description remain.
pub(super) fn supersede(connection: &Connection, keys: &mut Keys, job: i64) -> rusqlite::Result<Vec<Superseded>> {
    let any = "SELECT EXISTS (SELECT 1 FROM description WHERE job = ?1 AND stays = 0)";
    if !connection.query_row(any, [job], |row| row.get::<_, bool>(0))? {
        return Ok(Vec::new());
    }
    let found = of_lesser_descriptions(connection, job)?;
    if !found.is_empty() {
        // SQLite reuses the row numbers of deleted rows, so the key index must be complete before: see `rewind`.
        keys.of(connection, job)?.settle(connection)?;
        let mut note =
            connection.prepare("INSERT OR IGNORE INTO superseded (job, step, type, key) VALUES (?1, ?2, ?3, ?4)")?;
        let mut delete = connection.prepare("DELETE FROM object WHERE rowid = ?1")?;
        for relationship in &found {
            let Lesser { rowid, step, object_type, key } = relationship;
            note.execute(params![job, step, object_type, key])?;
            delete.execute([rowid])?;
        }
        key_order::forget(connection, job)?;
    }
    let sql = "SELECT step, type, count(*) FROM superseded WHERE job = ?1 GROUP BY step, type";
    let mut statement = connection.prepare(sql)?;
    let groups = statement.query_map([job], |row| {
        let (step, object_type): (String, String) = (row.get(0)?, row.get(1)?);
        let now = found.iter().filter(|lesser| lesser.step == step && lesser.object_type == object_type).count();
        Ok(Superseded {
            now: now as u64,
            in_all: row.get::<_, i64>(2)?.unsigned_abs(),
            step: StepId::new(step).map_err(unreadable)?,
            object_type: ObjectType::new(object_type).map_err(unreadable)?,
        })
    })?;
    groups.collect()
}

/// A relationship of a superseded description.
struct Lesser {
    rowid: i64,
    step: String,
    object_type: String,
    key: String,
}

fn of_lesser_descriptions(connection: &Connection, job: i64) -> rusqlite::Result<Vec<Lesser>> {
    let lesser = "IN (SELECT key FROM description WHERE job = ?1 AND stays = 0 AND description.step = object.step \
                  AND description.part = object.part)";
    let mut found = Vec::new();
    ends_of::visit(connection, job, lesser, |object_type, row| {
        let (rowid, step, key) = (row.get(column::ROW)?, row.get(column::STEP)?, row.get(column::KEY)?);
        found.push(Lesser { rowid, step, object_type: object_type.to_string(), key });
        Ok(())
    })?;
    Ok(found)
}
