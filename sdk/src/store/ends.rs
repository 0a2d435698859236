//! Relationships to entities that turn out not to be in the graph.
//!
//! An entity may be rejected, or removed because its partition is incomplete, after any step has added relationships to
//! it. The key of such an entity is recorded. When no step runs any more, relationships to recorded keys without an
//! entity are removed.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use crate::graph::{ObjectKey, ObjectType, StepId};

use super::batch::{Kind, PartitionNumber};
use super::key_index::hash_of;
use super::keys::Keys;
use super::object::is_entity;
use super::sqlite::unreadable;
use super::{parts, sorted};

/// Relationships of one type and step that lack one of their ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unattached {
    /// The step that added the relationships.
    pub step: StepId,
    /// The type of the relationships.
    pub object_type: ObjectType,
    /// The number of relationships.
    pub count: u64,
    /// The key of the first relationship in key order.
    pub first: ObjectKey,
}

/// Records the key of an entity that was not added.
pub(super) fn doubt(connection: &Connection, job: i64, key: &ObjectKey) -> rusqlite::Result<()> {
    let sql = "INSERT OR IGNORE INTO doubtful_end (job, key) VALUES (?1, ?2)";
    connection.prepare_cached(sql)?.execute(params![job, key.as_str()]).map(drop)
}

/// Removes the relationships to recorded keys that no entity has.
///
/// Their partitions and steps count as incomplete again, so that a resumed job collects the relationships and their
/// ends.
pub(super) fn detach(connection: &Connection, keys: &mut Keys, job: i64) -> rusqlite::Result<Vec<Unattached>> {
    if !forget_those_that_are_there(connection, keys, job)? {
        return Ok(Vec::new());
    }
    let found = unattached(connection, job)?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    // SQLite reuses the row numbers of deleted rows, so the key index must be complete before: see `rewind`.
    keys.of(connection, job)?.settle(connection)?;
    let mut groups: BTreeMap<(StepId, ObjectType), Unattached> = BTreeMap::new();
    for Found { rowid, step, object_type, key, part } in found {
        connection.prepare_cached("DELETE FROM object WHERE rowid = ?1")?.execute([rowid])?;
        parts::reopen(connection, job, &step, part)?;
        let none = || Unattached { step: step.clone(), object_type: object_type.clone(), count: 0, first: key.clone() };
        let group = groups.entry((step.clone(), object_type.clone())).or_insert_with(none);
        group.count += 1;
        group.first = key.min(group.first.clone());
    }
    sorted::forget(connection, job)?;
    Ok(groups.into_values().collect())
}

/// Discards recorded keys that an entity has; returns whether any key is left.
fn forget_those_that_are_there(connection: &Connection, keys: &mut Keys, job: i64) -> rusqlite::Result<bool> {
    let mut noted = connection.prepare("SELECT key FROM doubtful_end WHERE job = ?1")?;
    let noted: Vec<String> = noted.query_map([job], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let mut left = false;
    for key in noted {
        let key = ObjectKey::stored(&key).map_err(unreadable)?;
        if is_entity(connection, keys.of(connection, job)?, &key, hash_of(key.as_str()))? {
            let sql = "DELETE FROM doubtful_end WHERE job = ?1 AND key = ?2";
            connection.prepare_cached(sql)?.execute(params![job, key.as_str()])?;
        } else {
            left = true;
        }
    }
    Ok(left)
}

struct Found {
    rowid: i64,
    step: StepId,
    object_type: ObjectType,
    key: ObjectKey,
    part: PartitionNumber,
}

/// Finds the relationships with a recorded end. It reads type by type, so that entities are skipped.
fn unattached(connection: &Connection, job: i64) -> rusqlite::Result<Vec<Found>> {
    let mut types = connection.prepare("SELECT DISTINCT type FROM object WHERE job = ?1")?;
    let types: Vec<String> = types.query_map([job], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let noted = "IN (SELECT key FROM doubtful_end WHERE job = ?1)";
    let sql = format!(
        "SELECT rowid, step, key, part FROM object WHERE job = ?1 AND type = ?2 AND CASE kind \
         WHEN ?3 THEN from_key {noted} OR to_key {noted} \
         WHEN ?4 THEN json_extract(properties, '$._mapping.sourceEntityKey') {noted} ELSE 0 END"
    );
    let mut statement = connection.prepare(&sql)?;
    let mut found = Vec::new();
    for object_type in types {
        let object_type = ObjectType::new(object_type).map_err(unreadable)?;
        let (direct, mapped) = (Kind::Relationship as i64, Kind::MappedRelationship as i64);
        let rows = statement.query_map(params![job, object_type.as_str(), direct, mapped], |row| {
            Ok(Found {
                rowid: row.get(0)?,
                step: StepId::new(row.get::<_, String>(1)?).map_err(unreadable)?,
                object_type: object_type.clone(),
                key: ObjectKey::stored(row.get_ref(2)?.as_str()?).map_err(unreadable)?,
                part: row.get(3)?,
            })
        })?;
        for row in rows {
            found.push(row?);
        }
    }
    Ok(found)
}
