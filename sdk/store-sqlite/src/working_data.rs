//! The data that only a running or resumable job needs.

use rusqlite::Connection;

use super::index::key_order;

/// The tables of this data, apart from the references among the objects and the key order.
const TABLES: [&str; 8] =
    ["part", "key_run", "recent_key", "contribution", "duplicate", "description", "superseded", "doubtful_end"];

/// The records of a job, which remain until a newer job of its instance has published.
///
/// Without a limit, hourly jobs would fill the file with reports that their summaries contain as well, and with the
/// same quarantined objects again and again.
const RECORDS: [&str; 4] = ["step_run", "quarantine", "job_data", "earlier_gap"];

/// Discards the working data of a run.
pub(super) fn discard(connection: &Connection, run: i64) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM object WHERE job = ?1 AND same_as IS NOT NULL", [run])?;
    for table in TABLES {
        connection.execute(&format!("DELETE FROM {table} WHERE job = ?1"), [run])?;
    }
    key_order::forget(connection, run)
}

/// Discards the records of a job that cannot be resumed any more.
pub(super) fn discard_records(connection: &Connection, run: i64) -> rusqlite::Result<()> {
    for table in RECORDS {
        connection.execute(&format!("DELETE FROM {table} WHERE job = ?1"), [run])?;
    }
    Ok(())
}
