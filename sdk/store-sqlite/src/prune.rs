//! Removal of old jobs, so that none of their data is left in any file.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use integration_graph::run::JobState;
use integration_graph::{InstanceId, JobId, Timestamp};
use rusqlite::{Connection, OptionalExtension};

use super::index::keys::Keys;
use super::lock::{self, JobLock};
use super::snapshot::{INFO, info};
use super::sqlite_error::failed;
use super::{JobRow, Store, StoreError, file, sweep, working_data};

/// The number of jobs deleted in one transaction.
///
/// Each job needs an open lock file, and other processes must get a chance to write in between.
const AT_ONCE: usize = 50;
/// The folder of derived files in the data directory.
const DERIVED: &str = "derived";

/// The jobs to keep. A job is removed only if neither rule keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// The number of newest jobs that each instance keeps.
    pub keep: usize,
    /// The time from which on all jobs are kept.
    pub older_than: Option<Timestamp>,
}

impl Retention {
    /// Keeps the newest jobs of each instance.
    pub fn newest(keep: usize) -> Self {
        Self { keep, older_than: None }
    }
}

/// The result of [`Store::prune`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pruned {
    /// The number of removed jobs.
    pub jobs: usize,
    /// Whether the space was returned to the file system. Another process that reads or writes at the same time can
    /// prevent that; the next call then completes it.
    pub reclaimed: bool,
}

impl Store {
    /// Returns the jobs that [`prune`](Self::prune) removes.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn prunable(&self, retention: Retention) -> Result<Vec<JobRow>, StoreError> {
        let mut old = beyond(self.jobs().await?, retention);
        let ids: Vec<JobId> = old.iter().map(|job| job.id.clone()).collect();
        let newest = move |connection: &Connection| {
            let newest = ids.iter().map(|id| sweep::is_newest(connection, id.as_str()));
            newest.collect::<rusqlite::Result<Vec<bool>>>()
        };
        let mut newest = self.read(newest).await?.into_iter();
        old.retain(|_| !newest.next().unwrap_or(true));
        Ok(old)
    }

    /// Removes old jobs and their snapshots, and the versions that only these snapshots contain.
    ///
    /// Running jobs and the newest snapshot of each instance stay. The removed data is overwritten, its pages are
    /// returned to the file system, and the write-ahead log is emptied.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn prune(&self, retention: Retention) -> Result<Pruned, StoreError> {
        let old = self.prunable(retention).await?;
        self.remove_jobs(&old).await
    }

    /// Removes jobs and everything that only their snapshots need.
    pub(super) async fn remove_jobs(&self, old: &[JobRow]) -> Result<Pruned, StoreError> {
        let jobs = self.forget(old).await?;
        self.write_with_keys(|connection, keys| {
            file::overwriting(connection, sweep::sweep)?;
            keys.versions.forget_parents();
            rusqlite::Result::Ok(())
        })
        .await?;
        let directory = self.directory().to_owned();
        self.write(move |connection| Ok(remove_orphans(connection, &directory))).await??;
        self.remove_derived(jobs > 0).await?;
        Ok(Pruned { jobs, reclaimed: self.reclaim().await? })
    }

    /// Returns the free space of the database to the file system; `false` if another process prevents it.
    pub(super) async fn reclaim(&self) -> Result<bool, StoreError> {
        let path = self.path().to_owned();
        let reclaimed = tokio::task::spawn_blocking(move || file::reclaim(&path)).await;
        reclaimed.map_err(|_| StoreError::Closed)?.map_err(|source| self.failed(source))
    }

    /// The folder for files that are derived from snapshots and can be built again, such as indexes.
    ///
    /// Each of them is named after its snapshot (`SnapshotId::file_name`). [`prune`](Self::prune) removes them.
    pub fn derived_folder(&self) -> PathBuf {
        self.directory().join(DERIVED)
    }

    /// Removes the files that are derived from snapshots: those of removed snapshots, or all of them.
    ///
    /// When versions were removed, the first known time of other objects may have changed as well.
    pub(super) async fn remove_derived(&self, all: bool) -> Result<(), StoreError> {
        let folder = self.derived_folder();
        let kept = move |connection: &Connection| -> rusqlite::Result<HashSet<String>> {
            let mut statement = connection.prepare(&format!("{INFO} WHERE pruned = 0"))?;
            let names = statement.query_map([], |row| {
                let info = info(row)?;
                Ok([true, false].map(|with_stale| info.id(with_stale).file_name()))
            })?;
            names.flat_map(|names| names.into_iter().flatten().map(Ok).collect::<Vec<_>>()).collect()
        };
        let kept = if all { HashSet::new() } else { self.read(kept).await? };
        let unusable = |source| StoreError::Directory { path: folder.clone(), source };
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(unusable)?,
        };
        for entry in entries {
            let path = entry.map_err(unusable)?.path();
            let is_kept = path.file_stem().and_then(|name| name.to_str()).is_some_and(|name| kept.contains(name));
            if is_kept || !path.is_file() {
                continue;
            }
            match fs::remove_file(&path) {
                // Another process has removed it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                removed => removed.map_err(unusable)?,
            }
        }
        Ok(())
    }

    /// Deletes the jobs on which no process works, some at a time, and returns their number.
    pub(super) async fn forget(&self, jobs: &[JobRow]) -> Result<usize, StoreError> {
        let mut deleted = 0;
        for some in jobs.chunks(AT_ONCE) {
            deleted += self.forget_together(some.to_vec()).await?;
        }
        Ok(deleted)
    }

    async fn forget_together(&self, jobs: Vec<JobRow>) -> Result<usize, StoreError> {
        let directory = self.directory().to_owned();
        let locked = tokio::task::spawn_blocking(move || locked(&directory, jobs));
        let locked = locked.await.map_err(|_| StoreError::Closed)??;
        let ids: Vec<JobId> = locked.iter().map(|(job, _)| job.id.clone()).collect();
        let deleted = self
            .write_with_keys(move |connection, keys| {
                file::overwriting(connection, |connection| ids.iter().map(|id| delete(connection, keys, id)).sum())
            })
            .await?;
        for (job, lock) in locked {
            // The row is deleted, so a process that takes this lock afterwards gives up.
            drop(fs::remove_file(lock::path(self.directory(), job.id.as_str())));
            drop(lock);
        }
        Ok(deleted)
    }
}

