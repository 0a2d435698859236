//! The response cache: responses of providers, kept across jobs for conditional requests.
//!
//! The cache owns two tables. They are separate so that recording a use does not rewrite the body. Bodies are
//! compressed, because JSON shrinks to a fifth and the checksum detects damage. The cache must never end a job: a
//! response that cannot be read counts as missing, and one that cannot be written is not kept. The log reports the
//! first such error only.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use futures::future::BoxFuture;
use integration_graph::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::sqlite_error::unreadable;
use super::{ResponseStore, Store, StoredResponse};

/// The maximum size of a body in bytes, before compression.
///
/// A page of a list has a few megabytes. A larger response would need too much memory here, so it is not cached.
const LARGEST: usize = 16 << 20;
/// The tolerated clock error. An entry whose last use is further in the future is evicted.
const SKEW: Duration = Duration::from_secs(86_400);
const LIMITS: Limits = Limits {
    // A collection that runs once a month still finds all entries.
    age: Duration::from_secs(35 * 24 * 60 * 60),
    // Enough for about seventy organisations with 10,000 applications each and everything that belongs to them.
    bytes: 512 << 20,
};
/// The approximate size of a row in addition to its headers and body.
const ROW: usize = 300;

struct Limits {
    age: Duration,
    bytes: i64,
}

/// The kept responses, and those that a job has used.
pub(super) struct SqliteResponses {
    store: Store,
    /// The rows that were read. Their use is recorded at the end, in one statement.
    used: Mutex<BTreeSet<i64>>,
    complaint: Complaint,
}

/// A warning that is logged once, because the same error would occur for every response.
#[derive(Debug, Clone, Default)]
struct Complaint(Arc<AtomicBool>);

impl Complaint {
    fn make(&self, error: &dyn fmt::Display) {
        if !self.0.swap(true, Ordering::Relaxed) {
            tracing::warn!(error = %error, "the response cache is not available; responses are requested in full");
        }
    }
}

impl SqliteResponses {
    pub(super) fn of(store: Store) -> Self {
        Self { store, used: Mutex::default(), complaint: Complaint::default() }
    }

    /// Records which responses were used.
    async fn note_use(&self) {
        let used = std::mem::take(&mut *self.used.lock().unwrap_or_else(PoisonError::into_inner));
        if used.is_empty() {
            return;
        }
        let rows = used.len();
        self.store.attempt(rows, &self.complaint, move |connection| note_use(connection, &used, now())).await;
    }
}

impl ResponseStore for SqliteResponses {
    fn get(&self, account: &str, request: &str) -> BoxFuture<'_, Option<StoredResponse>> {
        let (account, request) = (account.to_owned(), request.to_owned());
        Box::pin(async move {
            let found = self.store.read(move |connection| find(connection, &account, &request)).await;
            let (number, answer) = found.unwrap_or_else(|error| {
                self.complaint.make(&error);
                None
            })?;
            self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(number);
            Some(answer)
        })
    }

    fn put(&self, account: &str, request: &str, response: StoredResponse) -> BoxFuture<'_, ()> {
        let (account, request) = (account.to_owned(), request.to_owned());
        Box::pin(async move {
            if response.body.len() > LARGEST {
                return;
            }
            let row = tokio::task::spawn_blocking(move || Row::of(&response)).await;
            let Ok(Ok(row)) = row else { return };
            let rows = 1 + row.bytes() / 1_000;
            let work = move |connection: &Connection| insert(connection, &account, &request, &row, now());
            self.store.attempt(rows, &self.complaint, work).await;
        })
    }

    fn evict(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.note_use().await;
            self.store.prune_answers().await;
        })
    }
}

impl Store {
    /// Evicts old responses, then the least recently used ones beyond the size limit.
    async fn prune_answers(&self) {
        self.attempt(1, &Complaint::default(), |connection| prune(connection, &LIMITS, now())).await;
    }

    /// Queues work that may fail without consequences for other work.
    async fn attempt<F>(&self, rows: usize, complaint: &Complaint, work: F)
    where
        F: FnOnce(&Connection) -> rusqlite::Result<()> + Send + 'static,
    {
        let told = complaint.clone();
        let queued = self.submit(rows, move |connection, _| match work(connection) {
            // SQLite rolled back the whole transaction, and with it the rows of other commands.
            Err(error) if connection.is_autocommit() => Err(error),
            Err(error) => {
                told.make(&error);
                Ok(())
            }
            Ok(()) => Ok(()),
        });
        if let Err(error) = queued.await {
            complaint.make(&error);
        }
    }
}

