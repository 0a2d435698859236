//! The writer of one job.

use std::sync::Arc;

use integration_graph::run::{JobState, StepReport, Summary};
use integration_graph::{StepId, Timestamp};
use rusqlite::{Connection, params};
use serde_json::Value;

use super::content_hash::ContentHash;
use super::index::keys::Keys;
use super::lock::JobLock;
use super::sqlite_error::unreadable;
use super::{
    AmendOutcome, Amendment, Answer, DeclaredEnds, JobWriter, Lease, Publication, Receipt, Reconciled, ResumePoint,
    RewindTo, StepBatch, Store, StoreError, Unreadable, duplicates, ends, file, object, publish, rewind,
};

/// The size in bytes from which a batch is hashed on a thread for blocking work.
const LARGE: usize = 1 << 20;

/// A running job, with the right to change it.
#[derive(Clone)]
pub(crate) struct SqliteJob {
    pub(super) store: Store,
    pub(super) lease: Lease,
    pub(super) number: i64,
    /// The means of the lease: the operating system releases it with the process.
    pub(super) _lock: Arc<JobLock>,
}

impl SqliteJob {
    /// Guards work with the lease: without a valid lease, nothing is done and the result is `None`.
    ///
    /// The lock file alone does not suffice. Commands that are queued when the writer is dropped are executed after the
    /// lock is released, and so are those of a process whose file system lost the lock.
    fn fenced<R, F>(
        &self,
        work: F,
    ) -> impl FnOnce(&Connection, &mut Keys) -> rusqlite::Result<Option<R>> + Send + use<R, F>
    where
        F: FnOnce(&Connection, &mut Keys) -> rusqlite::Result<R> + Send + 'static,
    {
        let (number, epoch) = (self.number, self.lease.epoch.get().cast_signed());
        move |connection, keys| {
            let sql = "SELECT 1 FROM job WHERE number = ?1 AND epoch = ?2 AND state = 'running'";
            let is_valid = connection.prepare_cached(sql)?.exists([number, epoch])?;
            is_valid.then(|| work(connection, keys)).transpose()
        }
    }

    /// Executes work under the lease, and waits until it is committed.
    async fn write<R, F>(&self, work: F) -> Result<R, StoreError>
    where
        R: Send + 'static,
        F: FnOnce(&Connection, &mut Keys) -> rusqlite::Result<R> + Send + 'static,
    {
        let written = self.store.write_with_keys(self.fenced(work)).await?;
        written.ok_or_else(|| self.is_fenced())
    }

    fn is_fenced(&self) -> StoreError {
        StoreError::Fenced { job: self.lease.job.clone() }
    }

    /// Hashes the content of each row of a batch.
    async fn hashes(&self, batch: &Arc<StepBatch>) -> Result<Vec<ContentHash>, StoreError> {
        let key = self.store.hash_key();
        if batch.objects.bytes() < LARGE {
            return Ok(key.hash_all(&batch.objects));
        }
        let batch = Arc::clone(batch);
        let hashes = tokio::task::spawn_blocking(move || key.hash_all(&batch.objects));
        hashes.await.map_err(|_| StoreError::Closed)
    }

    /// Queues a batch; the hashes may be missing, so that the contents are compared at publication.
    async fn append_hashed(&self, batch: Arc<StepBatch>, hashes: Vec<ContentHash>) -> Result<Receipt, StoreError> {
        let place = self.store.place().await?;
        // No await follows, so a dropped future has either queued the batch or not.
        let (job, fenced) = (self.number, self.is_fenced());
        let rows = batch.objects.len();
        let insert =
            move |connection: &Connection, keys: &mut Keys| object::insert(connection, keys, job, &batch, &hashes);
        let mut pending = place.submit(rows, self.fenced(insert));
        Ok(Box::pin(async move { pending.done().await?.ok_or(fenced) }))
    }

    /// Publishes the objects of the job as the next snapshot of its instance, and ends the job.
    async fn publish(&self, summary: Summary, publication: Publication) -> Result<Summary, StoreError> {
        let (job, hash_key) = (self.number, self.store.hash_key());
        let publish = move |connection: &Connection, keys: &mut Keys| {
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
        };
        let summary = self.write(publish).await?;
        self.store.write(file::vacuum).await?;
        Ok(summary)
    }

    /// Ends the job without publishing its objects.
    async fn end_without_graph(&self, summary: Summary) -> Result<Summary, StoreError> {
        let (job, state, json) = (self.number, summary.state, Unreadable::json(&summary)?);
        self.write(move |connection, keys| {
            keys.close(connection, job)?;
            end(connection, job, state, &json)
        })
        .await?;
        Ok(summary)
    }
}

impl JobWriter for SqliteJob {
    fn lease(&self) -> &Lease {
        &self.lease
    }

