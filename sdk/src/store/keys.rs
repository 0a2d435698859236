//! The keys of a job's objects: an index that takes many at once, and in memory those that it has not taken yet.
//!
//! Keys come in no order. An index that took each as it comes would touch another page for each, and write that page again
//! with every transaction; in the order of their hashes, a page takes all of its keys at once. What is not in the index is
//! marked in the same transaction, so a process that is killed leaves nothing behind that cannot be found.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use fastbloom::BloomFilter;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};
use sha2::{Digest, Sha256};

use crate::graph::ObjectKey;

/// Keys in memory before the index takes them: few while it is small, so that little is left for the end; many when it is large,
/// so that a page takes several.
const FEWEST_RECENT: usize = 8_000;
const MOST_RECENT: usize = 100_000;
const INDEXED_PER_RECENT: usize = 8;
/// Bits of the filter: two megabytes, which tell a million keys apart from nearly all others, and four million from most.
const FILTER_BITS: usize = 1 << 24;
const FILTER_HASHES: u32 = 4;
/// Keys in one statement.
const AT_ONCE: usize = 64;

/// The first eight bytes of a key's SHA-256: what an object is looked for by. Objects of one hash are told apart by their keys.
pub(super) type KeyHash = i64;

/// Keys with their objects.
type Entries = BTreeSet<(KeyHash, i64)>;

/// The keys of the jobs that this process writes.
#[derive(Default)]
pub(super) struct Keys {
    jobs: HashMap<i64, JobKeys>,
    recent: RecentKeys,
}

/// What readers of this process find no place of in the index yet, by job.
#[derive(Clone, Default)]
pub(super) struct RecentKeys(Arc<RwLock<HashMap<i64, Arc<RwLock<Recent>>>>>);

#[derive(Default)]
struct Recent {
    /// Those that the index lacks.
    entries: Entries,
    /// Those that it has taken in a transaction that is not committed.
    settling: Vec<Arc<Entries>>,
}

/// The keys of one job.
pub(super) struct JobKeys {
    job: i64,
    recent: Arc<RwLock<Recent>>,
    indexed: usize,
    /// What it does not hold is neither there nor in the index.
    filter: BloomFilter,
}

impl Keys {
    /// The keys of a job, read from the store where it was begun by another process.
    pub(super) fn of(&mut self, connection: &Connection, job: i64) -> rusqlite::Result<&mut JobKeys> {
        Ok(match self.jobs.entry(job) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let keys = JobKeys::read(connection, job)?;
                let mut recent = self.recent.0.write().unwrap_or_else(PoisonError::into_inner);
                recent.insert(job, Arc::clone(&keys.recent));
                place.insert(keys)
            }
        })
    }

    /// What readers are to look at beside the index.
    pub(super) fn recent(&self) -> RecentKeys {
        self.recent.clone()
    }

    /// All that was written is committed.
    pub(super) fn committed(&self) {
        self.jobs.values().for_each(|keys| keys.recent().settling.clear());
    }

    /// Brings the index up to date and lets go of the job, which adds no more.
    pub(super) fn close(&mut self, connection: &Connection, job: i64) -> rusqlite::Result<()> {
        if !self.jobs.contains_key(&job) && recent_since(connection, job)?.is_none() {
            return Ok(());
        }
        self.of(connection, job)?.settle(connection)?;
        self.jobs.remove(&job);
        // A reader that comes before the commit finds what it sees by its mark.
        self.recent.0.write().unwrap_or_else(PoisonError::into_inner).remove(&job);
        Ok(())
    }
}

impl RecentKeys {
    /// The objects that may have a key of this hash and be missing in the index; `None` where this process does not know.
    fn candidates(&self, job: i64, hash: KeyHash) -> Option<Vec<i64>> {
        let jobs = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let recent = jobs.get(&job)?.read().unwrap_or_else(PoisonError::into_inner);
        let settling = recent.settling.iter().flat_map(|entries| with_hash(entries, hash));
        Some(with_hash(&recent.entries, hash).chain(settling).collect())
    }
}

fn with_hash(entries: &Entries, hash: KeyHash) -> impl Iterator<Item = i64> {
    entries.range((hash, i64::MIN)..=(hash, i64::MAX)).map(|(_, object)| *object)
}

impl JobKeys {
    fn read(connection: &Connection, job: i64) -> rusqlite::Result<Self> {
        let filter = BloomFilter::with_num_bits(FILTER_BITS).hashes(FILTER_HASHES);
        let mut keys = Self { job, recent: Arc::default(), indexed: 0, filter };
        let mut indexed = connection.prepare("SELECT hash FROM object_key WHERE job = ?1")?;
        let mut rows = indexed.query([job])?;
        while let Some(row) = rows.next()? {
            keys.filter.insert_hash(filtered(row.get(0)?));
            keys.indexed += 1;
        }
        if let Some(since) = recent_since(connection, job)? {
            let mut recent = connection.prepare("SELECT key, rowid FROM object WHERE job = ?1 AND rowid >= ?2")?;
            let mut rows = recent.query([job, since])?;
            while let Some(row) = rows.next()? {
                let hash = hash(row.get_ref(0)?.as_str()?);
                keys.filter.insert_hash(filtered(hash));
                keys.recent().entries.insert((hash, row.get(1)?));
            }
        }
        Ok(keys)
    }

