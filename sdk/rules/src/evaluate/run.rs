//! The state machine.

use std::collections::VecDeque;

use serde_json::{Map, Value};

use super::effect::Effect;
use super::memory::Memory;
use super::outcome::{ConditionRecord, Outcome, Output, PlannedAction, QueryRecord, Signal, SkipReason, SkippedAction};
use super::state::{Input, is_larger, memory_of};
use crate::alert::AlertLevel;
use crate::condition::{Certainty, Completeness, Truth};
use crate::jexl::{Environment, Error, JsonTemplate, Language, Scope, to_text};
use crate::program::{CompiledAction, Program, item_name};
use crate::rule::{ActionKind, Rule, RuleInput, RuleQuery};

/// A query that the caller runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryRequest {
    /// The name under which the rule uses the result.
    pub name: String,
    /// The query, with its templates filled in.
    pub query: String,
    /// Whether the query includes deleted entities.
    pub include_deleted: bool,
    /// Whether the text contains data of the provider, because an action inserted it. Nothing is substituted in it.
    pub is_filled: bool,
}

/// The result of a query.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryAnswer {
    /// The rows: of entities `{id, entity, properties}`, of tables flat objects.
    pub rows: Vec<Value>,
    /// The total number of rows, which may be greater than the number of returned ones.
    pub total: u64,
    /// The completeness.
    pub completeness: Completeness,
}

impl QueryAnswer {
    /// Creates a complete result.
    pub fn complete(rows: Vec<Value>) -> Self {
        Self { total: rows.len() as u64, rows, completeness: Completeness::Complete }
    }
}

/// The next step of an evaluation.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// The caller runs the query and calls [`Evaluation::answer`].
    Query(QueryRequest),
    /// The evaluation has ended.
    Done(Box<Outcome>),
}

/// An evaluation in progress.
#[derive(Debug)]
pub struct Evaluation<'p> {
    program: &'p Program,
    input: Input,
    /// The queries of the rule that have not run.
    pending: VecDeque<RuleQuery>,
    awaited: Option<Awaited>,
    next_operation: usize,
    stack: Vec<Frame<'p>>,
    /// The members are names of conditions and templates.
    base: Value,
    /// The items of the enclosing `FOR_EACH_ITEM` actions, by name.
    items: Vec<(String, Value)>,
    certainty: Certainty,
    memory: Memory,
    has_new_rows: bool,
    alert: AlertState,
    actions: Vec<PlannedAction>,
    skipped: Vec<SkippedAction>,
    queries: Vec<QueryRecord>,
    conditions: Vec<ConditionRecord>,
    failure: Option<String>,
    /// Whether missing data prevented actions, so that the rows of this evaluation are still new in the next one.
    is_undecided: bool,
    executed: usize,
    requested: usize,
    /// The approximate memory of the rows in `base`, in bytes.
    held: usize,
    /// The approximate memory of the planned and the skipped actions, in bytes.
    planned: usize,
}

#[derive(Debug)]
struct Awaited {
    request: QueryRequest,
    /// Whether an action requested the query, instead of the rule.
    by_action: bool,
}

/// A result that a query of an item hides until the item ends.
#[derive(Debug)]
struct Replaced {
    name: String,
    value: Option<Value>,
    completeness: Completeness,
}

#[derive(Debug, Default)]
struct AlertState {
    is_created: bool,
    /// Why an alert might have been created if all data were there.
    doubt: Option<String>,
}

#[derive(Debug)]
enum Frame<'p> {
    Actions {
        actions: &'p [CompiledAction],
        next: usize,
        at: String,
    },
    Items {
        action: &'p CompiledAction,
        items: std::vec::IntoIter<Value>,
        next: usize,
        at: String,
        replaced: Vec<Replaced>,
    },
}

impl<'p> Evaluation<'p> {
    /// Starts an evaluation.
    pub fn start(program: &'p Program, input: Input) -> Self {
        let rule = program.rule();
        let pending = match &rule.input {
            RuleInput::Queries(queries) => queries.iter().cloned().collect(),
            RuleInput::Question { .. } => input.question.iter().cloned().collect(),
            RuleInput::Changes { .. } => VecDeque::new(),
        };
        let memory = if rule.ignore_previous_results { Memory::default() } else { input.previous.clone() };
        let mut evaluation = Self {
            program,
            pending,
            awaited: None,
            next_operation: 0,
            stack: Vec::new(),
            base: input.base(rule),
            items: Vec::new(),
            certainty: Certainty::default(),
            memory,
            has_new_rows: false,
            alert: AlertState::default(),
            actions: Vec::new(),
            skipped: Vec::new(),
            queries: Vec::new(),
            conditions: Vec::new(),
            failure: None,
            is_undecided: false,
            executed: 0,
            requested: 0,
            held: 0,
            planned: 0,
            input,
        };
        if evaluation.pending.is_empty() && matches!(rule.input, RuleInput::Question { .. }) {
            evaluation.failure = Some("the saved question of the rule was not found, or it has no query".to_owned());
        }
        evaluation.select_changes(rule);
        evaluation
    }

