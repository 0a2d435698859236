//! The key index: a log-structured merge tree of the keys of a job's objects.
//!
//! Keys are hashed, so they arrive in random order. A B-tree would touch and rewrite nearly all of its pages for every
//! few thousand keys. Here each batch of keys is sorted and written once as a run. Four runs of one level are merged
//! into one run of the next level, so each key is rewritten only once per level. A lookup reads one block of each run.
//!
//! The index contains hashes and row numbers, and entries are never deleted. An entry therefore may be wrong in two
//! ways: two keys may have the same hash, and the object may be gone, with its row number in use for an object of
//! another key or job. Every hit must be verified against the job and the key of the object. Deleting objects costs the
//! index nothing in return.

use ring::digest::{SHA256, digest};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Rows, params};

use super::super::StoreError;
use super::super::sqlite_error::unreadable;

/// The number of runs that are merged into one run of the next level.
const RUNS_MERGED: usize = 4;
/// The number of entries in a block, chosen to fill one page of the file.
const BLOCK: usize = 1_000;
const ENTRY_BYTES: usize = 16;

/// The first eight bytes of the SHA-256 of a key. Different keys may have the same hash.
pub(crate) type KeyHash = i64;

/// A hash and the row number of an object. The object may be gone or replaced, so every hit must be verified.
pub(crate) type Entry = (KeyHash, i64);

/// Returns the hash of a key.
pub(crate) fn hash_of(key: &str) -> KeyHash {
    let digest = digest(&SHA256, key.as_bytes());
    KeyHash::from_be_bytes(std::array::from_fn(|at| digest.as_ref()[at]))
}

/// Adds sorted entries as a new run, then merges the levels that are full.
pub(crate) fn add(connection: &Connection, job: i64, entries: &[Entry]) -> rusqlite::Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let mut run = RunWriter::begin(connection, job, 0)?;
    for entry in entries {
        run.push(*entry)?;
    }
    run.end()?;
    let mut level = 0;
    while merge(connection, job, level)? {
        level += 1;
    }
    Ok(())
}

/// Returns the row numbers of the objects with a hash.
pub(crate) fn with_hash(connection: &Connection, job: i64, hash: KeyHash) -> rusqlite::Result<Vec<i64>> {
    let sql = "SELECT (SELECT entries FROM key_block WHERE run = key_run.number AND first <= ?2 ORDER BY first DESC LIMIT 1) \
               FROM key_run WHERE job = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut blocks = statement.query([job, hash])?;
    let mut found = Vec::new();
    while let Some(row) = blocks.next()? {
        if let ValueRef::Blob(block) = row.get_ref(0)? {
            let entries = stored(block)?;
            let begin = entries.partition_point(|entry| decoded(entry).0 < hash);
            let of_hash = entries[begin..].iter().map(decoded).take_while(|entry| entry.0 == hash);
            found.extend(of_hash.map(|(_, object)| object));
        }
    }
    Ok(found)
}

/// Returns the number of entries.
pub(crate) fn len(connection: &Connection, job: i64) -> rusqlite::Result<usize> {
    let sql = "SELECT coalesce(sum(length(entries)), 0) FROM key_run JOIN key_block ON key_block.run = key_run.number WHERE job = ?1";
    let bytes: i64 = connection.query_row(sql, [job], |row| row.get(0))?;
    Ok(usize::try_from(bytes).unwrap_or(0) / ENTRY_BYTES)
}

/// Calls `each` for the hash of every entry.
pub(crate) fn for_each_hash(connection: &Connection, job: i64, mut each: impl FnMut(KeyHash)) -> rusqlite::Result<()> {
    let sql = "SELECT entries FROM key_run JOIN key_block ON key_block.run = key_run.number WHERE job = ?1";
    let mut statement = connection.prepare(sql)?;
    let mut blocks = statement.query([job])?;
    while let Some(row) = blocks.next()? {
        stored(row.get_ref(0)?.as_blob()?)?.iter().for_each(|entry| each(decoded(entry).0));
    }
    Ok(())
}

