//! JSON text of a provider, kept unparsed until it is stored as raw data.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Error, Value};

use crate::redact::{Edit, edited};

/// JSON as text. It is validated but not parsed into a tree, which would need several times the memory.
///
/// ```
/// use integration_graph::RawJson;
/// let items: Vec<RawJson> = serde_json::from_str(r#"[{"id": "a"}, 7]"#).unwrap();
/// assert_eq!(items[0].as_str(), r#"{"id": "a"}"#);
/// assert_eq!(items[1].to_value().unwrap(), 7);
/// ```
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RawJson {
    json: Box<RawValue>,
    /// The memory reservation of the response that contains this text.
    #[serde(skip)]
    hold: Option<Arc<dyn Any + Send + Sync>>,
}

impl RawJson {
    /// The text.
    pub fn as_str(&self) -> &str {
        self.json.get()
    }

    /// Parses the JSON into a tree.
    ///
    /// Numbers beyond 64 bits are rounded, and only the last of equal member names is kept.
    ///
    /// # Errors
    /// If it is nested deeper than 128 levels.
    pub fn to_value(&self) -> Result<Value, Error> {
        Self::tree_of(self.as_str())
    }

    /// Parses JSON text into a tree in the same way.
    ///
    /// # Errors
    /// If the text is not JSON, or nested deeper than 128 levels.
    pub fn tree_of(json: &str) -> Result<Value, Error> {
        serde_json::from_str(json).or_else(|error| match bounded(json) {
            Some(bounded) => serde_json::from_str(&bounded),
            None => Err(error),
        })
    }

    /// Keeps another value alive as long as this one, such as the memory reservation of a response.
    pub fn hold(&mut self, hold: Arc<dyn Any + Send + Sync>) {
        self.hold = Some(hold);
    }

    /// Transfers the value that this one keeps alive to the caller.
    pub fn take_hold(&mut self) -> Option<Arc<dyn Any + Send + Sync>> {
        self.hold.take()
    }
}

impl fmt::Debug for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RawJson").field(&self.json).finish()
    }
}

/// Replaces numbers beyond 64 bits by the nearest representable ones.
fn bounded(json: &str) -> Option<String> {
    struct Bounded;

    impl Edit for Bounded {
        const IN_ORDER: bool = false;
        // Unpaired surrogates stay unchanged, so that the parser rejects them.
        const AS_WRITTEN: bool = true;

        fn hides(&self, _: &str) -> bool {
            false
        }

        fn text(&self, _: Option<&str>, _: &str) -> Option<String> {
            None
        }

        fn name(&self, _: &str) -> Option<String> {
            None
        }

        fn number(&self, number: &str) -> Option<String> {
            let value: f64 = number.parse().ok()?;
            let bound = if value > 0.0 { f64::MAX } else { f64::MIN };
            value.is_infinite().then(|| Value::from(bound).to_string())
        }
    }

    let mut bounded = Vec::new();
    edited(&Bounded, json, &mut bounded).ok()?;
    String::from_utf8(bounded).ok()
}

impl PartialEq for RawJson {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl From<Box<RawValue>> for RawJson {
    fn from(json: Box<RawValue>) -> Self {
        Self { json, hold: None }
    }
}

impl From<Value> for RawJson {
    fn from(value: Value) -> Self {
        let json = to_raw_value(&value).expect("the names in a tree of JSON are strings");
        Self { json, hold: None }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_tree_is_made_of_text_that_64_bits_cannot_hold() {
        let tree =
            RawJson::tree_of(r#"{"a":[1e400,-1E400,1e-400,12345678901234567890123],"b":1,"b":"\u00e9"}"#).unwrap();
        assert_eq!(tree, json!({"a": [f64::MAX, f64::MIN, 0.0, 12345678901234567890123.0], "b": "é"}));
        assert!(RawJson::tree_of("[1").is_err());
        assert!(RawJson::tree_of(r#"[1e400, "\ud83d"]"#).is_err(), "an unpaired surrogate is not valid text");
    }
}
