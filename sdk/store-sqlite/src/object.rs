//! Graph objects in the store: insertion, merging, lookup, and pages by type.

use std::cmp::Ordering;

use integration_graph::run::{PartitionRef, Position};
use integration_graph::{ObjectJson, ObjectKey, ObjectType, Parted, StepId};
use integration_store::rules;
use rusqlite::{Connection, OptionalExtension, Row as SqlRow, params};

use super::columns::PROPERTIES;
use super::content_hash::{ContentHash, HashKey, of_step};
use super::duplicates::Describer;
use super::index::key_index::hash_of;
use super::index::key_order::{self, KeyOrder};
use super::index::keys::{self, JobKeys, Keys, RecentKeys};
use super::occupant::{Occupant, occupant};
use super::sqlite_error::unreadable;
use super::{
    AmendOutcome, Amendment, AppendReport, CollectedEntity, CollectedObject, CollectedPage, Conflict, Kind, Row,
    ScanCursor, StepBatch, columns, duplicates, ends, page, partitions,
};

/// An object that is stored apart from the graph because of findings.
#[derive(Debug, Clone)]
pub struct Quarantined {
    /// `_type`.
    pub object_type: ObjectType,
    /// `_key`.
    pub key: ObjectKey,
    /// The findings as JSON.
    pub findings: String,
}

const INSERT: &str = "INSERT INTO object (job, kind, type, key, class, step, part, parent, from_key, to_key, hash, \
                      same_as, properties, raw) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
pub(super) const SET_CONTENT: &str =
    "UPDATE object SET properties = ?2, raw = ?3, hash = NULL, same_as = NULL WHERE rowid = ?1";
const QUARANTINE: &str = "INSERT INTO quarantine (job, kind, type, key, step, part, properties, raw, findings) \
                          VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

/// Inserts objects, then marks the partitions that are complete with them.
///
/// `hashes` are those of the contents, in order. An object without a hash is compared at publication.
pub(super) fn insert(
    connection: &Connection,
    keys: &mut Keys,
    job: i64,
    batch: &StepBatch,
    hashes: &[ContentHash],
) -> rusqlite::Result<AppendReport> {
    let StepBatch { step, objects: rows, completed } = batch;
    let mut outcome = AppendReport::default();
    let mut add = connection.prepare_cached(INSERT)?;
    let (keys, versions) = keys.with_versions(connection, job)?;
    for (at, (row, json)) in rows.iter().enumerate() {
        let partition = columns::partition(row.partition);
        let (kind, object_type, key, step_id) =
            (row.kind as i64, row.object_type.as_str(), row.key.as_str(), step.as_str());
        if let Some(findings) = &row.quarantined {
            let ObjectJson { properties, raw } = json;
            let values = params![job, kind, object_type, key, step_id, partition, properties, raw, findings];
            connection.prepare_cached(QUARANTINE)?.execute(values)?;
            if row.kind == Kind::Entity {
                ends::doubt(connection, job, &row.key)?;
            }
            continue;
        }
        let hash = hash_of(row.key.as_str());
        if let Some(there) = occupant(connection, keys, &row.key, hash)? {
            share(connection, step, row, &there)?;
            match there.object_type == row.object_type.as_str() {
                true => describe_again(connection, job, step, row, json, there, &mut outcome)?,
                false => {
                    outcome.conflicts.push(displace(connection, keys, step, row, json, there, &mut outcome.repeated)?)
                }
            }
            continue;
        }
        let (from, to) = row.ends.as_ref().map(|(from, to)| (from.as_str(), to.as_str())).unzip();
        let content = hashes.get(at).copied().map(|content| of_step(content, step));
        let same_as = content.and_then(|content| versions.unchanged(job, hash, content));
        let (properties, raw) = match same_as {
            Some(_) => (None, None),
            None => (Some(json.properties), json.raw),
        };
        let parent = row.parent.as_ref().map(|parent| versions.parent(connection, parent)).transpose()?;
        add.execute(params![
            job,
            kind,
            object_type,
            key,
            row.class,
            step_id,
            partition,
            parent,
            from,
            to,
            content,
            same_as,
            properties,
            raw
        ])?;
        keys.add(connection, hash, connection.last_insert_rowid())?;
    }
    for key in rows.rejected() {
        ends::doubt(connection, job, key)?;
    }
    partitions::mark(connection, keys, step, completed)?;
    Ok(outcome)
}

