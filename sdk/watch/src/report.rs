//! The whole evaluation: read the book, evaluate, record.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use integration_rules::Program;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::apply::Applied;
use crate::book::{Book, EvaluationLock, OpenBook};
use crate::error::WatchError;
use crate::evaluate::Subject;

/// The maximum time to wait for the evaluation of another process.
const PATIENCE: Duration = Duration::from_secs(60);

/// The results of an evaluation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Report {
    /// The evaluated rules, in the order of evaluation.
    pub rules: Vec<Applied>,
}

/// Evaluates rules, and records their states and alerts in the book of a data directory.
///
/// All results are recorded together at the end. A process that is killed before has changed nothing, and the next
/// evaluation has the same identifiers. Alerts can be dismissed meanwhile.
///
/// # Errors
/// [`WatchError`] if the book cannot be read or written, if another process is evaluating rules for a minute, or if the
/// caller cancelled. Failures of single rules are in the report.
pub async fn evaluate_rules(
    data_dir: &Path,
    subject: &Subject,
    rules: &[Arc<Program>],
    at: Timestamp,
    cancelled: &CancellationToken,
) -> Result<Report, WatchError> {
    let _lock = EvaluationLock::take(data_dir, PATIENCE).await?;
    add_states(data_dir, rules).await?;
    let evaluated = subject.evaluate(rules, &Book::read(data_dir)?, at, cancelled).await?;
    let mut open = OpenBook::open(data_dir).await?;
    let rules = evaluated.into_iter().map(|evaluated| open.book.apply(evaluated)).collect();
    open.save()?;
    Ok(Report { rules })
}

/// Records new rules before their first evaluation, so that a repeated evaluation has the same identifier.
async fn add_states(data_dir: &Path, rules: &[Arc<Program>]) -> Result<(), WatchError> {
    let mut open = OpenBook::open(data_dir).await?;
    if open.book.add_states(rules.iter().map(|program| program.rule().name.as_str())) {
        open.save()?;
    }
    Ok(())
}
