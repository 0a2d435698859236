//! Checks of a compiled rule.

use std::collections::BTreeSet;

use integration_scheduler::PollingInterval;
use serde_json::Value;

use super::problem::{Problem, ProblemKind};
use super::{CompiledAction, Program};
use crate::jexl::{JsonTemplate, References};
use crate::rule::{ActionKind, FieldShape, FieldSpec, Rule, RuleInput};

/// The names that every rule has.
const GIVEN: [&str; 7] =
    ["queries", "changes", "param", "alertWebLink", "alertRuleName", "alertRuleId", "alertRuleDescription"];

/// Adds the problems of everything except the syntax of conditions and templates.
pub(super) fn check(program: &Program, problems: &mut Vec<Problem>) {
    let mut checker = Checker::new(program, problems);
    checker.rule();
    checker.conditions();
    for (name, template) in &program.templates {
        let mut names = checker.names.clone();
        names.extend(["item", "itemIndex", "itemCount"].map(str::to_owned));
        // The templates are called by actions whose items they can see.
        checker
            .program
            .operations
            .iter()
            .flat_map(|operation| &operation.actions)
            .for_each(|action| items(action, &mut names));
        checker.references(&format!("templates.{name}"), &template.references(), &names);
    }
    for (at, operation) in program.operations.iter().enumerate() {
        let names = checker.names.clone();
        checker.actions(&format!("operations[{at}]"), &operation.actions, &names);
    }
    for output in &program.rule.outputs {
        checker.path("outputs", output);
    }
}

fn items(action: &CompiledAction, names: &mut BTreeSet<String>) {
    if action.kind == ActionKind::ForEachItem {
        names.insert(item_name(action));
    }
    action.actions.iter().for_each(|inner| items(inner, names));
}

/// Returns the name of an item in the inner actions of `FOR_EACH_ITEM`.
pub(crate) fn item_name(action: &CompiledAction) -> String {
    match action.fields.get("itemRef") {
        Some(JsonTemplate::Fixed(Value::String(name))) => name.clone(),
        _ => "item".to_owned(),
    }
}

struct Checker<'p> {
    program: &'p Program,
    problems: &'p mut Vec<Problem>,
    /// The names that conditions and actions can use, without those of items.
    names: BTreeSet<String>,
    /// The names of queries; `None` if they are not known.
    queries: Option<BTreeSet<String>>,
}

impl<'p> Checker<'p> {
    fn new(program: &'p Program, problems: &'p mut Vec<Problem>) -> Self {
        let mut names: BTreeSet<String> = GIVEN.iter().map(|name| (*name).to_owned()).collect();
        let mut queries: Option<BTreeSet<String>> =
            program.rule.query_names().map(|names| names.into_iter().map(str::to_owned).collect());
        for action in program.operations.iter().flat_map(|operation| &operation.actions) {
            action.properties(&mut |name| {
                names.insert(name.to_owned());
            });
            if let Some(queries) = &mut queries {
                results(action, queries);
            }
        }
        Self { program, problems, names, queries }
    }

    fn add(&mut self, at: &str, kind: ProblemKind) {
        self.problems.push(Problem::new(&self.program.rule.name, at, kind));
    }

    fn rule(&mut self) {
        let rule: &Rule = &self.program.rule;
        let length = rule.name.chars().count();
        if !(1..=255).contains(&length) {
            self.add("name", ProblemKind::NameLength(length));
        }
        if rule.spec_version != 1 {
            self.add("specVersion", ProblemKind::SpecVersion(rule.spec_version));
        }
        if rule.polling_interval == PollingInterval::Disabled {
            self.add("pollingInterval", ProblemKind::Disabled);
        }
        if rule.operations.iter().all(|operation| operation.actions.is_empty()) {
            self.add("operations", ProblemKind::NoAction);
        }
        if rule.new_entities_only && rule.operations.iter().any(|operation| operation.when.is_empty()) {
            self.add("operations", ProblemKind::NewOnlyWithoutCondition);
        }
        match &rule.input {
            RuleInput::Queries(queries) => {
                if queries.is_empty() {
                    self.add("question.queries", ProblemKind::NoInput);
                }
                let mut seen = BTreeSet::new();
                for query in queries {
                    if query.query.trim().is_empty() {
                        self.add("question.queries", ProblemKind::EmptyQuery(query.name.clone()));
                    }
                    if !seen.insert(&query.name) {
                        self.add("question.queries", ProblemKind::RepeatedQuery(query.name.clone()));
                    }
                }
            }
            RuleInput::Changes { selections, .. } if selections.is_empty() => {
                self.add("changes", ProblemKind::NoInput);
            }
            RuleInput::Changes { .. } | RuleInput::Question { .. } => {}
        }
    }

