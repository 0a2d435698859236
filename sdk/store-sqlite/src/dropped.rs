//! Removal of stale objects on request.
//!
//! A stale object stays until a job confirms it or observes its absence. If its source is switched off for good, no job
//! ever will. Dropping such objects publishes another snapshot of the newest job without them. The ended versions are
//! marked, so that no reader mistakes the request for an observation.

use std::collections::{BTreeMap, HashSet};

use integration_graph::history::{Published, SnapshotGap};
use integration_graph::run::Summary;
use integration_graph::{InstanceId, JobId, ObjectKey, ObjectType, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::sqlite_error::unreadable;
use super::{Snapshot, SnapshotInfo, Store, StoreError, publish, versions};

/// Stale objects of one instance and type with the same gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaleGroup {
    /// The integration.
    pub integration: String,
    /// The instance.
    pub instance: InstanceId,
    /// The type of the objects.
    pub object_type: ObjectType,
    /// The number of objects.
    pub count: u64,
    /// The publication in which the first of them became stale.
    pub since: Timestamp,
    /// The gap that covered them at first; `None` if they go with an entity at one of their ends.
    pub gap: Option<SnapshotGap>,
    /// Whether a newer job of the instance is running or was interrupted, so that its objects are not dropped.
    pub is_busy: bool,
}

/// An object that was dropped on request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// The publication in which it became stale, and the gap that covered it then. An object that was dropped with an
    /// entity has none.
    pub stale: Option<(Timestamp, SnapshotGap)>,
}

/// The newest snapshot of an instance with stale objects.
struct Newest {
    instance: i64,
    number: i64,
    job: JobId,
    integration: String,
    name: InstanceId,
    is_resumable: bool,
    is_busy: bool,
}

/// A version that is dropped.
struct Old {
    object: i64,
    object_type: ObjectType,
    stale: Option<(Timestamp, SnapshotGap)>,
}

impl Store {
    /// Returns the objects that [`drop_stale`](Self::drop_stale) drops, by instance, type, and gap.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn droppable(&self, before: Timestamp) -> Result<Vec<StaleGroup>, StoreError> {
        let read = move |connection: &Connection| {
            let mut groups = Vec::new();
            for newest in newest(connection, before)? {
                groups.extend(grouped(&newest, &old(connection, &newest, before)?));
            }
            Ok(groups)
        };
        self.read(read).await
    }

    /// Drops the objects that became stale before a time, with the relationships of the dropped entities.
    ///
    /// The newest job of each instance gets another snapshot without them. Instances with a job that has not ended
    /// stay unchanged. The versions remain readable as long as an older snapshot contains them; [`prune`](Self::prune) then
    /// deletes them.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn drop_stale(&self, before: Timestamp) -> Result<Vec<StaleGroup>, StoreError> {
        self.write_with_keys(move |connection, keys| {
            let mut groups = Vec::new();
            for newest in newest(connection, before)? {
                let old = old(connection, &newest, before)?;
                if !newest.is_busy {
                    keys.forget(newest.number);
                    publish_without(connection, &newest, &old)?;
                }
                groups.extend(grouped(&newest, &old));
            }
            Ok(groups)
        })
        .await
    }
}

impl Snapshot {
    /// Returns the objects that were dropped on request after an older snapshot of the instance, by type and key.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn dropped_since(
        &self,
        older: &SnapshotInfo,
    ) -> Result<BTreeMap<(ObjectType, ObjectKey), Dropped>, StoreError> {
        let (SnapshotInfo { instance, number, .. }, first) = (self.info().clone(), older.number);
        let read = move |connection: &Connection| {
            let sql = "SELECT ended.object, ended.until, type, key FROM ended JOIN object ON object.number = ended.object \
                       WHERE until > ?2 AND until <= ?3 AND dropped = 1 \
                       AND job IN (SELECT number FROM snapshot WHERE instance = ?1)";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query([instance, first, number])?;
            let mut dropped = BTreeMap::new();
            while let Some(row) = rows.next()? {
                let stale = stale(connection, row.get(0)?, Some(row.get(1)?))?;
                dropped.insert(identity(row.get(2)?, row.get(3)?)?, Dropped { stale });
            }
            Ok(dropped)
        };
        self.store().read(read).await
    }
}

