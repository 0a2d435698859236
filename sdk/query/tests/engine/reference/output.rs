//! Tables from complete lists of paths.

use std::cmp::Ordering;

use integration_query::syntax::{Arithmetic, Expression, Literal, OrderKey, Query, ReturnItem};
use serde_json::{Value, json};

use super::evaluate::{Evaluator, Expected, Found, Rows, Walk};

const AGGREGATES: [&str; 5] = ["count", "min", "max", "avg", "sum"];

pub fn page<T>(rows: Vec<T>, query: &Query) -> Vec<T> {
    let size = |number: u64| usize::try_from(number).expect("a small number");
    let skip = query.skip.as_ref().map_or(0, |skip| size(skip.value));
    let limit = query.limit.as_ref().map_or(usize::MAX, |limit| size(limit.value));
    rows.into_iter().skip(skip).take(limit).collect()
}

/// Compares by sort keys; the closure returns both values of a key.
pub fn compare_by(keys: &[OrderKey], values: impl Fn(&OrderKey) -> (Value, Value)) -> Ordering {
    let compare = |key: &OrderKey| {
        let (left, right) = values(key);
        match (left.is_null(), right.is_null()) {
            (false, false) if key.descending => order(&right, &left),
            (false, false) => order(&left, &right),
            (left, right) => left.cmp(&right),
        }
    };
    keys.iter().map(compare).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

fn order(left: &Value, right: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Bool(_) => 0,
        Value::Number(_) => 1,
        Value::String(_) => 2,
        Value::Array(_) => 3,
        Value::Object(_) => 4,
        Value::Null => 5,
    };
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::Number(left), Value::Number(right)) => {
            left.as_f64().partial_cmp(&right.as_f64()).expect("finite numbers")
        }
        (Value::String(left), Value::String(right)) => left.cmp(right),
        (Value::Array(left), Value::Array(right)) => {
            let differing = left.iter().zip(right).map(|(left, right)| order(left, right)).find(|order| order.is_ne());
            differing.unwrap_or(left.len().cmp(&right.len()))
        }
        _ => rank(left).cmp(&rank(right)),
    }
}

/// A row, with the values of the sort keys.
type Keyed = (Vec<Value>, Vec<Value>);

pub fn table(evaluator: &Evaluator<'_>, query: &Query, items: &[ReturnItem], walks: Vec<Walk>) -> Expected {
    let keys = query.order_by.as_ref().map_or(&[][..], |order| &order.keys);
    let sort_keys: Vec<&Expression> = keys.iter().map(|key| column(items, &key.expression)).collect();
    let is_grouped = items.iter().any(|item| has_aggregate(&item.expression));
    let expand: Vec<(String, Expression)> = items.iter().flat_map(|item| expanded(evaluator, item, &walks)).collect();
    let mut rows: Vec<Keyed> = Vec::new();
    let row = |group: &[Walk]| {
        let cells = expand.iter().map(|(_, expression)| value(evaluator, expression, group)).collect();
        let keys = sort_keys.iter().map(|key| value(evaluator, key, group)).collect();
        (keys, cells)
    };
    if is_grouped {
        rows.extend(groups(evaluator, items, walks).iter().map(|group| row(group)));
    } else {
        rows.extend(walks.into_iter().map(|walk| row(&[walk])));
    }
    if query.unique.is_some() {
        let mut seen: Vec<Vec<Value>> = Vec::new();
        rows.retain(|(_, cells)| {
            let is_new = !seen.contains(cells);
            seen.push(cells.clone());
            is_new
        });
    }
    let total = rows.len() as u64;
    rows.sort_by(|(left, _), (right, _)| {
        let mut values = left.iter().zip(right);
        let pairs: Vec<(Value, Value)> = values.by_ref().map(|(left, right)| (left.clone(), right.clone())).collect();
        let position = |key: &OrderKey| keys.iter().position(|own| std::ptr::eq(own, key)).expect("a sort key");
        compare_by(keys, |key| pairs[position(key)].clone())
    });
    let rows: Vec<Vec<Value>> = page(rows, query).into_iter().map(|(_, cells)| cells).collect();
    Expected { total, rows: without_empty(items, expand.into_iter().map(|(name, _)| name).collect(), rows) }
}

/// A sort key that is the name of a column stands for its expression.
fn column<'q>(items: &'q [ReturnItem], key: &'q Expression) -> &'q Expression {
    let Expression::Path(path) = key else { return key };
    let name = &path.segments[0].name.value;
    let named = items.iter().find(|item| item.alias.as_ref().is_some_and(|alias| alias.value == *name));
    named.filter(|_| path.segments.len() == 1).map_or(key, |item| &item.expression)
}

