//! The data that only a running or resumable job needs.

use rusqlite::Connection;

/// The tables of this data, apart from the references among the objects.
const TABLES: [&str; 10] = [
    "part",
    "key_run",
    "recent_key",
    "sorted",
    "sorted_to",
    "contribution",
    "duplicate",
    "description",
    "superseded",
    "doubtful_end",
];

/// Discards the working data of a run.
pub(super) fn discard(connection: &Connection, run: i64) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM object WHERE job = ?1 AND same_as IS NOT NULL", [run])?;
    for table in TABLES {
        connection.execute(&format!("DELETE FROM {table} WHERE job = ?1"), [run])?;
    }
    Ok(())
}
