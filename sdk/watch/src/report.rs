//! The whole evaluation: read the book, evaluate, queue the deliveries, record.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use integration_delivery::{Outbox, Planned, Settings};
use integration_rules::delivery::Occasion;
use integration_rules::{Program, SkipReason};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::apply::Applied;
use crate::book::{Book, EvaluationLock, OpenBook};
use crate::error::WatchError;
use crate::evaluate::{Evaluated, Subject};

/// The maximum time to wait for the evaluation of another process.
const PATIENCE: Duration = Duration::from_secs(60);

/// The results of an evaluation.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Report {
    /// The evaluated rules, in the order of evaluation.
    pub rules: Vec<Applied>,
    /// The number of deliveries that entered the outbox.
    pub queued: usize,
    /// The actions that are not carried out.
    pub not_carried_out: Vec<NotCarriedOut>,
    /// The book after the evaluation.
    pub book: Book,
}

/// An action that is not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotCarriedOut {
    /// The name of the rule.
    pub rule: String,
    /// The name of the action.
    pub action: String,
    /// The reason, as text for users.
    pub reason: String,
}

/// Evaluates rules, and records their states and alerts in the book of a data directory.
///
/// The actions enter the outbox if the data directory has settings of deliveries (`delivery.yaml`). [`deliver_due`](crate::deliver_due) sends them.
///
/// All results and deliveries are recorded together at the end. A process that is killed before has changed nothing.
/// Alerts can be dismissed meanwhile.
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
    let settings = Settings::read(data_dir)?;
    let _lock = EvaluationLock::take(data_dir, PATIENCE).await?;
    let evaluated = subject.evaluate(rules, &Book::read(data_dir)?, at, cancelled).await?;
    let mut open = OpenBook::open(data_dir).await?;
    let rules: Vec<Applied> = evaluated.into_iter().map(|evaluated| open.book.apply(evaluated)).collect();
    let mut report = Report::default();
    for applied in &rules {
        let planned = planned(applied, settings.as_ref());
        report.queued += planned.entries.len();
        open.book.outgoing.extend(planned.entries);
        report.not_carried_out.extend(planned.refused.into_iter().map(|(action, reason)| NotCarriedOut {
            rule: applied.evaluated.rule.clone(),
            action,
            reason,
        }));
    }
    // States, alerts, and deliveries are recorded at the same instant.
    open.save()?;
    open.hand_over(&Outbox::of(data_dir))?;
    Ok(Report { rules, book: open.book.clone(), ..report })
}

/// Returns the deliveries of an evaluation, and the actions without one.
fn planned(applied: &Applied, settings: Option<&Settings>) -> Planned {
    let Evaluated { evaluation, outcome, rule, end, .. } = &applied.evaluated;
    let skipped = outcome.skipped.iter().filter_map(|skipped| match &skipped.reason {
        SkipReason::NotCarriedOut => Some((skipped.action.clone(), "this program does not know the action".to_owned())),
        SkipReason::Failed(reason) => Some((skipped.action.clone(), reason.clone())),
        SkipReason::NoNewRows | SkipReason::Uncertain => None,
    });
    let Some(settings) = settings else {
        let reason = "there is no delivery.yaml in the data directory";
        let actions = outcome.actions.iter().map(|planned| (planned.effect.action().to_owned(), reason.to_owned()));
        return Planned { entries: Vec::new(), refused: actions.chain(skipped).collect() };
    };
    let occasion = Occasion {
        rule: rule.clone(),
        action: String::new(),
        level: outcome.level,
        alert: applied.alert.as_ref().filter(|alert| alert.is_open()).map(|alert| alert.id.clone()),
        change: applied.change,
    };
    let mut planned = integration_delivery::plan(&outcome.actions, evaluation, &occasion, settings, *end);
    planned.refused.extend(skipped);
    planned
}
