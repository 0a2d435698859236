//! The object of a job that has a key.

use integration_graph::run::PartitionRef;
use integration_graph::{ObjectJson, ObjectKey, ObjectType};
use rusqlite::{Connection, OptionalExtension, Row as SqlRow, params};

use super::Kind;
use super::columns::{self, PROPERTIES, RAW};
use super::index::key_index::KeyHash;
use super::index::keys::JobKeys;
use super::sqlite_error::unreadable;

/// The object that has a key.
pub(super) struct Occupant {
    pub(super) rowid: i64,
    pub(super) kind: i64,
    pub(super) object_type: String,
    pub(super) step: String,
    pub(super) partition: PartitionRef,
    pub(super) properties: String,
    pub(super) raw: Option<String>,
}

impl Occupant {
    /// Returns both texts of the object.
    pub(super) fn json(&self) -> ObjectJson<'_> {
        ObjectJson { properties: &self.properties, raw: self.raw.as_deref() }
    }
}

/// Returns the object of a job that has this key.
pub(super) fn occupant(
    connection: &Connection,
    keys: &JobKeys,
    key: &ObjectKey,
    hash: KeyHash,
) -> rusqlite::Result<Option<Occupant>> {
    for rowid in keys.candidates(connection, hash)? {
        // Most keys are new, and need no text of a statement.
        let sql = format!(
            "SELECT rowid, kind, type, step, part, {PROPERTIES}, {RAW} FROM object \
             WHERE rowid = ?1 AND job = ?2 AND key = ?3"
        );
        let read = |row: &SqlRow<'_>| {
            Ok(Occupant {
                rowid: row.get(0)?,
                kind: row.get(1)?,
                object_type: row.get(2)?,
                step: row.get(3)?,
                partition: columns::read_partition(row, 4)?,
                properties: row.get(5)?,
                raw: row.get(6)?,
            })
        };
        let found =
            connection.prepare_cached(&sql)?.query_row(params![rowid, keys.job(), key.as_str()], read).optional()?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Returns the type of the entity that has this key.
pub(super) fn entity_type(
    connection: &Connection,
    keys: &JobKeys,
    key: &ObjectKey,
    hash: KeyHash,
) -> rusqlite::Result<Option<ObjectType>> {
    let there = occupant(connection, keys, key, hash)?.filter(|there| there.kind == Kind::Entity as i64);
    there.map(|there| ObjectType::new(there.object_type).map_err(unreadable)).transpose()
}