/// Marks an object as shared if several partitions or steps added it.
///
/// Rewinding one of them must not remove an object that another one also added.
fn share(connection: &Connection, step: &StepId, row: &Row, there: &Occupant) -> rusqlite::Result<()> {
    let same = there.partition == row.partition && there.step == step.as_str();
    if there.partition != PartitionRef::Shared && !same {
        connection
            .prepare_cached("UPDATE object SET part = ?2, parent = NULL, hash = NULL WHERE rowid = ?1")?
            .execute(params![there.rowid, columns::partition(PartitionRef::Shared)])?;
    }
    Ok(())
}

/// Handles an object whose key and type are stored already. It is a repetition or another description.
fn describe_again(
    connection: &Connection,
    job: i64,
    step: &StepId,
    row: &Row,
    json: ObjectJson<'_>,
    there: Occupant,
    outcome: &mut AppendReport,
) -> rusqlite::Result<()> {
    if !row.merge {
        let compared = rules::compare_descriptions(json, there.json()).map_err(unreadable)?;
        if row.kind == Kind::Entity {
            let stored = Describer { step: &there.step, partition: there.partition };
            let stored = Some(stored).filter(|_| there.partition != PartitionRef::Shared);
            let now = Describer { step: step.as_str(), partition: row.partition };
            duplicates::describe(connection, job, &row.key, stored, now, compared)?;
        }
        if compared != Ordering::Equal {
            duplicates::note(connection, job, step, &row.object_type, &row.key)?;
            if compared == Ordering::Greater {
                replace(connection, there.rowid, step, row, json)?;
            }
            outcome.repeated.push(row.object_type.clone());
            return Ok(());
        }
    }
    if there.json() != json {
        let merged = parted(there.json())?.joined(parted(json)?);
        connection.prepare_cached(SET_CONTENT)?.execute(params![
            there.rowid,
            merged.properties().as_str(),
            merged.raw()
        ])?;
    }
    if there.step == step.as_str() || !contribute(connection, job, &row.key, [&there.step, step.as_str()])? {
        outcome.repeated.push(row.object_type.clone());
    } else if step.as_str() < there.step.as_str() {
        // The smallest name wins, so that the result does not depend on which step came first.
        let sql = "UPDATE object SET step = ?2, hash = NULL WHERE rowid = ?1";
        connection.prepare_cached(sql)?.execute(params![there.rowid, step.as_str()])?;
    }
    Ok(())
}

/// Decides between objects of two types that claim one key, and returns the conflict.
///
/// The decision depends only on type and JSON, so that it is the same in every order of insertion. The partition that
/// added the rejected object and its step stay incomplete: a resumed job collects and rejects the object again, and so
/// reports it again.
fn displace(
    connection: &Connection,
    keys: &mut JobKeys,
    step: &StepId,
    row: &Row,
    json: ObjectJson<'_>,
    there: Occupant,
    repeated: &mut Vec<ObjectType>,
) -> rusqlite::Result<Conflict> {
    let key = row.key.clone();
    let other =
        (ObjectType::new(&there.object_type).map_err(unreadable)?, StepId::new(&there.step).map_err(unreadable)?);
    let own = (row.object_type.clone(), step.clone());
    if rules::keeps_key((&there.object_type, there.json()), (row.object_type.as_str(), json)) {
        keys.leave_unmarked(step, row.partition);
        repeated.push(row.object_type.clone());
        if row.kind == Kind::Entity {
            ends::doubt(connection, keys.job(), &row.key)?;
        }
        return Ok(Conflict { key, object_type: own.0, step: own.1, other_type: other.0, other_step: other.1 });
    }
    if other.1 == *step {
        repeated.push(other.0.clone());
    }
    keys.leave_unmarked(&other.1, there.partition);
    partitions::reopen(connection, keys.job(), &other.1, there.partition)?;
    replace(connection, there.rowid, step, row, json)?;
    key_order::forget(connection, keys.job())?;
    if there.kind == Kind::Entity as i64 {
        ends::doubt(connection, keys.job(), &row.key)?;
    }
    Ok(Conflict { key, object_type: other.0, step: other.1, other_type: own.0, other_step: own.1 })
}

