//! Published graphs, for reading.
//!
//! A snapshot consists of all versions that a run of the instance published up to it, and that have not ended by then.
//! Readers never see a job at work. Versions are read in key order; that order is an index of all versions of the
//! instance, which is updated by the first reader after a publication.

use integration_graph::run::PartitionRef;
use integration_graph::{InstanceId, JobId, ObjectKey, ObjectType, StepId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row as SqlRow, params};

use super::index::version_order::{self, VersionOrder};
use super::object::{begin, json_of, limit};
use super::page::{self, Page};
use super::sqlite_error::unreadable;
use super::stored::Stored;
use super::{JobRow, Kind, Row, Store, StoreError, columns};

/// The versions of a snapshot: `?1` is the instance, `?2` the number of the snapshot.
const IN_SNAPSHOT: &str = "object.job <= ?2 AND object.same_as IS NULL AND NOT EXISTS \
                                      (SELECT 1 FROM ended WHERE ended.object = object.number AND ended.until <= ?2)";
/// The runs that published versions of the instance `?1` up to the snapshot `?2`.
pub(super) const RUNS: &str = "(SELECT number FROM snapshot WHERE instance = ?1 AND number <= ?2)";
/// Whether a version is stale in the snapshot `?2`.
pub(super) const IS_STALE: &str = "EXISTS (SELECT 1 FROM stale WHERE stale.object = object.number \
                                   AND stale.since <= ?2 AND (stale.until IS NULL OR stale.until > ?2))";

/// A published graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotInfo {
    /// The job that published it.
    pub job: JobId,
    /// The time of the publication.
    pub published: Timestamp,
    /// The integration.
    pub integration: String,
    /// The instance.
    pub instance_id: InstanceId,
    pub(super) instance: i64,
    pub(super) number: i64,
}

impl SnapshotInfo {
    /// Returns the number of the publication. Later publications in the store have greater numbers.
    pub fn number(&self) -> u64 {
        self.number.unsigned_abs()
    }

    /// Returns whether the snapshot follows another one of its instance, so that publications decided about every
    /// difference between the two.
    pub fn follows(&self, earlier: &Self) -> bool {
        self.instance == earlier.instance && self.number > earlier.number
    }
}

/// The number of objects of one type that a step added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// The step.
    pub step: StepId,
    /// The type.
    pub object_type: ObjectType,
    /// The kind of the objects of this type.
    pub kind: Kind,
    /// The number of objects.
    pub objects: u64,
}

impl Count {
    /// Reads the columns step, type, kind, and number of objects.
    fn read(row: &SqlRow<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            step: StepId::new(row.get::<_, String>(0)?).map_err(unreadable)?,
            object_type: ObjectType::new(row.get::<_, String>(1)?).map_err(unreadable)?,
            kind: columns::read_kind(row, 2)?,
            objects: row.get::<_, i64>(3)?.unsigned_abs(),
        })
    }
}

/// The objects of one page.
#[derive(Debug, Clone)]
pub struct PageSelection {
    /// The type of the objects.
    pub object_type: ObjectType,
    /// The step that added the objects, or any step.
    pub step: Option<StepId>,
    /// The key after which the page begins.
    pub after: Option<ObjectKey>,
    /// The maximum number of objects.
    pub limit: usize,
    /// Whether raw data is read.
    pub with_raw: bool,
}

impl PageSelection {
    /// Selects the first objects of a type, with raw data.
    pub fn of(object_type: ObjectType, limit: usize) -> Self {
        Self { object_type, step: None, after: None, limit, with_raw: true }
    }
}

/// Read access to one snapshot. Clones are cheap.
#[derive(Clone)]
pub struct Snapshot {
    pub(super) store: Store,
    pub(super) info: SnapshotInfo,
    pub(super) with_stale: bool,
}

impl Store {
    /// Returns the snapshot that a job published last; `None` if it has published none.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn snapshot_of(&self, job: &JobRow) -> Result<Option<Snapshot>, StoreError> {
        self.snapshot_of_job(job.id.clone()).await
    }

    pub(super) async fn snapshot_of_job(&self, id: JobId) -> Result<Option<Snapshot>, StoreError> {
        let find = move |connection: &Connection| {
            let sql = format!("{INFO} WHERE snapshot.job = ?1 AND pruned = 0 ORDER BY snapshot.number DESC LIMIT 1");
            connection.prepare_cached(&sql)?.query_row([id.as_str()], info).optional()
        };
        let found = self.read(find).await?;
        Ok(found.map(|info| self.snapshot(info)))
    }

    /// Returns the snapshots of an instance, newest first.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn snapshots(&self, integration: &str, instance: &InstanceId) -> Result<Vec<SnapshotInfo>, StoreError> {
        let (integration, instance) = (integration.to_owned(), instance.clone());
        self.read(move |connection| {
            let sql =
                format!("{INFO} WHERE integration = ?1 AND name = ?2 AND pruned = 0 ORDER BY snapshot.number DESC");
            let mut statement = connection.prepare_cached(&sql)?;
            statement.query_map([integration.as_str(), instance.as_str()], info)?.collect()
        })
        .await
    }

    /// Opens a listed snapshot.
    pub fn snapshot(&self, info: SnapshotInfo) -> Snapshot {
        Snapshot { store: self.clone(), info, with_stale: true }
    }
}

