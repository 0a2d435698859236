//! An object's bytes: what the store keeps and what leaves the program.
//!
//! Raw data goes from the provider's text into them without a tree in between; what checks need to know of it, that it is
//! there and of which kind, stands in the object as an outline.

use serde_json::{Value, json};

use crate::graph::{Properties, RawData};
use crate::redact::Redaction;

const RAW_DATA: &str = "_rawData";
/// About as many bytes as an object's properties take: room is made once.
const PROPERTIES: usize = 640;

/// Puts the outline of its raw data into an object: the names, and empty objects and lists in the place of full ones.
pub(super) fn outline(object: &mut Properties, raw_data: &[RawData]) {
    if raw_data.is_empty() {
        return;
    }
    let outlines = raw_data.iter().map(|raw| {
        let value = match raw.raw_data.as_str().as_bytes().first() {
            Some(b'{') => json!({}),
            Some(b'[') => json!([]),
            _ => raw.raw_data.to_value().unwrap_or_default(),
        };
        json!({"name": raw.name, "rawData": value})
    });
    object.insert(RAW_DATA.into(), outlines.collect());
}

/// The object with its raw data, less what is secret there.
pub(super) fn serialize(object: &Value, raw_data: &[RawData], redaction: &Redaction) -> serde_json::Result<Vec<u8>> {
    let raw_bytes: usize = raw_data.iter().map(|raw| raw.raw_data.as_str().len()).sum();
    let mut out = Vec::with_capacity(PROPERTIES + raw_bytes);
    let Some(object) = object.as_object().filter(|_| !raw_data.is_empty()) else {
        serde_json::to_writer(&mut out, object)?;
        return Ok(out);
    };
    out.push(b'{');
    for (name, value) in object {
        serde_json::to_writer(&mut out, name)?;
        out.push(b':');
        if name == RAW_DATA {
            list(raw_data, redaction, &mut out)?;
        } else {
            serde_json::to_writer(&mut out, value)?;
        }
        out.push(b',');
    }
    out.pop();
    out.push(b'}');
    Ok(out)
}

fn list(raw_data: &[RawData], redaction: &Redaction, out: &mut Vec<u8>) -> serde_json::Result<()> {
    out.push(b'[');
    for raw in raw_data {
        out.extend_from_slice(br#"{"name":"#);
        serde_json::to_writer(&mut *out, &raw.name)?;
        out.extend_from_slice(br#","rawData":"#);
        redaction.copy(raw.raw_data.as_str(), out)?;
        out.extend_from_slice(b"},");
    }
    out.pop();
    out.push(b']');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_data_stand_in_their_place_without_secrets() {
        let raw = |name: &str, raw: Value| RawData { name: name.into(), raw_data: raw.into() };
        let raw_data =
            [raw("default", json!({"z": [1], "token": "s3cret"})), raw("other", json!([7])), raw("bare", json!("x"))];
        let mut object = Properties::new();
        object.insert("_key".into(), "k".into());
        object.insert("a".into(), 1.into());
        outline(&mut object, &raw_data);
        let object = Value::Object(object);
        let outlines = json!([{"name": "default", "rawData": {}}, {"name": "other", "rawData": []}, {"name": "bare", "rawData": "x"}]);
        assert_eq!(object["_rawData"], outlines);
        let mut redaction = Redaction::default();
        redaction.field("token");
        let bytes = serialize(&object, &raw_data, &redaction).unwrap();
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            r#"{"_key":"k","_rawData":[{"name":"default","rawData":{"token":"[redacted]","z":[1]}},{"name":"other","rawData":[7]},{"name":"bare","rawData":"x"}],"a":1}"#
        );
    }
}
