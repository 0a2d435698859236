//! The gaps that earlier runs of a job left, kept until the job is pruned.

use integration_graph::run::{Gap, StepReport};
use integration_graph::{ObjectKey, StepId};
use rusqlite::{Connection, params};

use super::EarlierGaps;
use super::sqlite_error::unreadable;

/// Records the gaps of reports and returns all gaps that were ever recorded.
pub(super) fn note(connection: &Connection, job: i64, reports: &[StepReport]) -> rusqlite::Result<EarlierGaps> {
    let sql = "INSERT OR IGNORE INTO earlier_gap (job, step, parent) VALUES (?1, ?2, ?3)";
    let mut note = connection.prepare(sql)?;
    let parent = |gap: &Gap| gap.parent.as_ref().map(|parent| parent.key.clone());
    for report in reports {
        for gap in report.own_gaps() {
            // No key is empty. A gap without a parent concerns its whole step.
            note.execute(params![job, report.id.as_str(), parent(gap).as_ref().map_or("", ObjectKey::as_str)])?;
        }
    }
    let mut all = EarlierGaps::default();
    let mut statement = connection.prepare("SELECT step, parent FROM earlier_gap WHERE job = ?1")?;
    let mut rows = statement.query([job])?;
    while let Some(row) = rows.next()? {
        let step = StepId::new(row.get::<_, String>(0)?).map_err(unreadable)?;
        let parent = Some(row.get_ref(1)?.as_str()?).filter(|parent| !parent.is_empty());
        all.add(step, parent.map(ObjectKey::stored).transpose().map_err(unreadable)?);
    }
    Ok(all)
}
