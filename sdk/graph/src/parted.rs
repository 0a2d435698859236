//! A stored object: its properties and its raw data, as two texts.
//!
//! Raw data is stored apart from the properties. Readers of properties never touch it, and it keeps numbers that no tree can
//! hold. Only the exchange layout joins the two.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::RawJson;

use super::entity::merge;
use super::scan::{Values, json_string};
use super::text::ObjectText;
use super::value::{write_list, write_text};
use super::{Properties, RawData};

/// The name under which the exchange layout contains the raw data.
const RAW_DATA: &str = "_rawData";

/// The JSON of an object, in two texts. The order compares properties first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectJson<'a> {
    /// The properties as a JSON object with sorted names and without spaces.
    pub properties: &'a str,
    /// The raw data as a list of `{"name": ..., "rawData": ...}`, if there is any.
    pub raw: Option<&'a str>,
}

impl<'a> ObjectJson<'a> {
    /// Creates an object without raw data.
    pub fn of(properties: &'a str) -> Self {
        Self { properties, raw: None }
    }

    /// The size of both texts in bytes.
    pub fn len(&self) -> usize {
        self.properties.len() + self.raw.map_or(0, str::len)
    }

    /// Whether both texts are empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the object as in the exchange layout: the raw data is the property `_rawData`.
    pub fn joined(&self) -> Cow<'a, str> {
        let Some(raw) = self.raw else { return Cow::Borrowed(self.properties) };
        let at = place_of_raw_data(self.properties);
        let (before, after) = self.properties.split_at(at);
        let mut json = String::with_capacity(self.len() + RAW_DATA.len() + 4);
        json.push_str(before);
        if !before.ends_with(['{', ',']) {
            json.push(',');
        }
        json.extend(["\"", RAW_DATA, "\":", raw]);
        if !after.starts_with('}') {
            json.push(',');
        }
        json.push_str(after);
        Cow::Owned(json)
    }
}

/// Returns the position of the first member whose name follows `_rawData`, or of the closing brace.
fn place_of_raw_data(properties: &str) -> usize {
    let mut tokens = Values::within(properties);
    while let (Some(name), Some(_)) = (tokens.next(), tokens.next()) {
        let name_is_less = json_string(name).is_some_and(|name| *name < *RAW_DATA);
        if !name_is_less {
            return name.as_ptr() as usize - properties.as_ptr() as usize;
        }
    }
    properties.len() - 1
}

/// The properties and the raw data of an object, the raw data sorted by name.
#[derive(Debug, Clone)]
#[doc(hidden)]
pub struct Parted {
    /// The properties.
    pub properties: Properties,
    raw_data: BTreeMap<String, Box<RawValue>>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
    #[serde(rename = "rawData")]
    raw_data: Box<RawValue>,
}

impl Parted {
    /// Parses an object.
    ///
    /// # Errors
    /// One of the texts is not JSON of its form.
    pub fn read(object: ObjectJson<'_>) -> serde_json::Result<Self> {
        let raw_data: Vec<Named> = object.raw.map(serde_json::from_str).transpose()?.unwrap_or_default();
        let raw_data = raw_data.into_iter().map(|named| (named.name, named.raw_data)).collect();
        Ok(Self { properties: serde_json::from_str(object.properties)?, raw_data })
    }

    /// Merges two descriptions of one entity by the rule of [`merge`]. Of two raw data with one name, the lesser text stays.
    pub fn joined(self, other: Self) -> Self {
        let mut raw_data = self.raw_data;
        for (name, theirs) in other.raw_data {
            match raw_data.get(&name) {
                Some(ours) if ours.get() <= theirs.get() => {}
                _ => drop(raw_data.insert(name, theirs)),
            }
        }
        Self { properties: merge(self.properties, other.properties), raw_data }
    }

    /// Returns the text of the properties.
    pub fn properties(&self) -> ObjectText {
        ObjectText::from(&self.properties)
    }

