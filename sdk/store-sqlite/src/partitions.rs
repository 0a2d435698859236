//! The records of completed partitions.

use integration_graph::StepId;
use integration_graph::run::PartitionRef;
use rusqlite::{Connection, OptionalExtension, params};

use super::CompletedPartition;
use super::index::keys::JobKeys;

/// Records partitions as complete, inner ones first.
///
/// A partition with a rejected object is left out, and so are the partitions around it.
pub(super) fn mark(
    connection: &Connection,
    keys: &mut JobKeys,
    step: &StepId,
    done: &[CompletedPartition],
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO part (job, step, number, parent, path, outer, books) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let mut mark = connection.prepare_cached(sql)?;
    for partition in done {
        let CompletedPartition { id, parent, path, outer, stats } = partition;
        if keys.is_unmarked(step, *id) {
            keys.leave_unmarked(step, PartitionRef::from(*outer));
            continue;
        }
        let outer = outer.map(|outer| outer.get());
        mark.execute(params![keys.job(), step.as_str(), id.get(), parent.as_str(), path, outer, stats])?;
    }
    Ok(())
}

/// Discards the record of a partition, of those around it, and of its step.
///
/// The partitions of a shared object are unknown. In that case the records of all partitions of the step are discarded.
pub(super) fn reopen(
    connection: &Connection,
    job: i64,
    step: &StepId,
    partition: PartitionRef,
) -> rusqlite::Result<()> {
    let whose = params![job, step.as_str()];
    connection.prepare_cached("DELETE FROM step_run WHERE job = ?1 AND step = ?2")?.execute(whose)?;
    let mut inner = match partition {
        PartitionRef::None => None,
        PartitionRef::Shared => {
            connection.prepare_cached("DELETE FROM part WHERE job = ?1 AND step = ?2")?.execute(whose)?;
            None
        }
        PartitionRef::Nth(id) => Some(id.get()),
    };
    let sql = "DELETE FROM part WHERE job = ?1 AND step = ?2 AND number = ?3 RETURNING outer";
    while let Some(number) = inner {
        let values = params![job, step.as_str(), number];
        inner = connection.prepare_cached(sql)?.query_row(values, |row| row.get(0)).optional()?.flatten();
    }
    Ok(())
}
