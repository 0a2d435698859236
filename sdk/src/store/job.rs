//! One job in the store: its objects, its steps, and its job data.

use std::collections::{BTreeMap, HashSet};
use std::ops::Deref;
use std::sync::Arc;

use rusqlite::{Connection, Row as SqlRow, params};
use serde_json::Value;

use crate::graph::run::{JobState, Position, StepReport, Summary};
use crate::graph::{ObjectKey, ObjectType, Properties, StepId, Timestamp};

use super::batch::{Kind, ObjectBatch};
use super::content_hash::HashKey;
use super::duplicates::{DescribedAgain, Superseded};
use super::ends::{DeclaredEnds, Unattached};
use super::keys::Keys;
use super::lock::JobLock;
use super::object::{self, Amended, CompletedPartition, InsertReport};
use super::page::Page;
use super::record::JobRecord;
use super::rewind::{self, ResumePoint};
use super::sorted;
use super::sqlite::{Pending, Place, unreadable};
use super::unreadable;
use super::{Publication, StoreError, columns, duplicates, ends, file, publish};

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
    pub(super) fn read(row: &SqlRow<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            step: StepId::new(row.get::<_, String>(0)?).map_err(unreadable)?,
            object_type: ObjectType::new(row.get::<_, String>(1)?).map_err(unreadable)?,
            kind: columns::read_kind(row, 2)?,
            objects: row.get::<_, i64>(3)?.unsigned_abs(),
        })
    }
}

/// The working data of a running job, with the right to change it.
#[derive(Clone)]
pub struct JobStore {
    pub(super) record: JobRecord,
    /// The lease of the job.
    pub(super) _lock: Arc<JobLock>,
}

impl Deref for JobStore {
    type Target = JobRecord;

    fn deref(&self) -> &JobRecord {
        &self.record
    }
}

