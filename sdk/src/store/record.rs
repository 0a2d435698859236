//! The record of a job: its steps, its job data, and the objects that were set apart. It can only be read.
//!
//! A record remains until a newer job of the instance has published its graph. Then only the summary is left.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension, params};
use serde_json::Value;

use crate::graph::run::StepReport;
use crate::graph::{JobId, ObjectKey, ObjectType, StepId, Timestamp};

use super::object::Quarantined;
use super::sqlite::unreadable;
use super::unreadable::{self, Unreadable};
use super::{Store, StoreError};

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
    pub(super) store: Store,
    pub(super) id: JobId,
    pub(super) number: i64,
}

impl JobRecord {
    /// The job's id.
    pub fn id(&self) -> &JobId {
        &self.id
    }

    /// Returns the paths of the completed partitions of a step.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn completed_partitions(&self, step: StepId) -> Result<BTreeSet<String>, StoreError> {
        let job = self.number;
        self.store
            .read(move |connection| {
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
        let job = self.number;
        self.store
            .read(move |connection| {
                let mut statement =
                    connection.prepare("SELECT step, ended, result FROM step_run WHERE job = ?1 ORDER BY step")?;
                let rows = statement.query_map([job], |row| {
                    let step = StepId::new(row.get::<_, String>(0)?).map_err(unreadable)?;
                    let report =
                        unreadable::parse(row.get_ref(2)?.as_str()?, || format!("the result of the step `{step}`"));
                    Ok(StepRow { step, ended: Timestamp::from_millis(row.get(1)?), report })
                })?;
                rows.collect()
            })
            .await
    }

    /// Returns at most `limit` quarantined objects.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn quarantined(&self, limit: usize) -> Result<Vec<Quarantined>, StoreError> {
        let (job, limit) = (self.number, i64::try_from(limit).unwrap_or(i64::MAX));
        self.store
            .read(move |connection| {
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
}
