//! The raw data of an object, copied from the provider's text without its secrets.

use crate::graph::{RawData, write_raw_data};
use crate::redact::{CopyError, Redaction};
use crate::secrets::take_out;

/// Writes the raw data of an object into `scratch` and returns it; `None` if there is none.
pub(super) fn redacted<'a>(
    raw_data: &[RawData],
    redaction: &Redaction,
    scratch: &'a mut Vec<u8>,
) -> Result<Option<&'a str>, CopyError> {
    if raw_data.is_empty() {
        return Ok(None);
    }
    scratch.clear();
    let mut copied = Ok(());
    let named = raw_data.iter().map(|raw| (take_out(&raw.name), raw));
    write_raw_data(
        named,
        scratch,
        |(name, _)| name.as_ref(),
        |(_, raw), json| {
            if copied.is_ok() {
                copied = redaction.copy(raw.raw_data.as_str(), json);
            }
        },
    );
    copied?;
    Ok(Some(str::from_utf8(scratch).expect("JSON is written from strings")))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn raw_data_have_their_names_and_no_secrets() {
        let raw = |name: &str, raw: Value| RawData { name: name.into(), raw_data: raw.into() };
        let raw_data =
            [raw("default", json!({"z": [1], "token": "s3cret"})), raw("other", json!([7])), raw("bare", json!("x"))];
        let mut redaction = Redaction::default();
        redaction.field("token");
        let mut scratch = b"earlier".to_vec();
        assert_eq!(
            redacted(&raw_data, &redaction, &mut scratch).unwrap().unwrap(),
            r#"[{"name":"default","rawData":{"token":"[redacted]","z":[1]}},{"name":"other","rawData":[7]},{"name":"bare","rawData":"x"}]"#
        );
        assert_eq!(redacted(&[], &redaction, &mut scratch).unwrap(), None);
    }
}
