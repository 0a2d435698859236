//! One job in the store: its objects, its steps, its data.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::graph::{JobId, ObjectKey, ObjectType, Properties, StepId, Timestamp};

use super::batch::{Kind, ObjectBatch, Row};
use super::duplicates::{DescribedAgain, Superseded};
use super::ends::Unattached;
use super::keys::Keys;
use super::lock::JobLock;
use super::object::{self, CompletedPartition, InsertReport, Quarantined};
use super::page::Page;
use super::rewind::{self, ResumePoint};
use super::sorted;
use super::sqlite::{Pending, Place, unreadable};
use super::{Store, StoreError, duplicates, ends};

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// At work.
    Running,
    /// Its process is gone: it can be resumed.
    Interrupted,
    /// Done, nothing missing.
    Complete,
    /// Done, part of the data is missing: it has gaps, or was asked for selected steps only.
    Partial,
    /// Ended by an error that concerned all of it.
    Failed,
    /// Ended by the user.
    Cancelled,
}

impl JobState {
    /// As stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Interrupted => "interrupted",
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Running, Self::Complete, Self::Partial, Self::Failed, Self::Cancelled]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

/// How many objects of a type a step added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// The step.
    pub step: StepId,
    /// The type.
    pub object_type: ObjectType,
    /// What they are.
    pub kind: Kind,
    /// How many.
    pub objects: u64,
}

/// A step that ended.
#[derive(Debug, Clone)]
pub struct StepRow {
    /// Its id.
    pub step: StepId,
    /// Its status.
    pub status: String,
    /// When it ended.
    pub ended: Timestamp,
    /// Its result, as in the summary.
    pub result: Value,
}

/// One job's part of a store.
#[derive(Clone)]
pub struct JobStore {
    pub(super) store: Store,
    pub(super) id: JobId,
    pub(super) number: i64,
    /// Held by those who write.
    pub(super) _lock: Option<Arc<JobLock>>,
}

impl JobStore {
    /// The job's id.
    pub fn id(&self) -> &JobId {
        &self.id
    }

