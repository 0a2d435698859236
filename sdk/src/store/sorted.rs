//! The order of keys: kept for the types that somebody reads by it, up to the object that was the last at the time.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension, params};

use crate::graph::{ObjectKey, ObjectType};

use super::sqlite::CACHE_KIB;

const SORTED_KIB: i64 = -4_000;

/// Whether all objects of a type are in order.
pub(super) fn is_current(connection: &Connection, job: i64, object_type: &ObjectType) -> rusqlite::Result<bool> {
    Ok(last(connection, job, object_type)? == sorted_to(connection, job, object_type)?)
}

/// Puts the objects that came since into their places.
pub(super) fn update(connection: &Connection, job: i64, object_type: &ObjectType) -> rusqlite::Result<()> {
    let Some(last) = last(connection, job, object_type)? else { return Ok(()) };
    let sorted_to = sorted_to(connection, job, object_type)?.unwrap_or(0);
    // What is sorted in memory before it is written and merged takes as much as the cache may.
    connection.pragma_update(None, "cache_size", SORTED_KIB)?;
    let added = add(connection, job, object_type, sorted_to, last);
    connection.pragma_update(None, "cache_size", CACHE_KIB)?;
    added
}

fn add(connection: &Connection, job: i64, object_type: &ObjectType, sorted_to: i64, last: i64) -> rusqlite::Result<()> {
    let sql = "INSERT INTO sorted (job, type, key, object) SELECT job, type, key, rowid FROM object \
               WHERE job = ?1 AND type = ?2 AND rowid > ?3 ORDER BY key";
    connection.prepare_cached(sql)?.execute(params![job, object_type.as_str(), sorted_to])?;
    let sql = "INSERT OR REPLACE INTO sorted_to (job, type, object) VALUES (?1, ?2, ?3)";
    connection.prepare_cached(sql)?.execute(params![job, object_type.as_str(), last]).map(drop)
}

/// Which of these keys are those of objects of a type.
pub(super) fn known(
    connection: &Connection,
    job: i64,
    object_type: &ObjectType,
    keys: &[ObjectKey],
) -> rusqlite::Result<HashSet<String>> {
    let sql = "SELECT 1 FROM sorted WHERE job = ?1 AND type = ?2 AND key = ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let mut known = HashSet::new();
    for key in keys {
        if statement.exists(params![job, object_type.as_str(), key.as_str()])? {
            known.insert(key.as_str().to_owned());
        }
    }
    Ok(known)
}

/// Gives up the order of all types, where objects went away or changed their type: it is made anew when it is needed.
pub(super) fn forget(connection: &Connection, job: i64) -> rusqlite::Result<()> {
    for table in ["sorted", "sorted_to"] {
        connection.prepare_cached(&format!("DELETE FROM {table} WHERE job = ?1"))?.execute([job])?;
    }
    Ok(())
}

fn last(connection: &Connection, job: i64, object_type: &ObjectType) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT rowid FROM object WHERE job = ?1 AND type = ?2 ORDER BY rowid DESC LIMIT 1";
    connection.prepare_cached(sql)?.query_row(params![job, object_type.as_str()], |row| row.get(0)).optional()
}

fn sorted_to(connection: &Connection, job: i64, object_type: &ObjectType) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT object FROM sorted_to WHERE job = ?1 AND type = ?2";
    connection.prepare_cached(sql)?.query_row(params![job, object_type.as_str()], |row| row.get(0)).optional()
}