fn identity(object_type: String, key: String) -> rusqlite::Result<(ObjectType, ObjectKey)> {
    Ok((ObjectType::new(object_type).map_err(unreadable)?, ObjectKey::stored(&key).map_err(unreadable)?))
}

/// Returns the newest snapshots of the instances with objects that became stale before a time.
fn newest(connection: &Connection, before: Timestamp) -> rusqlite::Result<Vec<Newest>> {
    let sql = "SELECT instance.number, snapshot.number, snapshot.job, integration, name, resumable, \
               EXISTS (SELECT 1 FROM job WHERE job.integration = instance.integration AND job.instance = name \
               AND state = 'running' AND job.number > snapshot.number) FROM instance \
               JOIN snapshot ON snapshot.number = \
               (SELECT max(number) FROM snapshot newest WHERE newest.instance = instance.number) \
               WHERE instance.number IN (SELECT since.instance FROM stale JOIN snapshot since \
               ON since.number = stale.since WHERE stale.until IS NULL AND since.published < ?1) ORDER BY 1";
    let mut statement = connection.prepare(sql)?;
    let newest = statement.query_map([before.millis()], |row| {
        Ok(Newest {
            instance: row.get(0)?,
            number: row.get(1)?,
            job: JobId::new(row.get::<_, String>(2)?).map_err(unreadable)?,
            integration: row.get(3)?,
            name: InstanceId::new(row.get_ref(4)?.as_str()?).map_err(unreadable)?,
            is_resumable: row.get(5)?,
            is_busy: row.get(6)?,
        })
    })?;
    newest.collect()
}

/// Returns the versions to drop: those that became stale before a time, and the relationships of their entities.
fn old(connection: &Connection, newest: &Newest, before: Timestamp) -> rusqlite::Result<Vec<Old>> {
    let sql = "SELECT object.number, type, key, kind = 0 FROM stale JOIN object ON object.number = stale.object \
               JOIN snapshot since ON since.number = stale.since \
               WHERE stale.until IS NULL AND since.published < ?2 AND since.instance = ?1 ORDER BY kind, type, key";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query(params![newest.instance, before.millis()])?;
    let (mut old, mut known, mut entities) = (Vec::new(), HashSet::new(), HashSet::new());
    while let Some(row) = rows.next()? {
        let object: i64 = row.get(0)?;
        let object_type = ObjectType::new(row.get::<_, String>(1)?).map_err(unreadable)?;
        if row.get(3)? {
            entities.insert(row.get::<_, String>(2)?);
        }
        known.insert(object);
        old.push(Old { object, object_type, stale: stale(connection, object, None)? });
    }
    if entities.is_empty() {
        return Ok(old);
    }
    let sql = "SELECT object.number, type, from_key, to_key, \
               CASE kind WHEN 2 THEN json_extract(properties, '$._mapping.sourceEntityKey') END FROM object \
               WHERE job IN (SELECT number FROM snapshot WHERE instance = ?1) AND kind <> 0 AND same_as IS NULL \
               AND NOT EXISTS (SELECT 1 FROM ended WHERE ended.object = object.number) ORDER BY type, key";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([newest.instance])?;
    while let Some(row) = rows.next()? {
        let object: i64 = row.get(0)?;
        let ends = [2, 3, 4].map(|column| row.get_ref(column).and_then(|end| Ok(end.as_str_or_null()?)));
        let mut lacks_end = false;
        for end in ends {
            lacks_end |= end?.is_some_and(|end| entities.contains(end));
        }
        if lacks_end && !known.contains(&object) {
            let object_type = ObjectType::new(row.get::<_, String>(1)?).map_err(unreadable)?;
            old.push(Old { object, object_type, stale: stale(connection, object, None)? });
        }
    }
    Ok(old)
}

/// Returns the begin and the gap of a stale period that ends with a snapshot, or that has not ended.
fn stale(
    connection: &Connection,
    object: i64,
    until: Option<i64>,
) -> rusqlite::Result<Option<(Timestamp, SnapshotGap)>> {
    let sql = "SELECT since, gap, published FROM stale JOIN snapshot ON snapshot.number = since \
               WHERE object = ?1 AND until IS ?2";
    let found = connection.prepare_cached(sql)?.query_row(params![object, until], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, Timestamp::from_millis(row.get(2)?)))
    });
    let Some((since, gap, published)) = found.optional()? else { return Ok(None) };
    Ok(Some((published, versions::gap(connection, since, gap)?)))
}