    /// Returns the next step. The same query is returned until it is answered.
    pub fn step(&mut self) -> Next {
        loop {
            if let Some(awaited) = &self.awaited {
                return Next::Query(awaited.request.clone());
            }
            if self.failure.is_some() {
                return Next::Done(Box::new(self.outcome()));
            }
            if let Some(RuleQuery { name, query, include_deleted }) = self.pending.pop_front() {
                let request = QueryRequest { name, query, include_deleted, is_filled: false };
                self.awaited = Some(Awaited { request, by_action: false });
            } else if let Some(frame) = self.stack.pop() {
                self.advance(frame);
            } else if self.next_operation < self.program.operations.len() {
                self.operation();
            } else {
                return Next::Done(Box::new(self.outcome()));
            }
        }
    }

    /// Accepts the result of the query that [`step`](Self::step) returned. The error is a text for users.
    ///
    /// Without such a query, the result is ignored.
    pub fn answer(&mut self, answer: Result<QueryAnswer, String>) {
        let Some(Awaited { request, by_action }) = self.awaited.take() else { return };
        match answer {
            Ok(answer) if by_action => self.keep(request.name, answer),
            Ok(answer) => {
                let QueryAnswer { rows, total, completeness } = &answer;
                let counts = self.memory.observe(&request.name, rows, *completeness);
                self.has_new_rows |= counts.created > 0;
                self.queries.push(QueryRecord {
                    name: request.name.clone(),
                    records: *total,
                    counts,
                    completeness: *completeness,
                });
                self.keep(request.name, answer);
            }
            Err(error) if by_action => self.skip_rest(&format!("the query `{}` failed: {error}", request.name)),
            Err(error) => self.failure = Some(format!("the query `{}` failed: {error}", request.name)),
        }
    }

    /// Makes a result available to conditions and templates.
    fn keep(&mut self, name: String, answer: QueryAnswer) {
        let result = Self::result(answer.total, answer.rows);
        self.held = self.held.saturating_add(memory_of(&result));
        if self.held > self.input.bounds.rows {
            return self.exceed(&format!("the rows up to those of the query `{name}` need"), self.input.bounds.rows);
        }
        let completeness = self.certainty.incomplete.get(&name).copied().unwrap_or_default();
        if answer.completeness == Completeness::Complete {
            self.certainty.incomplete.remove(&name);
        } else {
            self.certainty.incomplete.insert(name.clone(), answer.completeness);
        }
        let before = self.results().insert(name.clone(), result);
        // The results of an item's queries end with the item.
        if let Some(Frame::Items { replaced, .. }) =
            self.stack.iter_mut().rev().find(|frame| matches!(frame, Frame::Items { .. }))
        {
            replaced.push(Replaced { name, value: before, completeness });
        } else {
            self.held -= before.as_ref().map_or(0, memory_of);
        }
    }

    /// Ends the evaluation, because it needs more memory than its bounds allow.
    fn exceed(&mut self, what: &str, most: usize) {
        self.stack.clear();
        self.failure = Some(format!(
            "{what} more than {} MiB of memory: select fewer rows, or only the necessary properties with RETURN",
            most >> 20
        ));
    }

