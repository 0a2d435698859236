//! Conditions, whose truth may be unknown.
//!
//! A query result may be incomplete, because a gap covers a part of its data. A condition about such a result is true or
//! false only if no missing row can change that; otherwise it is unknown. `total > 0` is true with one row, however many
//! others are missing, and `total = 0` is unknown.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use crate::jexl::{
    Binary, Environment, Error, Expr, Expression, Node, References, Template, Templates, compare, dotted, is_true,
    loosely_equal,
};

/// The maximum number of lists inside lists.
const MAX_DEPTH: usize = 32;

/// The truth of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Truth {
    /// The condition holds.
    True,
    /// The condition does not hold.
    False,
    /// Missing data decides.
    Unknown,
}

impl Truth {
    fn of(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }

    fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
        }
    }

    /// Returns whether all parts hold.
    pub(crate) fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        parts.into_iter().fold(Self::True, |whole, part| match (whole, part) {
            (Self::False, _) | (_, Self::False) => Self::False,
            (Self::True, Self::True) => Self::True,
            _ => Self::Unknown,
        })
    }
}

/// The completeness of a query result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Completeness {
    /// All rows are there.
    #[default]
    Complete,
    /// Rows may be missing because of a gap; the present ones are certain.
    MayLackRows,
    /// Rows may be missing or wrong. A query for absent relationships returns wrong rows if a gap hides the relationships.
    MayDiffer,
}

/// The data that is known about the results, besides their values.
#[derive(Debug, Default)]
pub(crate) struct Certainty {
    /// The results that are not complete.
    pub incomplete: BTreeMap<String, Completeness>,
    /// The properties that an operation with an unknown condition may set.
    pub uncertain: BTreeSet<String>,
}

impl Certainty {
    /// Returns the completeness of everything that an expression uses.
    pub(crate) fn of(&self, references: &References, templates: &Templates) -> Completeness {
        if self.incomplete.is_empty() && self.uncertain.is_empty() {
            return Completeness::Complete;
        }
        let mut pending = vec![references.clone()];
        let mut called = BTreeSet::new();
        let mut worst = Completeness::Complete;
        while let Some(references) = pending.pop() {
            for reference in &references.names {
                worst = worse(worst, self.of_name(&reference.name, reference.member.as_deref()));
            }
            for name in &references.templates {
                let is_called = |template: &&String| name.as_ref().is_none_or(|name| name == *template);
                for name in templates.keys().filter(is_called).filter(|name| called.insert((*name).clone())) {
                    pending.push(templates[name].references());
                }
            }
        }
        worst
    }

    fn of_name(&self, name: &str, member: Option<&str>) -> Completeness {
        if self.uncertain.contains(name) {
            return Completeness::MayDiffer;
        }
        match (name, member) {
            ("queries", Some(query)) => self.incomplete.get(query).copied().unwrap_or_default(),
            ("queries", None) => self.incomplete.values().copied().fold(Completeness::Complete, worse),
            _ => Completeness::Complete,
        }
    }
}

fn worse(left: Completeness, right: Completeness) -> Completeness {
    use Completeness::{Complete, MayDiffer, MayLackRows};
    match (left, right) {
        (MayDiffer, _) | (_, MayDiffer) => MayDiffer,
        (MayLackRows, _) | (_, MayLackRows) => MayLackRows,
        (Complete, Complete) => Complete,
    }
}

/// A parsed condition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Compare { path: String, operator: Comparison, value: Value },
    Expression(Expression),
    Constant(bool),
}

/// An operator of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Greater,
    AtLeast,
    Less,
    AtMost,
}

impl Comparison {
    fn named(text: &str) -> Option<Self> {
        Some(match text {
            "=" | "==" => Self::Equal,
            "!=" => Self::NotEqual,
            ">" => Self::Greater,
            ">=" => Self::AtLeast,
            "<" => Self::Less,
            "<=" => Self::AtMost,
            _ => return None,
        })
    }

    fn of(operator: Binary) -> Option<Self> {
        Some(match operator {
            Binary::Equal => Self::Equal,
            Binary::NotEqual => Self::NotEqual,
            Binary::Greater => Self::Greater,
            Binary::AtLeast => Self::AtLeast,
            Binary::Less => Self::Less,
            Binary::AtMost => Self::AtMost,
            _ => return None,
        })
    }

