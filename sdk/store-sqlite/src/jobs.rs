//! The jobs of a store: starting, resuming, and listing them.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use integration_graph::run::{JobState, StepReport};
use integration_graph::{InstanceId, JobId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row as SqlRow, params};
use serde_json::Value;

use super::index::keys::Keys;
use super::job::SqliteJob;
use super::lock::JobLock;
use super::record::{self, JobRecord, StepRow};
use super::response_cache::SqliteResponses;
use super::sqlite_error::unreadable;
use super::{
    Answer, EarlierGaps, Epoch, GraphReader, JobRow, JobStore, JobWriter, Lease, NewJob, ResponseStore, Resumed, Store,
    StoreError, Unreadable, earlier_gaps, lock, publish,
};

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

const JOB: &str = "SELECT id, integration, instance, state, started, ended, summary, options FROM job";

fn job_row(row: &SqlRow<'_>) -> rusqlite::Result<JobRow> {
    let id = JobId::new(row.get::<_, String>(0)?).map_err(unreadable)?;
    let summary = row.get_ref(6)?.as_str_or_null()?;
    let summary = summary.map(|json| Unreadable::parse(json, || format!("the summary of the job {id}")));
    Ok(JobRow {
        id,
        integration: row.get(1)?,
        instance: InstanceId::new(row.get_ref(2)?.as_str()?).map_err(unreadable)?,
        state: row.get_ref(3)?.as_str()?.parse().unwrap_or(JobState::Unknown),
        started: Timestamp::from_millis(row.get(4)?),
        ended: row.get::<_, Option<i64>>(5)?.map(Timestamp::from_millis),
        summary,
        options: options(row.get_ref(7)?.as_str()?),
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
    /// [`StoreError::Running`] if another job of the instance is running.
    pub(crate) async fn begin_job(
        &self,
        integration: &str,
        instance: &InstanceId,
        options: &Value,
    ) -> Result<SqliteJob, StoreError> {
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
                let sql = "INSERT INTO job (number, id, integration, instance, state, started, options, epoch) \
                           VALUES (?6, ?1, ?2, ?3, 'running', ?4, ?5, ?7)";
                let (started, epoch) = (Timestamp::now().millis(), Epoch::FIRST.get().cast_signed());
                let values = params![key.as_str(), integration, instance.as_str(), started, options, number, epoch];
                connection.execute(sql, values)?;
                keys.versions.prepare(number, &integration, &instance);
                Ok(Ok((lock, number)))
            })
            .await?;
        let (lock, number) = begun?;
        let lease = Lease { job: id, epoch: Epoch::FIRST };
        Ok(SqliteJob { store: self.clone(), lease, number, _lock: Arc::new(lock) })
    }

    /// Resumes a job that did not end or that ended with gaps.
    ///
    /// Nothing changes if the job cannot be resumed.
    ///
    /// # Errors
    /// [`StoreError::Busy`] if another process holds the lease, [`StoreError::Complete`] if the job has no gaps,
    /// [`StoreError::Forgotten`] if the job was pruned, and [`StoreError::Unreadable`] if its state is unknown.
    pub(crate) async fn resume_job(&self, id: JobId) -> Result<ResumedJob, StoreError> {
        let (directory, locked) = (self.directory().to_owned(), id.clone());
        let lock = tokio::task::spawn_blocking(move || JobLock::take(&directory, &locked));
        let lock = lock.await.map_err(|_| StoreError::Closed)??;
        let (folder, job) = (self.directory().to_owned(), id.clone());
        let resumed = self.write_with_keys(move |connection, keys| resume(connection, keys, &folder, job));
        let Taken { number, epoch, reports, earlier_gaps } = resumed.await??;
        let lease = Lease { job: id, epoch };
        let job = SqliteJob { store: self.clone(), lease, number, _lock: Arc::new(lock) };
        Ok(ResumedJob { job, reports, earlier_gaps })
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

    /// Returns the newest job of each instance that had published no graph by a time, in the order of their names.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn jobs_without_graph(&self, by: Option<Timestamp>) -> Result<Vec<JobRow>, StoreError> {
        let by = by.map_or(i64::MAX, Timestamp::millis);
        let rows = self.read(move |connection| {
            let mut statement = connection.prepare(&format!(
                "{JOB} WHERE number IN (SELECT max(number) FROM job WHERE started <= ?1 GROUP BY integration, instance) \
                 AND NOT EXISTS (SELECT 1 FROM snapshot JOIN instance ON instance.number = snapshot.instance \
                                 WHERE instance.integration = job.integration AND instance.name = job.instance \
                                 AND pruned = 0 AND published <= ?1) \
                 ORDER BY integration, instance"
            ))?;
            let rows = statement.query_map([by], job_row)?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        });
        let mut jobs = rows.await?;
        for job in jobs.iter_mut().filter(|job| self.is_abandoned(job)) {
            job.state = JobState::Interrupted;
        }
        Ok(jobs)
    }

    /// Returns the job that published the newest graph of each instance, in the order of their names.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn jobs_of_newest_graphs(&self) -> Result<Vec<JobRow>, StoreError> {
        let rows = self.read(|connection| {
            let mut statement = connection.prepare(&format!(
                "{JOB} WHERE id IN (SELECT job FROM snapshot WHERE number IN \
                 (SELECT max(number) FROM snapshot WHERE pruned = 0 GROUP BY instance)) ORDER BY integration, instance"
            ))?;
            let rows = statement.query_map([], job_row)?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        });
        rows.await
    }

    /// Whether a job is recorded as running although its process is gone.
    fn is_abandoned(&self, job: &JobRow) -> bool {
        job.state == JobState::Running && !JobLock::is_held(self.directory(), &job.id)
    }

    /// Returns the record of a job.
    pub fn open_job(&self, job: &JobRow) -> JobRecord {
        JobRecord::of(self.clone(), job.id.clone())
    }
}

