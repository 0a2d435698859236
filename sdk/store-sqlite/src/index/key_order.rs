//! The key order of the types of a job that are read in key order.
//!
//! It contains all objects of a type up to a recorded one.

use std::collections::HashSet;

use integration_graph::{ObjectKey, ObjectType};
use rusqlite::{Connection, OptionalExtension, params};

use super::{LazyIndex, with_small_cache};

/// The key order of one type in a job.
#[derive(Clone)]
pub(crate) struct KeyOrder {
    pub(crate) job: i64,
    pub(crate) object_type: ObjectType,
}

impl LazyIndex for KeyOrder {
    fn is_current(&self, connection: &Connection) -> rusqlite::Result<bool> {
        Ok(self.last(connection)? == self.sorted_to(connection)?)
    }

    fn update(&self, connection: &Connection) -> rusqlite::Result<()> {
        let Some(last) = self.last(connection)? else { return Ok(()) };
        let sorted_to = self.sorted_to(connection)?.unwrap_or(0);
        let of_type = self.object_type.as_str();
        let sql = "INSERT INTO sorted (job, type, key, object) SELECT job, type, key, rowid FROM object \
                   WHERE job = ?1 AND type = ?2 AND rowid > ?3 ORDER BY key";
        with_small_cache(connection, || {
            connection.prepare_cached(sql)?.execute(params![self.job, of_type, sorted_to])
        })?;
        let sql = "INSERT OR REPLACE INTO sorted_to (job, type, object) VALUES (?1, ?2, ?3)";
        connection.prepare_cached(sql)?.execute(params![self.job, of_type, last]).map(drop)
    }
}

impl KeyOrder {
    /// Returns those of `keys` that belong to objects of the type.
    pub(crate) fn known(&self, connection: &Connection, keys: &[ObjectKey]) -> rusqlite::Result<HashSet<ObjectKey>> {
        let sql = "SELECT 1 FROM sorted WHERE job = ?1 AND type = ?2 AND key = ?3";
        let mut statement = connection.prepare_cached(sql)?;
        let mut known = HashSet::new();
        for key in keys {
            if statement.exists(params![self.job, self.object_type.as_str(), key.as_str()])? {
                known.insert(key.clone());
            }
        }
        Ok(known)
    }

    fn last(&self, connection: &Connection) -> rusqlite::Result<Option<i64>> {
        self.object(connection, "SELECT rowid FROM object WHERE job = ?1 AND type = ?2 ORDER BY rowid DESC LIMIT 1")
    }

    fn sorted_to(&self, connection: &Connection) -> rusqlite::Result<Option<i64>> {
        self.object(connection, "SELECT object FROM sorted_to WHERE job = ?1 AND type = ?2")
    }

    fn object(&self, connection: &Connection, sql: &str) -> rusqlite::Result<Option<i64>> {
        let of_type = params![self.job, self.object_type.as_str()];
        connection.prepare_cached(sql)?.query_row(of_type, |row| row.get(0)).optional()
    }
}