    /// Returns the operator with its sides exchanged.
    fn flipped(self) -> Self {
        match self {
            Self::Greater => Self::Less,
            Self::AtLeast => Self::AtMost,
            Self::Less => Self::Greater,
            Self::AtMost => Self::AtLeast,
            equal => equal,
        }
    }

    fn holds(self, left: &Value, right: &Value) -> bool {
        let order = || compare(left, right);
        match self {
            Self::Equal => loosely_equal(left, right),
            Self::NotEqual => !loosely_equal(left, right),
            Self::Greater => order().is_some_and(std::cmp::Ordering::is_gt),
            Self::AtLeast => order().is_some_and(std::cmp::Ordering::is_ge),
            Self::Less => order().is_some_and(std::cmp::Ordering::is_lt),
            Self::AtMost => order().is_some_and(std::cmp::Ordering::is_le),
        }
    }

    /// Returns the truth for a number of which only a lower bound is known.
    fn holds_from(self, least: f64, right: f64) -> Truth {
        match self {
            Self::Greater if least > right => Truth::True,
            Self::AtLeast if least >= right => Truth::True,
            Self::NotEqual if least > right => Truth::True,
            Self::Less if least >= right => Truth::False,
            Self::AtMost | Self::Equal if least > right => Truth::False,
            _ => Truth::Unknown,
        }
    }
}

impl Condition {
    /// Parses the condition of a file. The error is a text for users.
    pub(crate) fn parse(value: &Value) -> Result<Self, String> {
        match value {
            Value::String(text) => {
                let template = Template::parse(text).map_err(|error| error.to_string())?;
                match (template.only(), constant(text)) {
                    (Some(expression), _) => Ok(Self::of_expression(expression, text)),
                    (None, Some(value)) => Ok(Self::Constant(value)),
                    // A text counts as true in expressions, so anything else would always hold.
                    (None, None) if template.is_literal() => Err(format!(
                        "the condition `{text}` is a text, so it would always hold: write an expression in braces, \
                         such as `{{{{queries.query0.total > 0}}}}`"
                    )),
                    (None, None) => Err(format!(
                        "the condition `{text}` has text outside of its braces, so it would always hold: write one \
                         expression, such as `{{{{a > 0 && b > 0}}}}`"
                    )),
                }
            }
            Value::Bool(value) => Ok(Self::Constant(*value)),
            Value::Array(parts) => Self::parse_list(parts, 0),
            _ => Err("a condition is a template or a list".to_owned()),
        }
    }

    fn parse_list(parts: &[Value], depth: usize) -> Result<Self, String> {
        if depth >= MAX_DEPTH {
            return Err(format!("a condition has more than {MAX_DEPTH} lists inside lists"));
        }
        if let Some(comparison) = Self::parse_comparison(parts)? {
            return Ok(comparison);
        }
        let conjunction = parts.first().unwrap_or(&Value::Null);
        let make = match conjunction.as_str() {
            Some("AND" | "and") => Self::All,
            Some("OR" | "or") => Self::Any,
            _ => {
                return Err(format!(
                    "Invalid conjunction operator: {conjunction}, expected \"AND\" or \"OR\", or a comparison such as \
                     [\"queries.query0.total\", \">\", 0]"
                ));
            }
        };
        let inner = parts[1..].iter().map(|part| match part {
            Value::Array(parts) => Self::parse_list(parts, depth + 1),
            Value::String(text) if text.contains("{{") => Self::parse(part),
            other => Err(format!("a condition contains {other}, expected a list")),
        });
        let inner = inner.collect::<Result<Vec<_>, _>>()?;
        if inner.is_empty() { Err("a condition has no comparison".to_owned()) } else { Ok(make(inner)) }
    }

