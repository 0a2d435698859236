//! A graph for snapshots, with a fixed order and stable names for ids and times.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use integration_sdk::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::Collected;

/// The minimum length of a key that is replaced in texts. Shorter keys are often ordinary words.
const SHORTEST_ID_IN_TEXT: usize = 8;
/// The earliest time in milliseconds. Smaller numbers are not times.
const EARLIEST_TIME: i64 = 100_000_000_000;

/// The graph of a run, to be serialized by a snapshot: `insta::assert_json_snapshot!(collected.snapshot())`.
///
/// Objects are ordered by type, display name, and key. Keys of entities, alone or as a word of a text, become
/// `[team 1]`, `[team 2]` in that order; times become `[time 1]`, `[time 2]` from the earliest.
/// Raw data are omitted.
#[derive(Debug, Clone)]
pub struct Snapshot<'a> {
    collected: &'a Collected,
    keep_ids: bool,
    keep_times: bool,
    raw_data: bool,
    types: BTreeSet<String>,
}

impl Collected {
    /// Returns the graph in a form without varying ids and times, for snapshots.
    pub fn snapshot(&self) -> Snapshot<'_> {
        Snapshot::of(self)
    }
}

impl<'a> Snapshot<'a> {
    fn of(collected: &'a Collected) -> Self {
        Self { collected, keep_ids: false, keep_times: false, raw_data: false, types: BTreeSet::new() }
    }

    /// Keeps ids instead of replacing them.
    #[must_use]
    pub fn keep_ids(mut self) -> Self {
        self.keep_ids = true;
        self
    }

    /// Keeps times instead of replacing them.
    #[must_use]
    pub fn keep_times(mut self) -> Self {
        self.keep_times = true;
        self
    }

    /// Includes raw data.
    #[must_use]
    pub fn with_raw_data(mut self) -> Self {
        self.raw_data = true;
        self
    }

    /// Restricts the snapshot to these types.
    #[must_use]
    pub fn only<S: Into<String>>(mut self, types: impl IntoIterator<Item = S>) -> Self {
        self.types.extend(types.into_iter().map(Into::into));
        self
    }

    /// Returns the snapshot as JSON: `{"entities": {TYPE: [..]}, "relationships": {TYPE: [..]}}`.
    pub fn to_value(&self) -> Value {
        let names = Names {
            ids: if self.keep_ids { BTreeMap::new() } else { id_names(self.collected) },
            times: if self.keep_times { BTreeMap::new() } else { time_names(self.collected) },
        };
        let entities = self.by_type(self.collected.entities(), &names);
        let relationships = self.by_type(self.collected.relationships(), &names);
        Value::from_iter([("entities", entities), ("relationships", relationships)])
    }

    fn by_type(&self, objects: impl Iterator<Item = &'a Value>, names: &Names) -> Value {
        let mut by_type: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for object in sorted(objects) {
            let object_type = type_of(object);
            if self.types.is_empty() || self.types.contains(object_type) {
                let mut object = object.clone();
                if let Some(properties) = object.as_object_mut().filter(|_| !self.raw_data) {
                    properties.remove("_rawData");
                }
                names.apply("", &mut object);
                by_type.entry(object_type).or_default().push(object);
            }
        }
        // Relationships are ordered by the names of their ends.
        by_type.values_mut().for_each(|objects| objects.sort_by_cached_key(placeholder_key));
        by_type.into_iter().map(|(name, objects)| (name.to_owned(), Value::from(objects))).collect::<Map<_, _>>().into()
    }
}

impl Serialize for Snapshot<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

impl fmt::Display for Snapshot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.to_value())
    }
}

fn text<'v>(object: &'v Value, name: &str) -> &'v str {
    object[name].as_str().unwrap_or_default()
}

fn type_of(object: &Value) -> &str {
    text(object, "_type")
}

fn sorted<'a>(objects: impl Iterator<Item = &'a Value>) -> Vec<&'a Value> {
    let mut objects: Vec<&Value> = objects.collect();
    objects.sort_by_key(|object| (type_of(object), text(object, "displayName"), text(object, "_key")));
    objects
}

/// The sort key, which compares numbers by value: `[team 2]` precedes `[team 10]`.
fn placeholder_key(object: &Value) -> Vec<(String, u64)> {
    let words = text(object, "_key").split(['[', ']', '|']).filter(|word| !word.is_empty());
    let number = |word: &str| word.rsplit_once(' ').and_then(|(name, at)| Some((name.to_owned(), at.parse().ok()?)));
    words.map(|word| number(word).unwrap_or_else(|| (word.to_owned(), 0))).collect()
}

/// The replacements of ids and times.
struct Names {
    ids: BTreeMap<String, String>,
    times: BTreeMap<i64, String>,
}

fn id_names(collected: &Collected) -> BTreeMap<String, String> {
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    let entities = sorted(collected.entities()).into_iter();
    entities
        .map(|entity| {
            let number = numbers.entry(type_of(entity)).or_default();
            *number += 1;
            // The first word of a type is the provider.
            let noun = type_of(entity).split_once('_').map_or(type_of(entity), |(_, noun)| noun).replace('_', " ");
            (text(entity, "_key").to_owned(), format!("[{noun} {number}]"))
        })
        .collect()
}

