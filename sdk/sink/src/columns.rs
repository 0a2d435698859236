//! The value types of properties, for targets with typed columns.
//!
//! A property has one type in a table: the narrowest one that holds all its values.
//!
//! ```text
//!   timestamp ─▶ integer ─▶ double ─┐
//!   boolean ────────────────────────┴─▶ text
//! ```
//!
//! - A timestamp is an integer in a property whose name ends with `On`, as milliseconds from year 1 to 9999.
//! - An integer above 2^53 next to a fraction makes the property a text, because a double would change it.
//! - In a text column, values that are no strings are written as JSON.
//! - If a property has a list in one object and a single value in another, the single value becomes a list of one.
//!
//! Types of an earlier transfer are kept, and only widen: see [`Columns::widen`].

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use integration_graph::{Values, json_string};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The maximum number of properties whose names a survey remembers for a type.
const REMEMBERED: usize = 20_000;
/// The largest integer up to which a double holds every integer.
const EXACT: u64 = 1 << 53;
/// The milliseconds of the years 1 to 9999.
const TIMES: std::ops::RangeInclusive<i64> = -62_135_596_800_000..=253_402_300_799_999;

/// The type of a single value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Element {
    /// `true` or `false`.
    Boolean,
    /// A time in milliseconds since 1970, in UTC.
    Timestamp,
    /// An integer of 64 bits with sign.
    Integer,
    /// A floating-point number of 64 bits.
    Double,
    /// A text.
    Text,
}

impl Element {
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (one, other) if one == other => one,
            (Self::Boolean | Self::Text, _) | (_, Self::Boolean | Self::Text) => Self::Text,
            (one, other) => one.max(other),
        }
    }
}

/// The type of a property: a single value, or a list of them. Every value can be absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ValueType {
    /// The type of the value, or of an element of the list.
    pub element: Element,
    /// Whether the value is a list.
    pub is_list: bool,
}

impl ValueType {
    /// The type of a single value.
    pub const fn of(element: Element) -> Self {
        Self { element, is_list: false }
    }

    /// The type of a list.
    pub const fn list(element: Element) -> Self {
        Self { element, is_list: true }
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.element {
            Element::Boolean => "boolean",
            Element::Timestamp => "timestamp",
            Element::Integer => "integer",
            Element::Double => "double",
            Element::Text => "text",
        })?;
        f.write_str(if self.is_list { "[]" } else { "" })
    }
}

impl From<ValueType> for String {
    fn from(value_type: ValueType) -> Self {
        value_type.to_string()
    }
}

/// A text that names no [`ValueType`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no type of a column")]
pub struct UnknownValueType(String);

impl FromStr for ValueType {
    type Err = UnknownValueType;

    fn from_str(text: &str) -> Result<Self, UnknownValueType> {
        let element = match text.strip_suffix("[]").unwrap_or(text) {
            "boolean" => Element::Boolean,
            "timestamp" => Element::Timestamp,
            "integer" => Element::Integer,
            "double" => Element::Double,
            "text" => Element::Text,
            _ => return Err(UnknownValueType(text.to_owned())),
        };
        Ok(Self { element, is_list: text.ends_with("[]") })
    }
}

impl TryFrom<String> for ValueType {
    type Error = UnknownValueType;

    fn try_from(text: String) -> Result<Self, UnknownValueType> {
        text.parse()
    }
}

/// The properties of one type, with the types of their values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    properties: BTreeMap<String, Shape>,
    is_full: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Shape {
    element: Option<Element>,
    is_list: bool,
    /// Whether an integer was observed that no double holds.
    is_wide: bool,
}

impl Shape {
    fn add(&mut self, other: Self) {
        self.is_list |= other.is_list;
        self.is_wide |= other.is_wide;
        self.element = match (self.element, other.element) {
            (Some(one), Some(other)) => Some(one.or(other)),
            (one, other) => one.or(other),
        };
    }

    fn value_type(self) -> ValueType {
        let element = match self.element.unwrap_or(Element::Text) {
            Element::Double if self.is_wide => Element::Text,
            element => element,
        };
        ValueType { element, is_list: self.is_list }
    }
}

impl Columns {
    /// Adds the properties that a JSON Schema declares in `properties`.
    ///
    /// ```
    /// use integration_sink::Columns;
    /// use serde_json::json;
    ///
    /// let mut columns = Columns::default();
    /// columns.declare(&json!({"properties": {"createdOn": {"type": "integer"}, "tags": {"type": ["array",
    /// "null"]}}})); let types: Vec<String> = columns.iter().map(|(name, value)| format!("{name} {value}")).collect();
    /// assert_eq!(types, ["createdOn timestamp", "tags text[]"]);
    /// ```
    pub fn declare(&mut self, schema: &Value) {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let mut shape = declared(name, property);
            if shape.is_list {
                shape.element = property.get("items").and_then(|items| declared(name, items).element);
            }
            self.add(name, shape);
        }
    }

    /// Adds the properties of an object, given as canonical JSON.
    pub fn observe(&mut self, properties: &str) {
        let mut tokens = Values::within(properties);
        while let (Some(name), Some(value)) = (tokens.next(), tokens.next()) {
            let name = json_string(name).unwrap_or_default();
            self.add(&name, observed(&name, value));
        }
    }

    /// Adds the properties of an earlier transfer, so that no column is lost, and no type becomes narrower.
    pub fn widen(&mut self, earlier: &BTreeMap<String, ValueType>) {
        for (name, value_type) in earlier {
            let ValueType { element, is_list } = *value_type;
            self.add(name, Shape { element: Some(element), is_list, is_wide: false });
        }
    }

    /// Adds the properties of another type, for targets in which all types share their columns.
    pub fn merge(&mut self, other: &Self) {
        self.is_full |= other.is_full;
        other.properties.iter().for_each(|(name, shape)| self.add(name, *shape));
    }

    fn add(&mut self, name: &str, shape: Shape) {
        let is_full = self.properties.len() >= REMEMBERED;
        match self.properties.get_mut(name) {
            Some(known) => known.add(shape),
            None if is_full => self.is_full = true,
            None => drop(self.properties.insert(name.to_owned(), shape)),
        }
    }

    /// Returns the properties with their types, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, ValueType)> {
        self.properties.iter().map(|(name, shape)| (name.as_str(), shape.value_type()))
    }

    /// Returns the type of a property, if it is known.
    pub fn get(&self, name: &str) -> Option<ValueType> {
        self.properties.get(name).map(|shape| shape.value_type())
    }

    /// Returns whether some properties are not listed, because there are too many.
    pub fn is_cut(&self) -> bool {
        self.is_full
    }
}

