//! The key order: an index of the types that are read in key order.
//!
//! It contains all objects of a type up to a recorded one, and is updated before the next read.

use std::collections::HashSet;

use integration_graph::{ObjectKey, ObjectType};
use rusqlite::{Connection, OptionalExtension, params};

use super::sqlite::CACHE_KIB;

/// The page cache in KiB while keys are sorted. A smaller value would make no difference: see `.cargo/config.toml`.
const SORTED_KIB: i64 = -500;

/// Whether the key order of a type contains all of its objects.
pub(super) fn is_current(connection: &Connection, job: i64, object_type: &ObjectType) -> rusqlite::Result<bool> {
    Ok(last(connection, job, object_type)? == sorted_to(connection, job, object_type)?)
}

/// Adds the objects that were stored since the last update.
pub(super) fn update(connection: &Connection, job: i64, object_type: &ObjectType) -> rusqlite::Result<()> {
    let Some(last) = last(connection, job, object_type)? else { return Ok(()) };
    let sorted_to = sorted_to(connection, job, object_type)?.unwrap_or(0);
    with_small_cache(connection, || add(connection, job, object_type, sorted_to, last))
}

/// Sorts many keys with a small page cache, because SQLite sorts in memory up to its size, in addition to the cache.
pub(super) fn with_small_cache<R>(
    connection: &Connection,
    sort: impl FnOnce() -> rusqlite::Result<R>,
) -> rusqlite::Result<R> {
    connection.pragma_update(None, "cache_size", SORTED_KIB)?;
    let sorted = sort();
    connection.pragma_update(None, "cache_size", CACHE_KIB)?;
    sorted
}

fn add(connection: &Connection, job: i64, object_type: &ObjectType, sorted_to: i64, last: i64) -> rusqlite::Result<()> {
    let sql = "INSERT INTO sorted (job, type, key, object) SELECT job, type, key, rowid FROM object \
               WHERE job = ?1 AND type = ?2 AND rowid > ?3 ORDER BY key";
    connection.prepare_cached(sql)?.execute(params![job, object_type.as_str(), sorted_to])?;
    let sql = "INSERT OR REPLACE INTO sorted_to (job, type, object) VALUES (?1, ?2, ?3)";
    connection.prepare_cached(sql)?.execute(params![job, object_type.as_str(), last]).map(drop)
}

/// Returns those of `keys` that belong to objects of a type.
pub(super) fn known(
    connection: &Connection,
    job: i64,
    object_type: &ObjectType,
    keys: &[ObjectKey],
) -> rusqlite::Result<HashSet<ObjectKey>> {
    let sql = "SELECT 1 FROM sorted WHERE job = ?1 AND type = ?2 AND key = ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let mut known = HashSet::new();
    for key in keys {
        if statement.exists(params![job, object_type.as_str(), key.as_str()])? {
            known.insert(key.clone());
        }
    }
    Ok(known)
}

/// Discards the key order of all types after objects were removed or changed their type. It is rebuilt when needed.
pub(super) fn forget(connection: &Connection, job: i64) -> rusqlite::Result<()> {
    for table in ["sorted", "sorted_to"] {
        connection.prepare_cached(&format!("DELETE FROM {table} WHERE job = ?1"))?.execute([job])?;
    }
    Ok(())
}

fn last(connection: &Connection, job: i64, object_type: &ObjectType) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT rowid FROM object WHERE job = ?1 AND type = ?2 ORDER BY rowid DESC LIMIT 1";
    connection.prepare_cached(sql)?.query_row(params![job, object_type.as_str()], |row| row.get(0)).optional()
}

fn sorted_to(connection: &Connection, job: i64, object_type: &ObjectType) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT object FROM sorted_to WHERE job = ?1 AND type = ?2";
    connection.prepare_cached(sql)?.query_row(params![job, object_type.as_str()], |row| row.get(0)).optional()
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
