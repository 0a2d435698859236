//! The keys of a job's objects, in memory and in the key index.
//!
//! The writer must find out for each new object whether its key is stored already. Three structures answer this:
//!
//! - A Bloom filter of all keys. It rejects nearly every new key without a lookup.
//! - A table of recent keys in memory (the memtable), which are not in the index yet. A full table is written to the
//!   index as one sorted run.
//! - The [key index](super::key_index) in the file, with all other keys.
//!
//! A crash must not lose the keys in memory. The first key that enters an empty table therefore records its row number
//! in `recent_key`, in the same transaction as its object. The next process reads all objects from that row on and so
//! restores the table. Writing the table to the index removes the record, again in one transaction.
//!
//! Readers run while the writer writes. Within the writer's process they search the table in memory, then the index;
//! other processes search the index, then the objects from the recorded row on. See [`look_up`] for the order that
//! makes this safe.

use std::collections::{HashMap, HashSet, hash_map};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use fastbloom::BloomFilter;
use hashbrown::HashTable;
use integration_graph::run::{PartitionId, PartitionRef};
use integration_graph::{ObjectKey, StepId};
use rusqlite::{Connection, OptionalExtension, params};

use super::super::previous::Versions;
use super::key_index::{self, Entry, KeyHash, hash_of};

/// The maximum number of keys in memory, which fill a table of half a megabyte.
const RECENT: usize = 28_000;
/// The initial size of the Bloom filter in bits: two megabytes.
///
/// The filter grows fourfold when less than four bits are left for each key. At that size it takes at most one of six
/// new keys for a stored one, each of which costs one lookup in every run.
const FILTER_BITS: usize = 1 << 24;
const BITS_PER_KEY: usize = 4;
const FILTER_HASHES: u32 = 4;

/// The keys of the jobs that this process writes.
#[derive(Default)]
pub(crate) struct Keys {
    jobs: HashMap<i64, JobKeys>,
    recent: RecentKeys,
    pub(crate) versions: Versions,
}

/// The keys that the index lacks, by job. The readers of this process share them.
#[derive(Clone, Default)]
pub(crate) struct RecentKeys(Arc<RwLock<HashMap<i64, Arc<RwLock<Recent>>>>>);

#[derive(Default)]
struct Recent {
    /// The keys that the index lacks.
    entries: HashTable<Entry>,
    /// Sorted keys that an uncommitted transaction has added to the index.
    settling: Vec<Arc<Vec<Entry>>>,
}

impl Recent {
    fn insert(&mut self, entry: Entry) {
        self.entries.insert_unique(spread(entry.0), entry, |(hash, _)| spread(*hash));
    }

    fn with_hash(&self, hash: KeyHash) -> impl Iterator<Item = i64> {
        self.entries.iter_hash(spread(hash)).filter(move |entry| entry.0 == hash).map(|(_, object)| *object)
    }

    /// Returns the objects with a hash among the keys whose transaction is not committed yet.
    fn settling_with_hash(&self, hash: KeyHash) -> impl Iterator<Item = i64> {
        let of_hash = self.settling.iter().flat_map(move |entries| {
            let begin = entries.partition_point(|entry| entry.0 < hash);
            entries[begin..].iter().take_while(move |entry| entry.0 == hash)
        });
        of_hash.map(|(_, object)| *object)
    }

    /// Sorts all recent keys and moves them to the list of keys that the index is receiving.
    fn settle(&mut self) -> Arc<Vec<Entry>> {
        let mut entries: Vec<Entry> = self.entries.drain().collect();
        entries.sort_unstable();
        let entries = Arc::new(entries);
        self.settling.push(Arc::clone(&entries));
        entries
    }
}

/// The keys of one job.
pub(crate) struct JobKeys {
    job: i64,
    recent: Arc<RwLock<Recent>>,
    /// The number of keys in the index.
    indexed: usize,
    /// A filter of all keys: a key that it does not contain is certainly new.
    filter: BloomFilter,
    /// Partitions that stay incomplete because one of their objects was rejected.
    unmarked: HashSet<(StepId, PartitionId)>,
}

