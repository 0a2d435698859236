//! The evaluation of rules on a store.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use integration_query::graph::{AccountGraph, FileCache, GraphError, UnpublishedInstance};
use integration_query::syntax::{substitute, texts};
use integration_query::{Catalogue, Options, QueryError};
use integration_rules::{
    ChangeSelection, Evaluation, GraphChange, Input, Next, Outcome, Program, QueryAnswer, QueryRequest, RuleInput,
};
use integration_sdk::graph::Timestamp as Millis;
use integration_sdk::store::{Snapshot, Store};
use integration_store::GraphReader;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::{OnceCell, oneshot};
use tokio_util::sync::CancellationToken;

use crate::answers;
use crate::book::Book;
use crate::changes::{ChangeReader, Unseen};
use crate::error::WatchError;
use crate::limits::Limits;
use crate::position::Position;
use crate::state::RuleState;

/// The data that rules read, and the bounds of their evaluations.
#[derive(Clone)]
pub struct Subject {
    /// The store.
    pub store: Store,
    /// The snapshots that queries read: one for each instance, usually the newest.
    pub snapshots: Vec<Snapshot>,
    /// The instances whose jobs have published no graph.
    pub unpublished: Vec<UnpublishedInstance>,
    /// The types that integrations declare.
    pub catalogue: Arc<Catalogue>,
    /// The values of `${param.NAME}` and `{{param.NAME}}`.
    pub parameters: BTreeMap<String, Value>,
    /// The bounds.
    pub limits: Limits,
}

/// An evaluated rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluated {
    /// The name of the rule.
    pub rule: String,
    /// The version of the rule.
    pub version: u64,
    /// The identifier of the evaluation. It is the same when the evaluation is repeated after a crash.
    pub evaluation: String,
    /// The start of the evaluation.
    pub begin: Timestamp,
    /// The end of the evaluation.
    pub end: Timestamp,
    /// The result.
    pub outcome: Outcome,
    /// The snapshots up to which the rule has seen the changes, by instance.
    pub positions: BTreeMap<String, Position>,
    /// The instances of which the rule missed changes, because their snapshots were pruned.
    pub lost: Vec<String>,
    /// Whether a failure of the rule is reported.
    pub notify_on_failure: bool,
}

impl Subject {
    /// Evaluates rules one after the other. Nothing is written.
    ///
    /// A rule that fails, exceeds its time, or reads too many rows has an outcome like all others. `at` is the time of
    /// the evaluation.
    ///
    /// # Errors
    /// [`WatchError::Cancelled`] if the caller cancelled.
    pub async fn evaluate(
        &self,
        rules: &[Arc<Program>],
        book: &Book,
        at: Timestamp,
        cancelled: &CancellationToken,
    ) -> Result<Vec<Evaluated>, WatchError> {
        let began = Instant::now();
        let now = || at + SignedDuration::try_from(began.elapsed()).unwrap_or_default();
        let all = rules.iter().flat_map(|rule| selections(rule)).cloned().collect();
        let mut changes = ChangeReader::new(&self.store, &self.snapshots, all, at);
        let graph = Arc::new(LazyGraph::of(self));
        let mut evaluated = Vec::new();
        for program in rules {
            let rule = program.rule();
            let fresh;
            let state = match book.rules.get(&rule.name) {
                Some(state) => state,
                None => {
                    fresh = RuleState::new();
                    &fresh
                }
            };
            let begin = now();
            let unseen = match is_about_changes(program) {
                true => changes.unseen(selections(program), &state.positions).await.map_err(|error| error.to_string()),
                false => Ok(Unseen { positions: state.positions.clone(), ..Unseen::default() }),
            };
            let (outcome, positions, lost) = match unseen {
                Err(reason) => {
                    (Outcome::failed(program, state.memory.clone(), reason), state.positions.clone(), Vec::new())
                }
                Ok(unseen) => {
                    let outcome = self.outcome(program, state, unseen.changes, begin, &graph, cancelled).await?;
                    // Changes whose actions did not run are seen again.
                    let positions = if outcome.is_decided() { unseen.positions } else { state.positions.clone() };
                    (outcome, positions, unseen.lost)
                }
            };
            evaluated.push(Evaluated {
                rule: rule.name.clone(),
                version: rule.version.unwrap_or(1),
                evaluation: state.next_evaluation(),
                begin,
                end: now(),
                outcome,
                positions,
                lost,
                notify_on_failure: rule.notify_on_failure,
            });
        }
        Ok(evaluated)
    }