/// Merges the runs of a level if there are enough of them.
fn merge(connection: &Connection, job: i64, level: i64) -> rusqlite::Result<bool> {
    let runs = "SELECT number FROM key_run WHERE job = ?1 AND level = ?2";
    let runs = connection
        .prepare_cached(runs)?
        .query_map([job, level], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<i64>>>()?;
    if runs.len() < RUNS_MERGED {
        return Ok(false);
    }
    let blocks = "SELECT entries FROM key_block WHERE run = ?1 ORDER BY first";
    let mut blocks = runs.iter().map(|_| connection.prepare(blocks)).collect::<rusqlite::Result<Vec<_>>>()?;
    let mut readers = Vec::new();
    for (blocks, run) in blocks.iter_mut().zip(&runs) {
        readers.push(RunReader::begin(blocks.query([run])?)?);
    }
    let mut merged = RunWriter::begin(connection, job, level + 1)?;
    while let Some((entry, reader)) =
        readers.iter_mut().filter_map(|reader| Some((reader.next?, reader))).min_by_key(|next| next.0)
    {
        merged.push(entry)?;
        reader.advance()?;
    }
    merged.end()?;
    drop(readers);
    for run in runs {
        connection.prepare_cached("DELETE FROM key_run WHERE number = ?1")?.execute([run])?;
    }
    Ok(true)
}

/// A reader of one run in sorted order, one block at a time.
struct RunReader<'s> {
    blocks: Rows<'s>,
    entries: std::vec::IntoIter<Entry>,
    next: Option<Entry>,
}

impl<'s> RunReader<'s> {
    fn begin(blocks: Rows<'s>) -> rusqlite::Result<Self> {
        let mut reader = Self { blocks, entries: Vec::new().into_iter(), next: None };
        reader.advance()?;
        Ok(reader)
    }

    fn advance(&mut self) -> rusqlite::Result<()> {
        self.next = self.entries.next();
        while self.next.is_none() {
            let Some(row) = self.blocks.next()? else { break };
            let entries: Vec<Entry> = stored(row.get_ref(0)?.as_blob()?)?.iter().map(decoded).collect();
            self.entries = entries.into_iter();
            self.next = self.entries.next();
        }
        Ok(())
    }
}

/// A writer of one run, which expects sorted entries.
struct RunWriter<'c> {
    connection: &'c Connection,
    run: i64,
    block: Vec<Entry>,
}

impl<'c> RunWriter<'c> {
    fn begin(connection: &'c Connection, job: i64, level: i64) -> rusqlite::Result<Self> {
        connection.prepare_cached("INSERT INTO key_run (job, level) VALUES (?1, ?2)")?.execute([job, level])?;
        Ok(Self { connection, run: connection.last_insert_rowid(), block: Vec::with_capacity(BLOCK) })
    }

    fn push(&mut self, entry: Entry) -> rusqlite::Result<()> {
        // All entries of one hash stay in one block, so that a lookup reads only one block of a run.
        if self.block.len() >= BLOCK && self.block.last().is_some_and(|last| last.0 != entry.0) {
            self.write()?;
        }
        self.block.push(entry);
        Ok(())
    }

    fn end(mut self) -> rusqlite::Result<()> {
        self.write()
    }

    fn write(&mut self) -> rusqlite::Result<()> {
        let Some((first, _)) = self.block.first().copied() else { return Ok(()) };
        let entries: Vec<u8> = self.block.drain(..).flat_map(encoded).collect();
        let sql = "INSERT INTO key_block (run, first, entries) VALUES (?1, ?2, ?3)";
        self.connection.prepare_cached(sql)?.execute(params![self.run, first, entries])?;
        Ok(())
    }
}

fn stored(block: &[u8]) -> rusqlite::Result<&[[u8; ENTRY_BYTES]]> {
    match block.as_chunks() {
        (entries, []) => Ok(entries),
        _ => Err(unreadable(StoreError::Corrupt("a block of the key index is truncated".into()))),
    }
}

fn encoded((hash, object): Entry) -> impl Iterator<Item = u8> {
    hash.to_le_bytes().into_iter().chain(object.to_le_bytes())
}