    /// The objects that may have a key of this hash: none, nearly always, where it is new.
    pub(super) fn candidates(&self, connection: &Connection, hash: KeyHash) -> rusqlite::Result<Vec<i64>> {
        if !self.filter.contains_hash(filtered(hash)) {
            return Ok(Vec::new());
        }
        let mut found: Vec<i64> = with_hash(&self.recent().entries, hash).collect();
        let mut indexed = connection.prepare_cached("SELECT object FROM object_key WHERE job = ?1 AND hash = ?2")?;
        for object in indexed.query_map([self.job, hash], |row| row.get(0))? {
            found.push(object?);
        }
        Ok(found)
    }

    /// Notes an object that was added.
    pub(super) fn add(&mut self, connection: &Connection, hash: KeyHash, object: i64) -> rusqlite::Result<()> {
        if self.recent().entries.is_empty() {
            let mark = "INSERT OR IGNORE INTO recent_key (job, since) VALUES (?1, ?2)";
            connection.prepare_cached(mark)?.execute([self.job, object])?;
        }
        self.filter.insert_hash(filtered(hash));
        let recent = {
            let entries = &mut self.recent().entries;
            entries.insert((hash, object));
            entries.len()
        };
        let enough = (self.indexed / INDEXED_PER_RECENT).clamp(FEWEST_RECENT, MOST_RECENT);
        if recent >= enough { self.settle(connection) } else { Ok(()) }
    }

    /// Brings the index up to date.
    pub(super) fn settle(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let settling = {
            let mut recent = self.recent();
            let settling = Arc::new(std::mem::take(&mut recent.entries));
            recent.settling.push(Arc::clone(&settling));
            settling
        };
        self.indexed += settling.len();
        let mut entries = settling.iter().peekable();
        while entries.peek().is_some() {
            let some: Vec<&(KeyHash, i64)> = entries.by_ref().take(AT_ONCE).collect();
            let places = vec!["(?, ?, ?)"; some.len()].join(", ");
            let sql = format!("INSERT INTO object_key (job, hash, object) VALUES {places}");
            let values = some.iter().flat_map(|(hash, object)| [self.job, *hash, *object]);
            // What is left at the end has a statement for each number of keys: not worth keeping.
            match some.len() {
                AT_ONCE => connection.prepare_cached(&sql)?.execute(params_from_iter(values))?,
                _ => connection.execute(&sql, params_from_iter(values))?,
            };
        }
        connection.prepare_cached("DELETE FROM recent_key WHERE job = ?1")?.execute([self.job])?;
        Ok(())
    }

    /// Every change under this lock is one insertion or one take, so what it holds is sound even after a panic elsewhere.
    fn recent(&self) -> RwLockWriteGuard<'_, Recent> {
        self.recent.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The hash of a key.
pub(super) fn hash_of(key: &ObjectKey) -> KeyHash {
    hash(key.as_str())
}

fn hash(key: &str) -> KeyHash {
    let digest = Sha256::digest(key);
    KeyHash::from_be_bytes(std::array::from_fn(|at| digest[at]))
}

/// A hash as the filter takes it.
fn filtered(hash: KeyHash) -> u64 {
    hash.cast_unsigned()
}

/// From which object on the index of a job lacks some; `None` where it is whole.
fn recent_since(connection: &Connection, job: i64) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT since FROM recent_key WHERE job = ?1";
    connection.prepare_cached(sql)?.query_row([job], |row| row.get(0)).optional()
}

