//! Two values of a property as text.
//!
//! Values are JSON, so that the text `1` differs from the number 1. Times are readable, lists show their different items,
//! and a long value is cut at its first difference.

use std::collections::BTreeSet;

use integration_sdk::diff::PropertyChange;
use serde_json::{Map, Value};
use textwrap::core::display_width;

use crate::visible::visible;

/// The earliest number that counts as a time in milliseconds: the year 1973.
const EARLIEST: i64 = 100_000_000_000;
const ELLIPSIS: char = '…';
/// The number of characters before the first difference in a cut value.
const CONTEXT: usize = 12;

/// The difference of one property, ready to be printed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) name: String,
    pub(crate) difference: Difference,
    pub(crate) unknown: bool,
}

/// The difference of two values.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Difference {
    /// The old and the new value.
    Values(String, String),
    /// The removed and the added items of a list.
    Items(Vec<String>, Vec<String>),
}

/// Returns the differences of a property: one, or one for each member of raw data.
pub(crate) fn shown(property: &PropertyChange) -> Vec<Shown> {
    let mut all = Vec::new();
    collect(&property.name, property.old.as_ref(), property.new.as_ref(), property.unknown, &mut all);
    all
}

fn collect(name: &str, old: Option<&Value>, new: Option<&Value>, unknown: bool, all: &mut Vec<Shown>) {
    if let (Some(Value::Object(old)), Some(Value::Object(new))) = (old, new) {
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let of =
            |values: &Map<String, Value>, name: &String| values.get(name).filter(|value| !value.is_null()).cloned();
        for inner in names {
            let (old, new) = (of(old, inner), of(new, inner));
            if old != new {
                collect(&format!("{name}.{inner}"), old.as_ref(), new.as_ref(), unknown, all);
            }
        }
        return;
    }
    let difference = match (old, new) {
        (Some(Value::Array(old)), Some(Value::Array(new))) => items(old, new),
        _ => None,
    };
    let values = || Difference::Values(text(name, old), text(name, new));
    all.push(Shown { name: visible(name), difference: difference.unwrap_or_else(values), unknown });
}

/// Returns the items that only one of the lists contains, or `None` if only their order or their number differs.
fn items(old: &[Value], new: &[Value]) -> Option<Difference> {
    let only = |these: &[Value], others: &[Value]| -> Vec<String> {
        these.iter().filter(|item| !others.contains(item)).map(|item| text("", Some(item))).collect()
    };
    let (removed, added) = (only(old, new), only(new, old));
    (!removed.is_empty() || !added.is_empty()).then_some(Difference::Items(removed, added))
}

/// Returns a value as text on one line.
pub(crate) fn text(name: &str, value: Option<&Value>) -> String {
    match value {
        None => "none".to_owned(),
        Some(Value::Number(number)) => match number.as_i64().filter(|_| name.ends_with("On")) {
            Some(millis) if millis >= EARLIEST => {
                let time = jiff::Timestamp::from_millisecond(millis);
                time.map_or_else(|_| millis.to_string(), |time| time.to_string())
            }
            _ => number.to_string(),
        },
        Some(value) => visible(&value.to_string()),
    }
}

/// Cuts two texts to `room` columns each, so that both show the first difference.
pub(crate) fn cut_both(old: &str, new: &str, room: usize) -> (String, String) {
    if display_width(old) <= room && display_width(new) <= room {
        return (old.to_owned(), new.to_owned());
    }
    let same = old.chars().zip(new.chars()).take_while(|(old, new)| old == new).count();
    let start = if same > room / 2 { same.saturating_sub(CONTEXT) } else { 0 };
    (window(old, start, room), window(new, start, room))
}

/// Returns the characters from `start` that fit into `room` columns, with an ellipsis at each cut.
pub(crate) fn window(text: &str, start: usize, room: usize) -> String {
    let mut shown = String::new();
    let mut left = room;
    if start > 0 {
        shown.push(ELLIPSIS);
        left = left.saturating_sub(1);
    }
    let rest: String = text.chars().skip(start).collect();
    if display_width(&rest) <= left {
        return shown + &rest;
    }
    left = left.saturating_sub(1);
    for letter in rest.chars() {
        let width = display_width(letter.encode_utf8(&mut [0; 4]));
        if width > left {
            break;
        }
        left -= width;
        shown.push(letter);
    }
    shown.push(ELLIPSIS);
    shown
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn change(name: &str, old: Value, new: Value) -> Vec<Shown> {
        let of = |value: Value| Some(value).filter(|value| !value.is_null());
        shown(&PropertyChange { name: name.to_owned(), old: of(old), new: of(new), unknown: false })
    }

    fn values(name: &str, old: Value, new: Value) -> (String, String) {
        match change(name, old, new).remove(0).difference {
            Difference::Values(old, new) => (old, new),
            items => panic!("{items:?}"),
        }
    }

    #[test]
    fn values_are_json_and_times_are_readable() {
        let pair = |old: &str, new: &str| (old.to_owned(), new.to_owned());
        assert_eq!(values("size", json!(1), json!("1")), pair("1", "\"1\""));
        assert_eq!(
            values("name", Value::Null, json!("a\nb\u{1b}[2J\u{202e}")),
            pair("none", "\"a\\nb\\u001b[2J\\u{202e}\"")
        );
        assert_eq!(values("updatedOn", json!(1_793_491_200_000_i64), json!(12)), pair("2026-11-01T00:00:00Z", "12"),);
        assert_eq!(values("count", json!(1_793_491_200_000_i64), json!(12)).0, "1793491200000");
    }

    #[test]
    fn lists_show_their_different_items_and_raw_data_its_different_members() {
        let list = change("tags", json!(["a", "b"]), json!(["b", "c"])).remove(0).difference;
        assert_eq!(list, Difference::Items(vec!["\"a\"".into()], vec!["\"c\"".into()]));
        assert_eq!(values("tags", json!(["a", "b"]), json!(["b", "a"])).1, r#"["b","a"]"#);
        let old = json!({"space": {"id": 1, "name": "a"}, "same": [1], "gone": true, "null": null});
        let new = json!({"space": {"id": 1, "name": "b"}, "same": [1]});
        let names: Vec<String> = change("_rawData.default", old, new).into_iter().map(|shown| shown.name).collect();
        assert_eq!(names, ["_rawData.default.gone", "_rawData.default.space.name"]);
    }

    #[test]
    fn a_long_value_is_cut_at_its_first_difference() {
        let (old, new) = (format!("{}old{}", "x".repeat(500), "y".repeat(500)), format!("{}new", "x".repeat(500)));
        assert_eq!(cut_both(&old, &new, 20), ("…xxxxxxxxxxxxoldyyy…".to_owned(), "…xxxxxxxxxxxxnew".to_owned()));
        assert_eq!(cut_both("short", "text", 20), ("short".to_owned(), "text".to_owned()));
        assert_eq!(cut_both(&"漢".repeat(20), "a", 9).0, "漢漢漢漢…");
    }
}
