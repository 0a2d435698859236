//! The jobs of a store: starting, resuming, and listing them.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row as SqlRow, params};
use serde_json::Value;

use crate::graph::run::{JobState, Summary};
use crate::graph::{InstanceId, JobId, Timestamp};

use super::job::JobStore;
use super::lock::JobLock;
use super::record::JobRecord;
use super::sqlite::unreadable;
use super::unreadable::{self, Unreadable};
use super::{Store, StoreError, lock, publish};

/// A job as listed.
#[derive(Debug, Clone)]
pub struct JobRow {
    /// The id of the job.
    pub id: JobId,
    /// The integration.
    pub integration: String,
    /// The instance.
    pub instance: InstanceId,
    /// The state of the job; [`JobState::Unknown`] if another version recorded one that this version does not know.
    pub state: JobState,
    /// The time at which the job started.
    pub started: Timestamp,
    /// The time at which the job ended.
    pub ended: Option<Timestamp>,
    /// The options of the job.
    pub options: Value,
    /// The summary of a job that has ended.
    pub summary: Option<Result<Summary, Unreadable>>,
    pub(super) number: i64,
}

impl JobRow {
    /// Whether the job has collected everything it selected, so that nothing is left to resume.
    pub fn is_settled(&self) -> bool {
        match (&self.state, &self.summary) {
            (JobState::Complete | JobState::Partial, Some(Ok(summary))) => summary.is_settled(),
            (state, _) => *state == JobState::Complete,
        }
    }

    /// Returns the summary; `None` if the job has not ended.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] if this version cannot read it.
    pub fn summary(&self) -> Result<Option<&Summary>, StoreError> {
        self.summary.as_ref().map(|summary| summary.as_ref().map_err(|error| error.clone().into())).transpose()
    }
}

