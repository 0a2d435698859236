//! The jobs of a store: begun, resumed, listed, forgotten.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row as SqlRow, params};
use serde_json::Value;

use crate::graph::{JobId, Timestamp};

use super::job::{JobState, JobStore};
use super::lock::JobLock;
use super::sqlite::unreadable;
use super::{Store, StoreError};

/// A job as listed.
#[derive(Debug, Clone)]
pub struct JobRow {
    /// Its id.
    pub id: JobId,
    /// The integration.
    pub integration: String,
    /// The instance, `default` if none was named.
    pub instance: String,
    /// How far it is.
    pub state: JobState,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// What it was asked to do.
    pub options: Value,
    /// Its summary, once it has ended.
    pub summary: Option<Value>,
    number: i64,
}

impl JobRow {
    /// Whether the job has collected everything that it was asked for: there is nothing to resume.
    pub fn is_settled(&self) -> bool {
        let steps = self.summary.as_ref().and_then(|summary| summary["integrationStepResults"].as_array());
        let gaps = |step: &Value| step["incomplete"].as_array().is_some_and(|gaps| !gaps.is_empty());
        match self.state {
            JobState::Complete => true,
            // Selected steps without a gap.
            JobState::Partial => steps.is_some_and(|steps| !steps.iter().any(gaps)),
            _ => false,
        }
    }
}

const JOB: &str = "SELECT id, integration, instance, state, started, ended, summary, number, options FROM job";

fn job_row(row: &SqlRow<'_>) -> rusqlite::Result<JobRow> {
    let state: String = row.get(3)?;
    let summary: Option<String> = row.get(6)?;
    Ok(JobRow {
        id: JobId::new(row.get::<_, String>(0)?).map_err(unreadable)?,
        integration: row.get(1)?,
        instance: row.get(2)?,
        state: JobState::parse(&state)
            .ok_or_else(|| unreadable(StoreError::Corrupt(format!("job state {state:?}"))))?,
        started: Timestamp::from_millis(row.get(4)?),
        ended: row.get::<_, Option<i64>>(5)?.map(Timestamp::from_millis),
        summary: summary.map(|text| serde_json::from_str(&text).map_err(unreadable)).transpose()?,
        options: serde_json::from_str(&row.get::<_, String>(8)?).map_err(unreadable)?,
        number: row.get(7)?,
    })
}

fn find_job(connection: &Connection, tail: &str, id: &str) -> rusqlite::Result<Option<JobRow>> {
    connection.query_row(&format!("{JOB} {tail}"), params![id], job_row).optional()
}

impl Store {
    /// Begins a job; `options` is what it was asked to do.
    ///
    /// # Errors
    /// [`StoreError`] where the store does not work.
    pub async fn begin_job(&self, integration: &str, instance: &str, options: &Value) -> Result<JobStore, StoreError> {
        let id = JobId::generate();
        let lock = JobLock::take(self.directory(), &id)?;
        let (key, integration, instance, options) =
            (id.clone(), integration.to_owned(), instance.to_owned(), options.to_string());
        let number = self
            .write(move |connection| {
                let sql = "INSERT INTO job (id, integration, instance, state, started, options) \
                           VALUES (?1, ?2, ?3, 'running', ?4, ?5)";
                connection
                    .execute(sql, params![key.as_str(), integration, instance, Timestamp::now().millis(), options])?;
                Ok(connection.last_insert_rowid())
            })
            .await?;
        Ok(JobStore { store: self.clone(), id, number, _lock: Some(Arc::new(lock)) })
    }

    /// Takes up a job that did not end, or ended with something missing.
    ///
    /// # Errors
    /// [`StoreError::Busy`] where another process works on it, [`StoreError::Complete`] where nothing is missing.
    pub async fn resume_job(&self, job: &JobRow) -> Result<JobStore, StoreError> {
        if job.is_settled() {
            return Err(StoreError::Complete { job: job.id.clone() });
        }
        let lock = JobLock::take(self.directory(), &job.id)?;
        let number = job.number;
        self.write(move |connection| {
            let sql = "UPDATE job SET state = 'running', ended = NULL, summary = NULL WHERE number = ?1";
            connection.execute(sql, [number]).map(drop)
        })
        .await?;
        Ok(JobStore { store: self.clone(), id: job.id.clone(), number, _lock: Some(Arc::new(lock)) })
    }

    /// Every job, the newest first.
    ///
    /// # Errors
    /// [`StoreError`] where the store does not work.
    pub async fn jobs(&self) -> Result<Vec<JobRow>, StoreError> {
        let mut jobs = self
            .read(|connection| {
                let mut statement = connection.prepare(&format!("{JOB} ORDER BY number DESC"))?;
                let rows = statement.query_map([], job_row)?;
                rows.collect::<rusqlite::Result<Vec<_>>>()
            })
            .await?;
        jobs.iter_mut().for_each(|job| self.look_after(job));
        Ok(jobs)
    }

    /// The job of an id, or of the beginning of one; the newest job where no id is given.
    ///
    /// # Errors
    /// [`StoreError`] where the store does not work.
    pub async fn job(&self, id: Option<&str>) -> Result<Option<JobRow>, StoreError> {
        let id = id.unwrap_or_default().replace(['%', '_'], "");
        let found = self
            .read(move |connection| find_job(connection, "WHERE id LIKE ?1 || '%' ORDER BY number DESC LIMIT 1", &id))
            .await?;
        Ok(found.map(|mut job| {
            self.look_after(&mut job);
            job
        }))
    }

    /// A job that says it runs, and whose process is gone, does not.
    fn look_after(&self, job: &mut JobRow) {
        if job.state == JobState::Running && !JobLock::is_held(self.directory(), &job.id) {
            job.state = JobState::Interrupted;
        }
    }

    /// Access to the objects of a job.
    pub fn open_job(&self, job: &JobRow) -> JobStore {
        JobStore { store: self.clone(), id: job.id.clone(), number: job.number, _lock: None }
    }

    /// Forgets all but the newest `keep` jobs; says how many went.
    ///
    /// # Errors
    /// [`StoreError`] where the store does not work.
    pub async fn prune(&self, keep: usize) -> Result<usize, StoreError> {
        let jobs = self.jobs().await?.into_iter().filter(|job| job.state != JobState::Running);
        let old: Vec<i64> = jobs.skip(keep).map(|job| job.number).collect();
        self.write(move |connection| {
            for number in &old {
                for table in
                    ["object", "sorted", "sorted_to", "contribution", "quarantine", "job_data", "part", "step_run"]
                {
                    connection.execute(&format!("DELETE FROM {table} WHERE job = ?1"), [number])?;
                }
                connection.execute("DELETE FROM job WHERE number = ?1", [number])?;
            }
            Ok(old.len())
        })
        .await
    }
}
