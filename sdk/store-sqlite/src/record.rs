//! The record of a job: its steps, its job data, and the objects that were set apart. It can only be read.
//!
//! A record remains until a newer job of the instance has published its graph. Then only the summary is left.

use std::collections::BTreeSet;

use integration_graph::run::StepReport;
use integration_graph::{JobId, ObjectKey, ObjectType, StepId, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;

use super::object::Quarantined;
use super::sqlite_error::unreadable;
use super::{Store, StoreError, Unreadable};

/// The record of a step that ended.
#[derive(Debug, Clone)]
pub struct StepRow {
    /// The id of the step.
    pub step: StepId,
    /// The time at which the step ended.
    pub ended: Timestamp,
    /// The report of the step, as in the summary.
    pub report: Result<StepReport, Unreadable>,
}

impl StepRow {
    /// Returns the report of the step.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] if this version cannot read it.
    pub fn into_report(self) -> Result<StepReport, StoreError> {
        Ok(self.report?)
    }
}

/// Read access to the record of a job, which may have ended.
#[derive(Clone)]
pub struct JobRecord {
    store: Store,
    id: JobId,
}

impl JobRecord {
    pub(super) fn of(store: Store, id: JobId) -> Self {
        Self { store, id }
    }

    /// The job's id.
    pub fn id(&self) -> &JobId {
        &self.id
    }

    /// Returns the paths of the completed partitions of a step.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn completed_partitions(&self, step: StepId) -> Result<BTreeSet<String>, StoreError> {
        self.read(move |connection, job| {
            let mut statement = connection.prepare("SELECT path FROM part WHERE job = ?1 AND step = ?2")?;
            statement.query_map(params![job, step.as_str()], |row| row.get(0))?.collect()
        })
        .await
    }

    /// Returns the steps that ended.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn steps(&self) -> Result<Vec<StepRow>, StoreError> {
        self.read(steps).await
    }

    /// Returns at most `limit` quarantined objects.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn quarantined(&self, limit: usize) -> Result<Vec<Quarantined>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(move |connection, job| {
            let sql = "SELECT type, key, findings FROM quarantine WHERE job = ?1 ORDER BY type, key LIMIT ?2";
            let mut statement = connection.prepare(sql)?;
            let rows = statement.query_map([job, limit], |row| {
                Ok(Quarantined {
                    object_type: ObjectType::new(row.get::<_, String>(0)?).map_err(unreadable)?,
                    key: ObjectKey::stored(row.get_ref(1)?.as_str()?).map_err(unreadable)?,
                    findings: row.get(2)?,
                })
            })?;
            rows.collect()
        })
        .await
    }

    /// Returns a value of job data.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn data(&self, name: &str) -> Result<Option<Value>, StoreError> {
        let name = name.to_owned();
        self.read(move |connection, job| data(connection, job, &name)).await
    }

    /// Reads with the current number of the job, which a resume may change. A pruned job has an empty record.
    async fn read<R, F>(&self, read: F) -> Result<R, StoreError>
    where
        R: Default + Send + 'static,
        F: FnOnce(&Connection, i64) -> rusqlite::Result<R> + Send + 'static,
    {
        let id = self.id.clone();
        let read = move |connection: &Connection| {
            let sql = "SELECT number FROM job WHERE id = ?1";
            let number = connection.prepare_cached(sql)?.query_row([id.as_str()], |row| row.get(0)).optional()?;
            number.map_or_else(|| Ok(R::default()), |number| read(connection, number))
        };
        self.store.read(read).await
    }
}

/// Returns the steps of a job that ended.
pub(super) fn steps(connection: &Connection, job: i64) -> rusqlite::Result<Vec<StepRow>> {
    let mut statement = connection.prepare("SELECT step, ended, result FROM step_run WHERE job = ?1 ORDER BY step")?;
    let rows = statement.query_map([job], |row| {
        let step = StepId::new(row.get::<_, String>(0)?).map_err(unreadable)?;
        let report = Unreadable::parse(row.get_ref(2)?.as_str()?, || format!("the result of the step `{step}`"));
        Ok(StepRow { step, ended: Timestamp::from_millis(row.get(1)?), report })
    })?;
    rows.collect()
}

/// Returns a value of job data.
pub(super) fn data(connection: &Connection, job: i64, name: &str) -> rusqlite::Result<Option<Value>> {
    let sql = "SELECT json FROM job_data WHERE job = ?1 AND name = ?2";
    let text: Option<String> = connection.query_row(sql, params![job, name], |row| row.get(0)).optional()?;
    text.map(|text| serde_json::from_str(&text).map_err(unreadable)).transpose()
}
