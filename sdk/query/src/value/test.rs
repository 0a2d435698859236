//! Tests of one property against constants.
//!
//! The rules of the language:
//!
//! - A list satisfies a comparison if any element does. `= (a AND b)` asks this for each constant, `= (a OR b)` for one.
//! - A negated operator is the complement of the operator, so an absent property satisfies it.
//! - `undefined` and `null` are the absence of the property.
//! - Values of different kinds are neither equal nor ordered: `5` is not `'5'`.
//! - A date equals the number of its milliseconds, and a text that is an ISO 8601 date of the same instant.
//! - A regular expression must match somewhere; after `^=` at the beginning, and after `$=` at the end.

use std::cmp::Ordering;

use regex::Regex;

use super::{Number, date::parse_instant};
use crate::graph::ValueRef;
use crate::syntax::Operator;

/// An operator without its negation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Relation {
    /// Equal values.
    Equal,
    /// The property is less.
    Less,
    /// The property is less or equal.
    LessOrEqual,
    /// The property is greater.
    Greater,
    /// The property is greater or equal.
    GreaterOrEqual,
    /// The text contains the other.
    Contains,
    /// The text starts with the other.
    StartsWith,
    /// The text ends with the other.
    EndsWith,
}

impl Relation {
    /// Splits an operator into its relation, and whether it is negated.
    pub fn of(operator: Operator) -> (Self, bool) {
        match operator {
            Operator::Equal => (Self::Equal, false),
            Operator::NotEqual => (Self::Equal, true),
            Operator::Less => (Self::Less, false),
            Operator::LessOrEqual => (Self::LessOrEqual, false),
            Operator::Greater => (Self::Greater, false),
            Operator::GreaterOrEqual => (Self::GreaterOrEqual, false),
            Operator::Contains => (Self::Contains, false),
            Operator::StartsWith => (Self::StartsWith, false),
            Operator::EndsWith => (Self::EndsWith, false),
            Operator::NotContains => (Self::Contains, true),
            Operator::NotStartsWith => (Self::StartsWith, true),
            Operator::NotEndsWith => (Self::EndsWith, true),
        }
    }

    /// Whether the relation compares parts of texts.
    pub fn is_textual(self) -> bool {
        matches!(self, Self::Contains | Self::StartsWith | Self::EndsWith)
    }

    /// Whether the relation needs an order.
    pub fn is_ordered(self) -> bool {
        matches!(self, Self::Less | Self::LessOrEqual | Self::Greater | Self::GreaterOrEqual)
    }

    fn accepts(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
            Self::Contains | Self::StartsWith | Self::EndsWith => false,
        }
    }

    fn holds_for_texts(self, value: &str, constant: &str) -> bool {
        match self {
            Self::Contains => value.contains(constant),
            Self::StartsWith => value.starts_with(constant),
            Self::EndsWith => value.ends_with(constant),
            _ => self.accepts(value.cmp(constant)),
        }
    }
}

/// A constant on the right side of a comparison.
#[derive(Debug, Clone)]
pub enum Constant {
    /// The absence of the property.
    Undefined,
    /// A boolean.
    Boolean(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(String),
    /// A point in time in milliseconds since the epoch.
    Instant(i64),
    /// A regular expression, compiled for its relation.
    Pattern(Regex),
}

/// The comparison of a property with one or more constants.
#[derive(Debug, Clone)]
pub struct Test {
    /// The relation.
    pub relation: Relation,
    /// Whether the result is negated.
    pub is_negated: bool,
    /// The constants; one of them must satisfy the relation.
    pub constants: Vec<Constant>,
}

impl Test {
    /// Whether the value of a property passes; `None` stands for an absent property.
    pub fn passes(&self, value: Option<&ValueRef<'_>>) -> bool {
        self.constants.iter().any(|constant| holds(self.relation, value, constant)) != self.is_negated
    }