/// The snapshots with the columns that [`info`] reads.
pub(super) const INFO: &str = "SELECT snapshot.job, published, snapshot.instance, snapshot.number, integration, name \
                               FROM snapshot JOIN instance ON instance.number = snapshot.instance";

/// Reads the columns of [`INFO`].
pub(super) fn info(row: &SqlRow<'_>) -> rusqlite::Result<SnapshotInfo> {
    Ok(SnapshotInfo {
        job: JobId::new(row.get::<_, String>(0)?).map_err(unreadable)?,
        published: Timestamp::from_millis(row.get(1)?),
        instance: row.get(2)?,
        number: row.get(3)?,
        integration: row.get(4)?,
        instance_id: InstanceId::new(row.get_ref(5)?.as_str()?).map_err(unreadable)?,
    })
}

impl Snapshot {
    /// The identity of the snapshot.
    pub fn info(&self) -> &SnapshotInfo {
        &self.info
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// Returns the same snapshot without stale objects: the graph that its job collected.
    #[must_use]
    pub fn collected(mut self) -> Self {
        self.with_stale = false;
        self
    }

    /// The condition of the objects to read.
    pub(super) fn condition(&self) -> String {
        match self.with_stale {
            true => IN_SNAPSHOT.to_owned(),
            false => format!("{IN_SNAPSHOT} AND NOT {IS_STALE}"),
        }
    }

    /// Returns the number of objects by step and type, in that order.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn counts(&self) -> Result<Vec<Count>, StoreError> {
        let (SnapshotInfo { instance, number, .. }, condition) = (self.info.clone(), self.condition());
        self.store
            .read(move |connection| {
                let sql = format!(
                    "SELECT step, type, kind, count(*) FROM object WHERE job IN {RUNS} AND {condition} \
                     GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
                );
                let mut statement = connection.prepare_cached(&sql)?;
                statement.query_map([instance, number], Count::read)?.collect()
            })
            .await
    }

    /// Returns selected objects in key order.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn page(&self, selection: PageSelection) -> Result<Page<Vec<Stored>>, StoreError> {
        let (SnapshotInfo { instance, number, .. }, condition) = (self.info.clone(), self.condition());
        let read = move |connection: &Connection| {
            let PageSelection { object_type, step, after, limit: most, with_raw } = &selection;
            let sql = format!(
                "SELECT {COLUMNS}, object.properties, CASE WHEN ?7 THEN object.raw END, {IS_STALE} \
                 FROM version_order JOIN object ON object.number = version_order.object \
                 WHERE version_order.instance = ?1 AND version_order.type = ?3 AND version_order.key > ?4 \
                 AND (?5 IS NULL OR object.step = ?5) AND {condition} ORDER BY version_order.key LIMIT ?6"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let step = step.as_ref().map(StepId::as_str);
            let rows = statement.query(params![
                instance,
                number,
                object_type.as_str(),
                begin(after.as_ref()),
                step,
                limit(*most),
                with_raw
            ])?;
            let mut objects = Vec::new();
            let next = page::fill(rows, *most, |row| {
                let stored = stored(row)?;
                let (position, bytes) = (stored.row.key.clone(), stored.json().len());
                objects.push(stored);
                Ok((position, bytes))
            })?;
            Ok(Page { objects, next })
        };
        self.in_order(read).await
    }

