//! Removal of versions that no remaining snapshot contains.

use rusqlite::{Connection, OptionalExtension, params};

/// Marks the snapshots of a job as pruned. Their versions stay as long as other snapshots contain them.
pub(super) fn forget_snapshots(connection: &Connection, job: &str) -> rusqlite::Result<()> {
    let sql = "UPDATE snapshot SET pruned = 1, resumable = 0 WHERE job = ?1";
    connection.execute(sql, [job]).map(drop)
}

/// Deletes all versions and records that only pruned snapshots need.
pub(super) fn sweep(connection: &Connection) -> rusqlite::Result<()> {
    // A version is needed by every snapshot from its publication to its end.
    let sql = "SELECT object.number, born.instance, object.type, object.key FROM ended \
               JOIN object ON object.number = ended.object JOIN snapshot born ON born.number = object.job \
               WHERE NOT EXISTS (SELECT 1 FROM snapshot kept WHERE kept.instance = born.instance AND kept.pruned = 0 \
               AND kept.number >= object.job AND kept.number < ended.until)";
    let mut statement = connection.prepare(sql)?;
    let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    let found: Vec<(i64, i64, String, String)> = found.collect::<rusqlite::Result<_>>()?;
    for (object, instance, object_type, key) in found {
        let ordered = "DELETE FROM version_order WHERE instance = ?1 AND type = ?2 AND key = ?3 AND object = ?4";
        connection.prepare_cached(ordered)?.execute(params![instance, object_type, key, object])?;
        for table in ["DELETE FROM ended WHERE object = ?1", "DELETE FROM stale WHERE object = ?1"] {
            connection.prepare_cached(table)?.execute([object])?;
        }
        connection.prepare_cached("DELETE FROM object WHERE number = ?1")?.execute([object])?;
    }
    // A stale period of the past is needed only by snapshots that lie within it, and as the reason for a drop.
    connection.execute(
        "DELETE FROM stale WHERE until IS NOT NULL AND NOT EXISTS (SELECT 1 FROM object \
         JOIN snapshot born ON born.number = object.job JOIN snapshot kept ON kept.instance = born.instance \
         WHERE object.number = stale.object AND kept.pruned = 0 AND kept.number >= stale.since \
         AND kept.number < stale.until) AND NOT EXISTS (SELECT 1 FROM ended \
         WHERE ended.object = stale.object AND ended.until = stale.until AND dropped = 1)",
        [],
    )?;
    // A pruned snapshot remains as long as a version or a stale period begins or ends with it.
    connection.execute(
        "DELETE FROM gap WHERE snapshot IN (SELECT number FROM snapshot WHERE pruned = 1) \
         AND NOT EXISTS (SELECT 1 FROM stale WHERE stale.since = gap.snapshot)",
        [],
    )?;
    connection.execute(
        "DELETE FROM snapshot WHERE pruned = 1 AND NOT EXISTS (SELECT 1 FROM object WHERE object.job = snapshot.number) \
         AND NOT EXISTS (SELECT 1 FROM stale WHERE snapshot.number IN (stale.since, stale.until)) \
         AND NOT EXISTS (SELECT 1 FROM ended WHERE ended.until = snapshot.number)",
        [],
    )?;
    let unused = "DELETE FROM parent WHERE number NOT IN (SELECT parent FROM object WHERE parent IS NOT NULL)";
    connection.execute(unused, []).map(drop)
}

/// Returns whether a job published the newest snapshot of its instance.
pub(super) fn is_newest(connection: &Connection, job: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM snapshot WHERE job = ?1 AND number = \
               (SELECT max(number) FROM snapshot newest WHERE newest.instance = snapshot.instance)";
    Ok(connection.prepare_cached(sql)?.query_row([job], |_| Ok(())).optional()?.is_some())
}
