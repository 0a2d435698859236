//! The operators that compute a value from two values.

use std::cmp::Ordering;

use serde_json::Value;

use super::syntax::Binary;
use super::values::{compare, loosely_equal, number, push_text, same, to_number};

/// Returns the result of an operator. `&&` and `||` are evaluated by the caller, because their right side may not run.
pub(super) fn apply(operator: Binary, left: &Value, right: &Value) -> Value {
    match operator {
        Binary::Add => add(left, right),
        Binary::Subtract => numeric(left, right, |left, right| left - right),
        Binary::Multiply => numeric(left, right, |left, right| left * right),
        Binary::Divide => numeric(left, right, |left, right| left / right),
        Binary::FloorDivide => numeric(left, right, |left, right| (left / right).floor()),
        Binary::Remainder => numeric(left, right, |left, right| left % right),
        Binary::Power => numeric(left, right, f64::powf),
        Binary::Equal => Value::Bool(loosely_equal(left, right)),
        Binary::NotEqual => Value::Bool(!loosely_equal(left, right)),
        Binary::Greater => Value::Bool(compare(left, right) == Some(Ordering::Greater)),
        Binary::AtLeast => Value::Bool(compare(left, right).is_some_and(Ordering::is_ge)),
        Binary::Less => Value::Bool(compare(left, right) == Some(Ordering::Less)),
        Binary::AtMost => Value::Bool(compare(left, right).is_some_and(Ordering::is_le)),
        Binary::In => Value::Bool(contains(right, left)),
        Binary::And | Binary::Or => Value::Null,
    }
}

/// Returns the negative number.
pub(super) fn negate(operand: &Value) -> Value {
    numeric(&Value::from(0), operand, |zero, operand| zero - operand)
}

fn numeric(left: &Value, right: &Value, operation: impl Fn(f64, f64) -> f64) -> Value {
    match (to_number(left), to_number(right)) {
        (Some(left), Some(right)) => number(operation(left, right)),
        _ => Value::Null,
    }
}

fn add(left: &Value, right: &Value) -> Value {
    if !left.is_string() && !right.is_string() {
        return numeric(left, right, |left, right| left + right);
    }
    let mut text = String::new();
    push_text(&mut text, left);
    push_text(&mut text, right);
    Value::String(text)
}

fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Array(elements), part) => elements.iter().any(|element| same(element, part)),
        (Value::String(whole), Value::String(part)) => whole.contains(part.as_str()),
        _ => false,
    }
}
