//! Indexes that SQLite does not maintain by itself.
//!
//! | index | finds | maintained |
//! | --- | --- | --- |
//! | [`keys`] on [`key_index`] | the object of a key in a job | by the writer, with each batch |
//! | [`key_order`] | the objects of a type in a job, in key order | before a read |
//! | [`version_order`] | the versions of an instance, in key order | before a read |
//!
//! Keys arrive in random order, so an insertion into a B-tree touches a page for each key. The first index therefore
//! collects keys and writes sorted runs. The other two are [lazy](LazyIndex): many keys are sorted at once, which costs
//! far less than one insertion each, and a job that is never read in key order does not pay for it.

pub(crate) mod key_index;
pub(crate) mod key_order;
pub(crate) mod keys;
pub(crate) mod version_order;

use rusqlite::Connection;

use super::sqlite::CACHE_KIB;
use super::{Store, StoreError};

/// The page cache in KiB while keys are sorted. A smaller value would make no difference: see `.cargo/config.toml`.
const SORTED_KIB: i64 = -500;

/// A secondary index that is updated before it is read.
///
/// Both methods run in one transaction with the read that follows, because the index may be discarded at any time.
pub(crate) trait LazyIndex: Clone + Send + 'static {
    /// Whether the index contains every row that a reader expects.
    fn is_current(&self, connection: &Connection) -> rusqlite::Result<bool>;

    /// Adds the rows that were stored since the last update.
    fn update(&self, connection: &Connection) -> rusqlite::Result<()>;
}

impl Store {
    /// Reads through an index that is updated only when it is needed.
    ///
    /// The check and the read share one snapshot of the database, because the index may be discarded in between. If the
    /// index is out of date, the writer updates it and reads in the same transaction, for the same reason.
    pub(super) async fn read_through<I, R, F>(&self, index: I, read: F) -> Result<R, StoreError>
    where
        I: LazyIndex,
        R: Send + 'static,
        F: Fn(&Connection) -> rusqlite::Result<R> + Clone + Send + 'static,
    {
        let (checked, first) = (index.clone(), read.clone());
        let current = move |connection: &Connection| {
            let _snapshot = connection.unchecked_transaction()?;
            if checked.is_current(connection)? { first(connection).map(Some) } else { Ok(None) }
        };
        if let Some(result) = self.read(current).await? {
            return Ok(result);
        }
        self.write(move |connection| {
            index.update(connection)?;
            read(connection)
        })
        .await
    }
}

/// Sorts many keys with a small page cache, because SQLite sorts in memory up to its size, in addition to the cache.
fn with_small_cache<R>(connection: &Connection, sort: impl FnOnce() -> rusqlite::Result<R>) -> rusqlite::Result<R> {
    connection.pragma_update(None, "cache_size", SORTED_KIB)?;
    let sorted = sort();
    connection.pragma_update(None, "cache_size", CACHE_KIB)?;
    sorted
}