impl Keys {
    /// Creates the state of a writer; `path` is the database file.
    pub(crate) fn of_store(path: PathBuf) -> Self {
        Self { versions: Versions::of(path), ..Self::default() }
    }

    /// Returns the keys of a job together with the published versions.
    pub(crate) fn with_versions(
        &mut self,
        connection: &Connection,
        job: i64,
    ) -> rusqlite::Result<(&mut JobKeys, &mut Versions)> {
        self.of(connection, job)?;
        // The line before has inserted the keys.
        let keys = self.jobs.get_mut(&job).ok_or(rusqlite::Error::InvalidQuery)?;
        Ok((keys, &mut self.versions))
    }

    /// Returns the keys of a job. They are read from the store if another process started the job.
    pub(crate) fn of(&mut self, connection: &Connection, job: i64) -> rusqlite::Result<&mut JobKeys> {
        Ok(match self.jobs.entry(job) {
            hash_map::Entry::Occupied(known) => known.into_mut(),
            hash_map::Entry::Vacant(place) => {
                let keys = JobKeys::read(connection, job)?;
                let mut recent = self.recent.0.write().unwrap_or_else(PoisonError::into_inner);
                recent.insert(job, Arc::clone(&keys.recent));
                place.insert(keys)
            }
        })
    }

    /// Returns the keys that readers must search in addition to the index.
    pub(crate) fn recent(&self) -> RecentKeys {
        self.recent.clone()
    }

    /// Discards the sorted keys after a commit, because readers now find them in the index.
    pub(crate) fn committed(&self) {
        self.jobs.values().for_each(|keys| keys.recent().settling.clear());
    }

    /// Drops the keys of a job whose objects are deleted.
    pub(crate) fn forget(&mut self, job: i64) {
        self.versions.forget(job);
        self.jobs.remove(&job);
        self.recent.0.write().unwrap_or_else(PoisonError::into_inner).remove(&job);
    }

    /// Writes all recent keys of a job that ends to the index, and releases their memory.
    pub(crate) fn close(&mut self, connection: &Connection, job: i64) -> rusqlite::Result<()> {
        self.versions.forget(job);
        if !self.jobs.contains_key(&job) && recent_since(connection, job)?.is_none() {
            return Ok(());
        }
        self.of(connection, job)?.settle(connection)?;
        self.jobs.remove(&job);
        // A reader may come before the commit. It sees the record of recent keys in its snapshot and searches from
        // there.
        self.recent.0.write().unwrap_or_else(PoisonError::into_inner).remove(&job);
        Ok(())
    }
}

impl RecentKeys {
    /// Returns the recent objects with a hash, or `None` if another process writes the job.
    fn candidates(&self, job: i64, hash: KeyHash) -> Option<Vec<i64>> {
        let jobs = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let recent = jobs.get(&job)?.read().unwrap_or_else(PoisonError::into_inner);
        Some(recent.with_hash(hash).chain(recent.settling_with_hash(hash)).collect())
    }
}

impl JobKeys {
    fn read(connection: &Connection, job: i64) -> rusqlite::Result<Self> {
        let indexed = key_index::len(connection, job)?;
        let mut keys = Self {
            job,
            recent: Arc::default(),
            indexed,
            filter: filter(connection, job, indexed)?,
            unmarked: HashSet::new(),
        };
        if let Some(since) = recent_since(connection, job)? {
            let mut recent = connection.prepare("SELECT key, rowid FROM object WHERE job = ?1 AND rowid >= ?2")?;
            let mut rows = recent.query([job, since])?;
            while let Some(row) = rows.next()? {
                let hash = hash_of(row.get_ref(0)?.as_str()?);
                keys.filter.insert_hash(spread(hash));
                keys.recent().insert((hash, row.get(1)?));
            }
        }
        Ok(keys)
    }

