//! Relationships to entities that turn out not to be in the graph.
//!
//! An entity may be rejected, or removed because its partition is incomplete, after any step has added relationships to
//! it. The key of such an entity is recorded. When no step runs any more, relationships to recorded keys are removed if
//! the key has no entity, or one of another type than the relationship declares.

use std::collections::{BTreeMap, HashMap};

use integration_graph::run::PartitionRef;
use integration_graph::{ObjectKey, ObjectType, StepId};
use rusqlite::{Connection, params};

use super::ends_of::{self, column};
use super::index::key_index::hash_of;
use super::index::key_order;
use super::index::keys::Keys;
use super::occupant::entity_type;
use super::sqlite_error::unreadable;
use super::{DeclaredEnds, Unattached, columns, partitions};

/// Records the key of an entity that was not added.
pub(super) fn doubt(connection: &Connection, job: i64, key: &ObjectKey) -> rusqlite::Result<()> {
    let sql = "INSERT OR IGNORE INTO doubtful_end (job, key) VALUES (?1, ?2)";
    connection.prepare_cached(sql)?.execute(params![job, key.as_str()]).map(drop)
}

/// The recorded keys, each with the type of the entity that has it.
type Doubtful = HashMap<String, Option<ObjectType>>;

/// Removes the relationships to recorded keys that have no entity of the declared type.
///
/// Their partitions and steps count as incomplete again, so that a resumed job collects the relationships and their
/// ends.
pub(super) fn detach(
    connection: &Connection,
    keys: &mut Keys,
    job: i64,
    declared: &DeclaredEnds,
) -> rusqlite::Result<Vec<Unattached>> {
    let doubtful = doubtful(connection, keys, job)?;
    if doubtful.is_empty() {
        return Ok(Vec::new());
    }
    let found = unattached(connection, job, &doubtful, declared)?;
    let has_entity = doubtful.iter().filter(|(_, there)| there.is_some());
    for (key, _) in has_entity {
        let sql = "DELETE FROM doubtful_end WHERE job = ?1 AND key = ?2";
        connection.prepare_cached(sql)?.execute(params![job, key])?;
    }
    if found.is_empty() {
        return Ok(Vec::new());
    }
    // SQLite reuses the row numbers of deleted rows, so the key index must be complete before: see `rewind`.
    keys.of(connection, job)?.settle(connection)?;
    let mut groups: BTreeMap<(StepId, ObjectType), Unattached> = BTreeMap::new();
    for Found { rowid, step, object_type, key, partition } in found {
        connection.prepare_cached("DELETE FROM object WHERE rowid = ?1")?.execute([rowid])?;
        partitions::reopen(connection, job, &step, partition)?;
        let none = || Unattached { step: step.clone(), object_type: object_type.clone(), count: 0, first: key.clone() };
        let group = groups.entry((step.clone(), object_type.clone())).or_insert_with(none);
        group.count += 1;
        group.first = key.min(group.first.clone());
    }
    key_order::forget(connection, job)?;
    Ok(groups.into_values().collect())
}

/// Returns the recorded keys with the type of their entity.
fn doubtful(connection: &Connection, keys: &mut Keys, job: i64) -> rusqlite::Result<Doubtful> {
    let mut noted = connection.prepare("SELECT key FROM doubtful_end WHERE job = ?1")?;
    let noted: Vec<String> = noted.query_map([job], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let mut doubtful = Doubtful::new();
    for text in noted {
        let key = ObjectKey::stored(&text).map_err(unreadable)?;
        let there = entity_type(connection, keys.of(connection, job)?, &key, hash_of(key.as_str()))?;
        doubtful.insert(text, there);
    }
    Ok(doubtful)
}

struct Found {
    rowid: i64,
    step: StepId,
    object_type: ObjectType,
    key: ObjectKey,
    partition: PartitionRef,
}

/// Finds the relationships that lack an end.
fn unattached(
    connection: &Connection,
    job: i64,
    doubtful: &Doubtful,
    declared: &DeclaredEnds,
) -> rusqlite::Result<Vec<Found>> {
    let mut found = Vec::new();
    ends_of::visit(connection, job, "IN (SELECT key FROM doubtful_end WHERE job = ?1)", |object_type, row| {
        let mut lacks_end = false;
        for (end, column) in column::ENDS.into_iter().enumerate() {
            let Some(key) = row.get_ref(column)?.as_str_or_null()? else { continue };
            lacks_end |= match doubtful.get(key) {
                None => false,
                Some(None) => true,
                Some(Some(there)) => !declared.allow(object_type, end, there),
            };
        }
        if lacks_end {
            found.push(Found {
                rowid: row.get(column::ROW)?,
                step: StepId::new(row.get::<_, String>(column::STEP)?).map_err(unreadable)?,
                object_type: object_type.clone(),
                key: ObjectKey::stored(row.get_ref(column::KEY)?.as_str()?).map_err(unreadable)?,
                partition: columns::read_partition(row, column::PARTITION)?,
            });
        }
        Ok(())
    })?;
    Ok(found)
}