/// The object of a key: by the index and by what it lacks, as this process knows, or past its end by looking at each.
pub(super) fn look_up(
    connection: &Connection,
    recent: &RecentKeys,
    job: i64,
    key: &ObjectKey,
) -> rusqlite::Result<Option<i64>> {
    // Asked before anything is read: what leaves the one place has been committed to the other.
    let candidates = recent.candidates(job, hash_of(key));
    let _snapshot = connection.unchecked_transaction()?;
    for object in candidates.iter().flatten() {
        let sql = "SELECT 1 FROM object WHERE rowid = ?1 AND job = ?2 AND key = ?3";
        if connection.prepare_cached(sql)?.exists(params![object, job, key.as_str()])? {
            return Ok(Some(*object));
        }
    }
    let indexed = "SELECT object.rowid FROM object_key JOIN object ON object.rowid = object_key.object \
                   WHERE object_key.job = ?1 AND object_key.hash = ?2 AND object.key = ?3";
    let mut indexed = connection.prepare_cached(indexed)?;
    let found = indexed.query_row(params![job, hash_of(key), key.as_str()], |row| row.get(0)).optional()?;
    let is_settled = found.is_some() || candidates.is_some();
    let since = if is_settled { None } else { recent_since(connection, job)? };
    let Some(since) = since else { return Ok(found) };
    let recent = "SELECT rowid FROM object WHERE job = ?1 AND rowid >= ?2 AND key = ?3";
    connection.prepare_cached(recent)?.query_row(params![job, since, key.as_str()], |row| row.get(0)).optional()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use proptest::prelude::*;

    use crate::graph::{ObjectType, StepId};
    use crate::store::{Kind, Row, Rows, Store};

    use super::*;

    fn store() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(include_str!("schema.sql")).unwrap();
        let job = "INSERT INTO job (number, id, integration, instance, state, started, options) \
                   VALUES (?1, ?1, 'acme', 'default', 'running', 0, '{}')";
        for number in [1, 2] {
            connection.execute(job, [number]).unwrap();
        }
        connection
    }

    fn object(connection: &Connection, job: i64, key: &ObjectKey) -> i64 {
        let sql = "INSERT INTO object (job, kind, type, key, class, step, part, json) \
                   VALUES (?1, 0, 'acme_team', ?2, 'Team', 'add', 0, '{}')";
        connection.execute(sql, params![job, key.as_str()]).unwrap();
        connection.last_insert_rowid()
    }

    /// What can happen to the keys of two jobs.
    #[derive(Debug, Clone)]
    enum Event {
        /// A job gets an object of a key.
        Add(i64, u8),
        /// A job's index is brought up to date.
        Settle(i64),
        /// The process is killed, and another one takes the jobs up.
        Restart,
        /// A job ends.
        Close(i64),
    }

    fn events() -> impl Strategy<Value = Vec<Event>> {
        let event = prop_oneof![
            8 => (1..3_i64, 0..20_u8).prop_map(|(job, key)| Event::Add(job, key)),
            1 => (1..3_i64).prop_map(Event::Settle),
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
                        let found = keys.candidates(&connection, hash_of(&key)).unwrap();
                        prop_assert_eq!(found, Vec::from_iter(known));
                        if known.is_none() {
                            let object = object(&connection, job, &key);
                            keys.add(&connection, hash_of(&key), object).unwrap();
                            there.insert((job, key.to_string()), object);
                        }
                    }
                    Event::Settle(job) => {
                        keys.of(&connection, job).unwrap().settle(&connection).unwrap();
                        prop_assert_eq!(recent_since(&connection, job).unwrap(), None);
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
                        // As this process can tell, and as any other.
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
        // An object of another key under the hash of this one: what a collision looks like.
        let ours = keys.of(&connection, 1).unwrap();
        ours.add(&connection, hash_of(&one), stored).unwrap();
        ours.settle(&connection).unwrap();
        assert_eq!(ours.candidates(&connection, hash_of(&one)).unwrap(), [stored]);
        assert_eq!(look_up(&connection, &keys.recent(), 1, &one).unwrap(), None);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_committed_is_found_while_more_is_added() {
        const OBJECTS: usize = 3 * FEWEST_RECENT;
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let job = store.begin_job("acme", "default", &serde_json::json!({})).await.unwrap();
        let committed = Arc::new(AtomicUsize::new(0));
        let key = |at: usize| ObjectKey::new(format!("key-{at}")).unwrap();
        let adding = tokio::spawn({
            let (job, committed) = (job.clone(), Arc::clone(&committed));
            async move {
                for begin in (0..OBJECTS).step_by(500) {
                    let mut rows = Rows::default();
                    for at in begin..begin + 500 {
                        let (kind, object_type, class) =
                            (Kind::Entity, ObjectType::literal("acme_team"), Arc::from("Team"));
                        let key = key(at);
                        let row =
                            Row { kind, key, object_type, class, part: 0, ends: None, merge: false, quarantined: None };
                        rows.push(row, "{}");
                    }
                    let place = job.place().await.unwrap();
                    job.submit(place, StepId::literal("add"), rows, Vec::new()).done().await.unwrap();
                    job.settle().await.unwrap();
                    committed.store(begin + 500, Ordering::Release);
                }
            }
        });
        let mut at = 0;
        while !adding.is_finished() {
            let committed = committed.load(Ordering::Acquire);
            if committed > 0 {
                at = (at + 7919) % committed;
                assert!(job.find_json(Kind::Entity, key(at)).await.unwrap().is_some(), "key-{at} of {committed}");
            }
            tokio::task::yield_now().await;
        }
        adding.await.unwrap();
        assert!(job.find_json(Kind::Entity, key(OBJECTS)).await.unwrap().is_none());
    }
}