    /// Creates the value of a result without a copy of its rows.
    fn result(total: u64, rows: Vec<Value>) -> Value {
        let members = [("total", Value::from(total)), ("data", Value::Array(rows))];
        Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    fn results(&mut self) -> &mut Map<String, Value> {
        if !self.base["queries"].is_object() {
            self.base["queries"] = Value::Object(Map::new());
        }
        self.base["queries"].as_object_mut().expect("the value was made an object above")
    }

    fn select_changes(&mut self, rule: &Rule) {
        let RuleInput::Changes { selections, .. } = &rule.input else { return };
        let now = self.input.at;
        let is_selected =
            |change: &&crate::GraphChange| selections.iter().any(|selection| selection.matches(change, now));
        let changes = std::mem::take(&mut self.input.changes);
        let selected: Vec<_> = changes.iter().filter(is_selected).collect();
        let is_stale = |change: &&&crate::GraphChange| change.kind == crate::ChangeKind::Stale;
        // An event is always new. A stale object is new once.
        let stale: Vec<Value> = selected.iter().filter(is_stale).map(|change| change.to_row()).collect();
        let mut counts = self.memory.observe(Rule::CHANGES, &stale, Completeness::Complete);
        counts.created += (selected.len() - stale.len()) as u64;
        self.has_new_rows |= counts.created > 0;
        let total = selected.len() as u64;
        let rows: Vec<Value> = selected.iter().take(self.input.bounds.changes).map(|change| change.to_row()).collect();
        let name = Rule::CHANGES.to_owned();
        let completeness = Completeness::Complete;
        self.queries.push(QueryRecord { name: name.clone(), records: total, counts, completeness });
        let result = Self::result(total, rows);
        // The changes have two names.
        self.held = memory_of(&result).saturating_mul(2);
        if self.held > self.input.bounds.rows {
            return self.exceed("the changes need", self.input.bounds.rows);
        }
        self.base[Rule::CHANGES] = result.clone();
        self.results().insert(name, result);
    }

    fn environment(&self) -> Environment<'_> {
        Environment {
            scope: Scope::new(&self.base).with(&self.items),
            templates: &self.program.templates,
            limits: self.input.bounds.template,
        }
    }

    fn operation(&mut self) {
        let at = self.next_operation;
        self.next_operation += 1;
        let operation = &self.program.operations[at];
        let environment = self.environment();
        let truths = operation.conditions.iter().map(|condition| condition.truth(&environment, &self.certainty));
        let truth = match truths.collect::<Result<Vec<_>, Error>>() {
            Ok(truths) => Truth::all(truths),
            Err(error) => {
                self.failure = Some(format!("the condition of operations[{at}] failed: {error}"));
                return;
            }
        };
        self.conditions.push(ConditionRecord { operation: at, truth });
        // Without a condition, a rule about changes acts if there are changes.
        let is_idle = operation.conditions.is_empty() && self.base[Rule::CHANGES]["total"] == 0;
        match truth {
            Truth::True if is_idle => {}
            Truth::True => {
                let at = format!("operations[{at}]");
                self.stack.push(Frame::Actions { actions: &operation.actions, next: 0, at });
            }
            Truth::False => {}
            Truth::Unknown => self.doubt_operation(at),
        }
    }

    /// Records that an operation might have run.
    fn doubt_operation(&mut self, at: usize) {
        self.is_undecided = true;
        for action in &self.program.operations[at].actions {
            action.properties(&mut |name| {
                self.certainty.uncertain.insert(name.to_owned());
            });
            if action.creates_alert() {
                self.doubt(format!("missing data decides about the condition of operations[{at}]"));
            }
        }
    }

    fn doubt(&mut self, reason: String) {
        self.alert.doubt.get_or_insert(reason);
    }

    fn advance(&mut self, frame: Frame<'p>) {
        match frame {
            Frame::Actions { actions, next, at } => {
                let Some(action) = actions.get(next) else { return };
                let place = format!("{at}.actions[{}]", action.position);
                self.stack.push(Frame::Actions { actions, next: next + 1, at });
                self.act(action, place);
            }
            Frame::Items { action, mut items, next, at, replaced } => {
                if next > 0 {
                    self.items.pop();
                }
                self.restore(replaced);
                let Some(item) = items.next() else { return };
                self.items.push((item_name(action), item));
                let inner = format!("{at}.items[{next}]");
                self.stack.push(Frame::Items { action, items, next: next + 1, at, replaced: Vec::new() });
                self.stack.push(Frame::Actions { actions: &action.actions, next: 0, at: inner });
            }
        }
    }

    /// Undoes the results of an item's queries, the newest first.
    fn restore(&mut self, replaced: Vec<Replaced>) {
        for Replaced { name, value, completeness } in replaced.into_iter().rev() {
            if completeness == Completeness::Complete {
                self.certainty.incomplete.remove(&name);
            } else {
                self.certainty.incomplete.insert(name.clone(), completeness);
            }
            let ended = match value {
                Some(value) => self.results().insert(name, value),
                None => self.results().remove(&name),
            };
            self.held -= ended.as_ref().map_or(0, memory_of);
        }
    }