    fn conditions(&mut self) {
        for (at, operation) in self.program.operations.iter().enumerate() {
            let at = format!("operations[{at}].when.condition");
            let (mut paths, mut all) = (Vec::new(), Vec::new());
            for condition in &operation.conditions {
                condition.visit(&mut |path| paths.push(path.to_owned()), &mut |references| all.push(references));
            }
            paths.iter().for_each(|path| self.path(&at, path));
            let names = self.names.clone();
            all.iter().for_each(|references| self.references(&at, references, &names));
        }
    }

    fn path(&mut self, at: &str, path: &str) {
        let (name, rest) = path.split_once('.').unwrap_or((path, ""));
        let member = rest.split('.').next().filter(|member| !member.is_empty());
        let names = self.names.clone();
        self.name(at, name, member, &names);
        let result = match name {
            "queries" => rest.split('.').nth(1),
            "changes" => member,
            _ => None,
        };
        if result.is_some_and(|result| !matches!(result, "total" | "data")) {
            self.add(at, ProblemKind::UnknownMember(path.to_owned()));
        }
    }

    fn name(&mut self, at: &str, name: &str, member: Option<&str>, names: &BTreeSet<String>) {
        if !names.contains(name) {
            self.add(at, ProblemKind::UnknownName(name.to_owned()));
        } else if let ("queries", Some(query), Some(queries)) = (name, member, &self.queries)
            && !queries.contains(query)
        {
            self.add(at, ProblemKind::UnknownQuery(query.to_owned()));
        }
    }

    fn references(&mut self, at: &str, references: &References, names: &BTreeSet<String>) {
        for reference in &references.names {
            self.name(at, &reference.name, reference.member.as_deref(), names);
        }
        for (query, member) in &references.results {
            if !matches!(member.as_str(), "total" | "data") {
                self.add(at, ProblemKind::UnknownMember(format!("queries.{query}.{member}")));
            }
        }
        for template in references.templates.iter().flatten() {
            // A template that cannot be parsed is reported at its own place.
            if !self.program.rule.templates.contains_key(template) {
                self.add(at, ProblemKind::UnknownTemplate(template.clone()));
            }
        }
    }

    fn actions(&mut self, at: &str, actions: &[CompiledAction], names: &BTreeSet<String>) {
        for action in actions {
            let at = format!("{at}.actions[{}]", action.position);
            self.fields(&at, action);
            for (field, template) in &action.fields {
                let mut all = Vec::new();
                template.visit(&mut |template| all.push(template.references()));
                all.iter().for_each(|references| self.references(&format!("{at}.{field}"), references, names));
            }
            if action.kind == ActionKind::ForEachItem {
                if action.actions.is_empty() {
                    self.add(&at, ProblemKind::MissingField("actions"));
                }
                let mut inner = names.clone();
                inner.insert(item_name(action));
                self.actions(&at, &action.actions, &inner);
            }
        }
    }