/// Returns the ended jobs that the retention does not keep. The list must be sorted newest first.
fn beyond(jobs: Vec<JobRow>, retention: Retention) -> Vec<JobRow> {
    let Retention { keep, older_than } = retention;
    let mut kept: HashMap<(String, InstanceId), usize> = HashMap::new();
    let ended = jobs.into_iter().filter(|job| job.state != JobState::Running);
    let old = ended.filter(|job| {
        let kept = kept.entry((job.integration.clone(), job.instance.clone())).or_default();
        *kept += 1;
        let is_old = older_than.is_none_or(|limit| job.ended.unwrap_or(job.started) < limit);
        *kept > keep && is_old
    });
    old.collect()
}

/// Takes the locks of jobs, and leaves out jobs that are running again.
fn locked(directory: &Path, jobs: Vec<JobRow>) -> Result<Vec<(JobRow, JobLock)>, StoreError> {
    let take = |job: JobRow| match JobLock::take(directory, &job.id) {
        Ok(lock) => Some(Ok((job, lock))),
        Err(StoreError::Busy { .. }) => None,
        Err(error) => Some(Err(error)),
    };
    jobs.into_iter().filter_map(take).collect()
}

fn delete(connection: &Connection, keys: &mut Keys, id: &JobId) -> rusqlite::Result<usize> {
    let sql = "SELECT number FROM job WHERE id = ?1";
    // Another process may have pruned the job.
    let Some(job) = connection.query_row(sql, [id.as_str()], |row| row.get::<_, i64>(0)).optional()? else {
        return Ok(0);
    };
    sweep::forget_snapshots(connection, id.as_str())?;
    working_data::discard(connection, job)?;
    // Published objects may belong to other snapshots as well.
    let own = "DELETE FROM object WHERE job = ?1 AND NOT EXISTS (SELECT 1 FROM snapshot WHERE number = ?1)";
    connection.execute(own, [job])?;
    working_data::discard_records(connection, job)?;
    keys.forget(job);
    connection.execute("DELETE FROM job WHERE number = ?1", [job])
}

