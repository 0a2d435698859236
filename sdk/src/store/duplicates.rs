//! Several descriptions of one object in one job, such as an application that two teams list while it moves.
//!
//! Which of them stays does not depend on their order: the one that was updated last, then the lesser text.

use std::cmp::Ordering;

use rusqlite::{Connection, params};
use serde::Deserialize;
use serde_json::Value;

use crate::graph::{ObjectKey, ObjectType, StepId};

use super::object;
use super::sqlite::unreadable;

/// The part of an object that decides which description is newer.
#[derive(Deserialize)]
struct Dated {
    #[serde(default, rename = "updatedOn")]
    updated_on: Value,
}

/// Whether a description stays rather than the stored one.
pub(super) fn prevails(json: &str, stored: &str) -> rusqlite::Result<bool> {
    let dates = updated_on(json)?.total_cmp(&updated_on(stored)?);
    Ok(dates.then_with(|| stored.cmp(json)) == Ordering::Greater)
}

/// When an object was updated; before every time, if it does not tell.
fn updated_on(json: &str) -> rusqlite::Result<f64> {
    let dated: Dated = serde_json::from_str(json).map_err(unreadable)?;
    Ok(dated.updated_on.as_f64().unwrap_or(f64::NEG_INFINITY))
}

/// Notes that a step described an object in several ways.
pub(super) fn note(
    connection: &Connection,
    job: i64,
    step: &StepId,
    object_type: &ObjectType,
    key: &ObjectKey,
) -> rusqlite::Result<()> {
    let sql = "INSERT OR IGNORE INTO duplicate (job, step, type, key) VALUES (?1, ?2, ?3, ?4)";
    let values = params![job, step.as_str(), object_type.as_str(), key.as_str()];
    connection.prepare_cached(sql)?.execute(values).map(drop)
}

/// How many objects a step described in several ways, by type.
pub(super) fn counts(connection: &Connection, job: i64, step: &StepId) -> rusqlite::Result<Vec<(ObjectType, u64)>> {
    let sql = "SELECT type, count(*) FROM duplicate WHERE job = ?1 AND step = ?2 GROUP BY type";
    let mut statement = connection.prepare_cached(sql)?;
    object::counts_by_type(&mut statement, params![job, step.as_str()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_that_was_updated_last_stays_then_the_lesser_text() {
        let newest = r#"{"name":"z","updatedOn":20}"#;
        let older = r#"{"name":"a","updatedOn":10}"#;
        let older_too = r#"{"name":"b","updatedOn":10}"#;
        let undated = r#"{"name":"a"}"#;
        let in_order = [newest, older, older_too, undated];
        for (at, winner) in in_order.iter().enumerate() {
            for loser in &in_order[at + 1..] {
                assert!(prevails(winner, loser).unwrap(), "{winner} {loser}");
                assert!(!prevails(loser, winner).unwrap(), "{loser} {winner}");
            }
            assert!(!prevails(winner, winner).unwrap());
        }
    }
}