/// Overwrites a stored object with another one of the same key.
fn replace(
    connection: &Connection,
    rowid: i64,
    step: &StepId,
    row: &Row,
    json: ObjectJson<'_>,
) -> rusqlite::Result<()> {
    let (from, to) = row.ends.as_ref().map(|(from, to)| (from.as_str(), to.as_str())).unzip();
    let sql = "UPDATE object SET kind = ?2, type = ?3, class = ?4, step = ?5, from_key = ?6, to_key = ?7, \
               properties = ?8, raw = ?9, hash = NULL, same_as = NULL WHERE rowid = ?1";
    let (kind, object_type) = (row.kind as i64, row.object_type.as_str());
    connection.prepare_cached(sql)?.execute(params![
        rowid,
        kind,
        object_type,
        row.class,
        step.as_str(),
        from,
        to,
        json.properties,
        json.raw
    ])?;
    Ok(())
}

/// Records the steps that described an entity. Returns `false` if the last of them was recorded before.
fn contribute(connection: &Connection, job: i64, key: &ObjectKey, steps: [&str; 2]) -> rusqlite::Result<bool> {
    let mut note =
        connection.prepare_cached("INSERT OR IGNORE INTO contribution (job, key, step) VALUES (?1, ?2, ?3)")?;
    let mut added = 0;
    for step in steps {
        added = note.execute(params![job, key.as_str(), step])?;
    }
    Ok(added > 0)
}

/// Replaces the properties of an entity that has not changed since the caller read it.
pub(super) fn amend(
    connection: &Connection,
    keys: &JobKeys,
    hash_key: HashKey,
    amendment: &Amendment,
) -> rusqlite::Result<AmendOutcome> {
    let Amendment { key, expected, properties } = amendment;
    let there =
        occupant(connection, keys, key, hash_of(key.as_str()))?.filter(|there| there.kind == Kind::Entity as i64);
    let Some(there) = there else { return Ok(AmendOutcome::Absent) };
    if hash_key.revision(&there.properties) != *expected {
        return entity(hash_key, there.object_type, there.properties).map(AmendOutcome::Conflict);
    }
    connection.prepare_cached(SET_CONTENT)?.execute(params![there.rowid, properties, there.raw])?;
    Ok(AmendOutcome::Amended)
}

fn entity(hash_key: HashKey, object_type: String, properties: String) -> rusqlite::Result<CollectedEntity> {
    let object_type = ObjectType::new(object_type).map_err(unreadable)?;
    let revision = hash_key.revision(&properties);
    Ok(CollectedEntity { object_type, properties, revision })
}

