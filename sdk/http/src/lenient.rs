//! Lenient decoding of JSON, which accepts odd values as long as nothing is lost.
//!
//! Text is decoded strictly first. If that fails, the value is decoded again from a tree. Each value that its field
//! rejects is replaced by another spelling of the same value: the integer of an integral float, the number or the
//! boolean in a text, the text of an integer, or nothing for an empty text. A value without such a spelling is reported
//! with its path. Raw data keep the provider's text. A large value is not decoded again, because its tree would take a
//! multiple of its size.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;
use serde_path_to_error::{Path, Segment};

use integration_graph::redact::without_quoted;

/// The maximum number of replaced values in one element.
const MOST_MENDS: usize = 256;
/// The maximum size in bytes of a value that is decoded from a tree.
const LARGEST_TREE: usize = 1 << 20;
/// Integers up to this magnitude are exact as floats.
const EXACT: f64 = 9_007_199_254_740_992.0;
/// The names of the members that may identify an element, in order of preference.
const IDENTIFIERS: [&str; 5] = ["id", "uuid", "guid", "key", "name"];
/// The maximum length of a text that identifies a large element.
const LONGEST_NAME: usize = 1 << 10;

/// The reason why JSON could not be decoded as a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misfit {
    /// The path of the value, and its fault.
    pub(super) reason: String,
    /// The identifying member of the element, with its name, if it has one.
    pub(super) identity: Option<String>,
}

/// Decodes JSON as `T`.
pub(super) fn read<T: DeserializeOwned>(json: &str) -> Result<T, Misfit> {
    match serde_json::from_str(json) {
        Ok(value) => Ok(value),
        Err(_) if json.len() > LARGEST_TREE => Err(too_large::<T>(json)),
        Err(_) => read_odd(json),
    }
}

/// Describes why a large value does not fit, without building a tree.
fn too_large<T: DeserializeOwned>(json: &str) -> Misfit {
    let mut parser = serde_json::Deserializer::from_str(json);
    let reason = match serde_path_to_error::deserialize::<_, T>(&mut parser) {
        Err(error) => misfit(error.path(), error.inner()),
        Ok(_) => "there is more than one value".to_owned(),
    };
    let identifiers: Identifiers<'_> = serde_json::from_str(json).unwrap_or_default();
    Misfit { reason, identity: identifiers.first() }
}

/// The members that may identify an element. All others are ignored.
#[derive(Default, Deserialize)]
struct Identifiers<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    uuid: Option<&'a RawValue>,
    #[serde(borrow)]
    guid: Option<&'a RawValue>,
    #[serde(borrow)]
    key: Option<&'a RawValue>,
    #[serde(borrow)]
    name: Option<&'a RawValue>,
}

impl Identifiers<'_> {
    fn first(&self) -> Option<String> {
        let texts = [self.id, self.uuid, self.guid, self.key, self.name].into_iter().zip(IDENTIFIERS);
        let small = texts.filter_map(|(text, name)| Some((name, text.filter(|text| text.get().len() < LONGEST_NAME)?)));
        small.filter_map(|(name, text)| identified(name, &serde_json::from_str(text.get()).ok()?)).next()
    }
}

fn read_odd<T: DeserializeOwned>(json: &str) -> Result<T, Misfit> {
    let whole = whole_characters(json);
    let mut tree: Value = serde_json::from_str(&whole)
        .map_err(|error| Misfit { reason: without_quoted(&error.to_string()), identity: None })?;
    let mut outcome = attempt(&tree);
    for _ in 0..MOST_MENDS {
        let Err(refused) = outcome else { break };
        match mend(&mut tree, refused.path()) {
            Some(mended) => outcome = mended,
            None => {
                let reason = misfit(refused.path(), refused.inner());
                return Err(Misfit { reason, identity: identity(&tree) });
            }
        }
    }
    outcome.map_err(|error| Misfit { reason: misfit(error.path(), error.inner()), identity: identity(&tree) })
}

type Attempt<T> = Result<T, serde_path_to_error::Error<serde_json::Error>>;

fn attempt<T: DeserializeOwned>(tree: &Value) -> Attempt<T> {
    serde_path_to_error::deserialize(tree)
}

/// Replaces the value at `path` by a spelling that its field accepts.
///
/// Returns the outcome of decoding with that spelling.
fn mend<T: DeserializeOwned>(tree: &mut Value, path: &Path) -> Option<Attempt<T>> {
    let steps: Vec<&Segment> = path.iter().collect();
    let found = at(tree, &steps)?.clone();
    for spelling in spellings(&found) {
        *at(tree, &steps)? = spelling;
        let outcome = attempt(tree);
        if outcome.as_ref().err().is_none_or(|error| !is_within(&steps, error.path())) {
            return Some(outcome);
        }
    }
    *at(tree, &steps)? = found;
    let outcome = absent(tree, &steps)?;
    outcome.as_ref().err().is_none_or(|error| !is_within(&steps, error.path())).then_some(outcome)
}