/// Returns the job of an instance on which a process works.
fn running(
    connection: &Connection,
    directory: &Path,
    integration: &str,
    instance: &InstanceId,
) -> rusqlite::Result<Option<JobId>> {
    let sql = "SELECT id FROM job WHERE integration = ?1 AND instance = ?2 AND state = 'running'";
    let mut statement = connection.prepare_cached(sql)?;
    let ids = statement.query_map([integration, instance.as_str()], |row| row.get::<_, String>(0))?;
    for id in ids {
        let id = JobId::new(id?).map_err(unreadable)?;
        if JobLock::is_held(directory, &id) {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

const JOB: &str = "SELECT id, integration, instance, state, started, ended, summary, number, options FROM job";

fn job_row(row: &SqlRow<'_>) -> rusqlite::Result<JobRow> {
    let id = JobId::new(row.get::<_, String>(0)?).map_err(unreadable)?;
    let summary = row.get_ref(6)?.as_str_or_null()?;
    let summary = summary.map(|json| unreadable::parse(json, || format!("the summary of the job {id}")));
    Ok(JobRow {
        id,
        integration: row.get(1)?,
        instance: InstanceId::new(row.get_ref(2)?.as_str()?).map_err(unreadable)?,
        state: row.get_ref(3)?.as_str()?.parse().unwrap_or(JobState::Unknown),
        started: Timestamp::from_millis(row.get(4)?),
        ended: row.get::<_, Option<i64>>(5)?.map(Timestamp::from_millis),
        summary,
        options: options(row.get_ref(8)?.as_str()?),
        number: row.get(7)?,
    })
}

/// Parses the options of a job.
///
/// Damaged text becomes a string with the error, because one damaged job must not hide the others. It is rejected when
/// the options are used.
fn options(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| format!("damaged: {error}").into())
}

impl Store {
    /// Starts a job with these options.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub(crate) async fn begin_job(
        &self,
        integration: &str,
        instance: &InstanceId,
        options: &Value,
    ) -> Result<JobStore, StoreError> {
        let id = JobId::generate();
        let directory = self.directory().to_owned();
        let (key, integration, instance, options) =
            (id.clone(), integration.to_owned(), instance.clone(), options.to_string());
        let begun = self
            .write_with_keys(move |connection, keys| {
                // Taken within the transaction, so that a process that prunes at the same time sees the lock file and
                // the row together.
                let lock = match JobLock::take(&directory, &key) {
                    Ok(lock) => lock,
                    Err(error) => return Ok(Err(error)),
                };
                if let Some(running) = running(connection, &directory, &integration, &instance)? {
                    drop(fs::remove_file(lock::path(&directory, key.as_str())));
                    return Ok(Err(StoreError::Running { job: running }));
                }
                let number = publish::next_run(connection)?;
                let sql = "INSERT INTO job (number, id, integration, instance, state, started, options) \
                           VALUES (?6, ?1, ?2, ?3, 'running', ?4, ?5)";
                let started = Timestamp::now().millis();
                connection
                    .execute(sql, params![key.as_str(), integration, instance.as_str(), started, options, number])?;
                keys.versions.prepare(number, &integration, &instance);
                Ok(Ok((lock, number)))
            })
            .await?;
        let (lock, number) = begun?;
        let record = JobRecord { store: self.clone(), id, number };
        Ok(JobStore { record, _lock: Arc::new(lock) })
    }

    /// Resumes a job that did not end or that ended with gaps.
    ///
    /// # Errors
    /// [`StoreError::Busy`] if another process holds the lease, [`StoreError::Complete`] if the job has no gaps,
    /// [`StoreError::Forgotten`] if the job was pruned, and [`StoreError::Unreadable`] if its state is unknown.
    pub(crate) async fn resume_job(&self, job: &JobRow) -> Result<JobStore, StoreError> {
        let (directory, id) = (self.directory().to_owned(), job.id.clone());
        let lock = tokio::task::spawn_blocking(move || JobLock::take(&directory, &id));
        let lock = lock.await.map_err(|_| StoreError::Closed)??;
        let (number, id) = (job.number, job.id.clone());
        // Another process may have ended or pruned the job since it was listed.
        let folder = self.directory().to_owned();
        let resumed = self.write_with_keys(move |connection, keys| {
            let row = format!("{JOB} WHERE number = ?1 AND id = ?2");
            let row = connection.query_row(&row, params![number, id.as_str()], job_row).optional()?;
            let (integration, instance) = match row {
                None => return Ok(Err(StoreError::Forgotten { job: id })),
                Some(row) if row.is_settled() => return Ok(Err(StoreError::Complete { job: id })),
                Some(row) if row.state == JobState::Unknown => {
                    let state = Unreadable::new(format!("the state of the job {id}"), "another version recorded it");
                    return Ok(Err(state.into()));
                }
                Some(row) => {
                    let others = running(connection, &folder, &row.integration, &row.instance)?;
                    if let Some(job) = others.filter(|running| *running != id) {
                        return Ok(Err(StoreError::Running { job }));
                    }
                    (row.integration, row.instance)
                }
            };
            let number = match publish::reopen(connection, number)? {
                Ok(number) => number,
                Err(newer) => return Ok(Err(StoreError::Superseded { job: id, newer })),
            };
            let sql = "UPDATE job SET state = 'running', ended = NULL, summary = NULL WHERE number = ?1";
            connection.execute(sql, [number])?;
            keys.forget(number);
            keys.versions.prepare(number, &integration, &instance);
            Ok(Ok(number))
        });
        let number = resumed.await??;
        let record = JobRecord { store: self.clone(), id: job.id.clone(), number };
        Ok(JobStore { record, _lock: Arc::new(lock) })
    }

    /// Returns all jobs, newest first.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn jobs(&self) -> Result<Vec<JobRow>, StoreError> {
        let mut jobs = self.rows().await?;
        if jobs.iter().any(|job| self.is_abandoned(job)) {
            // A job that ended after the rows were read has no lock either. Only a job that is running in a second read
            // is interrupted.
            jobs = self.rows().await?;
        }
        for job in &mut jobs {
            if self.is_abandoned(job) {
                job.state = JobState::Interrupted;
            }
        }
        Ok(jobs)
    }

    async fn rows(&self) -> Result<Vec<JobRow>, StoreError> {
        let rows = self.read(|connection| {
            let mut statement = connection.prepare(&format!("{JOB} ORDER BY number DESC"))?;
            let rows = statement.query_map([], job_row)?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        });
        rows.await
    }

    /// Finds a job by its id or a prefix of it. Without an id, it returns the newest job.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn job(&self, id: Option<&str>) -> Result<Option<JobRow>, StoreError> {
        let id = id.unwrap_or_default();
        Ok(self.jobs().await?.into_iter().find(|job| job.id.as_str().starts_with(id)))
    }

    /// Whether a job is recorded as running although its process is gone.
    fn is_abandoned(&self, job: &JobRow) -> bool {
        job.state == JobState::Running && !JobLock::is_held(self.directory(), &job.id)
    }

    /// Returns the record of a job.
    pub fn open_job(&self, job: &JobRow) -> JobRecord {
        JobRecord { store: self.clone(), id: job.id.clone(), number: job.number }
    }
}
