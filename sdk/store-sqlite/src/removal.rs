//! Removal of the jobs of one instance: old ones, or all of them with the whole history.

use integration_graph::run::JobState;
use integration_graph::{InstanceId, JobId};
use rusqlite::{Connection, OptionalExtension, params};

use super::file;
use super::{JobRow, Pruned, Retention, Store, StoreError};

/// The versions of an instance. All of them were published by its snapshots.
const OBJECTS: &str = "SELECT object.number FROM object JOIN snapshot ON snapshot.number = object.job \
                       WHERE snapshot.instance = ?1";

impl Store {
    /// Removes old jobs of one instance, as [`prune`](Self::prune) does for all instances.
    ///
    /// Nothing is written if there are none, so that the function can follow every job.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn prune_instance(
        &self,
        integration: &str,
        instance: &InstanceId,
        retention: Retention,
    ) -> Result<Pruned, StoreError> {
        let mut old = self.prunable(retention).await?;
        old.retain(|job| job.is_of(integration, instance));
        if old.is_empty() {
            return Ok(Pruned { jobs: 0, reclaimed: true });
        }
        self.remove_jobs(&old).await
    }

    /// Removes all jobs of an instance, all its snapshots, and all versions of its objects.
    ///
    /// The removed data is overwritten. Responses that were kept for conditional requests are removed for all instances,
    /// because the store does not know the account of a response. The function may be repeated after a failure.
    ///
    /// # Errors
    /// [`StoreError::Running`] if a job of the instance is running, and other errors if the store fails.
    pub async fn remove_instance(&self, integration: &str, instance: &InstanceId) -> Result<Pruned, StoreError> {
        let jobs = self.jobs_of(integration, instance).await?;
        let removed = self.forget(&jobs).await?;
        let (of, name) = (integration.to_owned(), instance.clone());
        let left = self.write_with_keys(move |connection, keys| {
            // A job may have started in the meantime.
            let sql = "SELECT id FROM job WHERE integration = ?1 AND instance = ?2";
            let left =
                connection.query_row(sql, params![of, name.as_str()], |row| row.get::<_, String>(0)).optional()?;
            if left.is_none() {
                file::overwriting(connection, |connection| remove(connection, &of, &name))?;
                keys.versions.forget_parents();
            }
            Ok(left)
        });
        if let Some(job) = left.await?.and_then(|id| JobId::new(id).ok()) {
            return Err(StoreError::Running { job });
        }
        self.remove_derived(true).await?;
        Ok(Pruned { jobs: removed, reclaimed: self.reclaim().await? })
    }

    /// Returns the jobs of an instance, newest first.
    ///
    /// # Errors
    /// [`StoreError::Running`] if one of them is running, and other errors if the store fails.
    async fn jobs_of(&self, integration: &str, instance: &InstanceId) -> Result<Vec<JobRow>, StoreError> {
        let mut jobs = self.jobs().await?;
        jobs.retain(|job| job.is_of(integration, instance));
        match jobs.iter().find(|job| job.state == JobState::Running) {
            Some(job) => Err(StoreError::Running { job: job.id.clone() }),
            None => Ok(jobs),
        }
    }
}