    fn fields(&mut self, at: &str, action: &CompiledAction) {
        let Some(known) = action.kind.fields() else {
            return self.add(at, ProblemKind::UnknownAction(action.kind.name().to_owned()));
        };
        if !action.kind.is_carried_out() {
            self.add(at, ProblemKind::NotCarriedOut(action.kind.name().to_owned()));
        }
        for FieldSpec { name, is_required, shape } in known {
            match action.fields.get(*name) {
                None if *is_required => self.add(at, ProblemKind::MissingField(name)),
                Some(JsonTemplate::Fixed(Value::Null)) if *is_required => {
                    self.add(at, ProblemKind::MissingField(name));
                }
                Some(JsonTemplate::Fixed(Value::Null)) | None => {}
                Some(value) => {
                    if let Some(expected) = misshaped(value, *shape) {
                        self.add(&format!("{at}.{name}"), ProblemKind::FieldShape(expected));
                    }
                }
            }
        }
        for name in action.fields.keys() {
            if !known.iter().any(|field| field.name == name) {
                self.add(at, ProblemKind::UnknownField(name.clone()));
            }
        }
        self.values(at, action);
        for (field, kind) in super::target::problems(action) {
            self.add(&format!("{at}.{field}"), kind);
        }
    }

    fn values(&mut self, at: &str, action: &CompiledAction) {
        let literal = |field: &str| match action.fields.get(field) {
            Some(JsonTemplate::Fixed(Value::String(text))) => Some(text.as_str()),
            _ => None,
        };
        match action.kind {
            ActionKind::SetProperty if literal("targetProperty") == Some("alertLevel") => {
                const LEVELS: &str = "INFO, LOW, MEDIUM, HIGH, or CRITICAL";
                let is_level = |text: &str| text.parse::<crate::alert::AlertLevel>().is_ok();
                if let Some(found) = literal("targetValue").filter(|text| !is_level(text)) {
                    self.add(
                        &format!("{at}.targetValue"),
                        ProblemKind::Value { found: found.to_owned(), expected: LEVELS },
                    );
                }
            }
            ActionKind::Webhook => {
                const METHODS: &str = "POST, PUT, GET, HEAD, PATCH, or DELETE";
                let is_method = |text: &str| ["POST", "PUT", "GET", "HEAD", "PATCH", "DELETE"].contains(&text);
                if let Some(found) = literal("method").filter(|text| !is_method(text)) {
                    self.add(
                        &format!("{at}.method"),
                        ProblemKind::Value { found: found.to_owned(), expected: METHODS },
                    );
                }
                if !action.fields.contains_key("endpoint") && !action.fields.contains_key("url") {
                    self.add(at, ProblemKind::MissingField("endpoint"));
                }
            }
            _ => {}
        }
    }
}

/// Adds the names under which the queries of actions keep their results.
fn results(action: &CompiledAction, queries: &mut BTreeSet<String>) {
    if action.kind == ActionKind::JupiterOneQuery
        && let Some(JsonTemplate::Fixed(Value::String(name))) = action.fields.get("name")
    {
        queries.insert(name.clone());
    }
    action.actions.iter().for_each(|inner| results(inner, queries));
}

/// Returns the expected shape if a value has another one. A template can give any value.
fn misshaped(value: &JsonTemplate, shape: FieldShape) -> Option<&'static str> {
    let is_text = |value: &JsonTemplate| matches!(value, JsonTemplate::Text(_) | JsonTemplate::Fixed(Value::String(_)));
    if is_text(value) && shape != FieldShape::Flag {
        return None;
    }
    match (shape, value) {
        (FieldShape::Any, _) | (_, JsonTemplate::Text(_)) => None,
        (FieldShape::Texts, JsonTemplate::List(parts)) if parts.iter().all(is_text) => None,
        (FieldShape::Texts, JsonTemplate::Fixed(Value::Array(parts))) if parts.iter().all(Value::is_string) => None,
        (FieldShape::Flag, JsonTemplate::Fixed(Value::Bool(_))) => None,
        (FieldShape::Scalar, JsonTemplate::Fixed(Value::Bool(_) | Value::Number(_))) => None,
        (FieldShape::Object, JsonTemplate::Object(_) | JsonTemplate::Fixed(Value::Object(_))) => None,
        (FieldShape::Text, _) => Some("a text"),
        (FieldShape::Texts, _) => Some("a list of texts"),
        (FieldShape::Flag, _) => Some("true or false"),
        (FieldShape::Scalar, _) => Some("a text, a number, true, or false"),
        (FieldShape::Object, _) => Some("an object"),
    }
}
