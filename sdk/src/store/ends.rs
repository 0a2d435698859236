//! Relationships to entities that are not in the graph after all.
//!
//! An entity that was refused, or taken out because its part was not done, may have relationships already, of whichever step.
//! Its key is noted; when no step runs any more, relationships to noted keys without an entity are left out.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use crate::graph::{ObjectKey, ObjectType, StepId};

use super::batch::{Kind, PartitionNumber};
use super::key_index::hash_of;
use super::keys::Keys;
use super::object::is_entity;
use super::sqlite::unreadable;
use super::{parts, sorted};

/// Relationships of one type, added by one step, that lack an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unattached {
    /// The step that added them.
    pub step: StepId,
    /// Their type.
    pub object_type: ObjectType,
    /// How many there are.
    pub count: u64,
    /// The key of the first one, in the order of the keys.
    pub first: ObjectKey,
}

/// Notes the key of an entity that was not added.
pub(super) fn doubt(connection: &Connection, job: i64, key: &ObjectKey) -> rusqlite::Result<()> {
    let sql = "INSERT OR IGNORE INTO doubtful_end (job, key) VALUES (?1, ?2)";
    connection.prepare_cached(sql)?.execute(params![job, key.as_str()]).map(drop)
}

/// Takes out the relationships to noted keys that no entity has. Their parts are no longer done, nor are their steps, so that a
/// resumed job looks for them again.
pub(super) fn detach(connection: &Connection, keys: &mut Keys, job: i64) -> rusqlite::Result<Vec<Unattached>> {
    if !forget_those_that_are_there(connection, keys, job)? {
        return Ok(Vec::new());
    }
    let found = unattached(connection, job)?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    // Row numbers are used again: the index by key must know of all objects before.
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

/// Leaves noted the keys that no entity has; whether there are any.
fn forget_those_that_are_there(connection: &Connection, keys: &mut Keys, job: i64) -> rusqlite::Result<bool> {
    let mut noted = connection.prepare("SELECT key FROM doubtful_end WHERE job = ?1")?;
    let noted: Vec<String> = noted.query_map([job], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let mut left = false;
    for key in noted {
        let key = ObjectKey::new(key).map_err(unreadable)?;
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

/// The relationships with a noted end, type by type: entities are not looked at.
fn unattached(connection: &Connection, job: i64) -> rusqlite::Result<Vec<Found>> {
    let mut types = connection.prepare("SELECT DISTINCT type FROM object WHERE job = ?1")?;
    let types: Vec<String> = types.query_map([job], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let noted = "IN (SELECT key FROM doubtful_end WHERE job = ?1)";
    let sql = format!(
        "SELECT rowid, step, key, part FROM object WHERE job = ?1 AND type = ?2 AND CASE kind \
         WHEN ?3 THEN from_key {noted} OR to_key {noted} \
         WHEN ?4 THEN json_extract(json, '$._mapping.sourceEntityKey') {noted} ELSE 0 END"
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
                key: ObjectKey::new(row.get::<_, String>(2)?).map_err(unreadable)?,
                part: row.get(3)?,
            })
        })?;
        for row in rows {
            found.push(row?);
        }
    }
    Ok(found)
}