    /// Returns the number of the job.
    pub(crate) fn job(&self) -> i64 {
        self.job
    }

    /// Keeps a partition incomplete, even if its step reports it as complete.
    pub(crate) fn leave_unmarked(&mut self, step: &StepId, partition: PartitionRef) {
        if let PartitionRef::Nth(id) = partition {
            self.unmarked.insert((step.clone(), id));
        }
    }

    /// Whether a partition must stay incomplete.
    pub(crate) fn is_unmarked(&self, step: &StepId, partition: PartitionId) -> bool {
        !self.unmarked.is_empty() && self.unmarked.contains(&(step.clone(), partition))
    }

    /// Returns the objects that may have a key of this hash. The result is nearly always empty for a new key.
    pub(crate) fn candidates(&self, connection: &Connection, hash: KeyHash) -> rusqlite::Result<Vec<i64>> {
        if !self.filter.contains_hash(spread(hash)) {
            return Ok(Vec::new());
        }
        let mut found: Vec<i64> = self.recent().with_hash(hash).collect();
        found.extend(key_index::with_hash(connection, self.job, hash)?);
        Ok(found)
    }

    /// Adds the key of a new object.
    pub(crate) fn add(&mut self, connection: &Connection, hash: KeyHash, object: i64) -> rusqlite::Result<()> {
        if self.recent().entries.is_empty() {
            let mark = "INSERT OR IGNORE INTO recent_key (job, since) VALUES (?1, ?2)";
            connection.prepare_cached(mark)?.execute([self.job, object])?;
        }
        self.filter.insert_hash(spread(hash));
        let recent = {
            let mut recent = self.recent();
            recent.insert((hash, object));
            recent.entries.len()
        };
        if recent >= RECENT { self.settle(connection) } else { Ok(()) }
    }

    /// Writes the recent keys to the index.
    pub(crate) fn settle(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let settling = self.recent().settle();
        key_index::add(connection, self.job, &settling)?;
        self.indexed += settling.len();
        if self.indexed * BITS_PER_KEY > self.filter.num_bits() {
            self.filter = filter(connection, self.job, self.indexed)?;
        }
        connection.prepare_cached("DELETE FROM recent_key WHERE job = ?1")?.execute([self.job])?;
        Ok(())
    }

    /// Locks the recent keys. A poisoned lock is accepted: each change is a single operation, so none is left half
    /// done.
    fn recent(&self) -> RwLockWriteGuard<'_, Recent> {
        self.recent.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Builds a filter of the keys in the index, which contains `indexed` of them.
fn filter(connection: &Connection, job: i64, indexed: usize) -> rusqlite::Result<BloomFilter> {
    let mut bits = FILTER_BITS;
    while indexed * BITS_PER_KEY > bits {
        bits *= 4;
    }
    let mut filter = BloomFilter::with_num_bits(bits).hashes(FILTER_HASHES);
    key_index::for_each_hash(connection, job, |hash| {
        filter.insert_hash(spread(hash));
    })?;
    Ok(filter)
}

/// Converts a hash for the filter and the table. It is evenly distributed already.
fn spread(hash: KeyHash) -> u64 {
    hash.cast_unsigned()
}

/// Returns the first object that the index of a job may lack, if any.
fn recent_since(connection: &Connection, job: i64) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT since FROM recent_key WHERE job = ?1";
    connection.prepare_cached(sql)?.query_row([job], |row| row.get(0)).optional()
}