    /// Whether the value has a kind that the constants can equal.
    ///
    /// If no value of a property has one, the comparison is probably a mistake, such as a number in quotes.
    pub fn is_comparable(&self, value: &ValueRef<'_>) -> bool {
        let fits = |value: &ValueRef<'_>| {
            self.constants.iter().any(|constant| match (constant, value) {
                (Constant::Undefined, _) => true,
                (Constant::Boolean(_), ValueRef::Boolean(_)) => true,
                (Constant::Number(_), ValueRef::Number(..)) => true,
                (Constant::Text(_) | Constant::Pattern(_), ValueRef::Text(_)) => true,
                (Constant::Instant(_), ValueRef::Number(..)) => true,
                (Constant::Instant(_), ValueRef::Text(text)) => parse_instant(text).is_some(),
                _ => false,
            })
        };
        match value {
            ValueRef::List(elements) => elements.is_empty() || elements.iter().any(fits),
            single => fits(single),
        }
    }
}

/// Whether a value, or an element of a list, has the relation to a constant.
fn holds(relation: Relation, value: Option<&ValueRef<'_>>, constant: &Constant) -> bool {
    match (value, constant) {
        (None | Some(ValueRef::Null), constant) => {
            relation == Relation::Equal && matches!(constant, Constant::Undefined)
        }
        (Some(ValueRef::List(elements)), constant) => elements
            .iter()
            .any(|element| !matches!(element, ValueRef::Null) && holds_for_one(relation, element, constant)),
        (Some(single), constant) => holds_for_one(relation, single, constant),
    }
}

fn holds_for_one(relation: Relation, value: &ValueRef<'_>, constant: &Constant) -> bool {
    match (value, constant) {
        (ValueRef::Boolean(value), Constant::Boolean(constant)) => relation == Relation::Equal && value == constant,
        (ValueRef::Number(_, text), Constant::Number(constant)) => {
            Number::parse(text).is_some_and(|number| relation.accepts(number.cmp(constant)))
        }
        (ValueRef::Number(_, text), Constant::Instant(at)) => {
            let at = Number::Integer(i128::from(*at));
            Number::parse(text).is_some_and(|number| relation.accepts(number.cmp(&at)))
        }
        (ValueRef::Text(text), Constant::Instant(at)) => {
            parse_instant(text).is_some_and(|instant| relation.accepts(instant.cmp(at)))
        }
        (ValueRef::Text(text), Constant::Text(constant)) => relation.holds_for_texts(text, constant),
        (ValueRef::Text(text), Constant::Pattern(pattern)) => match relation {
            // The leftmost match begins at 0 if any match does.
            Relation::StartsWith => pattern.find(text).is_some_and(|found| found.start() == 0),
            Relation::Equal | Relation::Contains | Relation::EndsWith => pattern.is_match(text),
            _ => false,
        },
        _ => false,
    }
}

/// Whether two properties have a relation: for lists, if any two elements have it. Absent properties have none.
pub fn holds_between(relation: Relation, left: Option<&ValueRef<'_>>, right: Option<&ValueRef<'_>>) -> bool {
    let (Some(left), Some(right)) = (left, right) else { return false };
    elements(left).any(|left| elements(right).any(|right| holds_between_two(relation, left, right)))
}

fn elements<'v, 'a>(value: &'v ValueRef<'a>) -> impl Iterator<Item = &'v ValueRef<'a>> {
    match value {
        ValueRef::List(elements) => elements.iter(),
        single => std::slice::from_ref(single).iter(),
    }
}

fn holds_between_two(relation: Relation, left: &ValueRef<'_>, right: &ValueRef<'_>) -> bool {
    match (left, right) {
        (ValueRef::Boolean(left), ValueRef::Boolean(right)) => relation == Relation::Equal && left == right,
        (ValueRef::Number(_, left), ValueRef::Number(_, right)) => Number::parse(left)
            .zip(Number::parse(right))
            .is_some_and(|(left, right)| relation.accepts(left.cmp(&right))),
        (ValueRef::Text(left), ValueRef::Text(right)) => relation.holds_for_texts(left, right),
        _ => false,
    }
}