/// Removes lock files without a job. A process that is killed while it starts a job leaves such a file.
///
/// No job can start in the meantime, because the caller holds the write transaction.
fn remove_orphans(connection: &Connection, directory: &Path) -> Result<(), StoreError> {
    let unusable = |source| StoreError::Directory { path: directory.to_owned(), source };
    let failed = |source| failed(directory, source);
    for entry in fs::read_dir(directory).map_err(unusable)? {
        let name = entry.map_err(unusable)?.file_name();
        let Some(id) = name.to_str().and_then(lock::job_of).and_then(|id| JobId::new(id).ok()) else { continue };
        let is_known = "SELECT EXISTS (SELECT 1 FROM job WHERE id = ?1)";
        if connection.query_row(is_known, [id.as_str()], |row| row.get::<_, bool>(0)).map_err(failed)? {
            continue;
        }
        if let Ok(lock) = JobLock::take(directory, &id) {
            drop(fs::remove_file(directory.join(&name)));
            drop(lock);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{GraphReader, JobWriter, ObjectBatch, Publication, Row, SqliteJob};
    use integration_graph::run::Summary;
    use integration_graph::{ObjectJson, ObjectKey, ObjectType, StepId};

    async fn job_with_object(store: &Store, instance: &str, text: &str) -> JobId {
        let job = store.begin_job("acme", &InstanceId::new(instance).unwrap(), &json!({})).await.unwrap();
        let mut rows = ObjectBatch::default();
        for number in 0..200 {
            let key = ObjectKey::new(format!("person-{number}-{text}")).unwrap();
            let row = Row::entity(key, ObjectType::literal("acme_person"));
            let json = json!({"email": format!("{number}@{text}"), "more": "x".repeat(500)}).to_string();
            rows.push(row, ObjectJson::of(&json));
        }
        job.add(StepId::literal("add"), rows).await;
        job.put_data("mail".into(), json!(format!("data@{text}"))).await.unwrap();
        end(&job, JobState::Complete).await.unwrap();
        job.lease().job.clone()
    }

    async fn end(job: &SqliteJob, state: JobState) -> Result<Summary, StoreError> {
        job.end(Summary::new(job.lease().job.clone(), "acme", InstanceId::default(), state), None).await
    }

    fn contains(folder: &Path, text: &str) -> bool {
        let files = fs::read_dir(folder).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
        files.into_iter().any(|bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn nothing_of_a_forgotten_job_is_left_in_any_file_and_its_space_is_given_back() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        for _ in 0..10 {
            job_with_object(&store, "default", "old.example").await;
        }
        let kept = job_with_object(&store, "default", "new.example").await;
        let size = || fs::metadata(store.path()).unwrap().len();
        file::reclaim(store.path()).unwrap();
        let before = size();
        assert!(contains(folder.path(), "old.example"));
        // The readers of this process have their own connections.
        assert_eq!(store.jobs().await.unwrap().len(), 11);
        assert_eq!(store.prune(Retention::newest(1)).await.unwrap(), Pruned { jobs: 10, reclaimed: true });
        assert!(!contains(folder.path(), "old.example"));
        assert!(size() < before, "{} is less than {before}", size());
        let connection = rusqlite::Connection::open(store.path()).unwrap();
        let free: i64 = connection.query_row("PRAGMA freelist_count", [], |row| row.get(0)).unwrap();
        assert_eq!(free, 0, "free pages are left in the file");
        let jobs = store.jobs().await.unwrap();
        assert_eq!(jobs.iter().map(|job| &job.id).collect::<Vec<_>>(), [&kept]);
        let count = "SELECT count(*) FROM object WHERE key = 'person-7-new.example'";
        assert_eq!(connection.query_row(count, [], |row| row.get::<_, i64>(0)).unwrap(), 1);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn derived_files_are_removed_with_their_snapshots() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        assert_eq!(store.prune(Retention::newest(1)).await.unwrap().jobs, 0, "a missing folder is no error");
        fs::create_dir(store.derived_folder()).unwrap();
        let file = async || {
            let job = store.begin_job("acme", &InstanceId::default(), &json!({})).await.unwrap();
            let summary = Summary::new(job.lease().job.clone(), "acme", InstanceId::default(), JobState::Complete);
            job.end(summary, Some(Publication::default())).await.unwrap();
            let row = store.job(Some(job.lease().job.as_str())).await.unwrap().expect("the job");
            let snapshot = store.snapshot_of(&row).await.unwrap().expect("a snapshot");
            let path = store.derived_folder().join(format!("{}.index", snapshot.id().file_name()));
            fs::write(&path, "").unwrap();
            path
        };
        let (old, new) = (file().await, file().await);
        let unfinished = store.derived_folder().join("0123.incomplete");
        fs::write(&unfinished, "").unwrap();
        assert_eq!(store.prune(Retention::newest(2)).await.unwrap().jobs, 0);
        assert_eq!([&old, &new, &unfinished].map(|path| path.exists()), [true, true, false]);
        assert_eq!(store.prune(Retention::newest(1)).await.unwrap().jobs, 1);
        assert_eq!([&old, &new].map(|path| path.exists()), [false, false], "times of kept objects may have changed");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn jobs_are_kept_by_instance_and_lock_files_go_with_their_jobs() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        for instance in ["east", "sample", "sample", "sample", "east", "sample"] {
            let job = store.begin_job("acme", &InstanceId::new(instance).unwrap(), &json!({})).await.unwrap();
            end(&job, JobState::Partial).await.unwrap();
        }
        let running = store.begin_job("acme", &InstanceId::literal("sample"), &json!({})).await.unwrap();
        fs::write(folder.path().join("job-0198f3a2-left.lock"), "").unwrap();
        assert_eq!(store.prune(Retention::newest(2)).await.unwrap().jobs, 2);
        let jobs = store.jobs().await.unwrap();
        let kept: Vec<&str> = jobs.iter().map(|job| job.instance.as_str()).collect();
        assert_eq!(kept, ["sample", "sample", "east", "sample", "east"]);
        let mut locks: Vec<String> = fs::read_dir(folder.path())
            .unwrap()
            .filter_map(|entry| lock::job_of(entry.unwrap().file_name().to_str()?).map(str::to_owned))
            .collect();
        locks.sort();
        let mut ids: Vec<String> = jobs.iter().map(|job| job.id.to_string()).collect();
        ids.sort();
        assert_eq!(locks, ids);
        drop(running);
        assert_eq!(store.prune(Retention::newest(0)).await.unwrap().jobs, 5);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_job_that_was_forgotten_or_completed_meanwhile_is_not_resumed() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let begin = || async { store.begin_job("acme", &InstanceId::default(), &json!({})).await.unwrap() };
        let job = begin().await;
        end(&job, JobState::Partial).await.unwrap();
        drop(job);
        let listed = store.jobs().await.unwrap().remove(0);
        store.prune(Retention::newest(0)).await.unwrap();
        // The new job has the row number of the removed one.
        let other = begin().await;
        assert!(matches!(store.resume_job(listed.id.clone()).await, Err(StoreError::Forgotten { .. })));
        end(&other, JobState::Cancelled).await.unwrap();
        drop(other);
        let listed = store.jobs().await.unwrap().remove(0);
        let other = store.resume_job(listed.id.clone()).await.unwrap().job;
        end(&other, JobState::Complete).await.unwrap();
        drop(other);
        assert!(matches!(store.resume_job(listed.id.clone()).await, Err(StoreError::Complete { .. })));
    }
}