    fn act(&mut self, action: &'p CompiledAction, at: String) {
        self.executed += 1;
        if self.executed > self.input.bounds.actions {
            let most = self.input.bounds.actions;
            self.stack.clear();
            self.failure = Some(format!("the rule has more than {most} actions in one evaluation"));
            return;
        }
        let is_silent = self.program.rule().new_entities_only && !self.has_new_rows;
        match action.kind {
            ActionKind::CreateAlert => self.alert.is_created = true,
            ActionKind::SetProperty => self.set_property(action, at),
            ActionKind::ForEachItem if is_silent && !action.creates_alert() => {
                self.skip(action, at, SkipReason::NoNewRows, Map::new());
            }
            ActionKind::ForEachItem => self.for_each(action, at),
            ActionKind::JupiterOneQuery => self.query(action, at),
            _ if is_silent => self.skip(action, at, SkipReason::NoNewRows, Map::new()),
            _ => self.plan(action, at),
        }
    }

    fn skip(&mut self, action: &CompiledAction, at: String, reason: SkipReason, fields: Map<String, Value>) {
        self.skipped.push(SkippedAction { at, action: action.kind.name().to_owned(), reason, fields });
    }

    /// Ends the list of actions that waits for a query, because its templates lack the result.
    fn skip_rest(&mut self, reason: &str) {
        let Some(Frame::Actions { actions, next, at }) = self.stack.pop() else { return };
        for action in &actions[next - 1..] {
            if action.creates_alert() {
                self.doubt(reason.to_owned());
            }
            let place = format!("{at}.actions[{}]", action.position);
            self.skip(action, place, SkipReason::Failed(reason.to_owned()), Map::new());
        }
    }

    fn field(&self, action: &CompiledAction, name: &str) -> Result<Value, Error> {
        action.fields.get(name).map_or(Ok(Value::Null), |template| template.render(&self.environment()))
    }

    /// Returns a field in another language, with values escaped where they are inserted.
    fn text_in(&self, language: Language, action: &CompiledAction, name: &str) -> Result<Value, Error> {
        let compose = |template: &JsonTemplate| template.compose(language, &self.environment());
        action.fields.get(name).map_or(Ok(Value::Null), compose)
    }

    fn set_property(&mut self, action: &CompiledAction, at: String) {
        let values =
            self.field(action, "targetProperty").and_then(|name| Ok((name, self.field(action, "targetValue")?)));
        match values {
            Ok((name, value)) => {
                let name = to_text(&name);
                let is_given = matches!(name.as_str(), "" | "queries" | "param" | Rule::CHANGES);
                if is_given {
                    let reason = SkipReason::Failed(format!("the property `{name}` cannot be set"));
                    return self.skip(action, at, reason, Map::new());
                }
                if name == "alertLevel"
                    && let Err(error) = to_text(&value).parse::<AlertLevel>()
                {
                    return self.skip(action, at, SkipReason::Failed(error.to_string()), Map::new());
                }
                self.certainty.uncertain.remove(&name);
                self.base[name.as_str()] = value;
            }
            Err(error) => self.skip(action, at, SkipReason::Failed(error.to_string()), Map::new()),
        }
    }

    fn for_each(&mut self, action: &'p CompiledAction, at: String) {
        let completeness = action.fields.get("items").map_or(Completeness::Complete, |items| self.completeness(items));
        let creates_alert = action.creates_alert();
        if creates_alert && completeness != Completeness::Complete {
            // The items that are there may create the alert; without them, missing ones might.
            self.doubt(format!("missing data decides about the items of {at}"));
        }
        if completeness == Completeness::MayDiffer {
            self.is_undecided = true;
            return self.skip(action, at, SkipReason::Uncertain, Map::new());
        }
        let items = match self.field(action, "items") {
            Ok(Value::Array(items)) => items,
            Ok(Value::Null) => Vec::new(),
            Ok(single) => vec![single],
            Err(error) => {
                if creates_alert {
                    self.doubt(format!("{at} failed"));
                }
                return self.skip(action, at, SkipReason::Failed(error.to_string()), Map::new());
            }
        };
        self.stack.push(Frame::Items { action, items: items.into_iter(), next: 0, at, replaced: Vec::new() });
    }

    fn completeness(&self, template: &JsonTemplate) -> Completeness {
        let mut worst = Completeness::Complete;
        template.visit(&mut |template| {
            let found = self.certainty.of(&template.references(), &self.program.templates);
            if found != Completeness::Complete && worst != Completeness::MayDiffer {
                worst = found;
            }
        });
        worst
    }

