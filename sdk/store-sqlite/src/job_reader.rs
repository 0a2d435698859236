//! Read access to a running job.

use std::collections::{BTreeSet, HashSet};

use integration_graph::run::StepReport;
use integration_graph::{ObjectKey, ObjectType, StepId};
use rusqlite::{Connection, params};
use serde_json::Value;

use super::index::key_order::KeyOrder;
use super::job::SqliteJob;
use super::sqlite_error::unreadable;
use super::{
    Answer, CollectedEntity, CollectedPage, DescribedAgain, JobReader, Kind, ScanCursor, StoreError, TypeCount,
    columns, duplicates, object, record, rewind,
};

impl SqliteJob {
    /// Reads a type in key order, after updating that order if objects were added since.
    pub(super) async fn in_order<R, F>(&self, object_type: ObjectType, read: F) -> Result<R, StoreError>
    where
        R: Send + 'static,
        F: Fn(&Connection, &KeyOrder) -> rusqlite::Result<R> + Clone + Send + 'static,
    {
        let order = KeyOrder { job: self.number, object_type };
        self.store.read_through(order.clone(), move |connection| read(connection, &order)).await
    }
}

impl JobReader for SqliteJob {
    fn scan(&self, object_type: ObjectType, from: ScanCursor, limit: usize) -> Answer<'_, CollectedPage> {
        let job = self.number;
        match from {
            ScanCursor::Key(after) => Box::pin(self.in_order(object_type, move |connection, order| {
                object::page(connection, order, after.as_ref(), limit)
            })),
            ScanCursor::Appended(after) => Box::pin(
                self.store.read(move |connection| object::appended(connection, job, &object_type, after, limit)),
            ),
            ScanCursor::Quarantined(after) => Box::pin(
                self.store.read(move |connection| object::quarantined(connection, job, &object_type, after, limit)),
            ),
        }
    }

    fn entities(&self, keys: Vec<ObjectKey>) -> Answer<'_, Vec<Option<CollectedEntity>>> {
        let (job, recent, hash_key) = (self.number, self.store.recent_keys(), self.store.hash_key());
        Box::pin(self.store.read(move |connection| {
            let find = |key: &ObjectKey| object::find(connection, &recent, hash_key, job, key);
            keys.iter().map(find).collect()
        }))
    }

    fn known(&self, object_type: ObjectType, mut keys: Vec<ObjectKey>) -> Answer<'_, HashSet<ObjectKey>> {
        // Sorted keys are neighbours on few pages, and several callers often request the same key.
        keys.sort();
        keys.dedup();
        Box::pin(self.in_order(object_type, move |connection, order| order.known(connection, &keys)))
    }

    fn counts(&self, step: Option<StepId>) -> Answer<'_, Vec<TypeCount>> {
        let job = self.number;
        Box::pin(self.store.read(move |connection| match &step {
            Some(step) => rewind::counts(connection, job, step),
            None => counts(connection, job),
        }))
    }

    fn duplicates(&self, step: StepId) -> Answer<'_, Vec<DescribedAgain>> {
        let job = self.number;
        Box::pin(self.store.read(move |connection| duplicates::of_step(connection, job, &step)))
    }

    fn completed_parents(&self, step: Option<StepId>) -> Answer<'_, BTreeSet<ObjectKey>> {
        let job = self.number;
        Box::pin(self.store.read(move |connection| {
            let sql = "SELECT DISTINCT parent FROM part WHERE job = ?1 AND step = ifnull(?2, step)";
            let mut statement = connection.prepare(sql)?;
            let parents = statement.query_map(params![job, step.as_ref().map(StepId::as_str)], |row| {
                ObjectKey::stored(row.get_ref(0)?.as_str()?).map_err(unreadable)
            })?;
            parents.collect()
        }))
    }

    fn reports(&self) -> Answer<'_, Vec<StepReport>> {
        let job = self.number;
        Box::pin(async move {
            let steps = self.store.read(move |connection| record::steps(connection, job)).await?;
            steps.into_iter().map(record::StepRow::into_report).collect()
        })
    }

    fn data(&self, name: String) -> Answer<'_, Option<Value>> {
        let job = self.number;
        Box::pin(self.store.read(move |connection| record::data(connection, job, &name)))
    }
}

/// Counts the objects of a job.
///
/// All objects of a type have one kind, so the index by type and one row of each type suffice.
fn counts(connection: &Connection, job: i64) -> rusqlite::Result<Vec<TypeCount>> {
    let sql = "SELECT type, count(*) FROM object WHERE job = ?1 GROUP BY type";
    let mut kind = connection.prepare("SELECT kind FROM object WHERE job = ?1 AND type = ?2 LIMIT 1")?;
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([job])?;
    let mut counts = Vec::new();
    while let Some(row) = rows.next()? {
        let object_type = ObjectType::new(row.get::<_, String>(0)?).map_err(unreadable)?;
        let kind: Kind = kind.query_row(params![job, object_type.as_str()], |row| columns::read_kind(row, 0))?;
        counts.push(TypeCount { kind, object_type, objects: row.get::<_, i64>(1)?.unsigned_abs(), stale: 0 });
    }
    counts.sort();
    Ok(counts)
}