    /// Evaluates one rule on its own thread, because templates and queries are busy for as long as their bounds allow.
    async fn outcome(
        &self,
        program: &Arc<Program>,
        state: &RuleState,
        changes: Vec<GraphChange>,
        at: Timestamp,
        graph: &Arc<LazyGraph>,
        cancelled: &CancellationToken,
    ) -> Result<Outcome, WatchError> {
        let failed = |reason: String| Outcome::failed(program, state.memory.clone(), reason);
        let mut input = Input {
            parameters: self.parameters.clone().into_iter().collect(),
            previous: state.memory.clone(),
            changes,
            ..Input::at(at)
        };
        input.bounds.changes = self.limits.rows;
        let end = Arc::new(AtomicBool::new(false));
        let asker = Asker {
            graph: Arc::clone(graph),
            catalogue: Arc::clone(&self.catalogue),
            parameters: self.parameters.clone(),
            limits: self.limits,
            at,
            deadline: Instant::now() + self.limits.rule,
            end: Arc::clone(&end),
            runtime: Handle::current(),
        };
        let (sender, receiver) = oneshot::channel();
        let own = Arc::clone(program);
        let work = move || {
            // The receiver is gone if the caller has cancelled.
            let _ = sender.send(asker.run(&own, input));
        };
        if let Err(error) = thread::Builder::new().name("rule".to_owned()).spawn(work) {
            return Ok(failed(format!("no thread could be started for it: {error}")));
        }
        let result = tokio::select! {
            result = tokio::time::timeout(self.limits.rule, receiver) => result,
            () = cancelled.cancelled() => {
                end.store(true, Ordering::Relaxed);
                return Err(WatchError::Cancelled);
            }
        };
        Ok(match result {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => failed("the evaluation ended with an internal error".to_owned()),
            Err(_) => {
                end.store(true, Ordering::Relaxed);
                failed(format!("the evaluation took longer than {} seconds", self.limits.rule.as_secs()))
            }
        })
    }
}

/// The account graph, which is opened by the first query.
struct LazyGraph {
    readers: Vec<Arc<dyn GraphReader>>,
    unpublished: Vec<UnpublishedInstance>,
    cache: Arc<FileCache>,
    graph: OnceCell<AccountGraph>,
}

impl LazyGraph {
    fn of(subject: &Subject) -> Self {
        let readers = subject.snapshots.iter().cloned().map(|snapshot| Arc::new(snapshot) as Arc<dyn GraphReader>);
        Self {
            readers: readers.collect(),
            unpublished: subject.unpublished.clone(),
            cache: Arc::new(FileCache::new(subject.store.derived_folder())),
            graph: OnceCell::new(),
        }
    }

    async fn get(&self) -> Result<&AccountGraph, GraphError> {
        let open = || async {
            let graph = AccountGraph::open_cached(self.readers.clone(), Arc::<FileCache>::clone(&self.cache)).await?;
            Ok(graph.with_unpublished(self.unpublished.clone()))
        };
        self.graph.get_or_try_init(open).await
    }
}

/// The thread of one evaluation.
struct Asker {
    graph: Arc<LazyGraph>,
    catalogue: Arc<Catalogue>,
    parameters: BTreeMap<String, Value>,
    limits: Limits,
    at: Timestamp,
    /// The end of the evaluation.
    deadline: Instant,
    /// Whether the result is no longer awaited.
    end: Arc<AtomicBool>,
    runtime: Handle,
}

impl Asker {
    fn run(&self, program: &Program, input: Input) -> Outcome {
        let mut evaluation = Evaluation::start(program, input);
        loop {
            match evaluation.step() {
                Next::Done(outcome) => return *outcome,
                Next::Query(request) => evaluation.answer(self.runtime.block_on(self.ask(&request))),
            }
        }
    }

    async fn ask(&self, request: &QueryRequest) -> Result<QueryAnswer, String> {
        // A name of the provider may look like a variable.
        let text = match request.is_filled {
            true => Cow::Borrowed(request.query.as_str()),
            false => substitute(&request.query, &texts(&self.parameters)).map_err(|missing| missing.to_string())?,
        };
        let graph = self.graph.get().await.map_err(|error| error.to_string())?;
        let deadline = Instant::now().checked_add(self.limits.query).unwrap_or(self.deadline);
        let options = Options {
            parameters: self.parameters.clone(),
            now: Millis::from_millis(self.at.as_millisecond()),
            // One more row shows that there are more.
            default_limit: u64::try_from(self.limits.rows).ok().map(|rows| rows.saturating_add(1)),
            deadline: Some(deadline.min(self.deadline)),
            memory: self.limits.memory,
            cancelled: Arc::clone(&self.end),
            catalogue: Arc::clone(&self.catalogue),
        };
        let answer = integration_query::run(&text, graph, &options).await.map_err(|error| match error {
            QueryError::Invalid(errors) => errors.render(&text).trim_end().to_owned(),
            other => other.to_string(),
        })?;
        Ok(answers::rows(&text, answer, self.limits.rows))
    }
}

fn selections(program: &Program) -> &[ChangeSelection] {
    match &program.rule().input {
        RuleInput::Changes { selections, .. } => selections,
        RuleInput::Queries(_) | RuleInput::Question { .. } => &[],
    }
}

/// Returns whether a rule reads the changes of publications.
pub fn is_about_changes(program: &Program) -> bool {
    matches!(program.rule().input, RuleInput::Changes { .. })
}
