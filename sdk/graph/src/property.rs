//! Rust types that can be properties, and their JSON form.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::RangeInclusive;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use super::scan::{Values, plain_text};
use super::value::ValueWriter;

/// A stored property that its Rust type cannot represent.
#[derive(Debug, Clone, thiserror::Error)]
#[error("property `{property}`: expected {expected}, found {found}")]
pub struct PropertyError {
    /// The property's name.
    pub property: String,
    /// The type that was expected.
    pub expected: &'static str,
    /// The value found, shortened.
    pub found: String,
}

/// A type that can be a property of a graph object.
///
/// Objects are flat: a property is a scalar or a list of scalars, so no struct implements this trait
/// and a nested object cannot be written by accident. An absent value is omitted from the object.
#[diagnostic::on_unimplemented(
    message = "a property cannot have the type `{Self}`",
    label = "not a property type",
    note = "the types are `String`, `Url`, `Timestamp`, `bool`, `i32`, `i64`, `u32`, `f64`, and `Option`, `Vec` or `BTreeSet` of them",
    note = "the properties of an object are flat: give each field of a nested object a property of its own"
)]
pub trait Property: Sized {
    /// Whether the property may be absent.
    const OPTIONAL: bool = false;
    /// Returns the JSON Schema of the value.
    fn schema() -> Value;
    /// Writes the value, if there is one.
    fn write(&self, value: ValueWriter<'_>);
    /// Reads the value back.
    ///
    /// # Errors
    /// The expected shape, in words.
    fn from_value(value: Option<Value>) -> Result<Self, (&'static str, Value)>;
}

macro_rules! integer {
    ($($t:ty),*) => {$(
        impl Property for $t {
            fn schema() -> Value { json!({"type": "integer"}) }
            fn write(&self, value: ValueWriter<'_>) { value.integer(*self); }
            fn from_value(value: Option<Value>) -> Result<Self, (&'static str, Value)> {
                let value = value.unwrap_or_default();
                value.as_i64().and_then(|n| Self::try_from(n).ok()).ok_or(("an integer", value))
            }
        }
    )*};
}
integer!(i64, u32, i32);

impl Property for f64 {
    fn schema() -> Value {
        json!({"type": "number"})
    }
    fn write(&self, value: ValueWriter<'_>) {
        value.number(*self);
    }
    fn from_value(value: Option<Value>) -> Result<Self, (&'static str, Value)> {
        let value = value.unwrap_or_default();
        value.as_f64().ok_or(("a number", value))
    }
}

impl Property for bool {
    fn schema() -> Value {
        json!({"type": "boolean"})
    }
    fn write(&self, value: ValueWriter<'_>) {
        value.boolean(*self);
    }
    fn from_value(value: Option<Value>) -> Result<Self, (&'static str, Value)> {
        let value = value.unwrap_or_default();
        value.as_bool().ok_or(("a boolean", value))
    }
}

impl Property for String {
    fn schema() -> Value {
        json!({"type": "string"})
    }
    fn write(&self, value: ValueWriter<'_>) {
        value.text(self);
    }
    fn from_value(value: Option<Value>) -> Result<Self, (&'static str, Value)> {
        match value.unwrap_or_default() {
            Value::String(text) => Ok(text),
            other => Err(("a string", other)),
        }
    }
}

impl Property for url::Url {
    fn schema() -> Value {
        json!({"type": "string", "format": "uri"})
    }
    fn write(&self, value: ValueWriter<'_>) {
        value.text(self.as_str());
    }
    fn from_value(value: Option<Value>) -> Result<Self, (&'static str, Value)> {
        let value = value.unwrap_or_default();
        value.as_str().and_then(|text| text.parse().ok()).ok_or(("a URL", value))
    }
}

impl<T: Property> Property for Option<T> {
    const OPTIONAL: bool = true;
    fn schema() -> Value {
        T::schema()
    }
    fn write(&self, value: ValueWriter<'_>) {
        if let Some(property) = self {
            property.write(value);
        }
    }
    fn from_value(value: Option<Value>) -> Result<Self, (&'static str, Value)> {
        match value {
            None | Some(Value::Null) => Ok(None),
            some => T::from_value(some).map(Some),
        }
    }
}

fn list_from_value<T: Property, L: FromIterator<T> + Default>(
    value: Option<Value>,
) -> Result<L, (&'static str, Value)> {
    match value {
        None | Some(Value::Null) => Ok(L::default()),
        Some(Value::Array(items)) => items.into_iter().map(|item| T::from_value(Some(item))).collect(),
        Some(other) => Err(("a list", other)),
    }
}

impl<T: Property> Property for Vec<T> {
    fn schema() -> Value {
        json!({"type": "array", "items": T::schema()})
    }
    fn write(&self, value: ValueWriter<'_>) {
        value.list(self, T::write);
    }
    fn from_value(value: Option<Value>) -> Result<Self, (&'static str, Value)> {
        list_from_value::<T, Self>(value)
    }
}

impl<T: Property + Ord> Property for BTreeSet<T> {
    fn schema() -> Value {
        json!({"type": "array", "items": T::schema()})
    }
    fn write(&self, value: ValueWriter<'_>) {
        value.list(self, T::write);
    }
    fn from_value(value: Option<Value>) -> Result<Self, (&'static str, Value)> {
        list_from_value::<T, Self>(value)
    }
}

/// A point in time, parsed from RFC 3339 text and written as milliseconds since the epoch.
///
/// A number is read as milliseconds if it lies between the years 1973 and 9999. Any other number does not fit, because
/// a time in seconds would silently become a day in 1970. Convert such times with [`Timestamp::from_millis`].
///
/// ```
/// use integration_graph::Timestamp;
/// let at: Timestamp = serde_json::from_str("\"2024-01-01T00:00:00Z\"").unwrap();
/// assert_eq!(at.millis(), 1_704_067_200_000);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The numbers that are read as milliseconds since the epoch: March 1973 to the end of 9999.
const MILLISECONDS: RangeInclusive<i64> = 100_000_000_000..=253_402_300_799_999;
/// The length in milliseconds of the period after which the calendar repeats.
const FOUR_CENTURIES: i64 = 146_097 * 86_400_000;

impl Timestamp {
    /// Creates a timestamp from milliseconds since the epoch.
    pub fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Returns the current time.
    pub fn now() -> Self {
        // No clock is so wrong that reading it fails.
        let millis = |time: std::time::Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        Self(match std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH) {
            Ok(since) => millis(since),
            Err(before) => -millis(before.duration()),
        })
    }

    /// Returns the milliseconds since the epoch.
    pub fn millis(self) -> i64 {
        self.0
    }

    /// Returns the time that lies a duration before this one, or the earliest time.
    pub fn before(self, duration: std::time::Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(at) => at.fmt(f),
            Err(_) => self.0.fmt(f),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Wire;
        impl Visitor<'_> for Wire {
            type Value = Timestamp;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time in RFC 3339, or in milliseconds since the epoch from 1973 to 9999")
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Timestamp, E> {
                let millis = Some(number).filter(|number| MILLISECONDS.contains(number));
                millis.map(Timestamp).ok_or_else(|| E::invalid_value(Unexpected::Signed(number), &self))
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Timestamp, E> {
                let known = i64::try_from(number);
                known.map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self)).and_then(|n| self.visit_i64(n))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Timestamp, E> {
                instant(text).map(Timestamp).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Wire)
    }
}

/// Cuts a fraction of a second to nine digits, which is more than a timestamp keeps.
fn nanoseconds(text: &str) -> Cow<'_, str> {
    let Some(from) = text.find('.').map(|point| point + 1) else { return Cow::Borrowed(text) };
    let digits = text[from..].bytes().take_while(u8::is_ascii_digit).count();
    match digits > 9 {
        true => Cow::Owned(format!("{}{}", &text[..from + 9], &text[from + digits..])),
        false => Cow::Borrowed(text),
    }
}

/// The milliseconds of a text in RFC 3339; in UTC if the text has no offset.
fn instant(text: &str) -> Result<i64, jiff::Error> {
    let text = &nanoseconds(text.trim());
    rfc_3339(text).or_else(|error| {
        let text = text.strip_suffix(" UTC").unwrap_or(text);
        let time = if text.len() == "2020-04-24".len() { "T00:00:00Z" } else { "Z" };
        rfc_3339(&format!("{text}{time}")).map_err(|_| error)
    })
}

/// Returns the milliseconds of a text in RFC 3339 that has an offset.
pub(crate) fn rfc_3339(text: &str) -> Result<i64, jiff::Error> {
    match text.parse::<jiff::Timestamp>() {
        Ok(at) => Ok(at.as_millisecond()),
        // jiff ends a day before the year does. The calendar repeats every 400 years.
        Err(error) => match text.strip_prefix("9999-").map(|rest| format!("9599-{rest}").parse::<jiff::Timestamp>()) {
            Some(Ok(at)) => Ok(at.as_millisecond() + FOUR_CENTURIES),
            _ => Err(error),
        },
    }
}

impl Property for Timestamp {
    fn schema() -> Value {
        json!({"type": "integer"})
    }
    fn write(&self, value: ValueWriter<'_>) {
        value.integer(self.0);
    }
    fn from_value(value: Option<Value>) -> Result<Self, (&'static str, Value)> {
        i64::from_value(value).map(Self)
    }
}

/// Reads a property as its Rust type.
///
/// # Errors
/// [`PropertyError`] if the value has another shape.
pub fn read_property<T: Property>(name: &str, value: Option<Value>) -> Result<T, PropertyError> {
    T::from_value(value).map_err(|(expected, found)| PropertyError {
        property: name.to_owned(),
        expected,
        found: found.to_string().chars().take(80).collect(),
    })
}

/// Extracts properties from an object's JSON and skips all others. The requested names are sorted, like those
/// of the object.
///
/// # Errors
/// [`PropertyError`] if the text is not a JSON object.
pub fn pick_properties<const N: usize>(json: &str, names: [&str; N]) -> Result<[Option<Value>; N], PropertyError> {
    debug_assert!(names.is_sorted());
    let unfit = |found: &dyn fmt::Display| PropertyError {
        property: "object".to_owned(),
        expected: "a JSON object",
        found: found.to_string().chars().take(80).collect(),
    };
    if !json.starts_with('{') {
        return Err(unfit(&json));
    }
    let mut picked = [const { None }; N];
    let mut wanted = names.iter().zip(&mut picked).peekable();
    let mut members = Values::within(json);
    while wanted.peek().is_some()
        && let (Some(name), Some(value)) = (members.next(), members.next())
    {
        // A property name contains no escapes. A member name with escapes is out of alphabetical order.
        let Some(name) = plain_text(name) else { continue };
        while wanted.next_if(|(wanted, _)| **wanted < name).is_some() {}
        if let Some((_, place)) = wanted.next_if(|(wanted, _)| **wanted == name) {
            *place = Some(read_value(value).map_err(|error| unfit(&error))?);
        }
    }
    Ok(picked)
}

fn read_value(json: &str) -> serde_json::Result<Value> {
    match plain_text(json) {
        Some(text) => Ok(Value::String(text.to_owned())),
        None => serde_json::from_str(json),
    }
}

/// A builder of the JSON Schema of a type's own properties.
#[derive(Debug, Default)]
pub struct PropertySchema {
    properties: serde_json::Map<String, Value>,
    required: Vec<Value>,
}

impl PropertySchema {
    /// Creates a schema without properties.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a property; it is required unless its type is optional.
    #[must_use]
    pub fn property<T: Property>(mut self, name: &str, description: &str) -> Self {
        let mut schema = T::schema();
        if !description.is_empty() {
            schema["description"] = description.into();
        }
        self.properties.insert(name.to_owned(), schema);
        if !T::OPTIONAL {
            self.required.push(name.into());
        }
        self
    }

