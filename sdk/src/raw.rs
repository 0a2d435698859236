//! JSON that stays text: what a provider said, on its way into raw data.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Error, Value};

use crate::room::Hold;

/// JSON as its text. It is checked to be JSON and not parsed into a tree, which takes several times the memory.
///
/// ```
/// use integration_sdk::RawJson;
/// let told: Vec<RawJson> = serde_json::from_str(r#"[{"id": "a"}, 7]"#).unwrap();
/// assert_eq!(told[0].as_str(), r#"{"id": "a"}"#);
/// assert_eq!(told[1].to_value().unwrap(), 7);
/// ```
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RawJson {
    json: Box<RawValue>,
    /// The memory of the answer that this is a part of.
    #[serde(skip)]
    hold: Option<Arc<Hold>>,
}

impl RawJson {
    /// The text.
    pub fn as_str(&self) -> &str {
        self.json.get()
    }

    /// The JSON as a tree.
    ///
    /// # Errors
    /// It is nested deeper than 128 levels, or holds a number that no 64 bits can.
    pub fn to_value(&self) -> Result<Value, Error> {
        serde_json::from_str(self.as_str())
    }

    /// Keeps the memory of an answer reserved as long as this JSON lives.
    pub(crate) fn hold(&mut self, hold: Arc<Hold>) {
        self.hold = Some(hold);
    }

    /// Hands the reservation over to the caller.
    pub(crate) fn take_hold(&mut self) -> Option<Arc<Hold>> {
        self.hold.take()
    }
}

impl fmt::Debug for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RawJson").field(&self.json).finish()
    }
}

impl PartialEq for RawJson {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl From<Value> for RawJson {
    fn from(value: Value) -> Self {
        let json = to_raw_value(&value).expect("the names in a tree of JSON are strings");
        Self { json, hold: None }
    }
}