/// Returns the columns of an item: one, or one for each property of an alias.
fn expanded(evaluator: &Evaluator<'_>, item: &ReturnItem, walks: &[Walk]) -> Vec<(String, Expression)> {
    let Expression::AllProperties(alias) = &item.expression else {
        let name = item.alias.as_ref().map_or(&item.text, |alias| &alias.value);
        return vec![(name.clone(), item.expression.clone())];
    };
    let found = walks.iter().filter_map(|walk| walk.named(&alias.value));
    let mut names: Vec<String> = found.flat_map(|found| evaluator.object(found).keys().cloned()).collect();
    names.sort();
    names.dedup();
    let column = |name: String| (format!("{}.{name}", alias.value), super::generate::property(&alias.value, &name));
    names.into_iter().map(column).collect()
}

/// Drops the columns of `alias.*` without any value.
fn without_empty(items: &[ReturnItem], columns: Vec<String>, rows: Vec<Vec<Value>>) -> Rows {
    let prefixes = items.iter().filter_map(|item| match &item.expression {
        Expression::AllProperties(alias) => Some(format!("{}.", alias.value)),
        _ => None,
    });
    let prefixes: Vec<String> = prefixes.collect();
    let keeps = |(number, name): (usize, &String)| {
        let is_expanded = prefixes.iter().any(|prefix| name.starts_with(prefix));
        !is_expanded || rows.iter().any(|row| !row[number].is_null())
    };
    let keeps: Vec<bool> = columns.iter().enumerate().map(keeps).collect();
    let kept =
        |row: Vec<Value>| row.into_iter().zip(&keeps).filter(|(_, keeps)| **keeps).map(|(cell, _)| cell).collect();
    let rows = rows.into_iter().map(kept).collect();
    let columns = columns.into_iter().zip(&keeps).filter(|(_, keeps)| **keeps).map(|(name, _)| name).collect();
    Rows::Table { columns, rows }
}

/// Groups walks by the values outside of aggregates.
fn groups(evaluator: &Evaluator<'_>, items: &[ReturnItem], walks: Vec<Walk>) -> Vec<Vec<Walk>> {
    let mut keys = Vec::new();
    for item in items {
        if has_aggregate(&item.expression) {
            outside(&item.expression, &mut keys);
        } else if has_path(&item.expression) {
            keys.push(&item.expression);
        }
    }
    if keys.is_empty() {
        return vec![walks];
    }
    let mut groups: Vec<(Vec<Value>, Vec<Walk>)> = Vec::new();
    for walk in walks {
        let key: Vec<Value> = keys.iter().map(|key| value(evaluator, key, std::slice::from_ref(&walk))).collect();
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, group)) => group.push(walk),
            None => groups.push((key, vec![walk])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// Collects the paths outside of aggregates.
fn outside<'q>(expression: &'q Expression, paths: &mut Vec<&'q Expression>) {
    match expression {
        Expression::Path(_) => paths.push(expression),
        Expression::Call { function, .. } if is_aggregate(&function.value) => {}
        _ => parts(expression).into_iter().for_each(|part| outside(part, paths)),
    }
}

fn parts(expression: &Expression) -> Vec<&Expression> {
    match expression {
        Expression::Call { arguments, .. } => arguments.iter().collect(),
        Expression::Binary { left, right, .. } => vec![left, right],
        Expression::Negate(value, _) => vec![value],
        _ => Vec::new(),
    }
}

fn is_aggregate(name: &str) -> bool {
    AGGREGATES.contains(&name.to_lowercase().as_str())
}

pub fn has_aggregate(expression: &Expression) -> bool {
    let is_own = matches!(expression, Expression::Call { function, .. } if is_aggregate(&function.value));
    is_own || parts(expression).into_iter().any(has_aggregate)
}

fn has_path(expression: &Expression) -> bool {
    matches!(expression, Expression::Path(_)) || parts(expression).into_iter().any(has_path)
}

