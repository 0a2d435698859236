//! A rule whose conditions and templates are parsed.

mod check;
pub(crate) use check::item_name;
mod problem;
mod target;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::condition::Condition;
use crate::jexl::{JsonTemplate, Template, Templates};
use crate::rule::{Action, ActionKind, Operation, Rule};

pub use problem::{Problem, ProblemKind, Severity};

/// A rule that can be evaluated.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    rule: Rule,
    pub(crate) operations: Vec<CompiledOperation>,
    pub(crate) templates: Templates,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CompiledOperation {
    pub conditions: Vec<Condition>,
    pub actions: Vec<CompiledAction>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CompiledAction {
    pub kind: ActionKind,
    /// The position among the actions of the file.
    pub position: usize,
    pub fields: BTreeMap<String, JsonTemplate>,
    pub actions: Vec<CompiledAction>,
}

impl CompiledAction {
    /// Returns whether the action or one of its inner actions creates the alert.
    pub(crate) fn creates_alert(&self) -> bool {
        self.kind == ActionKind::CreateAlert || self.actions.iter().any(Self::creates_alert)
    }

    /// Calls a function with the literal name of each property that the action sets.
    pub(crate) fn properties(&self, visit: &mut dyn FnMut(&str)) {
        if self.kind == ActionKind::SetProperty
            && let Some(JsonTemplate::Fixed(Value::String(name))) = self.fields.get("targetProperty")
        {
            visit(name);
        }
        self.actions.iter().for_each(|action| action.properties(visit));
    }
}

impl Program {
    /// Parses the conditions and templates of a rule.
    ///
    /// # Errors
    /// All problems of the rule, if one of them is an error.
    pub fn compile(rule: Rule) -> Result<Self, Vec<Problem>> {
        let (program, problems) = Self::checked(rule);
        let has_errors = problems.iter().any(|problem| problem.severity() == Severity::Error);
        if has_errors { Err(problems) } else { Ok(program) }
    }

    /// Parses the conditions and templates of several rules, whose names must be unique.
    ///
    /// # Errors
    /// All problems of the rules, if one of them is an error.
    pub fn compile_all(rules: Vec<Rule>) -> Result<Vec<Self>, Vec<Problem>> {
        let mut problems = repeated_names(&rules);
        let mut programs = Vec::new();
        for rule in rules {
            let (program, found) = Self::checked(rule);
            programs.push(program);
            problems.extend(found);
        }
        let has_errors = problems.iter().any(|problem| problem.severity() == Severity::Error);
        if has_errors { Err(problems) } else { Ok(programs) }
    }

    /// Returns the rule.
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// Returns whether an action of the rule creates the alert.
    pub fn creates_alert(&self) -> bool {
        self.operations.iter().flat_map(|operation| &operation.actions).any(CompiledAction::creates_alert)
    }

    /// Parses everything that can be parsed, and collects all problems.
    fn checked(rule: Rule) -> (Self, Vec<Problem>) {
        let mut compiler = Compiler { rule: rule.name.clone(), problems: Vec::new() };
        let mut templates = Templates::new();
        for (name, text) in &rule.templates {
            match Template::parse(text) {
                Ok(template) => {
                    templates.insert(name.clone(), template);
                }
                Err(error) => compiler.add(&format!("templates.{name}"), ProblemKind::Template(error.to_string())),
            }
        }
        let operations = rule.operations.iter().enumerate();
        let operations = operations.map(|(at, operation)| compiler.operation(at, operation)).collect();
        let mut problems = compiler.problems;
        let program = Self { rule, operations, templates };
        check::check(&program, &mut problems);
        (program, problems)
    }
}

impl Rule {
    /// Returns everything that is wrong or questionable in the rule.
    pub fn problems(&self) -> Vec<Problem> {
        Program::checked(self.clone()).1
    }
}

/// Returns the problems of several rules, including names that are not unique.
pub fn problems_of(rules: &[Rule]) -> Vec<Problem> {
    let mut problems: Vec<Problem> = rules.iter().flat_map(Rule::problems).collect();
    problems.extend(repeated_names(rules));
    problems
}

fn repeated_names(rules: &[Rule]) -> Vec<Problem> {
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    rules.iter().for_each(|rule| *times.entry(&rule.name).or_default() += 1);
    let repeated = times.into_iter().filter(|(_, times)| *times > 1);
    repeated.map(|(name, times)| Problem::new(name, "name", ProblemKind::RepeatedName(times))).collect()
}

struct Compiler {
    rule: String,
    problems: Vec<Problem>,
}

impl Compiler {
    fn add(&mut self, at: &str, kind: ProblemKind) {
        self.problems.push(Problem::new(&self.rule, at, kind));
    }

    fn operation(&mut self, at: usize, operation: &Operation) -> CompiledOperation {
        let at = format!("operations[{at}]");
        let mut conditions = Vec::new();
        for when in &operation.when {
            if when.kind != "FILTER" {
                self.add(&format!("{at}.when.type"), ProblemKind::ConditionType(when.kind.clone()));
            }
            match Condition::parse(&when.condition) {
                Ok(condition) => conditions.push(condition),
                Err(message) => self.add(&format!("{at}.when.condition"), ProblemKind::Condition(message)),
            }
        }
        CompiledOperation { conditions, actions: self.actions(&at, &operation.actions) }
    }

    fn actions(&mut self, at: &str, actions: &[Action]) -> Vec<CompiledAction> {
        let compile = |(position, action): (usize, &Action)| {
            let at = format!("{at}.actions[{position}]");
            let mut fields = BTreeMap::new();
            for (name, value) in &action.fields {
                match JsonTemplate::parse(value) {
                    Ok(template) => {
                        fields.insert(name.clone(), template);
                    }
                    Err(error) => self.add(&format!("{at}.{name}"), ProblemKind::Template(error.to_string())),
                }
            }
            let mut inner = self.actions(&at, &action.actions);
            // The queries of an item run first, so that all its actions can use their results.
            inner.sort_by_key(|action| action.kind != ActionKind::JupiterOneQuery);
            CompiledAction { kind: action.kind.clone(), position, fields, actions: inner }
        };
        actions.iter().enumerate().map(compile).collect()
    }
}