fn time_names(collected: &Collected) -> BTreeMap<i64, String> {
    let mut times = BTreeSet::new();
    for object in collected.entities().chain(collected.relationships()) {
        find_times("", object, &mut times);
    }
    times.into_iter().enumerate().map(|(at, time)| (time, format!("[time {}]", at + 1))).collect()
}

fn find_times(name: &str, value: &Value, times: &mut BTreeSet<i64>) {
    match value {
        Value::Object(object) => object.iter().for_each(|(name, value)| find_times(name, value, times)),
        Value::Array(items) => items.iter().for_each(|item| find_times(name, item, times)),
        other => times.extend(time_of(name, other)),
    }
}

/// Returns the time of a property in milliseconds.
///
/// It accepts numbers such as those of `createdOn` and texts such as `2024-01-01T00:00:00Z`.
fn time_of(name: &str, value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) if name.ends_with("On") => number.as_i64().filter(|time| *time >= EARLIEST_TIME),
        Value::String(text) if text.len() >= 20 && text.as_bytes()[10] == b'T' => {
            serde_json::from_value::<Timestamp>(value.clone()).ok().map(Timestamp::millis)
        }
        _ => None,
    }
}

impl Names {
    fn apply(&self, name: &str, value: &mut Value) {
        if let Some(time) = time_of(name, value).and_then(|time| self.times.get(&time)) {
            *value = time.as_str().into();
            return;
        }
        match value {
            Value::Object(object) => object.iter_mut().for_each(|(name, value)| self.apply(name, value)),
            Value::Array(items) => items.iter_mut().for_each(|item| self.apply(name, item)),
            Value::String(text) => *text = self.renamed(name, text),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn renamed(&self, name: &str, text: &str) -> String {
        let is_id = name.starts_with('_') || name.ends_with("EntityKey") || is_id(name);
        let whole = self.ids.get(text).filter(|_| is_id || text.len() >= SHORTEST_ID_IN_TEXT);
        if let Some(placeholder) = whole {
            return placeholder.clone();
        }
        if name == "_key" {
            let ends: Vec<&str> = text.split('|').map(|end| self.ids.get(end).map_or(end, String::as_str)).collect();
            return ends.join("|");
        }
        self.words(text)
    }

    /// Replaces ids that are words of a text, for example in a URL.
    fn words(&self, text: &str) -> String {
        let in_word = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_');
        let mut renamed = String::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let inside = in_word(first);
            let (word, after) = rest.split_at(rest.find(|letter| in_word(letter) != inside).unwrap_or(rest.len()));
            let placeholder = self.ids.get(word).filter(|_| word.len() >= SHORTEST_ID_IN_TEXT);
            renamed += placeholder.map_or(word, String::as_str);
            rest = after;
        }
        renamed
    }
}

fn is_id(name: &str) -> bool {
    name == "id" || ["Id", "Ids", "_id", "_ids"].iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn names() -> Names {
        let ids = [("t1", "[team 1]"), ("0123-abcd", "[team 2]")];
        Names {
            ids: ids.map(|(id, name)| (id.to_owned(), name.to_owned())).into(),
            times: [(1_700_000_000_000, "[time 1]".to_owned())].into(),
        }
    }

    fn named(mut object: Value) -> Value {
        names().apply("", &mut object);
        object
    }

    #[test]
    fn an_id_has_the_same_name_wherever_it_stands() {
        let object = json!({
            "_key": "t1|has|0123-abcd", "_fromEntityKey": "t1", "teamId": ["t1"], "name": "t1",
            "webLink": "https://acme.example/teams/0123-abcd/edit", "description": "0123-abcde",
        });
        let expected = json!({
            "_key": "[team 1]|has|[team 2]", "_fromEntityKey": "[team 1]", "teamId": ["[team 1]"], "name": "t1",
            "webLink": "https://acme.example/teams/[team 2]/edit", "description": "0123-abcde",
        });
        assert_eq!(named(object), expected);
    }

    #[test]
    fn a_time_has_the_same_name_as_a_number_and_as_a_text() {
        let object = json!({"createdOn": 1_700_000_000_000_i64, "size": 1_700_000_000_000_i64, "passedOn": 3,
                            "_rawData": [{"created_at": "2023-11-14T22:13:20Z"}]});
        let expected = json!({"createdOn": "[time 1]", "size": 1_700_000_000_000_i64, "passedOn": 3,
                              "_rawData": [{"created_at": "[time 1]"}]});
        assert_eq!(named(object), expected);
    }

    #[test]
    fn the_tenth_stands_behind_the_second() {
        let key = |key: &str| placeholder_key(&json!({"_key": key}));
        assert!(key("[team 2]|has|[user 1]") < key("[team 10]|has|[user 1]"));
    }
}
