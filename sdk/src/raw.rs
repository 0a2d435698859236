//! JSON that stays text: what a provider said, on its way into raw data.

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Error, Value};

/// JSON as its text. It is checked to be JSON and not parsed into a tree, which takes several times the memory.
///
/// ```
/// use integration_sdk::RawJson;
/// let told: Vec<RawJson> = serde_json::from_str(r#"[{"id": "a"}, 7]"#).unwrap();
/// assert_eq!(told[0].as_str(), r#"{"id": "a"}"#);
/// assert_eq!(told[1].to_value().unwrap(), 7);
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RawJson(Box<RawValue>);

impl RawJson {
    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// The JSON as a tree.
    ///
    /// # Errors
    /// It is nested deeper than 128 levels, or holds a number that no 64 bits can.
    pub fn to_value(&self) -> Result<Value, Error> {
        serde_json::from_str(self.as_str())
    }
}

impl PartialEq for RawJson {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl From<Value> for RawJson {
    fn from(value: Value) -> Self {
        Self(to_raw_value(&value).expect("the names in a tree of JSON are strings"))
    }
}
