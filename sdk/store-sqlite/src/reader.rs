//! A snapshot as a [`GraphReader`].

use std::collections::VecDeque;

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt, TryStreamExt};
use integration_graph::history::SnapshotGap;
use integration_graph::{ObjectKey, ObjectType, StepId, Timestamp};
use integration_store::{GraphReader, ReadError, Selection, SnapshotId, StoredObject, TypeCount};
use rusqlite::{Connection, OptionalExtension, Row as SqlRow, params};

use super::object::{begin, json_of, limit};
use super::page::{self, Page};
use super::snapshot::{IS_STALE, RUNS};
use super::sqlite_error::unreadable;
use super::{Kind, Snapshot, SnapshotInfo, StoreError, columns, versions};

/// The maximum number of objects in a batch.
const BATCH: usize = 1_000;
/// The columns of an object. `?1` is the instance, `?2` the number of the snapshot, `?3` whether raw data is read.
const COLUMNS: &str = "object.kind, object.type, object.key, object.step, object.from_key, object.to_key, \
                       object.properties, CASE WHEN ?3 THEN object.raw END, \
                       (SELECT parent.key FROM parent WHERE parent.number = object.parent)";
/// The publication times of the first version of the key, and of this version.
///
/// Versions of a key have ascending numbers, because only one job of an instance runs at a time.
const TIMES: &str = "(SELECT published FROM snapshot WHERE snapshot.number = (SELECT first.job FROM object first \
                     WHERE first.number = (SELECT min(known.object) FROM version_order known WHERE known.instance = ?1 \
                     AND known.type = version_order.type AND known.key = version_order.key))), \
                     (SELECT published FROM snapshot WHERE snapshot.number = object.job)";

impl GraphReader for Snapshot {
    fn id(&self) -> SnapshotId {
        self.info.id(self.with_stale)
    }

    fn types(&self) -> BoxFuture<'static, Result<Vec<TypeCount>, ReadError>> {
        let snapshot = self.clone();
        async move { snapshot.type_counts().await.map_err(ReadError::new) }.boxed()
    }

    fn scan(&self, selection: Selection) -> BoxStream<'static, Result<Vec<StoredObject>, ReadError>> {
        Self::scan(self, selection).map_err(ReadError::new).boxed()
    }

    fn objects(
        &self,
        wanted: Vec<(ObjectType, ObjectKey)>,
    ) -> BoxFuture<'static, Result<Vec<Option<StoredObject>>, ReadError>> {
        let snapshot = self.clone();
        async move { snapshot.find(wanted).await.map_err(ReadError::new) }.boxed()
    }

    fn gaps(&self) -> BoxFuture<'static, Result<Vec<SnapshotGap>, ReadError>> {
        let (store, number) = (self.store.clone(), self.info.number);
        let read = move |connection: &Connection| versions::gaps(connection, number);
        async move { store.read(read).await.map_err(ReadError::new) }.boxed()
    }
}

impl SnapshotInfo {
    pub(super) fn id(&self, with_stale: bool) -> SnapshotId {
        let Self { integration, instance_id: instance, job, published, number, .. } = self.clone();
        SnapshotId { integration, instance, job, number: number.unsigned_abs(), published, with_stale }
    }
}

/// A scan between two batches.
struct Scan {
    snapshot: Snapshot,
    selection: Selection,
    /// The types that are left, after the first batch was requested.
    types: Option<VecDeque<ObjectType>>,
    /// The key after which the next batch of the first type begins.
    after: Option<ObjectKey>,
}

impl Scan {
    /// Returns the next batch, and the rest of the scan.
    async fn next(mut self) -> Result<Option<(Vec<StoredObject>, Self)>, StoreError> {
        let mut types = match self.types.take() {
            Some(types) => types,
            None => self.snapshot.selected_types(&self.selection).await?,
        };
        while let Some(object_type) = types.front() {
            let page = self.snapshot.batch(object_type.clone(), &self.selection, self.after.take()).await?;
            self.after = page.next;
            if self.after.is_none() {
                types.pop_front();
            }
            if !page.objects.is_empty() {
                self.types = Some(types);
                return Ok(Some((page.objects, self)));
            }
        }
        Ok(None)
    }
}

