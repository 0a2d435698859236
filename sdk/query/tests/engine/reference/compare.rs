//! Comparisons by the text of the language: lists, absence, and negation.

use integration_query::syntax::{Condition, Literal, Operand, Operator, Path};
use regex::Regex;
use serde_json::Value;

use crate::support::NOW;

/// Resolves a path to a value; `None` is an absent property.
pub type Resolve<'r> = dyn Fn(&Path) -> Option<Value> + 'r;

pub fn holds(condition: &Condition, resolve: &Resolve<'_>) -> bool {
    match condition {
        Condition::And(parts) => parts.iter().all(|part| holds(part, resolve)),
        Condition::Or(parts) => parts.iter().any(|part| holds(part, resolve)),
        Condition::Compare(comparison) => {
            let left = present(resolve(&comparison.left));
            let (positive, is_negated) = positive(comparison.operator.value);
            matches(left.as_ref(), positive, &comparison.right, resolve) != is_negated
        }
    }
}

fn present(value: Option<Value>) -> Option<Value> {
    value.filter(|value| !value.is_null())
}

fn positive(operator: Operator) -> (Operator, bool) {
    match operator {
        Operator::NotEqual => (Operator::Equal, true),
        Operator::NotContains => (Operator::Contains, true),
        Operator::NotStartsWith => (Operator::StartsWith, true),
        Operator::NotEndsWith => (Operator::EndsWith, true),
        operator => (operator, false),
    }
}

fn matches(left: Option<&Value>, operator: Operator, right: &Operand, resolve: &Resolve<'_>) -> bool {
    match right {
        Operand::Any(operands, _) => operands.iter().any(|operand| matches(left, operator, operand, resolve)),
        Operand::All(operands, _) => operands.iter().all(|operand| matches(left, operator, operand, resolve)),
        Operand::Literal(literal) => match (&literal.value, left) {
            (Literal::Undefined | Literal::Null, left) => left.is_none(),
            (_, None) => false,
            (literal, Some(left)) => elements(left).iter().any(|element| literal_matches(element, operator, literal)),
        },
        Operand::Path(path) => {
            let (Some(left), Some(right)) = (left, present(resolve(path))) else { return false };
            let right = elements(&right);
            elements(left).iter().any(|left| right.iter().any(|right| values_match(left, operator, right)))
        }
    }
}

fn elements(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(elements) => elements.iter().filter(|element| !element.is_null()).cloned().collect(),
        single => vec![single.clone()],
    }
}

fn literal_matches(value: &Value, operator: Operator, literal: &Literal) -> bool {
    match literal {
        Literal::Text(text) => values_match(value, operator, &Value::from(text.as_str())),
        Literal::Number(text) => values_match(value, operator, &serde_json::from_str(text).expect("a number")),
        Literal::Boolean(boolean) => values_match(value, operator, &Value::from(*boolean)),
        Literal::Now { offset_ms } => date_matches(value, operator, NOW + offset_ms),
        Literal::Date(text) => date_matches(value, operator, date(text).expect("a date")),
        Literal::Regex { pattern, ignore_case } => {
            let Some(text) = value.as_str() else { return false };
            let flags = if *ignore_case { "(?i)" } else { "" };
            let anchored = match operator {
                Operator::StartsWith => format!("{flags}^(?:{pattern})"),
                Operator::EndsWith => format!("{flags}(?:{pattern})$"),
                _ => format!("{flags}{pattern}"),
            };
            Regex::new(&anchored).expect("a regular expression").is_match(text)
        }
        Literal::Undefined | Literal::Null | Literal::Parameter(_) => panic!("not a value"),
    }
}

/// The dates of the test data: a day at midnight.
fn date(text: &str) -> Option<i64> {
    match text.get(..10)? {
        "2023-12-31" => Some(NOW - 24 * 3_600_000),
        "2024-01-01" => Some(NOW),
        "2024-01-02" => Some(NOW + 24 * 3_600_000),
        _ => None,
    }
}

fn date_matches(value: &Value, operator: Operator, at: i64) -> bool {
    let value = match value {
        Value::String(text) => date(text).map(Value::from),
        number => Some(number.clone()),
    };
    value.is_some_and(|value| values_match(&value, operator, &Value::from(at)))
}

fn values_match(left: &Value, operator: Operator, right: &Value) -> bool {
    match (left, right) {
        (Value::String(left), Value::String(right)) => match operator {
            Operator::Contains => left.contains(right),
            Operator::StartsWith => left.starts_with(right),
            Operator::EndsWith => left.ends_with(right),
            _ => ordered(operator, left.as_str(), right.as_str()),
        },
        (Value::Number(left), Value::Number(right)) => ordered(operator, &left.as_f64(), &right.as_f64()),
        (Value::Bool(left), Value::Bool(right)) => operator == Operator::Equal && left == right,
        _ => false,
    }
}

fn ordered<T: PartialOrd + ?Sized>(operator: Operator, left: &T, right: &T) -> bool {
    match operator {
        Operator::Equal => left == right,
        Operator::Less => left < right,
        Operator::LessOrEqual => left <= right,
        Operator::Greater => left > right,
        Operator::GreaterOrEqual => left >= right,
        _ => false,
    }
}