    /// Returns the schema.
    pub fn into_value(self) -> Value {
        json!({"type": "object", "properties": self.properties, "required": self.required})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(text: &str) -> Option<i64> {
        serde_json::from_value::<Timestamp>(text.into()).ok().map(Timestamp::millis)
    }

    #[test]
    fn a_fraction_of_a_second_may_have_any_number_of_digits() {
        for fraction in ["5", "500", "500000000", "500000000000123", "5000000000000000000000"] {
            assert_eq!(millis(&format!("2020-04-24T17:53:13.{fraction}Z")), Some(1_587_750_793_500), "{fraction}");
            assert_eq!(millis(&format!("2020-04-24T19:53:13.{fraction}+02:00")), Some(1_587_750_793_500), "{fraction}");
        }
    }

    #[test]
    fn a_time_without_an_offset_is_in_utc() {
        let expected = Some(1_587_750_793_000);
        let forms = [
            "2020-04-24T17:53:13Z",
            "2020-04-24T17:53:13",
            "2020-04-24 17:53:13",
            "2020-04-24T17:53:13.000",
            "2020-04-24 17:53:13 UTC",
            "2020-04-24T19:53:13+02:00",
            "2020-04-24T19:53:13+0200",
        ];
        for text in forms {
            assert_eq!(millis(text), expected, "{text}");
        }
        assert_eq!(millis("2020-04-24"), Some(1_587_686_400_000));
    }

    #[test]
    fn the_last_day_of_the_last_year_is_a_time() {
        for text in ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59", "9999-12-31T22:59:59-01:00"] {
            assert_eq!(millis(text), Some(253_402_300_799_000), "{text}");
        }
        assert_eq!(millis("9999-12-29T23:59:59Z"), Some(253_402_300_799_000 - 2 * 86_400_000));
        assert_eq!(millis("0001-01-01T00:00:00Z"), Some(-62_135_596_800_000));
        assert_eq!(millis("9999-02-29T00:00:00Z"), None);
    }

    #[test]
    fn a_number_is_a_time_only_if_it_cannot_be_seconds() {
        let read = |json: &str| serde_json::from_str::<Timestamp>(json).ok().map(Timestamp::millis);
        assert_eq!(read("1587750793000"), Some(1_587_750_793_000));
        for number in ["1587750793", "0", "-1587750793", "1587750793000000", "18446744073709551615", "1587750793000.5"]
        {
            assert_eq!(read(number), None, "{number}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", " ", "yesterday", "2020-04", "2020-13-24T17:53:13", "2020-04-24T17:53:13+99:00", "17:53:13"] {
            assert_eq!(millis(text), None, "{text}");
        }
    }
}