impl Snapshot {
    /// Returns the selected objects in batches, in the order of types and keys.
    ///
    /// A batch holds a bounded number of objects and bytes. Dropping the stream stops the scan.
    ///
    /// ```
    /// # async fn example(snapshot: &integration_store_sqlite::Snapshot) -> Result<(), integration_store::StoreError> {
    /// use futures::TryStreamExt;
    /// use integration_store::{Kind, Selection};
    ///
    /// let mut batches = snapshot.scan(Selection::of_kind(Kind::Entity));
    /// while let Some(batch) = batches.try_next().await? {
    ///     for entity in batch {
    ///         println!("{}", entity.key);
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn scan(&self, selection: Selection) -> BoxStream<'static, Result<Vec<StoredObject>, StoreError>> {
        let begin = Scan { snapshot: self.clone(), selection, types: None, after: None };
        stream::try_unfold(begin, Scan::next).boxed()
    }

    /// Returns the types that a selection contains, sorted.
    async fn selected_types(&self, selection: &Selection) -> Result<VecDeque<ObjectType>, StoreError> {
        let Selection { types, kind, .. } = selection;
        let selected = |object_type: &ObjectType, of: Kind| {
            kind.is_none_or(|kind| kind == of) && types.as_ref().is_none_or(|types| types.contains(object_type))
        };
        let known = self.kinds().await?.into_iter();
        Ok(known.filter(|(object_type, of)| selected(object_type, *of)).map(|(object_type, _)| object_type).collect())
    }

    async fn batch(
        &self,
        object_type: ObjectType,
        selection: &Selection,
        after: Option<ObjectKey>,
    ) -> Result<Page<Vec<StoredObject>>, StoreError> {
        let (info, condition) = (self.info.clone(), self.condition());
        let (step, with_raw) = (selection.step.clone(), selection.with_raw);
        self.while_kept(move |connection| {
            let sql = format!(
                "SELECT {COLUMNS}, {IS_STALE}, {TIMES} \
                 FROM version_order JOIN object ON object.number = version_order.object \
                 WHERE version_order.instance = ?1 AND version_order.type = ?4 AND version_order.key > ?5 \
                 AND (?6 IS NULL OR object.step = ?6) AND {condition} ORDER BY version_order.key LIMIT ?7"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query(params![
                info.instance,
                info.number,
                with_raw,
                object_type.as_str(),
                begin(after.as_ref()),
                step.as_ref().map(StepId::as_str),
                limit(BATCH)
            ])?;
            let mut objects = Vec::new();
            let next = page::fill(rows, BATCH, |row| {
                let object = read_object(row)?;
                let (position, bytes) = (object.key.clone(), object.bytes());
                objects.push(object);
                Ok((position, bytes))
            })?;
            Ok(Page { objects, next })
        })
        .await
    }

    /// Returns the objects with these types and keys, in this order; `None` for those that the snapshot lacks.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails, or if the snapshot was pruned.
    pub async fn find(&self, wanted: Vec<(ObjectType, ObjectKey)>) -> Result<Vec<Option<StoredObject>>, StoreError> {
        let (info, condition) = (self.info.clone(), self.condition());
        self.while_kept(move |connection| {
            let sql = format!(
                "SELECT {COLUMNS}, {IS_STALE}, {TIMES} \
                 FROM version_order JOIN object ON object.number = version_order.object \
                 WHERE version_order.instance = ?1 AND version_order.type = ?4 AND version_order.key = ?5 AND {condition}"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let find = |(object_type, key): &(ObjectType, ObjectKey)| {
                let values = params![info.instance, info.number, true, object_type.as_str(), key.as_str()];
                statement.query_row(values, read_object).optional()
            };
            wanted.iter().map(find).collect()
        })
        .await
    }

    async fn type_counts(&self) -> Result<Vec<TypeCount>, StoreError> {
        let (info, condition) = (self.info.clone(), self.condition());
        self.while_kept(move |connection| {
            let sql = format!(
                "SELECT kind, type, count(*), sum({IS_STALE}) FROM object WHERE job IN {RUNS} AND {condition} \
                 GROUP BY 1, 2 ORDER BY 1, 2"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let counts = statement.query_map([info.instance, info.number], |row| {
                Ok(TypeCount {
                    kind: columns::read_kind(row, 0)?,
                    object_type: ObjectType::new(row.get::<_, String>(1)?).map_err(unreadable)?,
                    objects: row.get::<_, i64>(2)?.unsigned_abs(),
                    stale: row.get::<_, i64>(3)?.unsigned_abs(),
                })
            })?;
            counts.collect()
        })
        .await
    }

    /// Reads in key order, unless the snapshot was pruned since it was opened.
    async fn while_kept<R, F>(&self, read: F) -> Result<R, StoreError>
    where
        R: Send + 'static,
        F: Fn(&Connection) -> rusqlite::Result<R> + Clone + Send + 'static,
    {
        let number = self.info.number;
        let found = self.in_order(move |connection| {
            let sql = "SELECT 1 FROM snapshot WHERE number = ?1 AND pruned = 0";
            let is_kept = connection.prepare_cached(sql)?.exists([number])?;
            is_kept.then(|| read(connection)).transpose()
        });
        found.await?.ok_or_else(|| StoreError::Forgotten { job: self.info.job.clone() })
    }
}

/// Reads an object from [`COLUMNS`], its staleness, and [`TIMES`].
fn read_object(row: &SqlRow<'_>) -> rusqlite::Result<StoredObject> {
    let key = |text: String| ObjectKey::stored(&text).map_err(unreadable);
    let ends = row.get::<_, Option<String>>(4)?.zip(row.get::<_, Option<String>>(5)?);
    let json = json_of(row, 6)?;
    Ok(StoredObject {
        kind: columns::read_kind(row, 0)?,
        object_type: ObjectType::new(row.get::<_, String>(1)?).map_err(unreadable)?,
        key: key(row.get(2)?)?,
        step: StepId::new(row.get::<_, String>(3)?).map_err(unreadable)?,
        ends: ends.map(|(from, to)| Ok::<_, rusqlite::Error>((key(from)?, key(to)?))).transpose()?,
        properties: json.properties.to_owned(),
        raw: json.raw.map(str::to_owned),
        parent: row.get::<_, Option<String>>(8)?.map(key).transpose()?,
        is_stale: row.get(9)?,
        created: Timestamp::from_millis(row.get(10)?),
        began: Timestamp::from_millis(row.get(11)?),
    })
}
