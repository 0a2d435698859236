//! Reduction of an object's raw data, the largest parts first.
//!
//! Properties are never touched, since they are the graph. The service keeps raw data for people to look at.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

/// The minimum size of a part that is removed. It exceeds every text that replaces one.
const SMALLEST: usize = 128;

/// An object with less raw data.
#[derive(Debug)]
pub(crate) struct Shrunk {
    pub(crate) json: String,
    /// The number of removed bytes; zero if no raw data is left to remove.
    pub(crate) removed: usize,
}

type Members<'a> = BTreeMap<String, &'a RawValue>;

/// One piece of raw data.
#[derive(Deserialize)]
struct Named<'a> {
    name: String,
    #[serde(rename = "rawData", borrow)]
    raw_data: &'a RawValue,
}

/// The parts of one piece that are removed.
#[derive(Default)]
enum Removed {
    #[default]
    Nothing,
    /// These members of an object, with their sizes.
    Members(BTreeMap<String, usize>),
    /// All of it, with its size.
    Everything(usize),
}

/// A member of a piece that is an object, or a whole piece of another form.
struct Part {
    piece: usize,
    member: Option<String>,
    bytes: usize,
}

/// Removes the largest parts of the raw data until the object has at most `target` bytes, or none are left.
///
/// Members of raw data are removed first, then whole pieces. A text that reports the size replaces a removed part.
pub(crate) fn shrunk(object: &str, target: usize) -> Result<Shrunk, serde_json::Error> {
    let unchanged = || Shrunk { json: object.to_owned(), removed: 0 };
    let mut members: Members<'_> = serde_json::from_str(object)?;
    let Some(raw) = members.get("_rawData") else { return Ok(unchanged()) };
    let Ok(pieces) = serde_json::from_str::<Vec<Named<'_>>>(raw.get()) else { return Ok(unchanged()) };
    let (removed, gained) = chosen(&pieces, object.len().saturating_sub(target));
    if gained == 0 {
        return Ok(unchanged());
    }
    let pieces: Vec<Written<'_>> =
        pieces.iter().zip(&removed).map(|(piece, removed)| written(piece, removed)).collect();
    let raw = to_raw_value(&pieces)?;
    members.insert("_rawData".to_owned(), &raw);
    Ok(Shrunk { json: serde_json::to_string(&members)?, removed: gained })
}

/// Chooses the parts to remove for a gain of `wanted` bytes. Returns them for each piece, and the gain.
fn chosen(pieces: &[Named<'_>], wanted: usize) -> (Vec<Removed>, usize) {
    let mut removed: Vec<Removed> = pieces.iter().map(|_| Removed::default()).collect();
    let mut left: Vec<usize> = pieces.iter().map(|piece| piece.raw_data.get().len()).collect();
    let mut parts: Vec<Part> = pieces.iter().enumerate().flat_map(|(at, piece)| parts(at, piece.raw_data)).collect();
    // Equal parts keep the order of the text, so that the result is always the same.
    parts.sort_by_key(|part| Reverse(part.bytes));
    let mut gained = 0;
    for Part { piece, member, bytes } in parts.into_iter().filter(|part| part.bytes >= SMALLEST) {
        if gained >= wanted {
            return (removed, gained);
        }
        let gain = bytes - noted(bytes);
        gained += gain;
        left[piece] -= gain;
        match (member, &mut removed[piece]) {
            (None, piece) => *piece = Removed::Everything(bytes),
            (Some(member), Removed::Members(members)) => drop(members.insert(member, bytes)),
            (Some(member), piece) => *piece = Removed::Members(BTreeMap::from([(member, bytes)])),
        }
    }
    let mut whole: Vec<usize> = (0..pieces.len()).filter(|at| left[*at] >= SMALLEST).collect();
    whole.sort_by_key(|at| Reverse(left[*at]));
    for at in whole {
        if gained >= wanted {
            break;
        }
        let bytes = pieces[at].raw_data.get().len();
        gained += left[at] - noted(bytes);
        removed[at] = Removed::Everything(bytes);
    }
    (removed, gained)
}

/// The parts of one piece.
fn parts(piece: usize, raw_data: &RawValue) -> Vec<Part> {
    let Ok(members) = serde_json::from_str::<Members<'_>>(raw_data.get()) else {
        return vec![Part { piece, member: None, bytes: raw_data.get().len() }];
    };
    let part = |(member, value): (String, &RawValue)| Part { piece, member: Some(member), bytes: value.get().len() };
    members.into_iter().map(part).collect()
}

#[derive(Serialize)]
struct Written<'a> {
    name: &'a str,
    #[serde(rename = "rawData")]
    raw_data: Box<RawValue>,
}

