//! Resuming a step that did not end: the return to its last consistent state.
//!
//! A killed process leaves complete and incomplete work of a step in one table. The step runs again when the job is
//! resumed, and skips the parents of its completed partitions. Everything that it will not add again must therefore
//! stay, and everything else must go:
//!
//! | objects | treatment | reason |
//! | --- | --- | --- |
//! | of a completed partition | stay | The mark of the partition was committed together with its last object, so a marked partition is never a part. |
//! | of an incomplete partition, or of none | are deleted | The step requests them again. The provider may have changed in the meantime, so objects of both runs must not mix. |
//! | shared by several partitions or steps | stay | Another owner may be complete, and would not add the object again. The resumed step adds it again, which merges it with itself. |
//!
//! Two consequences need care. A relationship of another step may point to a deleted entity; its key is noted in
//! `doubtful_end` and examined when all steps have ended. The partitions of the new run get numbers above all earlier
//! ones, because the records of the [descriptions of one key](super::duplicates) name partitions of the earlier run.
//!
//! If the input of a step may have changed, its completed partitions are stale as well. The engine then rewinds to the
//! start: [`forget_partitions`] removes the marks, and [`rewind`] finds no completed partition. This happens before any
//! step runs, so a second kill cannot leave marks of stale work.

use integration_graph::run::PartitionRef;
use integration_graph::{ObjectType, StepId};
use rusqlite::{Connection, params};

use super::columns::{self, SHARED};
use super::index::key_order;
use super::index::keys::Keys;
use super::sqlite_error::unreadable;
use super::{Kind, ResumePoint, TypeCount};

/// Removes the objects of a step that belong to an incomplete partition or to none.
///
/// Shared objects stay, because their other partitions or steps may be complete. This does no harm: if the resumed step
/// adds such an object again, it is merged with the stored one, and merging is idempotent.
pub(super) fn rewind(
    connection: &Connection,
    keys: &mut Keys,
    job: i64,
    step: &StepId,
) -> rusqlite::Result<ResumePoint> {
    let whose = params![job, step.as_str()];
    let mut rewound = ResumePoint::default();
    let mut parts = connection.prepare("SELECT path, books, number FROM part WHERE job = ?1 AND step = ?2")?;
    let mut rows = parts.query(whose)?;
    while let Some(row) = rows.next()? {
        rewound.done.insert(row.get(0)?);
        rewound.stats.push(row.get(1)?);
        rewound.next_partition = rewound.next_partition.max(columns::read_partition_id(row, 2)?.next());
    }
    let highest = "SELECT coalesce(max(part), 0) FROM object WHERE job = ?1 AND step = ?2";
    if let PartitionRef::Nth(highest) = connection.query_row(highest, whose, |row| columns::read_partition(row, 0))? {
        rewound.next_partition = rewound.next_partition.max(highest.next());
    }
    let done = "SELECT number FROM part WHERE part.job = ?1 AND part.step = ?2";
    let unfinished = format!("job = ?1 AND step = ?2 AND part <> {SHARED} AND part NOT IN ({done})");
    connection.execute(&format!("DELETE FROM quarantine WHERE {unfinished}"), whose)?;
    // The key index must contain all objects before some are deleted, because SQLite reuses row numbers. Keys that are
    // not in the index yet are covered by a mark: a process that finds the mark, after a crash for example, reads all
    // objects from the marked row number on. If the last rows are deleted, the next objects get lower numbers, possibly
    // below the mark, and would not be found. Bringing the index up to date removes the mark; the next object sets a
    // new one. Index entries of the deleted rows remain. They may point to an unrelated object later, which is why
    // every hit is verified.
    keys.of(connection, job)?.settle(connection)?;
    let taken_out = format!("SELECT job, key FROM object WHERE {unfinished} AND kind = {}", Kind::Entity as i64);
    connection.execute(&format!("INSERT OR IGNORE INTO doubtful_end {taken_out}"), whose)?;
    if connection.execute(&format!("DELETE FROM object WHERE {unfinished}"), whose)? > 0 {
        key_order::forget(connection, job)?;
    }
    connection.execute("DELETE FROM step_run WHERE job = ?1 AND step = ?2", whose)?;
    Ok(rewound)
}

/// Discards the records of the completed partitions of a step. The next [`rewind`] removes their objects.
pub(super) fn forget_partitions(connection: &Connection, job: i64, step: &StepId) -> rusqlite::Result<()> {
    for table in ["part", "duplicate", "description", "superseded"] {
        let sql = format!("DELETE FROM {table} WHERE job = ?1 AND step = ?2");
        connection.execute(&sql, params![job, step.as_str()])?;
    }
    Ok(())
}

/// Returns the number of objects of a step, including shared ones, by kind and type.
pub(super) fn counts(connection: &Connection, job: i64, step: &StepId) -> rusqlite::Result<Vec<TypeCount>> {
    let described = "EXISTS (SELECT 1 FROM contribution c WHERE c.job = ?1 AND c.key = object.key";
    let sql = format!(
        "SELECT kind, type, count(*) FROM object WHERE job = ?1 \
         AND (step = ?2 AND NOT {described}) OR {described} AND c.step = ?2)) GROUP BY kind, type ORDER BY kind, type"
    );
    let mut statement = connection.prepare(&sql)?;
    let counts = statement.query_map(params![job, step.as_str()], |row| {
        Ok(TypeCount {
            kind: columns::read_kind(row, 0)?,
            object_type: ObjectType::new(row.get::<_, String>(1)?).map_err(unreadable)?,
            objects: row.get::<_, i64>(2)?.unsigned_abs(),
            stale: 0,
        })
    })?;
    counts.collect()
}

#[cfg(test)]
mod tests {
    use crate::{JobReader, JobWriter, ObjectBatch, RewindTo, Row, SqliteJob, Store};
    use integration_graph::{InstanceId, ObjectJson, ObjectKey, ObjectType, StepId};
    use serde_json::json;

    async fn add(job: &SqliteJob, json: &str) {
        let key = ObjectKey::new("team-1").unwrap();
        let row = Row::entity(key, ObjectType::literal("acme_team"));
        let mut rows = ObjectBatch::default();
        rows.push(row, ObjectJson::of(json));
        let added = job.add(StepId::literal("add"), rows).await;
        assert!(added.conflicts.is_empty() && added.repeated.is_empty(), "{added:?}");
    }

    async fn json_of(job: &SqliteJob) -> Option<String> {
        let found = job.entities(vec![ObjectKey::new("team-1").unwrap()]).await.unwrap().remove(0);
        found.map(|entity| entity.properties)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_object_that_was_taken_out_is_not_mistaken_for_that_of_another_job_in_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let (one, other) = (
            store.begin_job("acme", &InstanceId::default(), &json!({})).await.unwrap(),
            store.begin_job("acme", &InstanceId::literal("other"), &json!({})).await.unwrap(),
        );
        add(&one, r#"{"of":"one"}"#).await;
        one.rewind(StepId::literal("add"), RewindTo::Checkpoint).await.unwrap();
        assert_eq!(json_of(&one).await, None);
        add(&other, r#"{"of":"other"}"#).await;
        assert_eq!(json_of(&one).await, None);
        add(&one, r#"{"of":"one, again"}"#).await;
        assert_eq!(json_of(&one).await.as_deref(), Some(r#"{"of":"one, again"}"#));
        assert_eq!(json_of(&other).await.as_deref(), Some(r#"{"of":"other"}"#));
    }
}