    /// Returns the text of the raw data, if there is any.
    pub fn raw(&self) -> Option<String> {
        if self.raw_data.is_empty() {
            return None;
        }
        let mut json = Vec::new();
        write_raw_data(
            &self.raw_data,
            &mut json,
            |(name, _)| name,
            |(_, raw), json| json.extend_from_slice(raw.get().as_bytes()),
        );
        Some(String::from_utf8(json).expect("JSON is written from strings"))
    }

    /// Returns the raw data as values.
    pub fn into_raw_data(self) -> Vec<RawData> {
        let raw = |(name, raw): (String, Box<RawValue>)| RawData { name, raw_data: RawJson::from(raw) };
        self.raw_data.into_iter().map(raw).collect()
    }
}

/// Writes a list of raw data, each with its name.
#[doc(hidden)]
pub fn write_raw_data<T>(
    raw_data: impl IntoIterator<Item = T>,
    json: &mut Vec<u8>,
    name: impl Fn(&T) -> &str,
    mut write: impl FnMut(&T, &mut Vec<u8>),
) {
    write_list(raw_data, json, |raw, json| {
        json.extend_from_slice(br#"{"name":"#);
        write_text(name(&raw), json);
        json.extend_from_slice(br#","rawData":"#);
        write(&raw, json);
        json.push(b'}');
    });
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn parted(properties: &str, raw: &str) -> Parted {
        Parted::read(ObjectJson { properties, raw: Some(raw) }).unwrap()
    }

    #[test]
    fn raw_data_keep_numbers_that_no_tree_can_hold() {
        let raw = r#"[{"name":"a","rawData":{"n":1e400}},{"name":"b","rawData":[1.50]}]"#;
        let object = parted(r#"{"_key":"k","z":1}"#, raw);
        assert_eq!(object.raw().as_deref(), Some(raw));
        assert_eq!(object.properties().as_str(), r#"{"_key":"k","z":1}"#);
    }

    #[test]
    fn the_exchange_layout_has_the_raw_data_at_the_place_of_its_name() {
        for (properties, joined) in [
            (r#"{}"#, r#"{"_rawData":[7]}"#),
            (r#"{"_key":"k"}"#, r#"{"_key":"k","_rawData":[7]}"#),
            (r#"{"_type":"t"}"#, r#"{"_rawData":[7],"_type":"t"}"#),
            (
                r#"{"Z":{"a":[1]},"_key":"k","_type":"t","a":"}"}"#,
                r#"{"Z":{"a":[1]},"_key":"k","_rawData":[7],"_type":"t","a":"}"}"#,
            ),
            (r#"{"\"":1,"_type":"t"}"#, r#"{"\"":1,"_rawData":[7],"_type":"t"}"#),
        ] {
            let object = ObjectJson { properties, raw: Some("[7]") };
            assert_eq!(object.joined(), joined);
            let mut tree: Properties = serde_json::from_str(properties).unwrap();
            tree.insert("_rawData".into(), serde_json::json!([7]));
            assert_eq!(joined, Value::Object(tree).to_string());
            assert_eq!(ObjectJson::of(properties).joined(), properties);
        }
    }

    #[test]
    fn joining_does_not_depend_on_the_order() {
        let one = || parted(r#"{"_key":"k","n":"b"}"#, r#"[{"name":"a","rawData":1e400}]"#);
        let other =
            || parted(r#"{"_key":"k","n":"a"}"#, r#"[{"name":"a","rawData":1e399},{"name":"0","rawData":2.0}]"#);
        for joined in [one().joined(other()), other().joined(one())] {
            assert_eq!(joined.properties().as_str(), r#"{"_key":"k","n":"a"}"#);
            assert_eq!(joined.raw().unwrap(), r#"[{"name":"0","rawData":2.0},{"name":"a","rawData":1e399}]"#);
        }
    }
}
