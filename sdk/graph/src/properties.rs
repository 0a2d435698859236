//! The properties of objects.

use serde_json::{Map, Value};

/// Flat properties, sorted by name, so that an object has exactly one byte representation.
pub type Properties = Map<String, Value>;
