//! Finds secrets in objects.
//!
//! Findings contain the place and the kind of a secret, never the secret itself. The kinds are defined by the SDK.

use std::borrow::Cow;

use integration_sdk::secrets::{SecretKind, kinds_in};
use serde_json::Value;

use super::pointer::Pointer;

/// Replaces a text that contains a secret with the kind of the secret.
pub(super) fn masked(text: &str) -> Cow<'_, str> {
    match kinds_in(text).first() {
        Some(kind) => Cow::Owned(format!("[{kind}]")),
        None => Cow::Borrowed(text),
    }
}

/// Visits each secret in the names and values of an object, including raw data.
pub(super) fn each(value: &Value, pointer: &mut Pointer, visit: &mut impl FnMut(&Pointer, SecretKind)) {
    match value {
        Value::String(text) => kinds_in(text).into_iter().for_each(|kind| visit(pointer, kind)),
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                pointer.within_item(at, |pointer| each(item, pointer, visit));
            }
        }
        Value::Object(object) => {
            for (name, value) in object {
                pointer.within(&masked(name), |pointer| {
                    kinds_in(name).into_iter().for_each(|kind| visit(pointer, kind));
                    each(value, pointer, visit);
                });
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_secret_is_found_in_values_and_names_at_any_depth_and_its_place_does_not_show_it() {
        let key = format!("HRKU-{}", "0".repeat(36));
        let object = json!({"a/b": [1, {"c": key}], "d": {&key: true}});
        let mut found = Vec::new();
        each(&object, &mut Pointer::default(), &mut |pointer, kind| found.push(format!("{pointer} {kind}")));
        assert_eq!(found, ["/a~1b/1/c a Heroku API key", "/d/[a Heroku API key] a Heroku API key"]);
    }
}
