//! The key order of an instance's versions.
//!
//! It contains the versions of all snapshots up to a recorded one. The first reader after a publication updates it.

use rusqlite::{Connection, OptionalExtension, params};

use super::{LazyIndex, with_small_cache};

/// The key order of an instance, for readers of the snapshot with a number and of earlier ones.
#[derive(Clone, Copy)]
pub(crate) struct VersionOrder {
    pub(crate) instance: i64,
    pub(crate) snapshot: i64,
}

impl LazyIndex for VersionOrder {
    fn is_current(&self, connection: &Connection) -> rusqlite::Result<bool> {
        Ok(ordered_to(connection, self.instance)? >= self.snapshot)
    }

    fn update(&self, connection: &Connection) -> rusqlite::Result<()> {
        let to = ordered_to(connection, self.instance)?;
        let newest = "SELECT coalesce(max(number), 0) FROM snapshot WHERE instance = ?1";
        let newest: i64 = connection.query_row(newest, [self.instance], |row| row.get(0))?;
        if newest == to {
            return Ok(());
        }
        let sql = "INSERT INTO version_order (instance, type, key, object) SELECT ?1, type, key, number FROM object \
                   WHERE job IN (SELECT number FROM snapshot WHERE instance = ?1 AND number > ?2) AND same_as IS NULL \
                   ORDER BY type, key, number";
        with_small_cache(connection, || connection.prepare_cached(sql)?.execute([self.instance, to]))?;
        let sql = "INSERT OR REPLACE INTO version_order_to (instance, snapshot) VALUES (?1, ?2)";
        connection.prepare_cached(sql)?.execute([self.instance, newest]).map(drop)
    }
}

fn ordered_to(connection: &Connection, instance: i64) -> rusqlite::Result<i64> {
    let sql = "SELECT snapshot FROM version_order_to WHERE instance = ?1";
    Ok(connection.prepare_cached(sql)?.query_row([instance], |row| row.get(0)).optional()?.unwrap_or(0))
}

/// Returns the types of an instance's versions. Each type costs one search in the key order.
pub(crate) fn types(connection: &Connection, instance: i64) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT type FROM version_order WHERE instance = ?1 AND type > ?2 ORDER BY type LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut types: Vec<String> = Vec::new();
    loop {
        let last = types.last().map_or("", String::as_str);
        let next: Option<String> = statement.query_row(params![instance, last], |row| row.get(0)).optional()?;
        match next {
            Some(next) => types.push(next),
            None => return Ok(types),
        }
    }
}
