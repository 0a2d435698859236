//! Rules and alerts: the consumer of ended jobs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use integration_query::Catalogue;
use integration_rules::{AlertLevel, EvaluationResult, Observation, Signal};
use integration_scheduler::RunEnd;
use integration_server::{Notice, Observed, Observer, ObserverError};
use integration_watch::{Applied, Book, Limits, OpenBook, Subject, due, evaluate_rules, next_due};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::settings::Settings;
use super::store::SharedStore;
use crate::account_graph;
use crate::failure::Failure;
use crate::instances::retain;

/// The bounds of evaluations. One rule takes at most a minute, so that it does not hold up the others for long.
const LIMITS: Duration = Duration::from_secs(60);

/// The evaluation of rules after publications and at their intervals.
pub(super) struct RulesObserver {
    settings: Settings,
    store: SharedStore,
    catalogue: Arc<Catalogue>,
}

impl RulesObserver {
    pub(super) fn new(settings: Settings, store: SharedStore) -> Self {
        let catalogue = Arc::new(account_graph::catalogue(settings.integrations.iter()));
        Self { settings, store, catalogue }
    }

    async fn handle(&self, notice: &Notice) -> Result<Observed, Failure> {
        self.watch_credentials(notice).await?;
        let observed = self.evaluate(notice.job.is_some()).await?;
        if notice.end == RunEnd::Published {
            // Only now, because rules about changes compare with earlier snapshots.
            self.retain(&notice.instance).await;
        }
        Ok(observed)
    }

    /// Evaluates the rules that are due. Rules about changes are due after each publication.
    async fn evaluate(&self, has_published: bool) -> Result<Observed, Failure> {
        let (data_dir, rules) = (&self.settings.data_dir, &self.settings.rules);
        let now = self.settings.clock.now();
        let due = due(rules, &self.book().await?, now, has_published);
        let mut observed = Observed::default();
        if !due.is_empty() {
            let store = self.store.get().await?;
            let snapshots = account_graph::all(&store).await?;
            // Without a graph, no rule can be decided, and there is no place in its history to remember.
            if snapshots.is_empty() {
                return Ok(observed);
            }
            let subject = Subject {
                store,
                snapshots,
                catalogue: Arc::clone(&self.catalogue),
                parameters: BTreeMap::new(),
                limits: Limits { rule: LIMITS, ..Limits::default() },
            };
            let report = evaluate_rules(data_dir, &subject, &due, now, &CancellationToken::new()).await?;
            report.rules.iter().for_each(log);
            for applied in &report.rules {
                *observed.evaluations.entry(outcome_of(applied)).or_default() += 1;
            }
        }
        let book = self.book().await?;
        observed.open_alerts = Some(open_alerts(&book));
        observed.next = next_due(rules, &book);
        Ok(observed)
    }

    /// Opens an alert when credentials are refused, and resolves it when they are accepted.
    async fn watch_credentials(&self, notice: &Notice) -> Result<(), Failure> {
        let signal = match notice.end {
            RunEnd::CredentialsRefused => Signal::Met,
            RunEnd::Published => Signal::NotMet,
            // Another failure says nothing about the credentials.
            _ => return Ok(()),
        };
        let rule = format!("Credentials refused: {}", notice.instance);
        if signal == Signal::NotMet && self.book().await?.newest(&rule).is_none() {
            return Ok(());
        }
        let reason = notice.message.clone().unwrap_or_default();
        let observation = Observation {
            rule_id: rule,
            rule_version: 1,
            begin: notice.at,
            end: notice.at,
            signal,
            level: AlertLevel::High,
            has_new_rows: false,
            result: EvaluationResult {
                answer_text: reason,
                evaluation_end_on: notice.at,
                outputs: Vec::new(),
                raw_data_descriptors: Vec::new(),
            },
        };
        let mut open = OpenBook::open(&self.settings.data_dir).await?;
        let (alert, change) = open.book.observe(&observation);
        if let (Some(alert), Some(change)) = (alert, change) {
            tracing::warn!(alert = alert.id, rule = alert.rule_id, change = ?change, "an alert changed");
            open.save()?;
        }
        Ok(())
    }

    async fn retain(&self, key: &str) {
        let known = async {
            let instance = self.settings.instance(key).await.map_err(Failure::Usage)?;
            Ok::<_, Failure>((self.store.get().await?, instance))
        };
        match known.await {
            Ok((store, instance)) => retain(&store, &instance).await,
            Err(error) => tracing::warn!(instance = key, %error, "old jobs could not be removed"),
        }
    }

    async fn book(&self) -> Result<Book, Failure> {
        let data_dir = self.settings.data_dir.clone();
        let read = tokio::task::spawn_blocking(move || Book::read(&data_dir)).await;
        Ok(read.map_err(|error| Failure::Start(std::io::Error::other(error)))??)
    }
}

impl Observer for RulesObserver {
    fn observe(&self, notice: Notice) -> BoxFuture<'_, Result<Observed, ObserverError>> {
        Box::pin(async move { self.handle(&notice).await.map_err(|failure| ObserverError(failure.to_string())) })
    }

    fn tick(&self, _: Timestamp) -> BoxFuture<'_, Result<Observed, ObserverError>> {
        Box::pin(async move { self.evaluate(false).await.map_err(|failure| ObserverError(failure.to_string())) })
    }
}

fn outcome_of(applied: &Applied) -> &'static str {
    let outcome = &applied.evaluated.outcome;
    match &outcome.signal {
        _ if outcome.failure.is_some() => "failed",
        Signal::Met => "met",
        Signal::NotMet => "not_met",
        Signal::Quiet { .. } => "quiet",
        Signal::Unknown { .. } => "unknown",
        _ => "evaluated",
    }
}

fn open_alerts(book: &Book) -> BTreeMap<&'static str, u64> {
    let levels = [AlertLevel::Info, AlertLevel::Low, AlertLevel::Medium, AlertLevel::High, AlertLevel::Critical];
    let name = |level: AlertLevel| match level {
        AlertLevel::Info => "info",
        AlertLevel::Low => "low",
        AlertLevel::Medium => "medium",
        AlertLevel::High => "high",
        _ => "critical",
    };
    let open =
        |level: AlertLevel| book.alerts.iter().filter(|alert| alert.is_open() && alert.level == level).count() as u64;
    // A level without alerts is 0, so that a resolved alert is visible.
    levels.into_iter().map(|level| (name(level), open(level))).collect()
}

fn log(applied: &Applied) {
    let rule = &applied.evaluated.rule;
    if let Some(reason) = &applied.evaluated.outcome.failure {
        tracing::error!(rule, reason, "the rule failed");
    }
    for lost in &applied.evaluated.lost {
        tracing::warn!(rule, instance = lost, "the rule missed changes, because their snapshots were removed");
    }
    let own = applied.alert.as_ref().zip(applied.change);
    for (alert, change) in own.into_iter().chain(applied.failure_alert.as_ref().map(|(alert, change)| (alert, *change)))
    {
        tracing::warn!(alert = alert.id, rule = alert.rule_id, change = ?change, "an alert changed");
    }
}
