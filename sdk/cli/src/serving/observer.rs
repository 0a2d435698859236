//! Rules and alerts: the consumer of ended jobs.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use integration_query::Catalogue;
use integration_rules::{AlertLevel, AlertStatus, EvaluationResult, Observation, Signal};
use integration_scheduler::RunEnd;
use integration_sdk::Integration;
use integration_server::{Notice, Observed, Observer, ObserverError, WatchedFile};
use integration_watch::{
    Applied, Book, Limits, NotCarriedOut, OpenBook, RuleOrigin, Subject, adopt, due, evaluate_rules, next_due,
};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::key::{credentials_rule, key};
use super::progress::Progress;
use super::rules::{RulePlaces, WatchedRules};
use super::runner::snapshot_numbers;
use super::settings::Settings;
use super::store::SharedStore;
use crate::account_graph;
use crate::failure::Failure;
use crate::instances::retain;

/// The bounds of evaluations. One rule takes at most a minute, so that it does not hold up the others for long.
const LIMITS: Duration = Duration::from_secs(60);
/// The time between two checks of the files of rules.
const CHECK: SignedDuration = SignedDuration::from_secs(5);

/// The evaluation of rules after publications and at their intervals.
pub(super) struct RulesObserver {
    settings: Settings,
    store: SharedStore,
    catalogue: Arc<Catalogue>,
    rules: WatchedRules,
    /// The place of the rules.
    origin: RuleOrigin,
    progress: Mutex<Progress>,
    /// The file of the alerts, which other processes change too.
    alerts: Mutex<WatchedFile>,
    /// Whether the numbers of the snapshots of earlier processes are shown.
    is_recalled: AtomicBool,
    /// Wakes the deliveries.
    deliveries: Arc<Notify>,
}

impl RulesObserver {
    pub(super) fn new(settings: Settings, store: SharedStore, deliveries: Arc<Notify>) -> Self {
        let catalogue = Arc::new(account_graph::catalogue(settings.integrations.iter()));
        let rules = WatchedRules::new(settings.data_dir.clone(), settings.rules.clone());
        let origin = match &settings.rules {
            RulePlaces::Files(files) => RuleOrigin::files(files),
            RulePlaces::Store { .. } => RuleOrigin::data_directory(settings.integrations.iter().map(Integration::id)),
        };
        let alerts = Mutex::new(WatchedFile::new(Book::path(&settings.data_dir)));
        let (progress, is_recalled) = (Mutex::default(), AtomicBool::new(false));
        Self { settings, store, catalogue, rules, origin, progress, alerts, is_recalled, deliveries }
    }

    async fn handle(&self, notice: &Notice) -> Result<Observed, Failure> {
        let book = self.book().await?;
        let book = self.watch_credentials(notice, book).await?;
        let is_seen = self.progress().has_seen(notice.at, self.settings.clock.now());
        let observed = self.evaluate(notice.job.is_some() && !is_seen, book).await?;
        if notice.end == RunEnd::Published {
            // Only now, because rules about changes compare with earlier snapshots.
            self.retain(&notice.instance).await;
        }
        Ok(observed)
    }

    /// Evaluates the rules at their intervals.
    async fn regular(&self, now: Timestamp) -> Result<Observed, Failure> {
        let is_quiet = self.progress().is_quiet(now) && !self.rules.has_changed();
        let mut observed = match is_quiet {
            false => self.evaluate(false, self.book().await?).await?,
            // A person may have dismissed an alert, or removed an instance.
            true => Observed {
                next: next_check(now),
                open_alerts: if self.has_changed_alerts() { Some(open_alerts(&self.book().await?)) } else { None },
                ..Observed::default()
            },
        };
        self.recall(&mut observed).await?;
        Ok(observed)
    }

    fn has_changed_alerts(&self) -> bool {
        self.alerts.lock().unwrap_or_else(PoisonError::into_inner).has_changed()
    }