    /// Returns the types of all snapshots of the instance, each with the kind of its objects.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn kinds(&self) -> Result<Vec<(ObjectType, Kind)>, StoreError> {
        let instance = self.info.instance;
        self.in_order(move |connection| {
            let sql = "SELECT kind FROM object WHERE number = \
                       (SELECT object FROM version_order WHERE instance = ?1 AND type = ?2 LIMIT 1)";
            let mut statement = connection.prepare_cached(sql)?;
            let kind = |object_type: String| {
                let kind = statement.query_row(params![instance, object_type], |row| columns::read_kind(row, 0))?;
                Ok((ObjectType::new(object_type).map_err(unreadable)?, kind))
            };
            version_order::types(connection, instance)?.into_iter().map(kind).collect()
        })
        .await
    }

    /// Returns the stale objects, each with the publication since which no job could confirm it.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn stale_since(&self) -> Result<Vec<(ObjectType, ObjectKey, Timestamp)>, StoreError> {
        let SnapshotInfo { instance, number, .. } = self.info;
        let read = move |connection: &Connection| {
            let sql = format!(
                "SELECT object.type, object.key, max(since.published) FROM stale \
                 JOIN object ON object.number = stale.object JOIN snapshot since ON since.number = stale.since \
                 WHERE object.job IN {RUNS} AND {IN_SNAPSHOT} \
                 AND stale.since <= ?2 AND (stale.until IS NULL OR stale.until > ?2) GROUP BY object.number ORDER BY 1, 2"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let found = statement.query_map([instance, number], |row| {
                let object_type = ObjectType::new(row.get::<_, String>(0)?).map_err(unreadable)?;
                let key = ObjectKey::stored(row.get_ref(1)?.as_str()?).map_err(unreadable)?;
                Ok((object_type, key, Timestamp::from_millis(row.get(2)?)))
            })?;
            found.collect()
        };
        self.store.read(read).await
    }

    /// Returns the objects that may differ from those of another snapshot of the instance, or that are stale here.
    ///
    /// They are in the order of kinds, types, and keys. The result is `None` if there are more than `limit`, or if the
    /// other snapshot belongs to another instance.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn differing_from(
        &self,
        other: &SnapshotInfo,
        limit: usize,
    ) -> Result<Option<Vec<(Kind, ObjectType, ObjectKey)>>, StoreError> {
        let SnapshotInfo { instance, number, .. } = self.info;
        if other.instance != instance {
            return Ok(None);
        }
        let (first, last) = (number.min(other.number), number.max(other.number));
        let read = move |connection: &Connection| {
            let sql = format!(
                "SELECT DISTINCT kind, type, key FROM object WHERE number IN ( \
                 SELECT number FROM object WHERE job IN (SELECT number FROM snapshot WHERE instance = ?1 \
                 AND number > ?3 AND number <= ?2) AND same_as IS NULL \
                 UNION SELECT object FROM ended WHERE until > ?3 AND until <= ?2 \
                 UNION SELECT object FROM stale WHERE since <= ?4 AND (until IS NULL OR until > ?4)) \
                 AND job IN {RUNS} ORDER BY kind, type, key LIMIT ?5"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let most = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
            let rows = statement.query_map([instance, last, first, number, most], |row| {
                let object_type = ObjectType::new(row.get::<_, String>(1)?).map_err(unreadable)?;
                let key = ObjectKey::stored(row.get_ref(2)?.as_str()?).map_err(unreadable)?;
                Ok((columns::read_kind(row, 0)?, object_type, key))
            })?;
            let found: Vec<_> = rows.collect::<rusqlite::Result<_>>()?;
            Ok(Some(found).filter(|found| found.len() <= limit))
        };
        self.store.read(read).await
    }

    /// Returns the objects with these types and keys, as far as the snapshot contains them, with raw data.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn stored(&self, wanted: Vec<(ObjectType, ObjectKey)>) -> Result<Vec<Option<Stored>>, StoreError> {
        let (SnapshotInfo { instance, number, .. }, condition) = (self.info.clone(), self.condition());
        self.in_order(move |connection| {
            let sql = format!(
                "SELECT {COLUMNS}, object.properties, object.raw, {IS_STALE} FROM version_order \
                 JOIN object ON object.number = version_order.object \
                 WHERE version_order.instance = ?1 AND version_order.type = ?3 AND version_order.key = ?4 AND {condition}"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let find = |(object_type, key): &(ObjectType, ObjectKey)| {
                statement.query_row(params![instance, number, object_type.as_str(), key.as_str()], stored).optional()
            };
            wanted.iter().map(find).collect()
        })
        .await
    }

    /// Reads versions in key order, after updating that order if there are newer snapshots.
    pub(super) async fn in_order<R, F>(&self, read: F) -> Result<R, StoreError>
    where
        R: Send + 'static,
        F: Fn(&Connection) -> rusqlite::Result<R> + Clone + Send + 'static,
    {
        let order = VersionOrder { instance: self.info.instance, snapshot: self.info.number };
        self.store.read_through(order, read).await
    }
}

/// The columns that [`stored`] reads before the properties and the raw data.
pub(super) const COLUMNS: &str = "object.kind, object.type, object.key, object.class, object.step, \
                                  (SELECT parent.key FROM parent WHERE parent.number = object.parent), \
                                  object.from_key, object.to_key";

/// Reads an object from [`COLUMNS`], its properties, its raw data, and its staleness.
pub(super) fn stored(row: &SqlRow<'_>) -> rusqlite::Result<Stored> {
    let key = |text: String| ObjectKey::stored(&text).map_err(unreadable);
    let ends = row.get::<_, Option<String>>(6)?.zip(row.get::<_, Option<String>>(7)?);
    let json = json_of(row, 8)?;
    Ok(Stored {
        step: StepId::new(row.get::<_, String>(4)?).map_err(unreadable)?,
        properties: json.properties.to_owned(),
        raw: json.raw.map(str::to_owned),
        is_stale: row.get(10)?,
        row: Row {
            kind: columns::read_kind(row, 0)?,
            key: key(row.get(2)?)?,
            object_type: ObjectType::new(row.get::<_, String>(1)?).map_err(unreadable)?,
            class: row.get(3)?,
            partition: PartitionRef::None,
            parent: row.get::<_, Option<String>>(5)?.map(key).transpose()?,
            ends: ends.map(|(from, to)| Ok::<_, rusqlite::Error>((key(from)?, key(to)?))).transpose()?,
            merge: false,
            quarantined: None,
        },
    })
}