/// A job that is about to continue.
pub(crate) struct ResumedJob {
    pub(crate) job: SqliteJob,
    pub(crate) reports: Vec<StepReport>,
    pub(crate) earlier_gaps: EarlierGaps,
}

/// The result of taking the lease of a job that exists.
struct Taken {
    number: i64,
    epoch: Epoch,
    reports: Vec<StepReport>,
    earlier_gaps: EarlierGaps,
}

/// Takes the next lease of a job, whose lock the caller holds.
///
/// Another process may have ended or pruned the job since it was listed.
fn resume(
    connection: &Connection,
    keys: &mut Keys,
    directory: &Path,
    id: JobId,
) -> rusqlite::Result<Result<Taken, StoreError>> {
    let row = connection.query_row(&format!("{JOB} WHERE id = ?1"), [id.as_str()], job_row).optional()?;
    let Some(row) = row else { return Ok(Err(StoreError::Forgotten { job: id })) };
    if row.is_settled() {
        return Ok(Err(StoreError::Complete { job: id }));
    }
    if row.state == JobState::Unknown {
        let state = Unreadable::new(format!("the state of the job {id}"), "another version recorded it");
        return Ok(Err(state.into()));
    }
    let others = running(connection, directory, &row.integration, &row.instance)?;
    if let Some(job) = others.filter(|running| *running != id) {
        return Ok(Err(StoreError::Running { job }));
    }
    let sql = "SELECT number FROM job WHERE id = ?1";
    let number: i64 = connection.query_row(sql, [id.as_str()], |row| row.get(0))?;
    let reports = record::steps(connection, number)?.into_iter().map(StepRow::into_report);
    let reports = match reports.collect::<Result<Vec<_>, _>>() {
        Ok(reports) => reports,
        Err(error) => return Ok(Err(error)),
    };
    let number = match publish::reopen(connection, number)? {
        Ok(number) => number,
        Err(newer) => return Ok(Err(StoreError::Superseded { job: id, newer })),
    };
    let earlier_gaps = earlier_gaps::note(connection, number, &reports)?;
    let sql = "UPDATE job SET state = 'running', ended = NULL, summary = NULL, epoch = epoch + 1 WHERE number = ?1 \
               RETURNING epoch";
    let epoch: i64 = connection.query_row(sql, [number], |row| row.get(0))?;
    keys.forget(number);
    keys.versions.prepare(number, &row.integration, &row.instance);
    Ok(Ok(Taken { number, epoch: Epoch::new(epoch.unsigned_abs()), reports, earlier_gaps }))
}

impl JobStore for Store {
    fn begin(&self, job: NewJob) -> Answer<'_, Arc<dyn JobWriter>> {
        Box::pin(async move {
            let job = self.begin_job(&job.integration, &job.instance, &job.options).await?;
            Ok(Arc::new(job) as Arc<dyn JobWriter>)
        })
    }

    fn resume(&self, job: JobId) -> Answer<'_, Resumed> {
        Box::pin(async move {
            let ResumedJob { job, reports, earlier_gaps } = self.resume_job(job).await?;
            Ok(Resumed { writer: Arc::new(job), reports, earlier_gaps })
        })
    }

    fn jobs(&self) -> Answer<'_, Vec<JobRow>> {
        Box::pin(Self::jobs(self))
    }

    fn published(&self, job: JobId, with_stale: bool) -> Answer<'_, Option<Arc<dyn GraphReader>>> {
        Box::pin(async move {
            let snapshot = self.snapshot_of_job(job).await?;
            let form = |snapshot: super::Snapshot| if with_stale { snapshot } else { snapshot.collected() };
            Ok(snapshot.map(|snapshot| Arc::new(form(snapshot)) as Arc<dyn GraphReader>))
        })
    }

    fn responses(&self) -> Option<Arc<dyn ResponseStore>> {
        Some(Arc::new(SqliteResponses::of(self.clone())))
    }
}