/// Decodes without the empty text at `steps`, which a field with a default accepts.
fn absent<T: DeserializeOwned>(tree: &mut Value, steps: &[&Segment]) -> Option<Attempt<T>> {
    let (Segment::Map { key }, parent) = steps.split_last()? else { return None };
    let members = at(tree, parent)?.as_object_mut()?;
    if !members.get(key)?.as_str()?.trim().is_empty() {
        return None;
    }
    let removed = members.remove(key)?;
    let outcome = attempt(tree);
    if outcome.as_ref().err().is_some_and(|error: &serde_path_to_error::Error<_>| is_within(steps, error.path())) {
        at(tree, parent)?.as_object_mut()?.insert(key.clone(), removed);
    }
    Some(outcome)
}

/// Returns whether a path leads to the value at `steps` or to one that contains it.
fn is_within(steps: &[&Segment], path: &Path) -> bool {
    let shown = |segment: &Segment| segment.to_string();
    path.iter().count() <= steps.len() && path.iter().zip(steps).all(|(one, other)| shown(one) == shown(other))
}

fn at<'a>(tree: &'a mut Value, steps: &[&Segment]) -> Option<&'a mut Value> {
    steps.iter().try_fold(tree, |value, step| match step {
        Segment::Seq { index } => value.get_mut(index),
        Segment::Map { key } => value.get_mut(key),
        Segment::Enum { variant } => value.get_mut(variant),
        Segment::Unknown => None,
    })
}

/// Returns other spellings of a value with the same meaning.
fn spellings(value: &Value) -> Vec<Value> {
    match value {
        Value::String(text) if text.trim().is_empty() => vec![Value::Null],
        Value::String(text) => match serde_json::from_str(text) {
            Ok(truth @ Value::Bool(_)) => vec![truth],
            Ok(number @ Value::Number(_)) => integral(&number).into_iter().chain([number]).collect(),
            _ => Vec::new(),
        },
        Value::Number(number) if number.is_i64() || number.is_u64() => vec![Value::String(number.to_string())],
        number @ Value::Number(_) => integral(number).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// Returns the integer that a float represents.
fn integral(number: &Value) -> Option<Value> {
    let float = number.as_f64().filter(|_| !number.is_i64() && !number.is_u64())?;
    // The conversion is exact within these bounds.
    (float.fract() == 0.0 && float.abs() < EXACT).then(|| Value::from(float as i64))
}

/// Returns the member that identifies an element, such as `id 01234567`.
fn identity(tree: &Value) -> Option<String> {
    IDENTIFIERS.into_iter().find_map(|name| identified(name, tree.get(name)?))
}

fn identified(name: &str, value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(format!("{name} {text}")),
        Value::Number(number) => Some(format!("{name} {number}")),
        _ => None,
    }
}

/// Replaces each unpaired half of a surrogate pair by U+FFFD.
fn whole_characters(json: &str) -> Cow<'_, str> {
    let bytes = json.as_bytes();
    let mut mended = String::new();
    let (mut kept, mut place) = (0, 0);
    while let Some(found) = bytes[place..].iter().position(|byte| *byte == b'\\') {
        place += found;
        let length = match (unit(bytes, place), unit(bytes, place + 6)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
            (Some(0xD800..=0xDFFF), _) => {
                mended.push_str(&json[kept..place]);
                mended.push('\u{FFFD}');
                kept = place + 6;
                6
            }
            (Some(_), _) => 6,
            (None, _) => 2,
        };
        place = (place + length).min(bytes.len());
    }
    match kept {
        0 => Cow::Borrowed(json),
        _ => Cow::Owned(mended + &json[kept..]),
    }
}