    fn query(&mut self, action: &CompiledAction, at: String) {
        self.requested += 1;
        let rendered =
            self.field(action, "name").and_then(|name| Ok((name, self.text_in(Language::Query, action, "query")?)));
        let most = self.input.bounds.queries;
        match rendered {
            Ok(_) if self.requested > most => {
                self.skip_rest(&format!("the rule has more than {most} queries in one evaluation"))
            }
            Ok((name, query)) => {
                let (name, query) = (to_text(&name), to_text(&query));
                let request = QueryRequest { name, query, include_deleted: false, is_filled: true };
                self.awaited = Some(Awaited { request, by_action: true });
            }
            Err(error) => self.skip_rest(&format!("{at} failed: {error}")),
        }
    }

    fn plan(&mut self, action: &CompiledAction, at: String) {
        let environment = self.environment();
        let body = action.fields.get("body");
        let is_html =
            action.kind == ActionKind::SendEmail && body.is_some_and(|body| body.is_html(&self.program.templates));
        let rendered = |name: &str, field: &JsonTemplate| match (&action.kind, name) {
            (ActionKind::SendSlackMessage, "body") => field.compose(Language::Slack, &environment),
            (ActionKind::SendEmail, "body") if is_html => field.compose(Language::Html, &environment),
            (ActionKind::SendEmail, "body") => field.compose(Language::Plain, &environment),
            _ => field.render(&environment),
        };
        let fields = action.fields.iter().map(|(name, field)| Ok((name.clone(), rendered(name, field)?)));
        let fields = match fields.collect::<Result<Map<_, _>, Error>>() {
            Ok(fields) => fields,
            Err(error) => return self.skip(action, at, SkipReason::Failed(error.to_string()), Map::new()),
        };
        let fields = Value::Object(fields);
        self.planned = self.planned.saturating_add(memory_of(&fields));
        if self.planned > self.input.bounds.planned {
            return self.exceed(&format!("the actions up to {at} need"), self.input.bounds.planned);
        }
        let Value::Object(fields) = fields else { return };
        match Effect::of(&action.kind, &fields) {
            Ok(Some(mut effect)) => {
                if let Effect::Email(email) = &mut effect {
                    email.is_html = is_html;
                }
                self.actions.push(PlannedAction { at, effect });
            }
            Ok(None) => self.skip(action, at, SkipReason::NotCarriedOut, fields),
            Err(error) => self.skip(action, at, SkipReason::Failed(error.to_string()), fields),
        }
    }

    fn outcome(&mut self) -> Outcome {
        let rule = self.program.rule();
        if self.failure.is_some() {
            // A failed evaluation has no effect.
            self.actions.clear();
            self.skipped.iter_mut().for_each(|skipped| skipped.fields.clear());
        }
        if self.failure.is_some() || self.is_undecided {
            // The rows are still new when the actions run.
            self.memory = self.input.previous.clone();
        }
        let names = rule.query_names();
        self.memory.retain(|query| names.as_ref().is_none_or(|names| names.contains(&query)));
        let outputs = rule.outputs.iter().map(|name| self.output(name)).collect();
        let level = self.base.get("alertLevel").map(to_text).and_then(|text| text.parse().ok());
        Outcome {
            signal: self.signal(rule),
            level: level.unwrap_or_default(),
            has_new_rows: self.has_new_rows,
            outputs,
            actions: std::mem::take(&mut self.actions),
            skipped: std::mem::take(&mut self.skipped),
            queries: std::mem::take(&mut self.queries),
            conditions: std::mem::take(&mut self.conditions),
            failure: self.failure.clone(),
            is_undecided: self.is_undecided,
            memory: std::mem::take(&mut self.memory),
        }
    }

    fn output(&self, name: &str) -> Output {
        let value = Scope::new(&self.base).at(name).unwrap_or(&Value::Null);
        let omitted = is_larger(value, self.input.bounds.output);
        Output { name: name.to_owned(), value: if omitted { Value::Null } else { value.clone() }, omitted }
    }

    fn signal(&self, rule: &Rule) -> Signal {
        if !self.program.creates_alert() {
            return Signal::None;
        }
        if let Some(reason) = &self.failure {
            return Signal::Unknown { reason: reason.clone() };
        }
        match (&self.alert.doubt, &rule.input) {
            _ if self.alert.is_created => Signal::Met,
            (Some(reason), _) => Signal::Unknown { reason: reason.clone() },
            (None, RuleInput::Changes { selections, resolve_after })
                if selections.iter().any(crate::ChangeSelection::is_about_events) =>
            {
                Signal::Quiet { resolve_after: resolve_after.map(crate::LengthOfTime::duration) }
            }
            (None, _) => Signal::NotMet,
        }
    }
}
