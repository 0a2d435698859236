//! The whole evaluation: read the book, evaluate, queue the deliveries, record.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use integration_delivery::{Outbox, Planned, Settings, obstacle};
use integration_rules::delivery::Occasion;
use integration_rules::{ActionKind, Outcome, Program, SkipReason};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::apply::Applied;
use crate::book::{Book, EvaluationLock, OpenBook};
use crate::error::WatchError;
use crate::evaluate::{Evaluated, Subject};
use crate::state::RuleState;

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
/// The actions enter the outbox, and [`deliver_due`](crate::deliver_due) sends them. An action whose setting is missing in
/// `delivery.yaml` waits there as well, because the rule may not see its rows again.
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
    // A file that cannot be read is an error before anything is evaluated.
    Settings::read(data_dir)?;
    let _lock = EvaluationLock::take(data_dir, PATIENCE).await?;
    let evaluated = subject.evaluate(rules, &begin(data_dir, rules).await?, at, cancelled).await?;
    record(data_dir, evaluated).await
}

/// Records evaluations with their alerts and deliveries at the same instant.
async fn record(data_dir: &Path, mut evaluated: Vec<Evaluated>) -> Result<Report, WatchError> {
    let mut open = OpenBook::open(data_dir).await?;
    // A rule that was removed during its evaluation has no state. Its alert must not open again.
    evaluated.retain(|evaluated| {
        let state = open.book.rules.get(&evaluated.rule);
        state.is_some_and(|state| state.next_evaluation() == evaluated.evaluation)
    });
    let rules: Vec<Applied> = evaluated.into_iter().map(|evaluated| open.book.apply(evaluated)).collect();
    let mut report = Report::default();
    for applied in &rules {
        let planned = planned(applied);
        report.queued += planned.entries.len();
        open.book.outgoing.extend(planned.entries);
        report.not_carried_out.extend(planned.refused.into_iter().map(|(action, reason)| NotCarriedOut {
            rule: applied.evaluated.rule.clone(),
            action,
            reason,
        }));
    }
    open.save()?;
    open.hand_over(&Outbox::of(data_dir))?;
    Ok(Report { rules, book: open.book.clone(), ..report })
}

/// Returns the book with a state of each rule, by which the end of the evaluation recognises that a rule was removed.
async fn begin(data_dir: &Path, rules: &[Arc<Program>]) -> Result<Book, WatchError> {
    let book = Book::read(data_dir)?;
    if rules.iter().all(|program| book.rules.contains_key(&program.rule().name)) {
        return Ok(book);
    }
    let mut open = OpenBook::open(data_dir).await?;
    for program in rules {
        open.book.rules.entry(program.rule().name.clone()).or_insert_with(RuleState::new);
    }
    open.save()?;
    Ok(open.book.clone())
}

/// Separates the actions of evaluations that would not be carried out, without a change of anything.
///
/// # Errors
/// [`WatchError`] if the settings of deliveries cannot be read.
pub fn preview(data_dir: &Path, rules: Vec<Applied>) -> Result<Report, WatchError> {
    let settings = Settings::read(data_dir)?.unwrap_or_else(Settings::absent);
    let mut report = Report { rules, ..Report::default() };
    for applied in &mut report.rules {
        let rule = applied.evaluated.rule.clone();
        let mut refused = skipped(&applied.evaluated.outcome);
        applied.evaluated.outcome.actions.retain(|planned| match obstacle(&planned.effect, &settings) {
            Some(reason) => {
                refused.push((planned.effect.action().to_owned(), reason));
                false
            }
            None => true,
        });
        let refused = refused.into_iter();
        let of = |(action, reason)| NotCarriedOut { rule: rule.clone(), action, reason };
        report.not_carried_out.extend(refused.map(of));
    }
    Ok(report)
}

/// Returns the actions that have no effect here or failed, with the reasons.
fn skipped(outcome: &Outcome) -> Vec<(String, String)> {
    let reason = |action: &str, reason: &SkipReason| match (reason, ActionKind::named(action)) {
        (SkipReason::NotCarriedOut, ActionKind::Unknown(_)) => Some("the action is unknown".to_owned()),
        (SkipReason::NotCarriedOut, _) => Some("this program does not carry out this action".to_owned()),
        (SkipReason::Failed(reason), _) => Some(reason.clone()),
        (SkipReason::NoNewRows | SkipReason::Uncertain, _) => None,
    };
    let skipped = outcome.skipped.iter();
    skipped.filter_map(|skipped| Some((skipped.action.clone(), reason(&skipped.action, &skipped.reason)?))).collect()
}

/// Returns the deliveries of an evaluation, and the actions without one.
fn planned(applied: &Applied) -> Planned {
    let Evaluated { evaluation, outcome, rule, end, .. } = &applied.evaluated;
    let occasion = Occasion {
        rule: rule.clone(),
        action: String::new(),
        level: outcome.level,
        alert: applied.alert.as_ref().filter(|alert| alert.is_open()).map(|alert| alert.id.clone()),
        change: applied.change,
    };
    let mut planned = integration_delivery::plan(&outcome.actions, evaluation, &occasion, *end);
    planned.refused.extend(skipped(outcome));
    planned
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::rule_store::RuleStore;
    use integration_rules::{Memory, parse_rules};

    #[tokio::test]
    async fn a_rule_that_is_removed_during_its_evaluation_opens_no_alert() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = "{name: A, question: {queries: [{query: FIND a}]}, operations: [{actions: [{type: CREATE_ALERT}]}]}";
        let store = RuleStore::of(folder.path());
        for is_removed in [false, true] {
            store.add(parse_rules(text).expect("a rule")).expect("a rule");
            let rule = parse_rules(text).expect("a rule").remove(0);
            let program = Arc::new(Program::compile(rule).expect("a program"));
            let book = begin(folder.path(), &[Arc::clone(&program)]).await.expect("a book");
            let evaluated = Evaluated {
                rule: "A".to_owned(),
                version: 1,
                evaluation: book.rules["A"].next_evaluation(),
                begin: Timestamp::UNIX_EPOCH,
                end: Timestamp::UNIX_EPOCH,
                // A failure that is reported opens an alert.
                outcome: Outcome::failed(&program, Memory::default(), "no time".to_owned()),
                positions: BTreeMap::new(),
                lost: Vec::new(),
                notify_on_failure: true,
            };
            if is_removed {
                store.remove("A", Timestamp::UNIX_EPOCH).await.expect("a rule");
            }
            let report = record(folder.path(), vec![evaluated]).await.expect("a report");
            assert_eq!(report.rules.len(), usize::from(!is_removed));
            assert_eq!(report.book.alerts.iter().filter(|alert| alert.is_open()).count(), usize::from(!is_removed));
            store.remove("A", Timestamp::UNIX_EPOCH).await.expect("no rule or a rule");
        }
    }
}