    /// Waits for a place in the writer's queue.
    pub(crate) async fn place(&self) -> Result<Place<'_>, StoreError> {
        self.store.place().await
    }

    /// Queues a batch of objects, and the parts that are complete with it. Others may read them after
    /// [`settle`](Self::settle).
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

    /// Waits until all that was queued before is committed.
    pub(crate) async fn settle(&self) -> Result<(), StoreError> {
        self.store.write(|_| Ok(())).await
    }

    /// Adds properties to entities where `check` agrees to the result, and says how many there were; the first error of a check
    /// is the last amendment.
    ///
    /// # Errors
    /// [`StoreError`] where the store does not work.
    pub async fn amend<E, F>(
        &self,
        amendments: Vec<(ObjectKey, Properties)>,
        check: F,
    ) -> Result<Result<usize, E>, StoreError>
    where
        E: Send + 'static,
        F: Fn(&ObjectKey, &Value) -> Result<bool, E> + Send + 'static,
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

    /// Objects of a type in the order of their keys, without raw data.
    ///
    /// # Errors
    /// [`StoreError`] where the store does not work.
    pub async fn page(
        &self,
        object_type: ObjectType,
        after: Option<ObjectKey>,
        limit: usize,
    ) -> Result<Page<Vec<Properties>>, StoreError> {
        let page = self.page_as(object_type, after, limit, object::without_raw_data).await?;
        Ok(page.map(|objects| objects.into_iter().map(|(_, properties)| properties).collect()))
    }

    /// The same, each as `read` takes its JSON, with its key.
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
            object::page(connection, job, object_type, after.as_ref(), limit, &read)
        };
        self.in_order(object_type, page).await
    }

    /// Reads a type in the order of its keys, which is brought up to date where objects have come since it was made. Between
    /// the two nothing may happen: another step that begins anew may give the order up.
    pub(super) async fn in_order<R, F>(&self, object_type: ObjectType, read: F) -> Result<R, StoreError>
    where
        R: Send + 'static,
        F: Fn(&Connection, &ObjectType) -> rusqlite::Result<R> + Clone + Send + 'static,
    {
        let job = self.number;
        let (first, of) = (read.clone(), object_type.clone());
        let in_order = move |connection: &Connection| {
            let _snapshot = connection.unchecked_transaction()?;
            match sorted::is_current(connection, job, &of)? {
                true => first(connection, &of).map(Some),
                false => Ok(None),
            }
        };
        if let Some(result) = self.store.read(in_order).await? {
            return Ok(result);
        }
        let updated = move |connection: &Connection| {
            sorted::update(connection, job, &object_type)?;
            read(connection, &object_type)
        };
        self.store.write(updated).await
    }

    /// Objects of a type in the order of their keys, as the JSON that leaves the program.
    ///
    /// # Errors
    /// [`StoreError`] where the store does not work.
    pub async fn json_page(
        &self,
        object_type: ObjectType,
        after: Option<ObjectKey>,
        limit: usize,
    ) -> Result<Page<Vec<(ObjectKey, String)>>, StoreError> {
        self.page_as(object_type, after, limit, |json| Ok(json.to_owned())).await
    }

    /// Objects of a type in the order of their adding, behind the position of one, each with its own position and as `read`
    /// takes its JSON.
    pub(crate) async fn follow<T, F>(
        &self,
        object_type: ObjectType,
        position: i64,
        limit: usize,
        read: F,
    ) -> Result<Vec<(i64, T)>, StoreError>
    where
        T: Send + 'static,
        F: Fn(&str) -> T + Send + 'static,
    {
        let job = self.number;
        let since = move |connection: &Connection| object::follow(connection, job, &object_type, position, limit, read);
        self.store.read(since).await
    }

    /// An object by its key, without raw data.
    ///
    /// # Errors
    /// [`StoreError`] where the store does not work.
    pub async fn find(&self, kind: Kind, key: ObjectKey) -> Result<Option<Properties>, StoreError> {
        let found = self.find_json(kind, key).await?;
        found.map(|(_, json)| object::without_raw_data(&json).map_err(|source| self.store.failed(source))).transpose()
    }

    /// An object by its key: its type, and the JSON that leaves the program.
    pub(crate) async fn find_json(&self, kind: Kind, key: ObjectKey) -> Result<Option<(String, String)>, StoreError> {
        let (job, recent) = (self.number, self.store.recent_keys());
        self.store.read(move |connection| object::find(connection, &recent, job, kind, &key)).await
    }

    /// Which of these keys are those of objects of a type.
    pub(crate) async fn known(
        &self,
        object_type: ObjectType,
        mut keys: Vec<ObjectKey>,
    ) -> Result<HashSet<String>, StoreError> {
        // Neighbours lie on one page, and many ask for the same.
        keys.sort();
        keys.dedup();
        let job = self.number;
        let known =
            move |connection: &Connection, object_type: &ObjectType| sorted::known(connection, job, object_type, &keys);
        self.in_order(object_type, known).await
    }

    /// How many objects there are, by kind, told from an index alone; the objects of a type are of one kind.
    ///
    /// # Errors
    /// [`StoreError`] where the store does not work.
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
                    let number: i64 = kind.query_row(params![job, row.get::<_, String>(0)?], |row| row.get(0))?;
                    *counts.entry(Kind::read(number)?).or_default() += row.get::<_, i64>(1)?.unsigned_abs();
                }
                Ok(counts)
            })
            .await
    }

    /// How many objects there are, by step and type, in their order.
    ///
    /// # Errors
    /// [`StoreError`] where the store does not work.
    pub async fn counts_by_step_and_type(&self) -> Result<Vec<Count>, StoreError> {
        let job = self.number;
        self.store
            .read(move |connection| {
                let sql =
                    "SELECT step, type, kind, count(*) FROM object WHERE job = ?1 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3";
                let mut statement = connection.prepare(sql)?;
                let rows = statement.query_map([job], |row| {
                    Ok(Count {
                        step: StepId::new(row.get::<_, String>(0)?).map_err(unreadable)?,
                        object_type: ObjectType::new(row.get::<_, String>(1)?).map_err(unreadable)?,
                        kind: Kind::read(row.get(2)?)?,
                        objects: row.get::<_, i64>(3)?.unsigned_abs(),
                    })
                })?;
                rows.collect()
            })
            .await
    }

    /// Objects kept apart because of findings, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`] where the store does not work.
    pub async fn quarantined(&self, limit: usize) -> Result<Vec<Quarantined>, StoreError> {
        let (job, limit) = (self.number, i64::try_from(limit).unwrap_or(i64::MAX));
        self.store
            .read(move |connection| {
                let sql = "SELECT type, key, findings FROM quarantine WHERE job = ?1 ORDER BY type, key LIMIT ?2";
                let mut statement = connection.prepare(sql)?;
                let rows = statement.query_map([job, limit], |row| {
                    Ok(Quarantined {
                        object_type: ObjectType::new(row.get::<_, String>(0)?).map_err(unreadable)?,
                        key: ObjectKey::new(row.get::<_, String>(1)?).map_err(unreadable)?,
                        findings: row.get(2)?,
                    })
                })?;
                rows.collect()
            })
            .await
    }

    /// Sets job data.
    ///
    /// # Errors
    /// [`StoreError`] where the store does not work.
    pub async fn put_data(&self, name: &str, value: &Value) -> Result<(), StoreError> {
        let (job, name, json) = (self.number, name.to_owned(), value.to_string());
        self.store
            .write(move |connection| {
                let sql = "INSERT OR REPLACE INTO job_data (job, name, json) VALUES (?1, ?2, ?3)";
                connection.execute(sql, params![job, name, json]).map(drop)
            })
            .await
    }

    /// Job data by name.
    ///
    /// # Errors
    /// [`StoreError`] where the store does not work.
    pub async fn data(&self, name: &str) -> Result<Option<Value>, StoreError> {
        let (job, name) = (self.number, name.to_owned());
        self.store
            .read(move |connection| {
                let sql = "SELECT json FROM job_data WHERE job = ?1 AND name = ?2";
                let text: Option<String> =
                    connection.query_row(sql, params![job, name], |row| row.get(0)).optional()?;
                text.map(|text| serde_json::from_str(&text).map_err(unreadable)).transpose()
            })
            .await
    }

    /// Notes that a step ended.
    ///
    /// # Errors
    /// [`StoreError`] where the store does not work.
    pub async fn end_step(&self, step: StepId, status: &'static str, result: Value) -> Result<(), StoreError> {
        let job = self.number;
        self.store
            .write(move |connection| {
                let sql =
                    "INSERT OR REPLACE INTO step_run (job, step, status, ended, result) VALUES (?1, ?2, ?3, ?4, ?5)";
                let ended = Timestamp::now().millis();
                connection.execute(sql, params![job, step.as_str(), status, ended, result.to_string()]).map(drop)
            })
            .await
    }

    /// The steps that ended.
    ///
    /// # Errors
    /// [`StoreError`] where the store does not work.
    pub async fn steps(&self) -> Result<Vec<StepRow>, StoreError> {
        let job = self.number;
        self.store
            .read(move |connection| {
                let mut statement = connection
                    .prepare("SELECT step, status, ended, result FROM step_run WHERE job = ?1 ORDER BY step")?;
                let rows = statement.query_map([job], |row| {
                    Ok(StepRow {
                        step: StepId::new(row.get::<_, String>(0)?).map_err(unreadable)?,
                        status: row.get(1)?,
                        ended: Timestamp::from_millis(row.get(2)?),
                        result: serde_json::from_str(&row.get::<_, String>(3)?).map_err(unreadable)?,
                    })
                })?;
                rows.collect()
            })
            .await
    }

    /// Goes back to the last sound state of a step that did not end: its parts that are done stay.
    ///
    /// # Errors
    /// [`StoreError`] where the store does not work.
    pub async fn rewind(&self, step: StepId) -> Result<ResumePoint, StoreError> {
        let job = self.number;
        self.store.write_with_keys(move |connection, keys| rewind::rewind(connection, keys, job, &step)).await
    }

    /// Forgets that a step ended and which of its parts are done, so that it begins clean after its next
    /// [`rewind`](Self::rewind).
    ///
    /// # Errors
    /// [`StoreError`] where the store does not work.
    pub async fn reset_step(&self, step: StepId) -> Result<(), StoreError> {
        let job = self.number;
        self.store.write(move |connection| rewind::reset_step(connection, job, &step)).await
    }

    /// How many objects a step added, by type.
    ///
    /// # Errors
    /// [`StoreError`] where the store does not work.
    pub async fn step_counts(&self, step: StepId) -> Result<Vec<(ObjectType, u64)>, StoreError> {
        let job = self.number;
        self.store.read(move |connection| rewind::counts(connection, job, &step)).await
    }

    /// How many objects a step described in several ways of which one stayed, by type.
    ///
    /// # Errors
    /// [`StoreError`] where the store does not work.
    pub(crate) async fn duplicates(&self, step: StepId) -> Result<Vec<DescribedAgain>, StoreError> {
        let job = self.number;
        self.store.read(move |connection| duplicates::of_step(connection, job, &step)).await
    }

    /// Takes out the relationships of descriptions that gave way to others, once no step adds any more.
    ///
    /// # Errors
    /// [`StoreError`] if the store does not work.
    pub(crate) async fn supersede(&self) -> Result<Vec<Superseded>, StoreError> {
        let job = self.number;
        self.store.write_with_keys(move |connection, keys| duplicates::supersede(connection, keys, job)).await
    }

    /// Returns the quarantined entities of a type after a position, in the order of insertion, each with its position
    /// and as `read` takes its JSON.
    pub(crate) async fn kept_apart<T, F>(
        &self,
        object_type: ObjectType,
        position: i64,
        limit: usize,
        read: F,
    ) -> Result<Vec<(i64, ObjectKey, T)>, StoreError>
    where
        T: Send + 'static,
        F: Fn(&str) -> T + Send + 'static,
    {
        let job = self.number;
        let kept =
            move |connection: &Connection| object::kept_apart(connection, job, &object_type, position, limit, read);
        self.store.read(kept).await
    }

    /// Takes out the relationships to entities that were refused or taken out, once no step adds any more.
    ///
    /// # Errors
    /// [`StoreError`] where the store does not work.
    pub(crate) async fn detach(&self) -> Result<Vec<Unattached>, StoreError> {
        let job = self.number;
        self.store.write_with_keys(move |connection, keys| ends::detach(connection, keys, job)).await
    }

    /// What a step added of a type, in the order of the keys.
    ///
    /// # Errors
    /// [`StoreError`] where the store does not work.
    pub async fn step_page(
        &self,
        step: StepId,
        object_type: ObjectType,
        after: Option<ObjectKey>,
        limit: usize,
    ) -> Result<Page<ObjectBatch>, StoreError> {
        let job = self.number;
        let read = move |connection: &Connection, object_type: &ObjectType| {
            let mut objects = ObjectBatch::default();
            // A copy in another job lies under no parent of this job.
            let add = |row, _, json: &str| objects.push(Row { part: 0, ..row }, json);
            let next = object::stored_page(connection, job, object_type, Some(&step), after.as_ref(), limit, add)?;
            Ok(Page { objects, next })
        };
        self.in_order(object_type, read).await
    }

    /// Ends the job.
    ///
    /// # Errors
    /// [`StoreError`] where the store does not work.
    pub async fn end_job(&self, state: JobState, summary: &Value) -> Result<(), StoreError> {
        let (job, summary) = (self.number, summary.to_string());
        self.store
            .write_with_keys(move |connection, keys| {
                keys.close(connection, job)?;
                let sql = "UPDATE job SET state = ?2, ended = ?3, summary = ?4 WHERE number = ?1";
                connection.execute(sql, params![job, state.as_str(), Timestamp::now().millis(), summary]).map(drop)
            })
            .await
    }
}