fn decoded(entry: &[u8; ENTRY_BYTES]) -> Entry {
    let [hash, object] = [0, 8].map(|begin| i64::from_le_bytes(std::array::from_fn(|at| entry[begin + at])));
    (hash, object)
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// A store in memory with the jobs 1 and 2.
    pub(crate) fn store() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(include_str!("../schema.sql")).unwrap();
        let job = "INSERT INTO job (number, id, integration, instance, state, started, options) \
                   VALUES (?1, ?1, 'acme', 'default', 'running', 0, '{}')";
        for number in [1, 2] {
            connection.execute(job, [number]).unwrap();
        }
        connection
    }

    fn sorted(connection: &Connection, job: i64, hash: KeyHash) -> Vec<i64> {
        let mut found = with_hash(connection, job, hash).unwrap();
        found.sort_unstable();
        found
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn every_entry_is_found_by_its_hash_however_often_runs_were_merged(
            batches in proptest::collection::vec(proptest::collection::btree_set((-40..40_i64, 0..1_000_i64), 1..60), 1..40),
        ) {
            let connection = store();
            let mut there: BTreeSet<Entry> = BTreeSet::new();
            let mut added = 0;
            add(&connection, 2, &[(0, 1)]).unwrap();
            for batch in &batches {
                let entries: Vec<Entry> = batch.iter().copied().filter(|entry| there.insert(*entry)).collect();
                added += usize::from(!entries.is_empty());
                add(&connection, 1, &entries).unwrap();
            }
            for hash in -41..41 {
                let expected: Vec<i64> = there.range((hash, i64::MIN)..=(hash, i64::MAX)).map(|(_, object)| *object).collect();
                prop_assert_eq!(sorted(&connection, 1, hash), expected);
            }
            prop_assert_eq!(len(&connection, 1).unwrap(), there.len());
            let mut hashes = Vec::new();
            for_each_hash(&connection, 1, |hash| hashes.push(hash)).unwrap();
            hashes.sort_unstable();
            prop_assert_eq!(hashes, Vec::from_iter(there.iter().map(|(hash, _)| *hash)));
            // The runs of a level are a digit of the number of batches in base four.
            let runs: i64 = connection.query_row("SELECT count(*) FROM key_run WHERE job = 1", [], |row| row.get(0)).unwrap();
            let digits = std::iter::successors(Some(added), |rest| Some(rest / RUNS_MERGED)).take_while(|rest| *rest > 0);
            prop_assert_eq!(usize::try_from(runs).unwrap(), digits.map(|rest| rest % RUNS_MERGED).sum::<usize>());
            prop_assert_eq!(sorted(&connection, 2, 0), [1]);
        }
    }

    #[test]
    fn blocks_end_where_a_page_is_full_but_not_within_a_hash() {
        let connection = store();
        let block = i64::try_from(BLOCK).unwrap();
        let shared = block - 3;
        let entries: Vec<Entry> =
            (0..shared).map(|at| (at, at)).chain((0..10).map(|at| (shared, at))).chain([(i64::MAX, 7)]).collect();
        add(&connection, 1, &entries).unwrap();
        let blocks = "SELECT length(entries) / 16 FROM key_block ORDER BY first";
        let mut blocks = connection.prepare(blocks).unwrap();
        let blocks: Vec<i64> = blocks.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        assert_eq!(blocks, [block + 7, 1]);
        assert_eq!(with_hash(&connection, 1, shared).unwrap(), Vec::from_iter(0..10));
        assert_eq!(with_hash(&connection, 1, i64::MAX).unwrap(), [7]);
        assert!(with_hash(&connection, 1, -1).unwrap().is_empty());
    }

    #[test]
    fn a_block_that_is_not_whole_is_said_to_be_unreadable() {
        let connection = store();
        add(&connection, 1, &[(1, 1)]).unwrap();
        connection.execute("UPDATE key_block SET entries = x'00'", []).unwrap();
        let error = with_hash(&connection, 1, 1).unwrap_err();
        assert!(error.to_string().contains("a block of the key index"), "{error}");
    }
}
