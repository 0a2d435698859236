//! A stored object in two parts: properties as a tree, and raw data as text.
//!
//! Raw data contains numbers that a tree cannot represent, so changing an object must not parse its raw data.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::Properties;
use super::entity::merge;
use super::text::{ObjectText, ObjectWriter};
use super::value::{write_list, write_text};

const RAW_DATA: &str = "_rawData";

/// The properties and the raw data of an object; raw data is sorted by name.
#[derive(Debug, Clone)]
pub(crate) struct Parted {
    pub(crate) properties: Properties,
    raw_data: BTreeMap<String, Box<RawValue>>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
    #[serde(rename = "rawData")]
    raw_data: Box<RawValue>,
}

impl Parted {
    /// Splits an object into its parts.
    ///
    /// # Errors
    /// The text is not a JSON object.
    pub(crate) fn read(json: &str) -> serde_json::Result<Self> {
        let members: BTreeMap<String, Box<RawValue>> = serde_json::from_str(json)?;
        let (mut properties, mut raw_data) = (Properties::new(), BTreeMap::new());
        for (name, value) in members {
            if name == RAW_DATA {
                let all: Vec<Named> = serde_json::from_str(value.get())?;
                raw_data = all.into_iter().map(|named| (named.name, named.raw_data)).collect();
            } else {
                properties.insert(name, serde_json::from_str(value.get())?);
            }
        }
        Ok(Self { properties, raw_data })
    }

    /// Merges two descriptions of one entity by the rule of [`merge`].
    ///
    /// If both have raw data with the same name, the lesser text stays.
    pub(crate) fn joined(self, other: Self) -> Self {
        let mut raw_data = self.raw_data;
        for (name, theirs) in other.raw_data {
            match raw_data.get(&name) {
                Some(ours) if ours.get() <= theirs.get() => {}
                _ => drop(raw_data.insert(name, theirs)),
            }
        }
        Self { properties: merge(self.properties, other.properties), raw_data }
    }

    /// Adds properties to the object.
    pub(crate) fn amended(self, properties: Properties) -> Self {
        Self { properties: merge(self.properties, properties), ..self }
    }

    /// Returns the object as a tree with an outline of its raw data. This is sufficient for checks.
    pub(crate) fn outlined(&self) -> Value {
        let mut object = self.properties.clone();
        if !self.raw_data.is_empty() {
            let outline = |raw: &RawValue| match raw.get().as_bytes().first() {
                Some(b'{') => Value::Object(Properties::new()),
                Some(b'[') => Value::Array(Vec::new()),
                _ => serde_json::from_str(raw.get()).unwrap_or_default(),
            };
            let outlines =
                self.raw_data.iter().map(|(name, raw)| serde_json::json!({"name": name, "rawData": outline(raw)}));
            object.insert(RAW_DATA.into(), outlines.collect());
        }
        Value::Object(object)
    }

    /// Returns the object as it is stored.
    pub(crate) fn text(&self) -> ObjectText {
        let mut object = ObjectWriter::new();
        self.properties.iter().for_each(|(name, value)| object.value(name, value));
        if !self.raw_data.is_empty() {
            object.member(RAW_DATA, |json| {
                write_list(&self.raw_data, json, |(name, raw), json| {
                    json.extend_from_slice(br#"{"name":"#);
                    write_text(name, json);
                    json.extend_from_slice(br#","rawData":"#);
                    json.extend_from_slice(raw.get().as_bytes());
                    json.push(b'}');
                });
            });
        }
        object.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parted(json: &str) -> Parted {
        Parted::read(json).unwrap()
    }

    #[test]
    fn raw_data_keep_numbers_that_no_tree_can_hold() {
        let json =
            r#"{"_key":"k","_rawData":[{"name":"a","rawData":{"n":1e400}},{"name":"b","rawData":[1.50]}],"z":1}"#;
        assert_eq!(parted(json).text().as_str(), json);
        let amended = parted(json).amended(Properties::from_iter([("y".to_owned(), Value::from(2))]));
        assert!(amended.text().as_str().ends_with(r#""rawData":[1.50]}],"y":2,"z":1}"#), "{}", amended.text().as_str());
        assert_eq!(
            amended.outlined()["_rawData"],
            serde_json::json!([{"name": "a", "rawData": {}}, {"name": "b", "rawData": []}])
        );
    }

    #[test]
    fn joining_does_not_depend_on_the_order() {
        let one = r#"{"_key":"k","_rawData":[{"name":"a","rawData":1e400}],"n":"b"}"#;
        let other = r#"{"_key":"k","_rawData":[{"name":"a","rawData":1e399},{"name":"0","rawData":2.0}],"n":"a"}"#;
        let joined = parted(one).joined(parted(other)).text();
        assert_eq!(joined.as_str(), parted(other).joined(parted(one)).text().as_str());
        assert_eq!(
            joined.as_str(),
            r#"{"_key":"k","_rawData":[{"name":"0","rawData":2.0},{"name":"a","rawData":1e399}],"n":"a"}"#
        );
    }
}
