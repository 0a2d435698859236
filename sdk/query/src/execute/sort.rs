//! Sorting by several keys.

use std::cmp::Ordering;

use crate::bind::SortKey;
use crate::value::Value;

/// Returns the order of two rows by their sort keys. Undefined is last in both directions.
pub(crate) fn order(keys: &[SortKey], left: &[Value], right: &[Value]) -> Ordering {
    for ((key, left), right) in keys.iter().zip(left).zip(right) {
        let order = match (left, right) {
            (Value::Undefined, _) | (_, Value::Undefined) => left.order(right),
            _ if key.is_descending => right.order(left),
            _ => left.order(right),
        };
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

/// Sorts rows with their sort keys, and drops the keys. Rows with equal keys keep their order.
pub(crate) fn sorted<T>(keys: &[SortKey], mut rows: Vec<(Vec<Value>, T)>) -> Vec<T> {
    rows.sort_by(|(left, _), (right, _)| order(keys, left, right));
    rows.into_iter().map(|(_, row)| row).collect()
}

/// Drops the rows before and after a page.
pub(crate) fn page<T>(rows: Vec<T>, skip: u64, limit: Option<u64>) -> Vec<T> {
    let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    rows.into_iter().skip(size(skip)).take(limit.map_or(usize::MAX, size)).collect()
}
