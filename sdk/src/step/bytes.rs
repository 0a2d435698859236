//! The stored text of an object, with its raw data in place.
//!
//! Raw data is copied from the provider's text without being parsed. The checks only need to know that raw data exists
//! and whether it is an object or a list, so they see an outline, in which objects and lists are empty.

use crate::graph::{ObjectText, ObjectWriter, RawData, write_list, write_text};
use crate::redact::{CopyError, Redaction};
use crate::secrets::take_out;

const RAW_DATA: &str = "_rawData";

/// Writes the outline of the raw data: all names, with empty objects and lists as values.
pub(super) fn outline(object: &mut ObjectWriter, raw_data: &[RawData]) {
    let outline = |raw: &RawData, json: &mut Vec<u8>| match raw.raw_data.as_str().as_bytes().first() {
        Some(b'{') => json.extend_from_slice(b"{}"),
        Some(b'[') => json.extend_from_slice(b"[]"),
        _ => {
            let value = raw.raw_data.to_value().unwrap_or_default();
            json.extend_from_slice(value.to_string().as_bytes());
        }
    };
    if !raw_data.is_empty() {
        object.member(RAW_DATA, |json| list(raw_data, json, outline));
    }
}

/// Replaces the outline by the redacted raw data and returns the text. `room` is the scratch buffer that holds it.
pub(super) fn finish<'a>(
    object: &'a ObjectText,
    raw_data: &[RawData],
    redaction: &Redaction,
    room: &'a mut Vec<u8>,
) -> Result<&'a str, CopyError> {
    let place = if raw_data.is_empty() { None } else { object.place_of(RAW_DATA) };
    let Some(place) = place else { return Ok(object.as_str()) };
    let outlined = object.as_str().as_bytes();
    room.clear();
    room.extend_from_slice(&outlined[..place.start]);
    let mut copied = Ok(());
    list(raw_data, room, |raw, json| {
        if copied.is_ok() {
            copied = redaction.copy(raw.raw_data.as_str(), json);
        }
    });
    copied?;
    room.extend_from_slice(&outlined[place.end..]);
    Ok(str::from_utf8(room).expect("JSON is written from strings"))
}

fn list(raw_data: &[RawData], json: &mut Vec<u8>, mut write: impl FnMut(&RawData, &mut Vec<u8>)) {
    write_list(raw_data, json, |raw, json| {
        json.extend_from_slice(br#"{"name":"#);
        write_text(&take_out(&raw.name), json);
        json.extend_from_slice(br#","rawData":"#);
        write(raw, json);
        json.push(b'}');
    });
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn raw_data_stand_in_their_place_without_secrets() {
        let raw = |name: &str, raw: Value| RawData { name: name.into(), raw_data: raw.into() };
        let raw_data =
            [raw("default", json!({"z": [1], "token": "s3cret"})), raw("other", json!([7])), raw("bare", json!("x"))];
        let mut object = ObjectWriter::new();
        object.text("_key", "k");
        outline(&mut object, &raw_data);
        object.property("a", &1_i64);
        let object = object.finish();
        let outlines = json!([{"name": "default", "rawData": {}}, {"name": "other", "rawData": []}, {"name": "bare", "rawData": "x"}]);
        assert_eq!(object.to_properties().unwrap()["_rawData"], outlines);
        let mut redaction = Redaction::default();
        redaction.field("token");
        assert_eq!(
            finish(&object, &raw_data, &redaction, &mut Vec::new()).unwrap(),
            r#"{"_key":"k","_rawData":[{"name":"default","rawData":{"token":"[redacted]","z":[1]}},{"name":"other","rawData":[7]},{"name":"bare","rawData":"x"}],"a":1}"#
        );
    }
}