    fn append(&self, batch: Arc<StepBatch>) -> Answer<'_, Receipt> {
        Box::pin(async move {
            let hashes = self.hashes(&batch).await?;
            self.append_hashed(batch, hashes).await
        })
    }

    fn commit(&self) -> Answer<'_, ()> {
        Box::pin(self.write(|_, _| Ok(())))
    }

    fn amend(&self, amendments: Vec<Amendment>) -> Answer<'_, Vec<AmendOutcome>> {
        let (job, hash_key) = (self.number, self.store.hash_key());
        let amend = move |connection: &Connection, keys: &mut Keys| {
            let keys = keys.of(connection, job)?;
            let amend = |amendment: &Amendment| object::amend(connection, keys, hash_key, amendment);
            amendments.iter().map(amend).collect::<rusqlite::Result<Vec<_>>>()
        };
        Box::pin(async move {
            let outcomes = self.store.submit(1, self.fenced(amend)).await?.done().await?;
            outcomes.ok_or_else(|| self.is_fenced())
        })
    }

    fn put_data(&self, name: String, value: Value) -> Answer<'_, ()> {
        let (job, json) = (self.number, value.to_string());
        Box::pin(self.write(move |connection, _| {
            let sql = "INSERT OR REPLACE INTO job_data (job, name, json) VALUES (?1, ?2, ?3)";
            connection.execute(sql, params![job, name, json]).map(drop)
        }))
    }

    fn end_step(&self, report: StepReport) -> Answer<'_, ()> {
        let job = self.number;
        Box::pin(async move {
            let json = Unreadable::json(&report)?;
            self.write(move |connection, _| {
                let sql =
                    "INSERT OR REPLACE INTO step_run (job, step, status, ended, result) VALUES (?1, ?2, ?3, ?4, ?5)";
                let (step, status, ended) = (report.id.as_str(), report.status.as_str(), Timestamp::now().millis());
                connection.execute(sql, params![job, step, status, ended, json]).map(drop)
            })
            .await
        })
    }

    fn rewind(&self, step: StepId, to: RewindTo) -> Answer<'_, ResumePoint> {
        let job = self.number;
        Box::pin(self.write(move |connection, keys| {
            if to == RewindTo::Start {
                rewind::forget_partitions(connection, job, &step)?;
            }
            rewind::rewind(connection, keys, job, &step)
        }))
    }

    fn reconcile(&self, declared: DeclaredEnds) -> Answer<'_, Reconciled> {
        let job = self.number;
        Box::pin(self.write(move |connection, keys| {
            let unattached = ends::detach(connection, keys, job, &declared)?;
            Ok(Reconciled { unattached, superseded: duplicates::supersede(connection, keys, job)? })
        }))
    }

    fn end(&self, summary: Summary, publication: Option<Publication>) -> Answer<'_, Summary> {
        match publication {
            Some(publication) => Box::pin(self.publish(summary, publication)),
            None => Box::pin(self.end_without_graph(summary)),
        }
    }
}

fn end(connection: &Connection, job: i64, state: JobState, summary: &str) -> rusqlite::Result<()> {
    let sql = "UPDATE job SET state = ?2, ended = ?3, summary = ?4 WHERE number = ?1";
    connection.execute(sql, params![job, state.as_str(), Timestamp::now().millis(), summary]).map(drop)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{JobReader, ObjectBatch, Row};
    use integration_graph::{InstanceId, ObjectJson, ObjectKey, ObjectType};

    fn batch(text: &str) -> Arc<StepBatch> {
        let row = Row::entity(ObjectKey::new(text).unwrap(), ObjectType::literal("acme_team"));
        let mut objects = ObjectBatch::default();
        objects.push(row, ObjectJson::of("{}"));
        Arc::new(StepBatch::new(StepId::literal("add"), objects))
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn queued_batches_of_a_dropped_writer_do_not_reach_the_job_that_another_process_resumed() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let job = store.begin_job("acme", &InstanceId::default(), &json!({})).await.unwrap();
        let id = job.lease.job.clone();
        // Another process writes, so the batches wait.
        let other = Connection::open(store.path()).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let first = job.append(batch("team-1")).await.unwrap();
        let second = job.append(batch("team-2")).await.unwrap();
        drop(job);
        // The lock is free, so the other process can take the next lease.
        let lock = JobLock::take(folder.path(), &id).unwrap();
        other.execute("UPDATE job SET epoch = epoch + 1 WHERE id = ?1", [id.as_str()]).unwrap();
        other.execute_batch("COMMIT").unwrap();
        for receipt in [first, second] {
            assert!(matches!(receipt.await, Err(StoreError::Fenced { job }) if job == id));
        }
        drop(lock);
        let resumed = store.resume_job(id).await.expect("the store works for other writers").job;
        assert_eq!(resumed.counts(None).await.unwrap(), Vec::new());
    }
}