fn declared(name: &str, schema: &Value) -> Shape {
    let mut shape = Shape::default();
    let types = match &schema["type"] {
        Value::Array(types) => types.as_slice(),
        one => std::slice::from_ref(one),
    };
    for declared in types.iter().filter_map(Value::as_str) {
        let element = match declared {
            "boolean" => Some(Element::Boolean),
            "integer" | "number" if name.ends_with("On") => Some(Element::Timestamp),
            "integer" => Some(Element::Integer),
            "number" => Some(Element::Double),
            "array" => {
                shape.is_list = true;
                None
            }
            "null" => None,
            _ => Some(Element::Text),
        };
        shape.add(Shape { element, ..Shape::default() });
    }
    shape
}

fn observed(name: &str, value: &str) -> Shape {
    if !value.starts_with('[') {
        return single(name, value);
    }
    let mut shape = Shape { is_list: true, ..Shape::default() };
    for element in Values::within(value) {
        shape.add(Shape { is_list: true, ..single(name, element) });
    }
    shape
}

/// Returns the shape of a value that is no list. A list in a list is a text.
fn single(name: &str, value: &str) -> Shape {
    let of = |element| Shape { element: Some(element), ..Shape::default() };
    match value.as_bytes().first() {
        Some(b'n') => Shape::default(),
        Some(b't' | b'f') => of(Element::Boolean),
        Some(b'-' | b'0'..=b'9') => match value.parse::<i64>() {
            Ok(number) if name.ends_with("On") && TIMES.contains(&number) => of(Element::Timestamp),
            Ok(number) => Shape { is_wide: number.unsigned_abs() > EXACT, ..of(Element::Integer) },
            Err(_) => match value.parse::<f64>() {
                Ok(number) if number.is_finite() && value.contains(['.', 'e', 'E']) => of(Element::Double),
                _ => of(Element::Text),
            },
        },
        _ => of(Element::Text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types(objects: &[&str]) -> String {
        let mut columns = Columns::default();
        objects.iter().for_each(|object| columns.observe(object));
        columns.iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn a_property_has_the_narrowest_type_of_all_its_values() {
        assert_eq!(types(&[r#"{"a":1}"#, r#"{"a":1.5}"#]), "a double");
        assert_eq!(types(&[r#"{"a":9007199254740993}"#, r#"{"a":1.5}"#]), "a text");
        assert_eq!(types(&[r#"{"a":9007199254740993}"#]), "a integer");
        assert_eq!(types(&[r#"{"a":18446744073709551615}"#]), "a text");
        assert_eq!(types(&[r#"{"a":true}"#, r#"{"a":null}"#]), "a boolean");
        assert_eq!(types(&[r#"{"a":true}"#, r#"{"a":1}"#]), "a text");
        assert_eq!(types(&[r#"{"a":null}"#]), "a text");
        assert_eq!(types(&[r#"{"a":[]}"#, r#"{"a":[1,null]}"#]), "a integer[]");
        assert_eq!(types(&[r#"{"a":"x"}"#, r#"{"a":["y"]}"#]), "a text[]");
        assert_eq!(types(&[r#"{"a":{"b":1}}"#]), "a text");
        assert_eq!(types(&[r#"{"a\"":1e2}"#]), "a\" double");
    }

    #[test]
    fn a_time_is_an_integer_in_a_property_with_the_ending_of_times() {
        assert_eq!(types(&[r#"{"createdOn":1700000000000}"#]), "createdOn timestamp");
        assert_eq!(types(&[r#"{"createdOn":1}"#, r#"{"createdOn":253402300800000}"#]), "createdOn integer");
        assert_eq!(types(&[r#"{"createdOn":"soon"}"#]), "createdOn text");
        assert_eq!(types(&[r#"{"seenOn":[1,2]}"#]), "seenOn timestamp[]");
    }

    #[test]
    fn earlier_types_stay_and_only_widen() {
        let mut columns = Columns::default();
        columns.observe(r#"{"a":1,"c":[true]}"#);
        let earlier = [("a", "double"), ("b", "boolean"), ("c", "boolean")];
        columns.widen(&earlier.map(|(name, text)| (name.to_owned(), text.parse().unwrap())).into());
        let types: Vec<_> = columns.iter().map(|(name, value)| format!("{name} {value}")).collect();
        assert_eq!(types, ["a double", "b boolean", "c boolean[]"]);
    }

    #[test]
    fn a_type_with_endless_properties_has_bounded_columns() {
        let mut columns = Columns::default();
        for number in 0..REMEMBERED + 5 {
            columns.observe(&format!("{{\"p{number}\":1}}"));
        }
        assert!(columns.is_cut() && columns.iter().count() == REMEMBERED);
    }
}
