//! Conversions between kinds of values, and their comparison.

use std::cmp::Ordering;

use serde_json::{Number, Value};

/// The largest number up to which every integer is a float of 64 bits.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Returns whether a value counts as true.
pub fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(value) => value.as_f64() != Some(0.0),
        Value::String(value) => !value.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

/// Returns a value as a part of a text.
pub fn to_text(value: &Value) -> String {
    let mut text = String::new();
    push_text(&mut text, value);
    text
}

/// Appends a value to a text. A list is its elements joined by commas, and an object is JSON.
pub(super) fn push_text(text: &mut String, value: &Value) {
    match value {
        Value::Null => {}
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Number(value) => text.push_str(&value.to_string()),
        Value::String(value) => text.push_str(value),
        Value::Array(elements) => {
            for (at, element) in elements.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                push_text(text, element);
            }
        }
        Value::Object(_) => text.push_str(&value.to_string()),
    }
}

/// Returns a number as JSON: an integer if it is one, and `null` if it is not finite.
pub(super) fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() <= EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "the number is an integer below 2^53")]
        return Value::from(value as i64);
    }
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

/// Returns a value as an operand of arithmetic.
pub(super) fn to_number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(value) => value.as_f64(),
        Value::Bool(value) => Some(f64::from(u8::from(*value))),
        Value::String(value) => text_to_number(value),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Returns the number that a text of digits means. `NaN`, `inf`, and the empty text are not numbers.
fn text_to_number(text: &str) -> Option<f64> {
    let text = text.trim();
    let is_number = text.bytes().all(|letter| letter.is_ascii_digit() || b"+-.eE".contains(&letter));
    if is_number { text.parse().ok().filter(|number: &f64| number.is_finite()) } else { None }
}

/// Compares two values as `==` does.
pub(crate) fn loosely_equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Null, _) | (_, Value::Null) => left == right,
        (Value::String(left), Value::String(right)) => left == right,
        (Value::Array(_) | Value::Object(_), _) | (_, Value::Array(_) | Value::Object(_)) => same(left, right),
        _ => match (to_number(left), to_number(right)) {
            (Some(left), Some(right)) => left == right,
            _ => false,
        },
    }
}

/// Compares two values by content. Numbers are equal if their values are, however they are written.
pub(super) fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left == right || left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, left)| right.get(name).is_some_and(|right| same(left, right)))
        }
        _ => left == right,
    }
}

/// Orders two values as `<` does; `None` if they have no order.
pub(crate) fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        _ => to_number(left)?.partial_cmp(&to_number(right)?),
    }
}

/// Returns the number of units of work that a copy of a value costs.
pub(super) fn weight(value: &Value) -> u64 {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 1,
        Value::String(text) => text_weight(text.len()),
        Value::Array(elements) => elements.iter().map(weight).fold(1, u64::saturating_add),
        Value::Object(members) => {
            members.iter().map(|(name, value)| text_weight(name.len()) + weight(value)).fold(1, u64::saturating_add)
        }
    }
}

/// Returns the number of units of work that a text costs.
pub(super) fn text_weight(bytes: usize) -> u64 {
    1 + bytes as u64 / 32
}