/// Deletes everything that the snapshots of an instance contain. Its jobs are gone.
fn remove(connection: &Connection, integration: &str, instance: &InstanceId) -> rusqlite::Result<()> {
    let sql = "SELECT number FROM instance WHERE integration = ?1 AND name = ?2";
    let number = connection.query_row(sql, params![integration, instance.as_str()], |row| row.get::<_, i64>(0));
    if let Some(number) = number.optional()? {
        for sql in [
            &format!("DELETE FROM ended WHERE object IN ({OBJECTS})"),
            &format!("DELETE FROM stale WHERE object IN ({OBJECTS})"),
            &format!("DELETE FROM object WHERE number IN ({OBJECTS})"),
            "DELETE FROM version_order WHERE instance = ?1",
            "DELETE FROM version_order_to WHERE instance = ?1",
            "DELETE FROM gap WHERE snapshot IN (SELECT number FROM snapshot WHERE instance = ?1)",
            "DELETE FROM snapshot WHERE instance = ?1",
            "DELETE FROM instance WHERE number = ?1",
        ] {
            connection.execute(sql, [number])?;
        }
    }
    let unused = "DELETE FROM parent WHERE number NOT IN (SELECT parent FROM object WHERE parent IS NOT NULL)";
    connection.execute_batch(&format!("{unused}; DELETE FROM answer_content; DELETE FROM answer"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::Path;

    use serde_json::json;

    use super::*;
    use crate::{JobWriter, ObjectBatch, Publication, Row, SqliteJob};
    use integration_graph::history::SnapshotGap;
    use integration_graph::run::{ErrorCode, Parent, Summary};
    use integration_graph::{ObjectJson, ObjectKey, ObjectType, StepId};

    async fn begun(store: &Store, instance: &str) -> SqliteJob {
        store.begin_job("acme", &InstanceId::new(instance).expect("a name"), &json!({})).await.expect("a job")
    }

    /// Publishes people of an instance. Every second one leaves with the next publication, and every third one becomes stale.
    async fn publish(store: &Store, instance: &str, round: usize) -> JobId {
        let job = begun(store, instance).await;
        let mut rows = ObjectBatch::default();
        for number in (0..60).filter(|number| round == 0 || number % 2 == 0) {
            let key = ObjectKey::new(format!("{instance}-person-{number}")).expect("a key");
            let parent = ObjectKey::new(format!("{instance}-team")).expect("a key");
            let row = Row { parent: Some(parent), ..Row::entity(key, ObjectType::literal("acme_person")) };
            let json = json!({"email": format!("{number}@{instance}.example"), "round": round}).to_string();
            rows.push(row, ObjectJson::of(&json));
        }
        job.add(StepId::literal("add"), rows).await;
        let gap = SnapshotGap {
            step: StepId::literal("add"),
            types: [ObjectType::literal("acme_person")].into(),
            parent: (round == 1).then(|| Parent {
                object_type: ObjectType::literal("acme_team"),
                key: ObjectKey::new(format!("{instance}-team")).expect("a key"),
            }),
            code: ErrorCode::ProviderApi,
            cause: "an error".to_owned(),
        };
        let publication =
            Publication { gaps: if round == 1 { vec![gap] } else { Vec::new() }, ..Publication::default() };
        let (id, instance) = (job.lease().job.clone(), InstanceId::new(instance).expect("a name"));
        let summary = Summary::new(id.clone(), "acme", instance, JobState::Partial);
        job.end(summary, Some(publication)).await.expect("published");
        id
    }

    fn contains(folder: &Path, text: &str) -> bool {
        let files = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
        let bytes = files.filter(|path| path.is_file()).map(|path| fs::read(path).expect("a file"));
        bytes.into_iter().any(|bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
    }

    /// The number of rows of each table.
    fn rows(store: &Store) -> BTreeMap<String, i64> {
        let connection = Connection::open(store.path()).expect("a database");
        let mut statement = connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").expect("tables");
        let names = statement.query_map([], |row| row.get::<_, String>(0)).expect("tables");
        let count = |name: String| {
            let rows = connection.query_row(&format!("SELECT count(*) FROM {name}"), [], |row| row.get(0));
            (name, rows.expect("a count"))
        };
        names.map(|name| count(name.expect("a name"))).collect()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn nothing_of_a_removed_instance_is_left_and_others_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("a store");
        publish(&store, "west", 0).await;
        let newest = publish(&store, "west", 1).await;
        let before = rows(&store);
        for round in 0..3 {
            publish(&store, "east", round).await;
        }
        assert!(contains(folder.path(), "7@east.example"));
        let removed = store.remove_instance("acme", &InstanceId::literal("east")).await.expect("removed");
        assert_eq!(removed, Pruned { jobs: 3, reclaimed: true });
        assert!(!contains(folder.path(), "east"));
        assert_eq!(rows(&store), before);
        let published = store.published_instances().await.expect("instances");
        assert_eq!(published.iter().map(|found| found.instance.as_str()).collect::<Vec<_>>(), ["west"]);
        let row = store.job(Some(newest.as_str())).await.expect("a store").expect("the job");
        let snapshot = store.snapshot_of(&row).await.expect("a store").expect("a snapshot");
        assert_eq!(snapshot.counts().await.expect("counts").iter().map(|count| count.objects).sum::<u64>(), 60);

        // The name can be used again, without a history.
        let job = publish(&store, "east", 0).await;
        let row = store.job(Some(job.as_str())).await.expect("a store").expect("the job");
        let published = row.summary().expect("a summary").and_then(|summary| summary.published.clone());
        assert_eq!(published.expect("published").previous, None);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_instance_without_jobs_is_no_error_and_a_running_job_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("a store");
        let east = InstanceId::literal("east");
        assert_eq!(store.remove_instance("acme", &east).await.expect("nothing").jobs, 0);
        publish(&store, "east", 0).await;
        let running = begun(&store, "east").await;
        let error = store.remove_instance("acme", &east).await.expect_err("running");
        assert!(matches!(error, StoreError::Running { job } if job == running.lease().job));
        assert_eq!(store.published_instances().await.expect("instances").len(), 1, "nothing was removed");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn only_one_instance_is_pruned() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("a store");
        for round in 0..3 {
            publish(&store, "east", round).await;
            publish(&store, "west", round).await;
        }
        let east = InstanceId::literal("east");
        assert_eq!(store.prune_instance("acme", &east, Retention::newest(2)).await.expect("pruned").jobs, 1);
        assert_eq!(store.prune_instance("acme", &east, Retention::newest(2)).await.expect("nothing").jobs, 0);
        let jobs = store.jobs().await.expect("jobs");
        assert_eq!(jobs.iter().filter(|job| job.instance == east).count(), 2);
        assert_eq!(jobs.len(), 5);
    }
}