/// A response as stored.
struct Row {
    etag: String,
    status: u16,
    headers: String,
    body: Vec<u8>,
}

impl Row {
    fn of(answer: &StoredResponse) -> io::Result<Self> {
        let headers = serde_json::to_string(&answer.headers)?;
        Ok(Self { etag: answer.etag.clone(), status: answer.status, headers, body: compressed(&answer.body)? })
    }

    fn bytes(&self) -> usize {
        ROW + self.headers.len() + self.body.len()
    }
}

fn now() -> i64 {
    Timestamp::now().millis()
}

fn find(connection: &Connection, account: &str, request: &str) -> rusqlite::Result<Option<(i64, StoredResponse)>> {
    let sql = "SELECT number, etag, status, headers, body FROM answer JOIN answer_content ON answer = number \
               WHERE account = ?1 AND request = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_row(params![account, request], |row| {
        let headers = serde_json::from_str(row.get_ref(3)?.as_str()?).map_err(unreadable)?;
        let body = decompressed(row.get_ref(4)?.as_blob()?).map_err(unreadable)?;
        Ok((row.get(0)?, StoredResponse { etag: row.get(1)?, status: row.get(2)?, headers, body }))
    });
    found.optional()
}

fn insert(connection: &Connection, account: &str, request: &str, row: &Row, now: i64) -> rusqlite::Result<()> {
    let sql = "INSERT INTO answer (account, request, used, bytes) VALUES (?1, ?2, ?3, ?4) \
               ON CONFLICT (account, request) DO UPDATE SET used = excluded.used, bytes = excluded.bytes \
               RETURNING number";
    let bytes = i64::try_from(row.bytes()).unwrap_or(i64::MAX);
    let number: i64 =
        connection.prepare_cached(sql)?.query_row(params![account, request, now, bytes], |row| row.get(0))?;
    let sql = "INSERT OR REPLACE INTO answer_content (answer, etag, status, headers, body) VALUES (?1, ?2, ?3, ?4, ?5)";
    connection.prepare_cached(sql)?.execute(params![number, row.etag, row.status, row.headers, row.body]).map(drop)
}

fn note_use(connection: &Connection, used: &BTreeSet<i64>, now: i64) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached("UPDATE answer SET used = ?2 WHERE number = ?1")?;
    used.iter().try_for_each(|number| statement.execute([*number, now]).map(drop))
}

fn prune(connection: &Connection, limits: &Limits, now: i64) -> rusqlite::Result<()> {
    let oldest = now.saturating_sub(i64::try_from(limits.age.as_millis()).unwrap_or(i64::MAX));
    let sql = "SELECT number FROM (SELECT number, used, sum(bytes) OVER (ORDER BY used DESC, number DESC) AS so_far \
               FROM answer) WHERE used < ?1 OR used > ?3 OR so_far > ?2";
    let mut statement = connection.prepare_cached(sql)?;
    // An entry that was used under a clock far in the future would otherwise never become old.
    let latest = now.saturating_add(i64::try_from(SKEW.as_millis()).unwrap_or(i64::MAX));
    let gone = statement.query_map([oldest, limits.bytes, latest], |row| row.get(0))?;
    for number in gone.collect::<rusqlite::Result<Vec<i64>>>()? {
        connection.prepare_cached("DELETE FROM answer_content WHERE answer = ?1")?.execute([number])?;
        connection.prepare_cached("DELETE FROM answer WHERE number = ?1")?.execute([number])?;
    }
    Ok(())
}

/// Compresses a body at the fastest level, so that a collection is not slowed down.
fn compressed(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body)?;
    encoder.finish()
}

fn decompressed(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    GzDecoder::new(bytes).take(LARGEST as u64 + 1).read_to_end(&mut body)?;
    match body.len() {
        length if length > LARGEST => Err(io::Error::other("a cached body exceeds the size limit")),
        _ => Ok(body),
    }
}

#[cfg(test)]
#[path = "response_cache/tests.rs"]
mod tests;