    /// Parses `[left, operator, right]`.
    fn parse_comparison(parts: &[Value]) -> Result<Option<Self>, String> {
        let [left, Value::String(operator), right] = parts else { return Ok(None) };
        let is_conjunction = matches!(left.as_str(), Some("AND" | "and" | "OR" | "or"));
        let Some(operator) = Comparison::named(operator) else {
            let is_comparison = !is_conjunction && left.is_string() && !right.is_array();
            return if is_comparison {
                Err(format!("`{operator}` is no operator, expected one of: > < >= <= = !="))
            } else {
                Ok(None)
            };
        };
        let Value::String(path) = left else {
            return Err(format!("a comparison begins with {left}, expected a name such as \"queries.query0.total\""));
        };
        let path = match Template::parse(path).map_err(|error| error.to_string())? {
            template if template.is_literal() => path.clone(),
            template => template
                .only()
                .and_then(dotted)
                .ok_or_else(|| format!("`{path}` is no name, expected one such as \"queries.query0.total\""))?,
        };
        if right.as_str().is_some_and(|text| text.contains("{{")) {
            return Err(format!(
                "a comparison ends with {right}, expected a value: write the whole comparison as a template, such as \
                 \"{{{{queries.query0.total > queries.query1.total}}}}\""
            ));
        }
        Ok(Some(Self::Compare { path, operator, value: right.clone() }))
    }

    /// Converts an expression. Comparisons become conditions, so that they can be decided with missing rows.
    fn of_expression(expression: &Expr, source: &str) -> Self {
        let other = || Self::Expression(Expression::from_part(source, expression.clone()));
        match &expression.node {
            Node::Not(operand) => Self::Not(Box::new(Self::of_expression(operand, source))),
            Node::Binary(Binary::And, left, right) => {
                Self::All(vec![Self::of_expression(left, source), Self::of_expression(right, source)])
            }
            Node::Binary(Binary::Or, left, right) => {
                Self::Any(vec![Self::of_expression(left, source), Self::of_expression(right, source)])
            }
            Node::Binary(operator, left, right) => {
                let Some(operator) = Comparison::of(*operator) else { return other() };
                match (&left.node, &right.node) {
                    (_, Node::Literal(value)) => {
                        dotted(left).map_or_else(other, |path| Self::Compare { path, operator, value: value.clone() })
                    }
                    (Node::Literal(value), _) => dotted(right).map_or_else(other, |path| Self::Compare {
                        path,
                        operator: operator.flipped(),
                        value: value.clone(),
                    }),
                    _ => other(),
                }
            }
            Node::Name(_) | Node::Member(..) => match dotted(expression) {
                // A number of rows is true if it is positive.
                Some(path) if total_of(&path).is_some() => {
                    Self::Compare { path, operator: Comparison::Greater, value: Value::from(0) }
                }
                _ => other(),
            },
            _ => other(),
        }
    }

    /// Returns the truth of the condition.
    pub(crate) fn truth(&self, environment: &Environment<'_>, certainty: &Certainty) -> Result<Truth, Error> {
        let all = |parts: &[Self]| {
            let parts = parts.iter().map(|part| part.truth(environment, certainty));
            Ok(Truth::all(parts.collect::<Result<Vec<_>, Error>>()?))
        };
        match self {
            Self::All(parts) => all(parts),
            Self::Any(parts) => {
                let parts = parts.iter().map(|part| part.truth(environment, certainty).map(Truth::not));
                Ok(Truth::all(parts.collect::<Result<Vec<_>, Error>>()?).not())
            }
            Self::Not(part) => part.truth(environment, certainty).map(Truth::not),
            Self::Compare { path, operator, value } => Ok(compare_at(path, *operator, value, environment, certainty)),
            Self::Expression(expression) => {
                if certainty.of(&expression.references(), environment.templates) != Completeness::Complete {
                    return Ok(Truth::Unknown);
                }
                let value = expression.evaluate(environment)?;
                match decided(&value) {
                    Some(value) => Ok(Truth::of(value)),
                    None => Err(expression.error(
                        "The condition is a list or an object, expected true or false: use its length, such as \
                         `(list|length) > 0`",
                    )),
                }
            }
            Self::Constant(value) => Ok(Truth::of(*value)),
        }
    }

    /// Calls a function with the dotted names of comparisons and the names of expressions.
    pub(crate) fn visit(&self, path: &mut dyn FnMut(&str), expression: &mut dyn FnMut(References)) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.visit(path, expression)),
            Self::Not(part) => part.visit(path, expression),
            Self::Compare { path: name, .. } => path(name),
            Self::Expression(inner) => expression(inner.references()),
            Self::Constant(_) => {}
        }
    }
}