    /// Adds the numbers of the snapshots of earlier processes, once.
    async fn recall(&self, observed: &mut Observed) -> Result<(), Failure> {
        if self.is_recalled.load(Ordering::Relaxed) {
            return Ok(());
        }
        let store = self.store.get().await?;
        for job in store.jobs_of_newest_graphs().await? {
            if let Some(Ok(summary)) = &job.summary
                && let Some(numbers) = snapshot_numbers(summary)
            {
                observed.snapshots.insert(key(&job.integration, &job.instance), numbers);
            }
        }
        observed.store_bytes = SharedStore::size(&store);
        self.is_recalled.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Evaluates the rules that are due. Rules about changes are due after each publication.
    async fn evaluate(&self, has_published: bool, mut book: Book) -> Result<Observed, Failure> {
        let now = self.settings.clock.now();
        self.progress().begin();
        let rules = self.rules.current();
        let unusable_rules = Some(rules.unusable.len() as u64);
        // Without the name of a rule, it is unknown which alerts belong to none.
        if let Some(names) = rules.names().filter(|_| self.rules.is_read()) {
            let (adopted, ended) = adopt(&self.settings.data_dir, &self.origin, names, now).await?;
            book = adopted;
            if ended > 0 {
                tracing::warn!(alerts = ended, "alerts were resolved, because their rules no longer exist");
            }
        }
        let due = due(&rules.programs, &book, now, has_published);
        // A new rule is due at once.
        let mut observed = Observed { next: next_check(now), unusable_rules, ..Observed::default() };
        if !due.is_empty() {
            let store = self.store.get().await?;
            let (data_dir, integration) = (&self.settings.data_dir, self.settings.default_integration());
            let (snapshots, unpublished) = account_graph::all(&store, data_dir, integration).await?;
            // Without a graph, no rule can be decided, and there is no place in its history to remember.
            if snapshots.is_empty() {
                observed.open_alerts = Some(open_alerts(&book));
                self.progress().end(now, None, false);
                return Ok(observed);
            }
            let subject = Subject {
                store,
                snapshots,
                unpublished,
                catalogue: Arc::clone(&self.catalogue),
                parameters: BTreeMap::new(),
                limits: Limits { rule: LIMITS, ..Limits::default() },
            };
            let report = evaluate_rules(data_dir, &subject, &due, now, &CancellationToken::new()).await?;
            report.rules.iter().for_each(log);
            report.not_carried_out.iter().for_each(log_action);
            for applied in &report.rules {
                *observed.evaluations.entry(outcome_of(applied)).or_default() += 1;
            }
            if report.queued > 0 {
                self.deliveries.notify_one();
            }
            book = report.book;
        }
        observed.open_alerts = Some(open_alerts(&book));
        self.progress().end(now, next_due(&rules.programs, &book), has_published);
        Ok(observed)
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens an alert when credentials are refused, and resolves it when they are accepted. Returns the current book.
    async fn watch_credentials(&self, notice: &Notice, book: Book) -> Result<Book, Failure> {
        let signal = match notice.end {
            RunEnd::CredentialsRefused => Signal::Met,
            RunEnd::Published => Signal::NotMet,
            // Another failure says nothing about the credentials.
            _ => return Ok(book),
        };
        let rule = credentials_rule(&notice.instance);
        if signal == Signal::NotMet && book.newest(&rule).is_none_or(|alert| alert.status == AlertStatus::Inactive) {
            return Ok(book);
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
        Ok(open.book)
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

    fn tick(&self, now: Timestamp) -> BoxFuture<'_, Result<Observed, ObserverError>> {
        Box::pin(async move { self.regular(now).await.map_err(|failure| ObserverError(failure.to_string())) })
    }
}

fn next_check(now: Timestamp) -> Option<Timestamp> {
    now.checked_add(CHECK).ok()
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

fn log_action(action: &NotCarriedOut) {
    let NotCarriedOut { rule, action, reason } = action;
    tracing::warn!(rule, action, reason, "an action is not carried out");
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