impl JobStore {
    /// Waits for a free slot in the writer's queue.
    pub(crate) async fn place(&self) -> Result<Place<'_>, StoreError> {
        self.store.place().await
    }

    /// Queues a batch of objects together with the partitions that it completes.
    ///
    /// Other connections see the batch once its transaction is committed: see [`settle`](Self::settle).
    pub(crate) fn submit(
        &self,
        place: Place<'_>,
        step: StepId,
        rows: ObjectBatch,
        done: Vec<CompletedPartition>,
    ) -> Pending<InsertReport> {
        let job = self.number;
        place.submit(rows.len(), move |connection, keys| object::insert(connection, keys, job, &step, &rows, &done))
    }

    /// Returns the key of the content hashes.
    pub(crate) fn hash_key(&self) -> HashKey {
        self.store.hash_key()
    }

    /// Waits until everything that was queued before is committed.
    pub(crate) async fn settle(&self) -> Result<(), StoreError> {
        self.store.write(|_| Ok(())).await
    }

    /// Adds properties to entities if `check` accepts the result.
    ///
    /// Returns the number of amended entities. The first error of `check` ends the call: later amendments are not
    /// applied.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn amend<E, F>(
        &self,
        amendments: Vec<(ObjectKey, Properties)>,
        check: F,
    ) -> Result<Result<usize, E>, StoreError>
    where
        E: Send + 'static,
        F: Fn(&ObjectKey, Amended<'_>) -> Result<bool, E> + Send + 'static,
    {
        let job = self.number;
        let amend = move |connection: &Connection, keys: &mut Keys| {
            let keys = keys.of(connection, job)?;
            let mut amended = 0;
            for (key, properties) in amendments {
                match object::amend(connection, keys, &key, properties, &check)? {
                    Ok(done) => amended += usize::from(done),
                    Err(error) => return Ok(Err(error)),
                }
            }
            Ok(Ok(amended))
        };
        self.store.submit(1, amend).await?.done().await
    }

    /// Returns the objects of a type in key order, without raw data.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn page(
        &self,
        object_type: ObjectType,
        after: Option<ObjectKey>,
        limit: usize,
    ) -> Result<Page<Vec<Properties>>, StoreError> {
        let page = self.page_as(object_type, after, limit, object::read).await?;
        Ok(page.map(|objects| objects.into_iter().map(|(_, properties)| properties).collect()))
    }

    /// Like [`page`](Self::page), but returns each key with the result of `read` for its properties.
    pub(crate) async fn page_as<T, F>(
        &self,
        object_type: ObjectType,
        after: Option<ObjectKey>,
        limit: usize,
        read: F,
    ) -> Result<Page<Vec<(ObjectKey, T)>>, StoreError>
    where
        T: Send + 'static,
        F: Fn(&str) -> rusqlite::Result<T> + Clone + Send + 'static,
    {
        let job = self.number;
        let page = move |connection: &Connection, object_type: &ObjectType| {
            object::page(connection, job, object_type, after.as_ref(), limit, false, |json| read(json.properties))
        };
        self.in_order(object_type, page).await
    }

    /// Reads a type in key order, after updating that order if objects were added since.
    pub(super) async fn in_order<R, F>(&self, object_type: ObjectType, read: F) -> Result<R, StoreError>
    where
        R: Send + 'static,
        F: Fn(&Connection, &ObjectType) -> rusqlite::Result<R> + Clone + Send + 'static,
    {
        let (job, checked, updated) = (self.number, object_type.clone(), object_type.clone());
        let is_current = move |connection: &Connection| sorted::is_current(connection, job, &checked);
        let update = move |connection: &Connection| sorted::update(connection, job, &updated);
        self.store.read_updated(is_current, update, move |connection| read(connection, &object_type)).await
    }

    /// Returns the objects of a type in key order, each as its exported JSON.
    #[cfg(test)]
    pub(super) async fn json_page(
        &self,
        object_type: ObjectType,
        after: Option<ObjectKey>,
        limit: usize,
    ) -> Result<Page<Vec<(ObjectKey, String)>>, StoreError> {
        let job = self.number;
        let page = move |connection: &Connection, object_type: &ObjectType| {
            let joined = |json: crate::graph::ObjectJson<'_>| Ok(json.joined().into_owned());
            object::page(connection, job, object_type, after.as_ref(), limit, true, joined)
        };
        self.in_order(object_type, page).await
    }

    /// Returns the objects of a type after a position, in the order of insertion.
    ///
    /// Each object has its own position and the result of `read` for its properties.
    pub(crate) async fn follow<T, F>(
        &self,
        object_type: ObjectType,
        position: Position,
        limit: usize,
        read: F,
    ) -> Result<Vec<(Position, T)>, StoreError>
    where
        T: Send + 'static,
        F: Fn(&str) -> T + Send + 'static,
    {
        let job = self.number;
        let since = move |connection: &Connection| object::follow(connection, job, &object_type, position, limit, read);
        self.store.read(since).await
    }

    /// Finds an object by its key, without raw data.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn find(&self, kind: Kind, key: ObjectKey) -> Result<Option<Properties>, StoreError> {
        let found = self.find_properties(kind, key).await?;
        found.map(|(_, properties)| object::read(&properties).map_err(|source| self.store.failed(source))).transpose()
    }

    /// Finds an object by its key; returns its type and its properties.
    pub(crate) async fn find_properties(
        &self,
        kind: Kind,
        key: ObjectKey,
    ) -> Result<Option<(String, String)>, StoreError> {
        let (job, recent) = (self.number, self.store.recent_keys());
        self.store.read(move |connection| object::find(connection, &recent, job, kind, &key)).await
    }

    /// Finds entities of a type by their keys; returns the keys and the properties of those that exist.
    pub(crate) async fn find_all_properties(
        &self,
        object_type: ObjectType,
        keys: Vec<ObjectKey>,
    ) -> Result<Vec<(String, String)>, StoreError> {
        let (job, recent) = (self.number, self.store.recent_keys());
        let find = move |connection: &Connection| {
            let mut found = Vec::with_capacity(keys.len());
            for key in keys {
                if let Some((of, json)) = object::find(connection, &recent, job, Kind::Entity, &key)?
                    && of == object_type.as_str()
                {
                    found.push((key.to_string(), json));
                }
            }
            Ok(found)
        };
        self.store.read(find).await
    }

    /// Returns those of `keys` that belong to objects of a type.
    pub(crate) async fn known(
        &self,
        object_type: ObjectType,
        mut keys: Vec<ObjectKey>,
    ) -> Result<HashSet<String>, StoreError> {
        // Sorted keys are neighbours on few pages, and several callers often request the same key.
        keys.sort();
        keys.dedup();
        let job = self.number;
        let known =
            move |connection: &Connection, object_type: &ObjectType| sorted::known(connection, job, object_type, &keys);
        self.in_order(object_type, known).await
    }

    /// Returns the number of objects by kind.
    ///
    /// All objects of a type have one kind, so the index by type and one row of each type suffice.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub(crate) async fn counts(&self) -> Result<BTreeMap<Kind, u64>, StoreError> {
        let job = self.number;
        self.store
            .read(move |connection| {
                let sql = "SELECT type, count(*) FROM object WHERE job = ?1 GROUP BY type";
                let mut kind = connection.prepare("SELECT kind FROM object WHERE job = ?1 AND type = ?2 LIMIT 1")?;
                let mut statement = connection.prepare(sql)?;
                let mut rows = statement.query([job])?;
                let mut counts = BTreeMap::new();
                while let Some(row) = rows.next()? {
                    let kind =
                        kind.query_row(params![job, row.get::<_, String>(0)?], |row| columns::read_kind(row, 0))?;
                    *counts.entry(kind).or_default() += row.get::<_, i64>(1)?.unsigned_abs();
                }
                Ok(counts)
            })
            .await
    }

    /// Returns the number of objects by step and type, in that order.
    #[cfg(test)]
    pub(crate) async fn counts_by_step_and_type(&self) -> Result<Vec<Count>, StoreError> {
        let job = self.number;
        self.store
            .read(move |connection| {
                let sql =
                    "SELECT step, type, kind, count(*) FROM object WHERE job = ?1 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3";
                let mut statement = connection.prepare(sql)?;
                statement.query_map([job], Count::read)?.collect()
            })
            .await
    }

    /// Stores a value of job data.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn put_data(&self, name: &str, value: &Value) -> Result<(), StoreError> {
        let (job, name, json) = (self.number, name.to_owned(), value.to_string());
        self.store
            .write(move |connection| {
                let sql = "INSERT OR REPLACE INTO job_data (job, name, json) VALUES (?1, ?2, ?3)";
                connection.execute(sql, params![job, name, json]).map(drop)
            })
            .await
    }

    /// Records that a step ended.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn end_step(&self, report: &StepReport) -> Result<(), StoreError> {
        let (job, step, status, result) = (self.number, report.id.clone(), report.status, unreadable::json(report)?);
        self.store
            .write(move |connection| {
                let sql =
                    "INSERT OR REPLACE INTO step_run (job, step, status, ended, result) VALUES (?1, ?2, ?3, ?4, ?5)";
                let ended = Timestamp::now().millis();
                connection.execute(sql, params![job, step.as_str(), status.as_str(), ended, result]).map(drop)
            })
            .await
    }

    /// Removes the objects of a step that did not end, except those of completed partitions.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn rewind(&self, step: StepId) -> Result<ResumePoint, StoreError> {
        let job = self.number;
        self.store.write_with_keys(move |connection, keys| rewind::rewind(connection, keys, job, &step)).await
    }

    /// Discards the records of a step and of its completed partitions.
    ///
    /// The next [`rewind`](Self::rewind) then removes everything that the step added, and the step starts from the
    /// beginning.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn reset_step(&self, step: StepId) -> Result<(), StoreError> {
        let job = self.number;
        self.store.write(move |connection| rewind::reset_step(connection, job, &step)).await
    }

    /// Returns the number of objects that a step added, by type.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn step_counts(&self, step: StepId) -> Result<Vec<(ObjectType, u64)>, StoreError> {
        let job = self.number;
        self.store.read(move |connection| rewind::counts(connection, job, &step)).await
    }

    /// Returns the objects of which a step gave several descriptions, by type.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub(crate) async fn duplicates(&self, step: StepId) -> Result<Vec<DescribedAgain>, StoreError> {
        let job = self.number;
        self.store.read(move |connection| duplicates::of_step(connection, job, &step)).await
    }

    /// Removes relationships that belong to superseded descriptions. Call it when no step adds objects any more.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub(crate) async fn supersede(&self) -> Result<Vec<Superseded>, StoreError> {
        let job = self.number;
        self.store.write_with_keys(move |connection, keys| duplicates::supersede(connection, keys, job)).await
    }

    /// Returns the quarantined entities of a type after a position, in the order of insertion.
    ///
    /// Each entity has its position, its key, and the result of `read` for its JSON.
    pub(crate) async fn quarantined_page<T, F>(
        &self,
        object_type: ObjectType,
        position: Position,
        limit: usize,
        read: F,
    ) -> Result<Vec<(Position, ObjectKey, T)>, StoreError>
    where
        T: Send + 'static,
        F: Fn(&str) -> T + Send + 'static,
    {
        let job = self.number;
        let kept = move |connection: &Connection| {
            object::quarantined_page(connection, job, &object_type, position, limit, read)
        };
        self.store.read(kept).await
    }

    /// Removes relationships to entities that were rejected or removed. Call it when no step adds objects any more.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub(crate) async fn detach(&self, declared: DeclaredEnds) -> Result<Vec<Unattached>, StoreError> {
        let job = self.number;
        self.store.write_with_keys(move |connection, keys| ends::detach(connection, keys, job, &declared)).await
    }

    /// Publishes the objects of the job as the next snapshot of its instance, and ends the job.
    ///
    /// Both happen in one transaction. Returns the summary with the changes to the graph.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn publish(&self, summary: Summary, publication: Publication) -> Result<Summary, StoreError> {
        let (job, hash_key) = (self.number, self.store.hash_key());
        let summary = self
            .store
            .write_with_keys(move |connection, keys| {
                // The index of the keys stays with the working data of a job that can be resumed.
                if publication.resumable {
                    keys.of(connection, job)?.settle(connection)?;
                }
                let published = publish::publish(connection, keys, hash_key, job, &publication)?;
                let summary = Summary { published: Some(published), ..summary };
                let json = serde_json::to_string(&summary).map_err(unreadable)?;
                end(connection, job, summary.state, &json)?;
                keys.close(connection, job)?;
                Ok(summary)
            })
            .await?;
        self.store.write(file::vacuum).await?;
        Ok(summary)
    }

    /// Ends the job without publishing its objects, and records its summary.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn end_job(&self, summary: &Summary) -> Result<(), StoreError> {
        let (job, state, summary) = (self.number, summary.state, unreadable::json(summary)?);
        self.store
            .write_with_keys(move |connection, keys| {
                keys.close(connection, job)?;
                end(connection, job, state, &summary)
            })
            .await
    }
}

fn end(connection: &Connection, job: i64, state: JobState, summary: &str) -> rusqlite::Result<()> {
    let sql = "UPDATE job SET state = ?2, ended = ?3, summary = ?4 WHERE number = ?1";
    connection.execute(sql, params![job, state.as_str(), Timestamp::now().millis(), summary]).map(drop)
}