fn grouped(newest: &Newest, old: &[Old]) -> Vec<StaleGroup> {
    let mut groups: BTreeMap<(&ObjectType, Option<&SnapshotGap>), StaleGroup> = BTreeMap::new();
    for Old { object_type, stale, .. } in old {
        let gap = stale.as_ref().map(|(_, gap)| gap);
        let since = stale.as_ref().map_or_else(Timestamp::now, |(since, _)| *since);
        let group = groups.entry((object_type, gap)).or_insert_with(|| StaleGroup {
            integration: newest.integration.clone(),
            instance: newest.name.clone(),
            object_type: object_type.clone(),
            count: 0,
            since,
            gap: gap.cloned(),
            is_busy: newest.is_busy,
        });
        group.count += 1;
        group.since = group.since.min(since);
    }
    groups.into_values().collect()
}

/// Publishes another snapshot of the newest job without these versions.
fn publish_without(connection: &Connection, newest: &Newest, old: &[Old]) -> rusqlite::Result<()> {
    let run = match newest.is_resumable {
        // The job continues with the next run, as after a resume.
        true => publish::reopen(connection, newest.number)?.unwrap_or(newest.number),
        false => {
            let run = publish::next_run(connection)?;
            connection.execute("UPDATE job SET number = ?2 WHERE number = ?1", [newest.number, run])?;
            run
        }
    };
    let add =
        "INSERT INTO snapshot (number, instance, job, published, resumable, pruned) VALUES (?1, ?2, ?3, ?4, ?5, 0)";
    let now = Timestamp::now().millis();
    connection.execute(add, params![run, newest.instance, newest.job.as_str(), now, newest.is_resumable])?;
    connection.execute(
        "INSERT INTO gap (snapshot, number, step, types, parent_type, parent, code, cause) \
         SELECT ?2, number, step, types, parent_type, parent, code, cause FROM gap WHERE snapshot = ?1",
        [newest.number, run],
    )?;
    // The job has one graph, so the new snapshot replaces its former one.
    connection.execute("UPDATE snapshot SET pruned = 1 WHERE number = ?1", [newest.number])?;
    for version in old {
        let end = "INSERT INTO ended (object, until, dropped) VALUES (?1, ?2, 1)";
        connection.prepare_cached(end)?.execute([version.object, run])?;
        let close = "UPDATE stale SET until = ?2 WHERE object = ?1 AND until IS NULL";
        connection.prepare_cached(close)?.execute([version.object, run])?;
    }
    correct_summary(connection, run, old)
}

/// Takes dropped objects off the numbers of stale objects in the summary of a job.
fn correct_summary(connection: &Connection, job: i64, old: &[Old]) -> rusqlite::Result<()> {
    let sql = "SELECT summary FROM job WHERE number = ?1";
    let json: Option<String> = connection.query_row(sql, [job], |row| row.get(0)).optional()?.flatten();
    // A summary of another version stays as it is.
    let Some(mut summary) = json.and_then(|json| serde_json::from_str::<Summary>(&json).ok()) else { return Ok(()) };
    if let Some(published) = &mut summary.published {
        old.iter().for_each(|version| take_off(published, version));
        published.stale.retain(|stale| stale.count > 0);
    }
    let json = serde_json::to_string(&summary).map_err(unreadable)?;
    connection.execute("UPDATE job SET summary = ?2 WHERE number = ?1", params![job, json]).map(drop)
}

/// Takes one object off the group of its type, preferably that of its gap.
fn take_off(published: &mut Published, version: &Old) {
    let Some((_, gap)) = &version.stale else { return };
    let of_type = |object_type: &ObjectType, count: u64| *object_type == version.object_type && count > 0;
    let mut groups: Vec<_> =
        published.stale.iter_mut().filter(|group| of_type(&group.object_type, group.count)).collect();
    groups.sort_by_key(|group| (group.gap.step != gap.step, group.gap.parent != gap.parent));
    if let Some(group) = groups.first_mut() {
        group.count -= 1;
    }
}