/// Returns the value of an expression for a group of walks; values outside of aggregates are those of the first walk.
fn value(evaluator: &Evaluator<'_>, expression: &Expression, group: &[Walk]) -> Value {
    match expression {
        Expression::Path(path) => {
            let Some(walk) = group.first() else { return Value::Null };
            if path.segments.len() > 1 {
                return evaluator.property(path, walk).unwrap_or_default();
            }
            let found = walk.named(&path.segments[0].name.value);
            found.map_or(Value::Null, |found| json!({ "$object": evaluator.object(found)["_id"] }))
        }
        Expression::AllProperties(_) => panic!("expanded before"),
        Expression::Literal(literal) => match &literal.value {
            Literal::Text(text) => text.as_str().into(),
            Literal::Number(text) => serde_json::from_str(text).expect("a number"),
            Literal::Boolean(boolean) => (*boolean).into(),
            _ => Value::Null,
        },
        Expression::Call { function, arguments, .. } => {
            let name = function.value.to_lowercase();
            if is_aggregate(&name) {
                return aggregate(evaluator, &name, &arguments[0], group);
            }
            call(&name, arguments.iter().map(|argument| value(evaluator, argument, group)).collect())
        }
        Expression::Binary { operator, left, right } => {
            let (left, right) = (value(evaluator, left, group), value(evaluator, right, group));
            match (left.as_f64(), right.as_f64()) {
                (Some(left), Some(right)) => number(match operator.value {
                    Arithmetic::Add => left + right,
                    Arithmetic::Subtract => left - right,
                    Arithmetic::Multiply => left * right,
                    Arithmetic::Divide => left / right,
                    Arithmetic::Power => left.powf(right),
                }),
                _ if operator.value == Arithmetic::Add => match (&left, &right) {
                    (Value::String(_), Value::String(_) | Value::Number(_)) | (Value::Number(_), Value::String(_)) => {
                        format!("{}{}", text(&left), text(&right)).into()
                    }
                    _ => Value::Null,
                },
                _ => Value::Null,
            }
        }
        Expression::Negate(inner, _) => {
            value(evaluator, inner, group).as_f64().map_or(Value::Null, |value| number(-value))
        }
    }
}

/// Returns a JSON number; whole numbers are integers.
fn number(value: f64) -> Value {
    if !value.is_finite() {
        return Value::Null;
    }
    #[expect(clippy::cast_possible_truncation, reason = "the value is whole and small")]
    if value.fract() == 0.0 && value.abs() < 1e15 { (value as i64).into() } else { value.into() }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().filter(|value| !value.is_null()).map(text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

fn flat(values: Vec<Value>) -> Vec<Value> {
    let elements = values.into_iter().flat_map(|value| match value {
        Value::Array(elements) => elements,
        single => vec![single],
    });
    elements.filter(|value| !value.is_null()).collect()
}

fn call(name: &str, arguments: Vec<Value>) -> Value {
    let unary = |function: fn(f64) -> f64| arguments[0].as_f64().map_or(Value::Null, |value| number(function(value)));
    match name {
        "concat" => {
            let texts: Vec<String> = arguments.iter().filter(|value| !value.is_null()).map(text).collect();
            if texts.is_empty() { Value::Null } else { texts.concat().into() }
        }
        "merge" => match flat(arguments) {
            empty if empty.is_empty() => Value::Null,
            elements => elements.into(),
        },
        "coalesce" => arguments.into_iter().find(|value| !value.is_null()).unwrap_or_default(),
        "abs" => unary(f64::abs),
        "sqrt" => unary(f64::sqrt),
        "ceil" => unary(f64::ceil),
        "floor" => unary(f64::floor),
        "round" => unary(f64::round),
        other => panic!("a function: {other}"),
    }
}

fn aggregate(evaluator: &Evaluator<'_>, name: &str, argument: &Expression, group: &[Walk]) -> Value {
    let mut names = Vec::new();
    aliases(argument, &mut names);
    // Each combination of the objects in the argument counts once.
    let mut seen: Vec<Vec<Option<Found>>> = Vec::new();
    let mut values = Vec::new();
    for walk in group {
        let objects: Vec<Option<Found>> = names.iter().map(|name| walk.named(name)).collect();
        if !seen.contains(&objects) {
            seen.push(objects);
            values.push(value(evaluator, argument, std::slice::from_ref(walk)));
        }
    }
    let mut values = flat(values);
    if name == "count" {
        let mut distinct: Vec<Value> = Vec::new();
        values.into_iter().for_each(|value| {
            if !distinct.contains(&value) {
                distinct.push(value);
            }
        });
        return distinct.len().into();
    }
    values.sort_by(order);
    let numbers: Vec<f64> = values.iter().filter_map(Value::as_f64).collect();
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    match name {
        "min" => values.first().cloned().unwrap_or_default(),
        "max" => values.last().cloned().unwrap_or_default(),
        "sum" => number(numbers.iter().sum()),
        _ if numbers.is_empty() => Value::Null,
        _ => number(numbers.iter().sum::<f64>() / numbers.len() as f64),
    }
}

fn aliases<'q>(expression: &'q Expression, names: &mut Vec<&'q str>) {
    if let Expression::Path(path) = expression {
        names.push(&path.segments[0].name.value);
    }
    parts(expression).into_iter().for_each(|part| aliases(part, names));
}