/// Returns the value of a text `true` or `false`.
fn constant(text: &str) -> Option<bool> {
    match text.trim() {
        word if word.eq_ignore_ascii_case("true") => Some(true),
        word if word.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// Returns the truth of a value; `None` for lists and objects, which would always be true, even empty ones.
///
/// The texts `true` and `false` have their meaning, because parameters of the account can be texts.
fn decided(value: &Value) -> Option<bool> {
    match value {
        Value::Array(_) | Value::Object(_) => None,
        Value::String(text) => Some(constant(text).unwrap_or_else(|| is_true(value))),
        other => Some(is_true(other)),
    }
}

/// Returns the query of a path `queries.NAME.total`.
fn total_of(path: &str) -> Option<&str> {
    path.strip_prefix("queries.")?.strip_suffix(".total")
}

fn compare_at(
    path: &str,
    operator: Comparison,
    value: &Value,
    environment: &Environment<'_>,
    certainty: &Certainty,
) -> Truth {
    let found = environment.scope.at(path).unwrap_or(&Value::Null);
    if let Some(completeness) = total_of(path).and_then(|query| certainty.incomplete.get(query)) {
        let least = match completeness {
            Completeness::Complete => return Truth::of(operator.holds(found, value)),
            Completeness::MayLackRows => found.as_f64().unwrap_or(0.0),
            Completeness::MayDiffer => 0.0,
        };
        return value.as_f64().map_or(Truth::Unknown, |value| operator.holds_from(least, value));
    }
    let (name, rest) = path.split_once('.').unwrap_or((path, ""));
    let member = rest.split('.').next().filter(|member| !member.is_empty());
    if certainty.of_name(name, member) == Completeness::Complete {
        Truth::of(operator.holds(found, value))
    } else {
        Truth::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jexl::{Limits, Scope};
    use proptest::prelude::*;
    use serde_json::json;

    fn truth_with(condition: &Value, total: u64, completeness: Completeness) -> Truth {
        let base = json!({"queries": {"q": {"total": total, "data": []}, "sure": {"total": 1}}, "level": "HIGH"});
        let templates = Templates::default();
        let environment = Environment { scope: Scope::new(&base), templates: &templates, limits: Limits::default() };
        let mut certainty = Certainty::default();
        if completeness != Completeness::Complete {
            certainty.incomplete.insert("q".to_owned(), completeness);
        }
        let condition = Condition::parse(condition).expect("a condition");
        condition.truth(&environment, &certainty).expect("a truth")
    }

    fn truth(condition: &Value, total: u64) -> Truth {
        truth_with(condition, total, Completeness::Complete)
    }

    #[test]
    fn all_forms_are_read() {
        let (yes, no) = (Truth::True, Truth::False);
        for (condition, expected) in [
            (json!(["AND", ["queries.q.total", ">", 0]]), yes),
            (json!(["queries.q.total", ">", 100]), no),
            (json!(["AND", ["queries.q.total", ">=", 2], ["queries.q.total", "<", 2]]), no),
            (json!(["OR", ["queries.q.total", "!=", 2], ["level", "=", "HIGH"]]), yes),
            (
                json!([
                    "AND",
                    ["OR", ["queries.q.total", "=", 9], ["level", "=", "HIGH"]],
                    ["queries.q.total", "<=", 2]
                ]),
                yes,
            ),
            (json!(["AND", "{{queries.q.total == 2}}"]), yes),
            (json!(["{{queries.q.total}}", "=", 2]), yes),
            (json!("{{queries.q.total > 0}}"), yes),
            (json!("{{queries.q.total != 2 || level == 'LOW'}}"), no),
            (json!("{{!(3 <= queries.q.total)}}"), yes),
            (json!("{{queries.q.total}}"), yes),
            (json!("{{queries.missing.total > 0}}"), no),
            (json!("{{queries.q.data|length > 0}}"), no),
            (json!("true"), yes),
            (json!("false"), no),
            (json!(" False\n"), no),
            (json!(true), yes),
            (json!(false), no),
            (json!("{{'false'}}"), no),
            (json!("{{level == 'HIGH' ? 'true' : 'false'}}"), yes),
        ] {
            assert_eq!(truth(&condition, 2), expected, "{condition}");
        }
    }

    #[test]
    fn wrong_conditions_have_the_known_text() {
        for (condition, part) in [
            (json!(["XOR", ["queries.q.total", ">", 0]]), "Invalid conjunction operator"),
            (json!([]), "Invalid conjunction operator"),
            (json!(["AND"]), "no comparison"),
            (json!(["AND", 1]), "expected a list"),
            (json!(["queries.q.total", "~", 1]), "no operator"),
            (json!([1, ">", 1]), "expected a name"),
            (json!(1), "a template or a list"),
            (json!("queries.q.total > 0"), "in braces"),
            (json!("yes"), "in braces"),
            (json!(""), "in braces"),
            (json!("{{queries.q.total > 0}} && {{queries.q.total > 1}}"), "one expression"),
            (json!("not {{queries.q.total > 0}}"), "one expression"),
            (json!(["AND", "{{true}} {{false}}"]), "one expression"),
            (json!(["queries.q.total", ">", "{{queries.sure.total}}"]), "the whole comparison"),
            (json!("{{a"), "expected `}}`"),
        ] {
            let error = Condition::parse(&condition).expect_err("a wrong condition");
            assert!(error.contains(part), "{condition}: {error}");
        }
        let deep = (0..1_000).fold(json!(["a", "=", 1]), |inner, _| json!(["AND", inner]));
        assert!(Condition::parse(&deep).expect_err("too deep").contains("lists inside lists"));
    }

    #[test]
    fn a_list_is_no_truth_because_an_empty_one_would_hold() {
        let base = json!({"queries": {"q": {"total": 0, "data": []}}});
        let templates = Templates::default();
        let environment = Environment { scope: Scope::new(&base), templates: &templates, limits: Limits::default() };
        for text in ["{{queries.q.data}}", "{{queries.q.data[.public]}}", "{{!!queries}}"] {
            let condition = Condition::parse(&json!(text)).expect(text);
            let error = condition.truth(&environment, &Certainty::default()).expect_err(text).to_string();
            assert!(error.contains("use its length"), "{error}");
        }
    }

    #[test]
    fn missing_rows_decide_only_if_they_could() {
        let lacks = |condition: &str, total| truth_with(&json!(condition), total, Completeness::MayLackRows);
        assert_eq!(lacks("{{queries.q.total > 0}}", 1), Truth::True);
        assert_eq!(lacks("{{queries.q.total}}", 1), Truth::True);
        assert_eq!(lacks("{{queries.q.total > 0}}", 0), Truth::Unknown);
        assert_eq!(lacks("{{queries.q.total == 0}}", 0), Truth::Unknown);
        assert_eq!(lacks("{{queries.q.total == 0}}", 1), Truth::False);
        assert_eq!(lacks("{{queries.q.data|length > 0}}", 1), Truth::Unknown);
        assert_eq!(lacks("{{queries.q.total > 0 && queries.sure.total == 1}}", 1), Truth::True);
        assert_eq!(lacks("{{queries.q.total > 0 && queries.sure.total == 2}}", 0), Truth::False);
        assert_eq!(lacks("{{queries.q.total > 0 || queries.sure.total == 1}}", 0), Truth::True);
        let differs = |condition: &str| truth_with(&json!(condition), 5, Completeness::MayDiffer);
        assert_eq!(differs("{{queries.q.total > 0}}"), Truth::Unknown);
        assert_eq!(differs("{{queries.q.total >= 0}}"), Truth::True);
        assert_eq!(differs("{{queries.sure.total > 0}}"), Truth::True);
    }

    fn operator() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![">", ">=", "<", "<=", "=", "!="])
    }

    proptest! {
        /// Of an incomplete result, the condition is decided exactly if all complete results agree.
        #[test]
        fn decided_means_that_no_further_row_matters(
            operators in prop::collection::vec((operator(), 0_u64..4), 1..3),
            conjunction in prop::sample::select(vec!["AND", "OR"]),
            present in 0_u64..4,
        ) {
            let mut condition = vec![json!(conjunction)];
            condition.extend(operators.iter().map(|(operator, value)| json!(["queries.q.total", operator, value])));
            let condition = json!(condition);
            let lacking = truth_with(&condition, present, Completeness::MayLackRows);
            let possible: BTreeSet<bool> = (present..10).map(|total| truth(&condition, total) == Truth::True).collect();
            match lacking {
                Truth::True => prop_assert_eq!(possible, BTreeSet::from([true])),
                Truth::False => prop_assert_eq!(possible, BTreeSet::from([false])),
                // Two comparisons may exclude each other in a way that neither shows alone.
                Truth::Unknown => prop_assert!(possible.len() == 2 || operators.len() > 1),
            }
        }
    }
}
