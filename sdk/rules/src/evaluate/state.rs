//! The input of an evaluation, and the values that conditions and templates see.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::memory::Memory;
use crate::jexl::Limits;
use crate::rule::{GraphChange, Rule, RuleQuery};

/// The bounds of an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The bounds of each template.
    pub template: Limits,
    /// The maximum number of actions.
    pub actions: usize,
    /// The maximum number of queries of actions.
    pub queries: usize,
    /// The maximum size of an output, in values.
    pub output: usize,
    /// The maximum number of changes in `changes.data`. The total is exact nevertheless.
    pub changes: usize,
    /// The approximate maximum of memory for the rows that the evaluation holds at the same time, in bytes.
    pub rows: usize,
    /// The approximate maximum of memory for the planned actions, in bytes.
    pub planned: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            template: Limits::default(),
            actions: 10_000,
            queries: 1_000,
            output: 10_000,
            changes: 10_000,
            rows: 128 << 20,
            planned: 16 << 20,
        }
    }
}

/// The input of an evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// The time of the evaluation.
    pub at: Timestamp,
    /// The parameters of the account, by name.
    pub parameters: Map<String, Value>,
    /// The address of the alert in a console.
    pub alert_web_link: Option<String>,
    /// The rows of the previous evaluation.
    pub previous: Memory,
    /// The queries of the saved question, for a rule that refers to one.
    pub question: Vec<RuleQuery>,
    /// The changes, for a rule about changes. Those that no selection contains are left out by the evaluation.
    pub changes: Vec<GraphChange>,
    /// The bounds.
    pub bounds: Bounds,
}

impl Input {
    /// Creates an input without parameters, earlier rows, and changes.
    pub fn at(at: Timestamp) -> Self {
        Self {
            at,
            parameters: Map::new(),
            alert_web_link: None,
            previous: Memory::default(),
            question: Vec::new(),
            changes: Vec::new(),
            bounds: Bounds::default(),
        }
    }

    /// Returns the names of conditions and templates before any query has run.
    pub(super) fn base(&self, rule: &Rule) -> Value {
        json!({
            "queries": {},
            "param": self.parameters,
            "alertWebLink": self.alert_web_link,
            "alertRuleName": rule.name,
            "alertRuleId": rule.id,
            "alertRuleDescription": rule.description,
        })
    }
}

/// Returns the approximate memory of a value, in bytes.
pub(super) fn memory_of(value: &Value) -> usize {
    /// The memory of a value without its contents.
    const VALUE: usize = size_of::<Value>();
    /// The memory of a member without its value: the name, and its place in the map.
    const MEMBER: usize = size_of::<String>() + 16;
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => VALUE,
        Value::String(text) => VALUE + text.len(),
        Value::Array(elements) => elements.iter().map(memory_of).fold(VALUE, usize::saturating_add),
        Value::Object(members) => {
            let of = |(name, value): (&String, &Value)| MEMBER + name.len() + memory_of(value);
            members.iter().map(of).fold(VALUE, usize::saturating_add)
        }
    }
}

/// Returns whether a value has more than a number of parts.
pub(super) fn is_larger(value: &Value, most: usize) -> bool {
    fn rest(value: &Value, most: usize) -> Option<usize> {
        let most = most.checked_sub(1)?;
        match value {
            Value::Array(elements) => elements.iter().try_fold(most, |most, element| rest(element, most)),
            Value::Object(members) => members.values().try_fold(most, |most, member| rest(member, most)),
            Value::String(text) => most.checked_sub(text.len() / 64),
            Value::Null | Value::Bool(_) | Value::Number(_) => Some(most),
        }
    }
    rest(value, most).is_none()
}
