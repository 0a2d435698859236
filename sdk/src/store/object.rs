//! Graph objects in the store: adding, merging, finding, walking by type.

use rusqlite::{Connection, OptionalExtension, params};
use serde::Deserializer;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use crate::graph::{ObjectKey, ObjectType, Properties, StepId, merge};

use super::StoreError;

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

impl Kind {
    pub(super) fn of(number: i64) -> Option<Self> {
        [Self::Entity, Self::Relationship, Self::MappedRelationship].into_iter().find(|kind| *kind as i64 == number)
    }
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
    /// The types of objects that the step had added before, or that were refused: one for each object.
    pub repeated: Vec<ObjectType>,
}

const INSERT: &str = "INSERT INTO object (job, kind, type, key, class, step, from_key, to_key, json) \
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (job, key) DO NOTHING";
const QUARANTINE: &str =
    "INSERT INTO quarantine (job, kind, type, key, step, json, findings) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

pub(super) fn insert(connection: &Connection, job: i64, step: &StepId, rows: &[Row]) -> rusqlite::Result<Insertion> {
    let mut outcome = Insertion::default();
    let mut add = connection.prepare_cached(INSERT)?;
    for row in rows {
        let json = text(&row.json)?;
        let (kind, object_type, key) = (row.kind as i64, row.object_type.as_str(), row.key.as_str());
        if let Some(findings) = &row.quarantined {
            connection.prepare_cached(QUARANTINE)?.execute(params![
                job,
                kind,
                object_type,
                key,
                step.as_str(),
                json,
                findings
            ])?;
            continue;
        }
        let (from, to) = row.ends.as_ref().map(|(from, to)| (from.as_str(), to.as_str())).unzip();
        let added = add.execute(params![job, kind, object_type, key, row.class, step.as_str(), from, to, json])?;
        if added == 0 {
            resolve(connection, job, step, row, json, &mut outcome)?;
        }
    }
    Ok(outcome)
}

/// The key is taken: the same object again, another description of it, or a conflict.
fn resolve(
    connection: &Connection,
    job: i64,
    step: &StepId,
    row: &Row,
    json: &str,
    outcome: &mut Insertion,
) -> rusqlite::Result<()> {
    let there = "SELECT rowid, type, step, json FROM object WHERE job = ?1 AND key = ?2";
    let (rowid, object_type, first_step, stored): (i64, String, String, String) =
        connection.prepare_cached(there)?.query_row(params![job, row.key.as_str()], |found| {
            Ok((found.get(0)?, found.get(1)?, found.get(2)?, found.get(3)?))
        })?;
    let same_type = object_type == row.object_type.as_str();
    if !same_type || !(row.merge || stored == json) {
        let first_step = StepId::new(first_step).map_err(unreadable)?;
        outcome.conflicts.push(Conflict { key: row.key.clone(), object_type: row.object_type.clone(), first_step });
        outcome.repeated.push(row.object_type.clone());
        return Ok(());
    }
    if stored != json {
        rewrite(connection, rowid, &Value::Object(merge(object(&stored)?, object(json)?)))?;
    }
    if first_step == step.as_str() || !contribute(connection, job, &row.key, [&first_step, step.as_str()])? {
        outcome.repeated.push(row.object_type.clone());
    } else if step.as_str() < first_step.as_str() {
        // The least of the names, so that it does not matter who came first.
        connection
            .prepare_cached("UPDATE object SET step = ?2 WHERE rowid = ?1")?
            .execute(params![rowid, step.as_str()])?;
    }
    Ok(())
}

/// Notes the steps that described an entity; `false` where the last of them had done so before.
fn contribute(connection: &Connection, job: i64, key: &ObjectKey, steps: [&str; 2]) -> rusqlite::Result<bool> {
    let mut note =
        connection.prepare_cached("INSERT OR IGNORE INTO contribution (job, key, step) VALUES (?1, ?2, ?3)")?;
    let mut added = 0;
    for step in steps {
        added = note.execute(params![job, key.as_str(), step])?;
    }
    Ok(added > 0)
}