/// Returns the UTF-16 unit of the escape `\uXXXX` at a position.
fn unit(bytes: &[u8], place: usize) -> Option<u16> {
    let digits = bytes.get(place..place + 6)?.strip_prefix(b"\\u")?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Describes where and why a value does not fit a type, without quoting the value.
pub(super) fn misfit(path: &serde_path_to_error::Path, error: &serde_json::Error) -> String {
    let reason = without_quoted(&error.to_string());
    if path.iter().next().is_none() { reason } else { format!("`{path}`: {reason}") }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use integration_graph::Timestamp;

    #[derive(Debug, PartialEq, Deserialize)]
    struct App {
        id: String,
        size: Option<i64>,
        released: Option<Timestamp>,
        locked: Option<bool>,
        #[serde(default)]
        tags: Vec<String>,
        #[serde(default)]
        parts: BTreeMap<String, Vec<f64>>,
    }

    fn app(json: &str) -> App {
        read(json).unwrap()
    }

    fn refused(json: &str) -> Misfit {
        read::<App>(json).unwrap_err()
    }

    #[test]
    fn values_that_mean_the_same_are_read() {
        for size in ["1234.0", "\"1234\"", "\"1234.0\"", "1.234e3"] {
            assert_eq!(app(&format!(r#"{{"id": "a", "size": {size}}}"#)).size, Some(1234), "{size}");
        }
        assert_eq!(app(r#"{"id": 17}"#).id, "17");
        assert_eq!(app(r#"{"id": "a", "locked": "true"}"#).locked, Some(true));
        assert_eq!(app(r#"{"id": "a", "id": "b"}"#).id, "b");
        assert_eq!(app(r#"{"id": "a", "parts": {"x": [1, "2.5"]}}"#).parts["x"], [1.0, 2.5]);
    }

    #[test]
    fn an_empty_text_is_absent_if_its_field_is_of_another_type() {
        let read = app(r#"{"id": "", "size": "", "released": " ", "locked": "", "tags": ""}"#);
        assert_eq!(
            (read.id.as_str(), read.size, read.released, read.locked, read.tags),
            ("", None, None, None, vec![])
        );
    }

    #[test]
    fn what_has_no_other_spelling_is_reported_with_its_path_and_the_element() {
        let cases = [
            (r#"{"id": "a", "size": 12.5}"#, "`size`: ", Some("id a")),
            (r#"{"id": "a", "size": 98765432109876543210}"#, "`size`: ", Some("id a")),
            (r#"{"id": "a", "size": 9007199254740993.0}"#, "`size`: ", Some("id a")),
            (r#"{"id": "a", "size": "12a"}"#, "`size`: ", Some("id a")),
            (r#"{"id": "a", "released": "yesterday"}"#, "`released`: ", Some("id a")),
            (r#"{"id": null, "name": "n"}"#, "`id`: invalid type: null", Some("name n")),
            (r#"{"id": "a", "parts": {"x": [1, null]}}"#, "`parts.x[1]`: ", Some("id a")),
            (r#"{"size": 1}"#, "missing field `id`", None),
            ("7", "invalid type: integer", None),
        ];
        for (json, reason, identity) in cases {
            let misfit = refused(json);
            assert!(misfit.reason.starts_with(reason), "{json}: {}", misfit.reason);
            assert_eq!(misfit.identity.as_deref(), identity, "{json}");
        }
    }

    #[test]
    fn a_large_value_that_does_not_fit_is_reported_without_a_tree() {
        let odd = |size: &str, padding: usize| {
            let padding = "1,".repeat(padding);
            format!(r#"{{"more": [{padding}1], "id": "a", "name": "n", "size": {size}}}"#)
        };
        assert_eq!(app(&odd("\"7\"", 100)).size, Some(7));
        let misfit = refused(&odd("\"7\"", LARGEST_TREE / 2));
        assert!(misfit.reason.starts_with("`size`: invalid type: string"), "{}", misfit.reason);
        assert_eq!(misfit.identity.as_deref(), Some("id a"));
        assert_eq!(app(&odd("7", LARGEST_TREE / 2)).size, Some(7));
        let nameless = format!(r#"{{"size": "7", "id": [], "key": 9, "name": "{}"}}"#, "x".repeat(LARGEST_TREE));
        assert_eq!(refused(&nameless).identity.as_deref(), Some("key 9"));
    }

    #[test]
    fn several_odd_values_are_read_and_the_one_that_is_not_is_reported() {
        let misfit = refused(r#"{"id": 7, "locked": "false", "released": "", "size": 0.5, "tags": ""}"#);
        assert!(misfit.reason.starts_with("`size`: "), "{}", misfit.reason);
    }

    #[test]
    fn half_an_emoji_is_replaced_and_whole_ones_stay() {
        assert_eq!(app(r#"{"id": "Zo\ud83d"}"#).id, "Zo\u{FFFD}");
        assert_eq!(app(r#"{"id": "\udc00\ud83d\ude00\ud83dx\\ud83d"}"#).id, "\u{FFFD}\u{1F600}\u{FFFD}x\\ud83d");
        assert_eq!(whole_characters(r#""\ud83d\ude00 \\ud83d \n""#), r#""\ud83d\ude00 \\ud83d \n""#);
    }
}
