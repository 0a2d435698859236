//! The versions of one object.

use std::collections::HashMap;

use integration_graph::history::SnapshotGap;
use integration_graph::run::Parent;
use integration_graph::{InstanceId, ObjectKey, ObjectType, StepId};
use rusqlite::{Connection, Row, params};

use super::index::version_order::{self, VersionOrder};
use super::snapshot::{COLUMNS, INFO, SnapshotInfo, info, stored};
use super::sqlite_error::unreadable;
use super::stored::Stored;
use super::{Store, StoreError};

/// One version of an object.
#[derive(Debug, Clone)]
pub struct Version {
    /// The first snapshot that contains the version.
    pub from: SnapshotInfo,
    /// The first snapshot that does not contain it any more.
    pub until: Option<SnapshotInfo>,
    /// Whether the version ended because a user dropped the stale object.
    pub dropped: bool,
    /// The object, with raw data.
    pub object: Stored,
    /// The periods in which no job could confirm the version, oldest first.
    pub stale: Vec<StalePeriod>,
}

/// A period in which no job could confirm a version.
#[derive(Debug, Clone)]
pub struct StalePeriod {
    /// The first snapshot in which the version is stale.
    pub since: SnapshotInfo,
    /// The first snapshot in which it is not stale any more.
    pub until: Option<SnapshotInfo>,
    /// The gap that covered the object at first.
    pub gap: SnapshotGap,
}

/// An instance that has published a graph.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublishedInstance {
    /// The integration.
    pub integration: String,
    /// The instance.
    pub instance: InstanceId,
}

impl Store {
    /// Returns the instances of all integrations that have published a graph, in the order of their names.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn published_instances(&self) -> Result<Vec<PublishedInstance>, StoreError> {
        self.read(|connection| {
            let sql = "SELECT integration, name FROM instance \
                       WHERE EXISTS (SELECT 1 FROM snapshot WHERE snapshot.instance = instance.number AND pruned = 0) \
                       ORDER BY 1, 2";
            let mut statement = connection.prepare_cached(sql)?;
            let instances = statement.query_map([], |row| {
                let instance = InstanceId::new(row.get_ref(1)?.as_str()?).map_err(unreadable)?;
                Ok(PublishedInstance { integration: row.get(0)?, instance })
            })?;
            instances.collect()
        })
        .await
    }

    /// Returns the instances of an integration that have published a graph, the last one first.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn instances(&self, integration: &str) -> Result<Vec<InstanceId>, StoreError> {
        let integration = integration.to_owned();
        self.read(move |connection| {
            let sql = "SELECT instance.name FROM instance JOIN snapshot ON snapshot.instance = instance.number \
                       WHERE integration = ?1 AND pruned = 0 GROUP BY instance.number ORDER BY max(snapshot.number) DESC";
            let mut statement = connection.prepare_cached(sql)?;
            let names = statement.query_map([integration], |row| {
                InstanceId::new(row.get_ref(0)?.as_str()?).map_err(unreadable)
            })?;
            names.collect()
        })
        .await
    }

    /// Returns the versions of the object with a key, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn versions(
        &self,
        integration: &str,
        instance: &InstanceId,
        key: ObjectKey,
    ) -> Result<Vec<Version>, StoreError> {
        let Some(newest) = self.snapshots(integration, instance).await?.into_iter().next() else {
            return Ok(Vec::new());
        };
        let (instance, number) = (newest.instance, newest.number);
        let order = VersionOrder { instance, snapshot: number };
        self.read_through(order, move |connection| read(connection, instance, &key)).await
    }
}

fn read(connection: &Connection, instance: i64, key: &ObjectKey) -> rusqlite::Result<Vec<Version>> {
    let snapshots = snapshots(connection, instance)?;
    let known = |number: i64| snapshots.get(&number).cloned().ok_or(rusqlite::Error::QueryReturnedNoRows);
    let sql = format!(
        "SELECT {COLUMNS}, object.properties, object.raw, 0, object.number, object.job, \
         ended.until, ended.dropped FROM version_order JOIN object ON object.number = version_order.object \
         LEFT JOIN ended ON ended.object = object.number \
         WHERE version_order.instance = ?1 AND version_order.type = ?2 AND version_order.key = ?3"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut versions = Vec::new();
    for object_type in version_order::types(connection, instance)? {
        let mut rows = statement.query(params![instance, object_type, key.as_str()])?;
        while let Some(row) = rows.next()? {
            let until = row.get::<_, Option<i64>>(13)?.map(known).transpose()?;
            let stale = stale(connection, row.get(11)?, &known)?;
            let dropped = row.get::<_, Option<bool>>(14)?.unwrap_or(false);
            versions.push(Version { from: known(row.get(12)?)?, until, dropped, object: stored(row)?, stale });
        }
    }
    versions.sort_by_key(|version| version.from.number);
    Ok(versions)
}

/// Returns the snapshots of an instance by number, including pruned ones.
fn snapshots(connection: &Connection, instance: i64) -> rusqlite::Result<HashMap<i64, SnapshotInfo>> {
    let sql = format!("{INFO} WHERE snapshot.instance = ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    let all = statement.query_map([instance], info)?;
    all.map(|info| info.map(|info| (info.number, info))).collect()
}

fn stale(
    connection: &Connection,
    object: i64,
    known: &impl Fn(i64) -> rusqlite::Result<SnapshotInfo>,
) -> rusqlite::Result<Vec<StalePeriod>> {
    let sql = "SELECT since, until, gap FROM stale WHERE object = ?1 ORDER BY since";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([object])?;
    let mut periods = Vec::new();
    while let Some(row) = rows.next()? {
        let since: i64 = row.get(0)?;
        let until = row.get::<_, Option<i64>>(1)?.map(known).transpose()?;
        periods.push(StalePeriod { since: known(since)?, until, gap: gap(connection, since, row.get(2)?)? });
    }
    Ok(periods)
}

/// Returns the gaps of a snapshot.
pub(super) fn gaps(connection: &Connection, snapshot: i64) -> rusqlite::Result<Vec<SnapshotGap>> {
    let sql = "SELECT step, types, parent_type, parent, code, cause FROM gap WHERE snapshot = ?1 ORDER BY number";
    connection.prepare_cached(sql)?.query_map([snapshot], read_gap)?.collect()
}

pub(super) fn gap(connection: &Connection, snapshot: i64, number: i64) -> rusqlite::Result<SnapshotGap> {
    let sql = "SELECT step, types, parent_type, parent, code, cause FROM gap WHERE snapshot = ?1 AND number = ?2";
    connection.prepare_cached(sql)?.query_row([snapshot, number], read_gap)
}

fn read_gap(row: &Row<'_>) -> rusqlite::Result<SnapshotGap> {
    let parent = row.get::<_, Option<String>>(2)?.zip(row.get::<_, Option<String>>(3)?);
    let parent = parent.map(|(object_type, key)| {
        let object_type = ObjectType::new(object_type).map_err(unreadable)?;
        Ok::<_, rusqlite::Error>(Parent { object_type, key: ObjectKey::stored(&key).map_err(unreadable)? })
    });
    Ok(SnapshotGap {
        step: StepId::new(row.get::<_, String>(0)?).map_err(unreadable)?,
        types: serde_json::from_str(row.get_ref(1)?.as_str()?).map_err(unreadable)?,
        parent: parent.transpose()?,
        code: row.get_ref(4)?.as_str()?.into(),
        cause: row.get(5)?,
    })
}
