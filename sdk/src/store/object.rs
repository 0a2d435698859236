//! Graph objects in the store: adding, merging, finding, walking by type.

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde_json::Value;

use crate::graph::{ObjectKey, ObjectType, Properties, StepId, merge};

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An entity.
    Entity = 0,
    /// A direct relationship.
    Relationship = 1,
    /// A mapped relationship.
    MappedRelationship = 2,
}

/// An object as it is written.
#[derive(Debug, Clone)]
pub struct Row {
    /// What it is.
    pub kind: Kind,
    /// `_key`.
    pub key: ObjectKey,
    /// `_type`.
    pub object_type: ObjectType,
    /// `_class`, several joined by commas.
    pub class: String,
    /// Both ends of a direct relationship.
    pub ends: Option<(ObjectKey, ObjectKey)>,
    /// An object of the same key and type is joined with it.
    pub merge: bool,
    /// The JSON that leaves the program.
    pub json: Vec<u8>,
    /// Findings as JSON, where the object is to be kept apart.
    pub quarantined: Option<String>,
}

/// An object kept apart.
#[derive(Debug, Clone)]
pub struct Quarantined {
    /// `_type`.
    pub object_type: ObjectType,
    /// `_key`.
    pub key: ObjectKey,
    /// Its findings as JSON.
    pub findings: String,
}

/// A key that was taken.
#[derive(Debug, Clone)]
pub struct Conflict {
    /// The key.
    pub key: ObjectKey,
    /// The type of the refused object.
    pub object_type: ObjectType,
    /// The step that had added the other object.
    pub first_step: StepId,
}

/// What became of a batch.
#[derive(Debug, Clone, Default)]
pub struct Insertion {
    /// Keys that were taken by other objects.
    pub conflicts: Vec<Conflict>,
    /// Objects that were there already or were merged, by type.
    pub repeated: Vec<(ObjectType, u64)>,
}

const INSERT: &str = "INSERT INTO object (job, kind, type, key, class, step, from_key, to_key, json) \
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (job, key) DO NOTHING";
const QUARANTINE: &str = "INSERT INTO quarantine (job, kind, type, key, step, json, findings) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

pub(super) fn insert(transaction: &Transaction<'_>, job: i64, step: &StepId, rows: &[Row]) -> rusqlite::Result<Insertion> {
    let mut outcome = Insertion::default();
    let mut add = transaction.prepare_cached(INSERT)?;
    for row in rows {
        let json = text(&row.json)?;
        let (kind, object_type, key) = (row.kind as i64, row.object_type.as_str(), row.key.as_str());
        if let Some(findings) = &row.quarantined {
            transaction.prepare_cached(QUARANTINE)?.execute(params![job, kind, object_type, key, step.as_str(), json, findings])?;
            continue;
        }
        let (from, to) = row.ends.as_ref().map(|(from, to)| (from.as_str(), to.as_str())).unzip();
        let added = add.execute(params![job, kind, object_type, key, row.class, step.as_str(), from, to, json])?;
        if added == 0 {
            resolve(transaction, job, row, json, &mut outcome)?;
        }
    }
    Ok(outcome)
}

/// The key is taken: the same object again, another description of it, or a conflict.
fn resolve(transaction: &Transaction<'_>, job: i64, row: &Row, json: &str, outcome: &mut Insertion) -> rusqlite::Result<()> {
    let there = "SELECT rowid, type, step, json FROM object WHERE job = ?1 AND key = ?2";
    let (rowid, object_type, step, stored): (i64, String, String, String) = transaction
        .prepare_cached(there)?
        .query_row(params![job, row.key.as_str()], |found| Ok((found.get(0)?, found.get(1)?, found.get(2)?, found.get(3)?)))?;
    let same_type = object_type == row.object_type.as_str();
    if same_type && (row.merge || stored == json) {
        if stored != json {
            let merged = merge(object(&stored)?, object(json)?);
            rewrite(transaction, rowid, merged)?;
        }
        outcome.repeated.push((row.object_type.clone(), 1));
        return Ok(());
    }
    outcome.repeated.push((row.object_type.clone(), 1));
    let first_step = StepId::new(step).map_err(unreadable)?;
    outcome.conflicts.push(Conflict { key: row.key.clone(), object_type: row.object_type.clone(), first_step });
    Ok(())
}

pub(super) fn amend(transaction: &Transaction<'_>, job: i64, key: &ObjectKey, properties: Properties) -> rusqlite::Result<bool> {
    let there = "SELECT rowid, json FROM object WHERE job = ?1 AND key = ?2 AND kind = 0";
    let found: Option<(i64, String)> = transaction
        .prepare_cached(there)?
        .query_row(params![job, key.as_str()], |found| Ok((found.get(0)?, found.get(1)?)))
        .optional()?;
    let Some((rowid, stored)) = found else { return Ok(false) };
    rewrite(transaction, rowid, merge(object(&stored)?, properties))?;
    Ok(true)
}

fn rewrite(transaction: &Transaction<'_>, rowid: i64, object: Properties) -> rusqlite::Result<()> {
    let json = Value::Object(object).to_string();
    transaction.prepare_cached("UPDATE object SET json = ?2 WHERE rowid = ?1")?.execute(params![rowid, json])?;
    Ok(())
}

pub(super) fn page(
    connection: &Connection,
    job: i64,
    object_type: &ObjectType,
    after: Option<&ObjectKey>,
    limit: usize,
) -> rusqlite::Result<Vec<(ObjectKey, String)>> {
    let sql = "SELECT key, json FROM object WHERE job = ?1 AND type = ?2 AND key > ?3 ORDER BY key LIMIT ?4";
    let mut statement = connection.prepare_cached(sql)?;
    let after = after.map_or("", |key| key.as_str());
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![job, object_type.as_str(), after, limit], |row| {
        Ok((ObjectKey::new(row.get::<_, String>(0)?).map_err(unreadable)?, row.get(1)?))
    })?;
    rows.collect()
}

pub(super) fn find(connection: &Connection, job: i64, kind: Kind, key: &ObjectKey) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT json FROM object WHERE job = ?1 AND key = ?2 AND kind = ?3";
    connection.prepare_cached(sql)?.query_row(params![job, key.as_str(), kind as i64], |row| row.get(0)).optional()
}

/// An object's properties without its raw data, which steps do not read.
pub(super) fn without_raw_data(json: &str) -> rusqlite::Result<Properties> {
    let mut properties = object(json)?;
    properties.remove("_rawData");
    Ok(properties)
}

fn object(json: &str) -> rusqlite::Result<Properties> {
    serde_json::from_str(json).map_err(unreadable)
}

fn text(json: &[u8]) -> rusqlite::Result<&str> {
    std::str::from_utf8(json).map_err(unreadable)
}

pub(super) fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
}