/// Finds the object of a key.
///
/// The order of the steps matters, because the writer may move keys from memory to the index at any time. It discards
/// them from memory only after the commit. Reading the memory first and taking the snapshot of the database afterwards
/// therefore misses no key: a key that has left the memory is committed, and so is visible in the later snapshot. The
/// opposite order could miss a key in both.
///
/// Each candidate is verified, because index entries may be stale and uncommitted keys in memory are not part of the
/// snapshot.
pub(crate) fn look_up(
    connection: &Connection,
    recent: &RecentKeys,
    job: i64,
    key: &ObjectKey,
) -> rusqlite::Result<Option<i64>> {
    let hash = hash_of(key.as_str());
    // Before the snapshot, as described above.
    let recent = recent.candidates(job, hash);
    let _snapshot = connection.unchecked_transaction()?;
    let known = recent.iter().flatten().copied();
    let sql = "SELECT 1 FROM object WHERE rowid = ?1 AND job = ?2 AND key = ?3";
    let mut has_key = connection.prepare_cached(sql)?;
    for object in known.chain(key_index::with_hash(connection, job, hash)?) {
        if has_key.exists(params![object, job, key.as_str()])? {
            return Ok(Some(object));
        }
    }
    if recent.is_some() {
        return Ok(None);
    }
    let Some(since) = recent_since(connection, job)? else { return Ok(None) };
    let recent = "SELECT rowid FROM object WHERE job = ?1 AND rowid >= ?2 AND key = ?3";
    connection.prepare_cached(recent)?.query_row(params![job, since, key.as_str()], |row| row.get(0)).optional()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use crate::index::key_index::tests::store;
    use crate::{JobReader, ObjectBatch, Row, Store};
    use integration_graph::{InstanceId, ObjectJson, ObjectType, StepId};
    use proptest::prelude::*;

    use super::*;

    fn object(connection: &Connection, job: i64, key: &ObjectKey) -> i64 {
        let sql = "INSERT INTO object (job, kind, type, key, class, step, part, properties) \
                   VALUES (?1, 0, 'acme_team', ?2, 'Team', 'add', 0, '{}')";
        connection.execute(sql, params![job, key.as_str()]).unwrap();
        connection.last_insert_rowid()
    }

    fn has_key(connection: &Connection, object: i64, job: i64, key: &ObjectKey) -> bool {
        let sql = "SELECT 1 FROM object WHERE rowid = ?1 AND job = ?2 AND key = ?3";
        connection.prepare(sql).unwrap().exists(params![object, job, key.as_str()]).unwrap()
    }

    /// An event that changes the keys of two jobs.
    #[derive(Debug, Clone)]
    enum Event {
        /// A job gets an object with a key.
        Add(i64, u8),
        /// The recent keys of a job are written to the index.
        Settle(i64),
        /// The objects of a job are deleted, as for a step that is rewound.
        TakeOut(i64),
        /// The process is killed, and another one resumes the jobs.
        Restart,
        /// A job ends.
        Close(i64),
    }

    fn events() -> impl Strategy<Value = Vec<Event>> {
        let event = prop_oneof![
            8 => (1..3_i64, 0..20_u8).prop_map(|(job, key)| Event::Add(job, key)),
            1 => (1..3_i64).prop_map(Event::Settle),
            1 => (1..3_i64).prop_map(Event::TakeOut),
            1 => Just(Event::Restart),
            1 => (1..3_i64).prop_map(Event::Close),
        ];
        proptest::collection::vec(event, 1..60)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn an_object_is_found_by_its_key_whatever_happened_before(events in events()) {
            let connection = store();
            let mut keys = Keys::default();
            let mut there: HashMap<(i64, String), i64> = HashMap::new();
            for event in events {
                match event {
                    Event::Add(job, key) => {
                        let key = ObjectKey::new(format!("key-{key}")).unwrap();
                        let known = there.get(&(job, key.to_string())).copied();
                        let keys = keys.of(&connection, job).unwrap();
                        let found = keys.candidates(&connection, hash_of(key.as_str())).unwrap();
                        let of_key = found.into_iter().filter(|object| has_key(&connection, *object, job, &key));
                        prop_assert_eq!(of_key.min(), known);
                        if known.is_none() {
                            let object = object(&connection, job, &key);
                            keys.add(&connection, hash_of(key.as_str()), object).unwrap();
                            there.insert((job, key.to_string()), object);
                        }
                    }
                    Event::Settle(job) => {
                        keys.of(&connection, job).unwrap().settle(&connection).unwrap();
                        prop_assert_eq!(recent_since(&connection, job).unwrap(), None);
                    }
                    Event::TakeOut(job) => {
                        keys.of(&connection, job).unwrap().settle(&connection).unwrap();
                        connection.execute("DELETE FROM object WHERE job = ?1", [job]).unwrap();
                        there.retain(|(of, _), _| *of != job);
                    }
                    Event::Restart => keys = Keys::default(),
                    Event::Close(job) => {
                        keys.close(&connection, job).unwrap();
                        prop_assert_eq!(recent_since(&connection, job).unwrap(), None);
                    }
                }
                for job in [1, 2] {
                    for key in 0..20 {
                        let key = ObjectKey::new(format!("key-{key}")).unwrap();
                        let known = there.get(&(job, key.to_string())).copied();
                        // As this process finds it, then as any other process does.
                        prop_assert_eq!(look_up(&connection, &keys.recent(), job, &key).unwrap(), known);
                        prop_assert_eq!(look_up(&connection, &RecentKeys::default(), job, &key).unwrap(), known);
                    }
                }
            }
        }
    }

    #[test]
    fn objects_of_one_hash_are_told_apart_by_their_keys() {
        let connection = store();
        let mut keys = Keys::default();
        let (one, other) = (ObjectKey::new("one").unwrap(), ObjectKey::new("other").unwrap());
        let stored = object(&connection, 1, &other);
        // An object of another key under the hash of this one, as after a collision of hashes.
        let ours = keys.of(&connection, 1).unwrap();
        ours.add(&connection, hash_of(one.as_str()), stored).unwrap();
        ours.settle(&connection).unwrap();
        assert_eq!(ours.candidates(&connection, hash_of(one.as_str())).unwrap(), [stored]);
        assert_eq!(look_up(&connection, &keys.recent(), 1, &one).unwrap(), None);
    }

    #[test]
    fn a_filter_that_has_become_too_small_is_made_anew_with_all_keys() {
        let connection = store();
        let mut keys = JobKeys::read(&connection, 1).unwrap();
        keys.filter = BloomFilter::with_num_bits(64).hashes(FILTER_HASHES);
        for object in 0..100 {
            keys.add(&connection, object, object).unwrap();
        }
        keys.settle(&connection).unwrap();
        assert_eq!(keys.filter.num_bits(), FILTER_BITS);
        assert!((0..100).all(|hash| keys.candidates(&connection, hash).unwrap() == [hash]));
        assert!(keys.candidates(&connection, 100).unwrap().is_empty());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_committed_is_found_while_more_is_added() {
        const OBJECTS: usize = 3 * RECENT;
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let job = store.begin_job("acme", &InstanceId::default(), &serde_json::json!({})).await.unwrap();
        let committed = Arc::new(AtomicUsize::new(0));
        let key = |at: usize| ObjectKey::new(format!("key-{at}")).unwrap();
        let adding = tokio::spawn({
            let (job, committed) = (job.clone(), Arc::clone(&committed));
            async move {
                for begin in (0..OBJECTS).step_by(500) {
                    let mut rows = ObjectBatch::default();
                    for at in begin..begin + 500 {
                        let row = Row::entity(key(at), ObjectType::literal("acme_team"));
                        rows.push(row, ObjectJson::of("{}"));
                    }
                    job.add(StepId::literal("add"), rows).await;
                    committed.store(begin + 500, Ordering::Release);
                }
            }
        });
        let mut at = 0;
        while !adding.is_finished() {
            let committed = committed.load(Ordering::Acquire);
            if committed > 0 {
                at = (at + 7919) % committed;
                assert!(job.entities(vec![key(at)]).await.unwrap()[0].is_some(), "key-{at} of {committed}");
            }
            tokio::task::yield_now().await;
        }
        adding.await.unwrap();
        assert!(job.entities(vec![key(OBJECTS)]).await.unwrap()[0].is_none());
    }
}