fn written<'a>(piece: &'a Named<'_>, removed: &Removed) -> Written<'a> {
    let text = |bytes: usize| to_raw_value(&note(bytes)).expect("a text is JSON");
    let raw_data = match removed {
        Removed::Nothing => piece.raw_data.to_owned(),
        Removed::Everything(bytes) => text(*bytes),
        Removed::Members(removed) => {
            let members = serde_json::from_str::<Members<'_>>(piece.raw_data.get()).unwrap_or_default();
            let kept = members.into_iter().map(|(name, value)| {
                let value = removed.get(&name).map_or_else(|| value.to_owned(), |bytes| text(*bytes));
                (name, value)
            });
            to_raw_value(&kept.collect::<BTreeMap<_, _>>()).expect("the members are JSON")
        }
    };
    Written { name: &piece.name, raw_data }
}

fn note(bytes: usize) -> String {
    format!("[{bytes} bytes removed before the upload]")
}

/// The size of a note in JSON.
fn noted(bytes: usize) -> usize {
    note(bytes).len() + 2
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn value(shrunk: &Shrunk) -> Value {
        serde_json::from_str(&shrunk.json).expect("JSON")
    }

    #[test]
    fn the_largest_parts_go_first_and_properties_stay() {
        let object = json!({
            "_key": "k", "name": "n".repeat(300),
            "_rawData": [
                {"name": "default", "rawData": {"id": 7, "log": "x".repeat(2_000), "text": "y".repeat(900)}},
                {"name": "other", "rawData": "z".repeat(1_500)},
            ],
        });
        let object_text = object.to_string();
        let shrunk = shrunk(&object_text, 2_000).expect("an object");
        let mut expected = object;
        expected["_rawData"][0]["rawData"]["log"] = note(2_002).into();
        expected["_rawData"][1]["rawData"] = note(1_502).into();
        assert_eq!(value(&shrunk), expected);
        assert_eq!(shrunk.removed, object_text.len() - shrunk.json.len());
    }

    #[test]
    fn an_object_without_raw_data_to_remove_is_unchanged() {
        for object in [
            json!({"_key": "k", "name": "n".repeat(300)}),
            json!({"_key": "k", "_rawData": [{"name": "default", "rawData": {"a": 1, "b": "short"}}]}),
            json!({"_key": "k", "_rawData": {"foreign": "form"}}),
        ] {
            let text = object.to_string();
            let shrunk = shrunk(&text, 10).expect("an object");
            assert_eq!((shrunk.json, shrunk.removed), (text, 0));
        }
    }

    #[test]
    fn many_small_members_are_removed_as_a_whole() {
        let members: BTreeMap<String, u32> = (0..1_000).map(|n| (format!("m{n}"), n)).collect();
        let text = json!({"_key": "k", "_rawData": [{"name": "default", "rawData": members}]}).to_string();
        let shrunk = shrunk(&text, 200).expect("an object");
        assert!(shrunk.json.len() < 200 && shrunk.json.contains("bytes removed"), "{}", shrunk.json);
    }

    fn any_raw() -> impl Strategy<Value = Value> {
        prop_oneof![
            "[a-z\"\\\\é]{0,200}".prop_map(Value::from),
            proptest::collection::btree_map("[a-c\"]{0,3}", "[a-zé\n]{0,300}", 0..5).prop_map(|members| json!(members)),
            proptest::collection::vec(any::<i64>(), 0..60).prop_map(|list| json!(list)),
        ]
    }

    proptest! {
        #[test]
        fn a_shrunk_object_fits_or_has_no_large_part_left(
            raw in proptest::collection::vec(any_raw(), 0..4),
            target in 0_usize..2_000,
        ) {
            let named = |(at, raw): (usize, Value)| json!({"name": at.to_string(), "rawData": raw});
            let raw: Vec<Value> = raw.into_iter().enumerate().map(named).collect();
            let object = json!({"_key": "k", "_type": "t", "tags": ["a"], "_rawData": raw});
            let text = object.to_string();
            let shrunk = shrunk(&text, target).unwrap();
            let (mut after, mut before) = (value(&shrunk), object);
            prop_assert_eq!(text.len() - shrunk.removed, shrunk.json.len());
            let names = |object: &Value| -> Vec<Value> {
                object["_rawData"].as_array().unwrap().iter().map(|raw| raw["name"].clone()).collect()
            };
            prop_assert_eq!(names(&after), names(&before));
            prop_assert!(shrunk.json.len() <= target || super::shrunk(&shrunk.json, target).unwrap().removed == 0);
            for object in [&mut after, &mut before] {
                object.as_object_mut().unwrap().remove("_rawData");
            }
            prop_assert_eq!(after, before);
        }
    }
}