/// Discards the key order of all types, for example after objects were removed. It is rebuilt when needed.
pub(crate) fn forget(connection: &Connection, job: i64) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM sorted_to WHERE job = ?1")?.execute([job])?;
    let others =
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM sorted WHERE job < ?1) OR EXISTS (SELECT 1 FROM sorted WHERE job > ?1)";
    if connection.prepare_cached(others)?.exists([job])? {
        connection.prepare_cached("DELETE FROM sorted WHERE job = ?1")?.execute([job])?;
    } else {
        // SQLite empties a whole table without visiting its rows.
        connection.prepare_cached("DELETE FROM sorted")?.execute([])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use integration_graph::ObjectJson;
    use std::collections::BTreeMap;

    use crate::{JobReader, JobWriter, ObjectBatch, RewindTo, Row, ScanCursor, SqliteJob, Store};
    use integration_graph::run::{PartitionId, PartitionRef};
    use integration_graph::{InstanceId, StepId};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const TYPES: [&str; 2] = ["acme_team", "acme_user"];

    /// An event between two reads of a type.
    #[derive(Debug, Clone)]
    enum Event {
        /// An object with a type and a key is added under a partition.
        Add(usize, u8, PartitionRef),
        /// A type is read in key order.
        Read(usize),
        /// The objects of incomplete partitions are removed.
        Rewind,
    }

    fn events() -> impl Strategy<Value = Vec<Event>> {
        let event = prop_oneof![
            6 => (0..TYPES.len(), 0..6_u8, 0..3_u32).prop_map(|(of, key, part)| {
                Event::Add(of, key, PartitionRef::from(PartitionId::new(part)))
            }),
            2 => (0..TYPES.len()).prop_map(Event::Read),
            1 => Just(Event::Rewind),
        ];
        proptest::collection::vec(event, 1..40)
    }

    fn object_type(of: usize) -> ObjectType {
        ObjectType::literal(TYPES[of])
    }

    fn key(key: u8) -> ObjectKey {
        ObjectKey::new(format!("key-{key:03}")).unwrap()
    }

    fn rows(of: usize, key: ObjectKey, partition: PartitionRef) -> ObjectBatch {
        let json = json!({"_key": key, "_type": TYPES[of]}).to_string();
        let mut rows = ObjectBatch::default();
        rows.push(Row { partition, ..Row::entity(key, object_type(of)) }, ObjectJson::of(&json));
        rows
    }

    async fn read(job: &SqliteJob, of: usize) -> Vec<String> {
        let (mut keys, mut next) = (Vec::new(), Some(ScanCursor::FIRST_KEY));
        while let Some(from) = next {
            let page = job.scan(object_type(of), from, 3).await.unwrap();
            keys.extend(page.objects.iter().map(|object| object.key.to_string()));
            next = page.next;
        }
        keys
    }

    async fn happen(events: Vec<Event>) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let job = store.begin_job("acme", &InstanceId::default(), &json!({})).await.unwrap();
        let step = StepId::literal("add");
        // Of two types that claim a key, the lesser stays in the store. A key that is added again belongs to no single
        // partition.
        let mut there: BTreeMap<String, (usize, PartitionRef)> = BTreeMap::new();
        let of_type = |there: &BTreeMap<String, (usize, PartitionRef)>, of: usize| {
            there.iter().filter(|(_, known)| known.0 == of).map(|(key, _)| key.clone()).collect::<Vec<_>>()
        };
        for event in events {
            match event {
                Event::Add(of, key, partition) => {
                    let key = self::key(key);
                    let known = there.get(key.as_str()).copied();
                    let shared = known.is_some_and(|known| known.1 != partition);
                    let kept = (
                        known.map_or(of, |known| known.0.min(of)),
                        if shared { PartitionRef::Shared } else { partition },
                    );
                    there.insert(key.to_string(), kept);
                    job.add(step.clone(), rows(of, key, partition)).await;
                }
                Event::Read(of) => assert_eq!(read(&job, of).await, of_type(&there, of)),
                Event::Rewind => {
                    job.rewind(step.clone(), RewindTo::Checkpoint).await.unwrap();
                    there.retain(|_, known| known.1 == PartitionRef::Shared);
                }
            }
        }
        for of in 0..TYPES.len() {
            let keys = of_type(&there, of);
            assert_eq!(read(&job, of).await, keys);
            let asked = (0..=u8::MAX).map(key).collect();
            let known = job.known(object_type(of), asked).await.unwrap();
            let mut known: Vec<String> = known.iter().map(ToString::to_string).collect();
            known.sort();
            assert_eq!(known, keys);
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_type_is_read_whole_while_other_steps_begin_anew() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let job = store.begin_job("acme", &InstanceId::default(), &json!({})).await.unwrap();
        let (step, other) = (StepId::literal("add"), StepId::literal("other"));
        for key in 0..20 {
            job.add(step.clone(), rows(0, self::key(key), PartitionRef::None)).await;
        }
        let beginning = tokio::spawn({
            let job = job.clone();
            async move {
                for key in 0..100 {
                    job.add(other.clone(), rows(1, self::key(key), PartitionRef::None)).await;
                    job.rewind(other.clone(), RewindTo::Checkpoint).await.unwrap();
                }
            }
        });
        while !beginning.is_finished() {
            assert_eq!(read(&job, 0).await.len(), 20);
        }
        beginning.await.unwrap();
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn a_type_is_read_whole_and_in_order_whatever_happened_before(events in events()) {
            tokio::runtime::Runtime::new().unwrap().block_on(happen(events));
        }
    }
}