/// Returns a page of a type in key order, which must be up to date.
pub(super) fn page(
    connection: &Connection,
    order: &KeyOrder,
    after: Option<&ObjectKey>,
    most: usize,
) -> rusqlite::Result<CollectedPage> {
    let sql = format!(
        "SELECT sorted.key, {PROPERTIES} FROM sorted JOIN object ON object.rowid = sorted.object \
         WHERE sorted.job = ?1 AND sorted.type = ?2 AND sorted.key > ?3 ORDER BY sorted.key LIMIT ?4"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query(params![order.job, order.object_type.as_str(), begin(after), limit(most)])?;
    let mut objects = Vec::new();
    let next = page::fill(rows, most, |row| {
        let object = collected(row, 0)?;
        let (key, bytes) = (object.key.clone(), object.properties.len());
        objects.push(object);
        Ok((key, bytes))
    })?;
    Ok(CollectedPage { objects, next: next.map(|key| ScanCursor::Key(Some(key))) })
}

/// Returns a page of a type in the order of insertion.
pub(super) fn appended(
    connection: &Connection,
    job: i64,
    object_type: &ObjectType,
    after: Position,
    most: usize,
) -> rusqlite::Result<CollectedPage> {
    let sql = format!(
        "SELECT rowid, key, {PROPERTIES} FROM object WHERE job = ?1 AND type = ?2 AND rowid > ?3 ORDER BY rowid LIMIT ?4"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query(params![job, object_type.as_str(), columns::position(after), limit(most)])?;
    let (mut objects, mut last) = (Vec::new(), after);
    page::fill(rows, most, |row| positioned(row, &mut last, &mut objects))?;
    Ok(CollectedPage { objects, next: Some(ScanCursor::Appended(last)) })
}

/// Returns a page of the quarantined entities of a type in the order of insertion.
pub(super) fn quarantined(
    connection: &Connection,
    job: i64,
    object_type: &ObjectType,
    after: Position,
    most: usize,
) -> rusqlite::Result<CollectedPage> {
    let sql = "SELECT rowid, key, properties FROM quarantine WHERE job = ?1 AND kind = ?2 AND type = ?3 AND rowid > ?4 \
               ORDER BY rowid LIMIT ?5";
    let mut statement = connection.prepare_cached(sql)?;
    let (kind, position) = (Kind::Entity as i64, columns::position(after));
    let rows = statement.query(params![job, kind, object_type.as_str(), position, limit(most)])?;
    let (mut objects, mut last) = (Vec::new(), after);
    page::fill(rows, most, |row| positioned(row, &mut last, &mut objects))?;
    Ok(CollectedPage { objects, next: Some(ScanCursor::Quarantined(last)) })
}

/// Adds the object in the columns position, key, and properties; returns the position and the size.
fn positioned(
    row: &SqlRow<'_>,
    last: &mut Position,
    objects: &mut Vec<CollectedObject>,
) -> rusqlite::Result<(Position, usize)> {
    let object = collected(row, 1)?;
    *last = columns::read_position(row, 0)?;
    let bytes = object.properties.len();
    objects.push(object);
    Ok((*last, bytes))
}

/// Reads the object in two columns: the key and the properties.
fn collected(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<CollectedObject> {
    let key = ObjectKey::stored(row.get_ref(column)?.as_str()?).map_err(unreadable)?;
    Ok(CollectedObject { key, properties: row.get(column + 1)? })
}

/// Returns the JSON in two columns: that of the properties, and the next one.
pub(super) fn json_of<'r>(row: &'r SqlRow<'_>, column: usize) -> rusqlite::Result<ObjectJson<'r>> {
    let properties = row.get_ref(column)?.as_str()?;
    Ok(ObjectJson { properties, raw: row.get_ref(column + 1)?.as_str_or_null()? })
}

/// The key after which a page begins.
pub(super) fn begin(after: Option<&ObjectKey>) -> &str {
    after.map_or("", ObjectKey::as_str)
}

pub(super) fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

/// Finds an entity by its key.
pub(super) fn find(
    connection: &Connection,
    recent: &RecentKeys,
    hash_key: HashKey,
    job: i64,
    key: &ObjectKey,
) -> rusqlite::Result<Option<CollectedEntity>> {
    let Some(rowid) = keys::look_up(connection, recent, job, key)? else { return Ok(None) };
    let sql = format!("SELECT type, {PROPERTIES} FROM object WHERE rowid = ?1 AND kind = ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    let read = |row: &SqlRow<'_>| entity(hash_key, row.get(0)?, row.get(1)?);
    statement.query_row(params![rowid, Kind::Entity as i64], read).optional()
}

fn parted(json: ObjectJson<'_>) -> rusqlite::Result<Parted> {
    Parted::read(json).map_err(unreadable)
}
