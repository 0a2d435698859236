//! Values of properties: JSON texts as values that a graph database stores.
//!
//! A property is a boolean, an integer, a floating-point number, a text, or a list of one of these. Everything else
//! becomes a text: an object, a list in a list, an integer beyond 64 bits, and elements of several types. A list of
//! integers and fractions becomes a list of floating-point numbers if they hold every integer. Nulls are absent.

use integration_graph::Values;

/// The largest integer up to which a floating-point number holds every integer.
const EXACT: u64 = 1 << 53;

/// A value that a graph database stores as a property.
#[derive(Debug, Clone, PartialEq)]
pub enum PropertyValue {
    /// `true` or `false`.
    Boolean(bool),
    /// An integer.
    Integer(i64),
    /// A floating-point number.
    Float(f64),
    /// A text.
    Text(String),
    /// A list, whose elements have one type and are no lists.
    List(Vec<Self>),
}

/// Converts the JSON text of a property; `None` if it is null.
pub fn property_value(json: &str) -> Option<PropertyValue> {
    if !json.starts_with('[') {
        return single(json);
    }
    let texts: Vec<&str> = Values::within(json).filter(|text| *text != "null").collect();
    let elements: Vec<PropertyValue> = texts.iter().filter_map(|text| single(text)).collect();
    let kind = |value: &PropertyValue| std::mem::discriminant(value);
    if elements.windows(2).all(|pair| kind(&pair[0]) == kind(&pair[1])) {
        return Some(PropertyValue::List(elements));
    }
    let floats: Option<Vec<PropertyValue>> = elements.iter().map(as_float).collect();
    let as_texts = || {
        let text = |(value, json): (PropertyValue, &str)| match value {
            text @ PropertyValue::Text(_) => text,
            _ => PropertyValue::Text(json.to_owned()),
        };
        elements.into_iter().zip(texts).map(text).collect()
    };
    Some(PropertyValue::List(floats.unwrap_or_else(as_texts)))
}

fn single(json: &str) -> Option<PropertyValue> {
    Some(match json.as_bytes().first()? {
        b'n' => return None,
        b't' => PropertyValue::Boolean(true),
        b'f' => PropertyValue::Boolean(false),
        b'"' => PropertyValue::Text(serde_json::from_str(json).unwrap_or_default()),
        b'[' | b'{' => PropertyValue::Text(json.to_owned()),
        _ => match (json.parse(), json.parse::<f64>()) {
            (Ok(integer), _) => PropertyValue::Integer(integer),
            (_, Ok(number)) if number.is_finite() && json.contains(['.', 'e', 'E']) => PropertyValue::Float(number),
            _ => PropertyValue::Text(json.to_owned()),
        },
    })
}

fn as_float(value: &PropertyValue) -> Option<PropertyValue> {
    match value {
        PropertyValue::Float(_) => Some(value.clone()),
        PropertyValue::Integer(integer) if integer.unsigned_abs() <= EXACT => {
            Some(PropertyValue::Float(*integer as f64))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(elements: &[&str]) -> Option<PropertyValue> {
        Some(PropertyValue::List(elements.iter().map(|text| PropertyValue::Text((*text).to_owned())).collect()))
    }

    #[test]
    fn elements_of_a_list_have_one_type() {
        let floats = [1.0, 2.5].map(PropertyValue::Float).into();
        assert_eq!((property_value("[1,2.5]"), property_value("null")), (Some(PropertyValue::List(floats)), None));
        assert_eq!(property_value("[]"), Some(PropertyValue::List(Vec::new())));
        assert_eq!(property_value("[1,null,2]"), Some(PropertyValue::List([1, 2].map(PropertyValue::Integer).into())));
        assert_eq!(property_value("[9007199254740993,0.5]"), texts(&["9007199254740993", "0.5"]));
        assert_eq!(property_value(r#"["a",1,[true]]"#), texts(&["a", "1", "[true]"]));
    }

    #[test]
    fn values_without_a_type_in_the_database_become_texts() {
        let text = |json: &str| Some(PropertyValue::Text(json.to_owned()));
        assert_eq!(property_value("18446744073709551615"), text("18446744073709551615"));
        assert_eq!(property_value("1e400"), text("1e400"));
        assert_eq!(property_value(r#"{"a":1}"#), text(r#"{"a":1}"#));
        assert_eq!(property_value("-0.5"), Some(PropertyValue::Float(-0.5)));
        assert_eq!(property_value(r#""ä\n""#), text("ä\n"));
    }
}