/// Takes out what only this step added. What other steps described too stays, theirs: joining is idempotent, so the
/// step may add its part again.
pub(super) fn clear_step(connection: &Connection, job: i64, step: &StepId) -> rusqlite::Result<()> {
    let others = "SELECT min(step) FROM contribution WHERE job = ?1 AND contribution.key = object.key";
    let statements = [
        "DELETE FROM contribution WHERE job = ?1 AND step = ?2",
        &format!("UPDATE object SET step = coalesce(({others}), step) WHERE job = ?1 AND step = ?2"),
        &format!("DELETE FROM object WHERE job = ?1 AND step = ?2 AND ({others}) IS NULL"),
        "DELETE FROM quarantine WHERE job = ?1 AND step = ?2",
        "DELETE FROM step_run WHERE job = ?1 AND step = ?2",
    ];
    for sql in statements {
        connection.execute(sql, params![job, step.as_str()])?;
    }
    Ok(())
}

/// Joins properties to an entity, where `check` agrees to what comes of it; `None` where there is no entity of that key.
pub(super) fn amend<E>(
    connection: &Connection,
    job: i64,
    key: &ObjectKey,
    properties: Properties,
    check: impl FnOnce(&Value) -> Result<(), E>,
) -> rusqlite::Result<Option<Result<(), E>>> {
    let there = "SELECT rowid, json FROM object WHERE job = ?1 AND key = ?2 AND kind = 0";
    let found: Option<(i64, String)> = connection
        .prepare_cached(there)?
        .query_row(params![job, key.as_str()], |found| Ok((found.get(0)?, found.get(1)?)))
        .optional()?;
    let Some((rowid, stored)) = found else { return Ok(None) };
    let amended = Value::Object(merge(object(&stored)?, properties));
    let verdict = check(&amended);
    if verdict.is_ok() {
        rewrite(connection, rowid, &amended)?;
    }
    Ok(Some(verdict))
}

fn rewrite(connection: &Connection, rowid: i64, object: &Value) -> rusqlite::Result<()> {
    let json = object.to_string();
    connection.prepare_cached("UPDATE object SET json = ?2 WHERE rowid = ?1")?.execute(params![rowid, json])?;
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

pub(super) fn step_page(
    connection: &Connection,
    job: i64,
    step: &StepId,
    object_type: &ObjectType,
    after: Option<&ObjectKey>,
    limit: usize,
) -> rusqlite::Result<Vec<Row>> {
    let sql = "SELECT kind, key, class, from_key, to_key, json FROM object \
               WHERE job = ?1 AND type = ?2 AND key > ?3 AND step = ?4 ORDER BY key LIMIT ?5";
    let mut statement = connection.prepare_cached(sql)?;
    let after = after.map_or("", |key| key.as_str());
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let key = |text: String| ObjectKey::new(text).map_err(unreadable);
    let rows = statement.query_map(params![job, object_type.as_str(), after, step.as_str(), limit], |row| {
        let number: i64 = row.get(0)?;
        let ends = row.get::<_, Option<String>>(3)?.zip(row.get::<_, Option<String>>(4)?);
        Ok(Row {
            kind: Kind::of(number).ok_or_else(|| unreadable(StoreError::Corrupt(format!("object kind {number}"))))?,
            key: key(row.get(1)?)?,
            object_type: object_type.clone(),
            class: row.get(2)?,
            ends: ends.map(|(from, to)| Ok::<_, rusqlite::Error>((key(from)?, key(to)?))).transpose()?,
            merge: false,
            json: row.get::<_, String>(5)?.into_bytes(),
            quarantined: None,
        })
    })?;
    rows.collect()
}

pub(super) fn find(connection: &Connection, job: i64, kind: Kind, key: &ObjectKey) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT json FROM object WHERE job = ?1 AND key = ?2 AND kind = ?3";
    connection.prepare_cached(sql)?.query_row(params![job, key.as_str(), kind as i64], |row| row.get(0)).optional()
}

/// An object's properties without its raw data, which steps do not read: skipped, not parsed.
pub(super) fn without_raw_data(json: &str) -> rusqlite::Result<Properties> {
    let mut parser = serde_json::Deserializer::from_str(json);
    parser.deserialize_map(WithoutRawData).map_err(unreadable)
}

struct WithoutRawData;

impl<'de> Visitor<'de> for WithoutRawData {
    type Value = Properties;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a graph object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Properties, A::Error> {
        let mut properties = Properties::new();
        while let Some(name) = map.next_key::<String>()? {
            if name == "_rawData" {
                map.next_value::<IgnoredAny>()?;
            } else {
                properties.insert(name, map.next_value()?);
            }
        }
        Ok(properties)
    }
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
