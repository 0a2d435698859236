//! Validation of JSON text, without building a tree for each object. Most objects have no findings.

use std::borrow::Cow;
use std::{iter, vec};

use jsonschema::JsonType;
use jsonschema::json::{Array, Json, Node, NodeIdentity, Object, cmp};
use serde_json::{Number, Value};

use integration_graph::{ObjectText, Values, json_string};

/// The representation: text that is known to be valid JSON.
#[derive(Debug)]
pub(super) struct JsonText;

/// A value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Text<'a> {
    /// An object of the graph with known member positions.
    Object(&'a ObjectText),
    /// Any JSON.
    Json(&'a str),
    /// A standalone string: the name of a member.
    Name(&'a str),
}

impl<'a> Text<'a> {
    fn json(self) -> Option<&'a str> {
        match self {
            Self::Object(object) => Some(object.as_str()),
            Self::Json(json) => Some(json),
            Self::Name(_) => None,
        }
    }

    fn begins_with(self, byte: u8) -> bool {
        self.json().is_some_and(|json| json.as_bytes().first() == Some(&byte))
    }
}

impl Json for JsonText {
    type Node<'a> = Text<'a>;
    type PreparedKey = String;
    type StringBuffer = ();

    // A lookup compares the length of each name.
    const KEYS_PER_LOOKUP: usize = 2;
    const ACYCLIC: bool = true;

    fn prepare_key(key: &str) -> String {
        key.to_owned()
    }

    fn with_string_node<T>((): &mut (), string: &str, f: impl FnOnce(Text<'_>) -> T) -> T {
        f(Text::Name(string))
    }
}

impl<'a> Node<'a, JsonText> for Text<'a> {
    type Object = Members<'a>;
    type Array = Elements<'a>;
    type Number = Number;

    fn as_object(&self) -> Option<Members<'a>> {
        if !self.begins_with(b'{') {
            return None;
        }
        match self {
            Self::Object(object) if object.has_plain_names() => Some(Members::Known(object)),
            _ => {
                let mut members = Vec::new();
                let mut values = Values::within(self.json()?);
                while let Some(name) = values.next() {
                    members.push((Text::Json(name).as_string()?, Text::Json(values.next()?)));
                }
                Some(Members::Read(members))
            }
        }
    }

    fn as_array(&self) -> Option<Elements<'a>> {
        if !self.begins_with(b'[') {
            return None;
        }
        Some(Elements(self.json()?))
    }

    fn as_string(&self) -> Option<Cow<'a, str>> {
        match self {
            Self::Name(name) => Some(Cow::Borrowed(name)),
            Self::Json(json) => json_string(json),
            Self::Object(_) => None,
        }
    }

    fn as_number(&self) -> Option<Number> {
        if self.is_number() { serde_json::from_str(self.json()?).ok() } else { None }
    }

    fn as_boolean(&self) -> Option<bool> {
        match self.json()? {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    fn is_null(&self) -> bool {
        self.begins_with(b'n')
    }

    fn is_number(&self) -> bool {
        self.json_type() == JsonType::Number
    }

    fn json_type(&self) -> JsonType {
        match self.json().and_then(|json| json.as_bytes().first()) {
            None | Some(b'"') => JsonType::String,
            Some(b'{') => JsonType::Object,
            Some(b'[') => JsonType::Array,
            Some(b't' | b'f') => JsonType::Boolean,
            Some(b'n') => JsonType::Null,
            Some(_) => JsonType::Number,
        }
    }

    fn string_length_within(&self, min: u64, max: u64) -> Option<bool> {
        let string = self.as_string()?;
        let bytes = string.len() as u64;
        // A character needs at most four bytes, so the number of bytes usually decides.
        if min <= bytes.div_ceil(4) && bytes <= max {
            return Some(true);
        }
        Some((min..=max).contains(&(string.chars().count() as u64)))
    }

    fn equals_value(&self, expected: &Value) -> bool {
        match expected {
            Value::String(expected) => self.as_string().is_some_and(|string| string == *expected),
            Value::Bool(expected) => self.as_boolean() == Some(*expected),
            Value::Null => self.is_null(),
            expected => cmp::equal(&self.to_value(), expected),
        }
    }

    fn to_value(&self) -> Cow<'a, Value> {
        Cow::Owned(match self {
            Self::Name(name) => Value::from(*name),
            // A tree cannot hold every value, such as a number beyond 64 bits. No schema requires such values.
            _ => self.json().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default(),
        })
    }

    fn identity(&self) -> Option<NodeIdentity> {
        let text = match self {
            Self::Name(name) => name,
            _ => self.json()?,
        };
        Some(NodeIdentity::new(text.as_ptr() as usize))
    }
}

/// The members of an object.
pub(super) enum Members<'a> {
    Known(&'a ObjectText),
    Read(Vec<(Cow<'a, str>, Text<'a>)>),
}

/// An iterator over the members.
pub(super) enum MembersIter<'a> {
    Known(&'a ObjectText, usize),
    Read(vec::IntoIter<(Cow<'a, str>, Text<'a>)>),
}

impl<'a> Iterator for MembersIter<'a> {
    type Item = (Cow<'a, str>, Text<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Known(object, at) => {
                let (name, value) = object.member_at(*at)?;
                *at += 1;
                Some((Cow::Borrowed(name), Text::Json(value)))
            }
            Self::Read(members) => members.next(),
        }
    }
}

impl<'a> Object<'a, JsonText> for Members<'a> {
    type Node = Text<'a>;
    type MemberName = Cow<'a, str>;
    type MembersIter = MembersIter<'a>;

    fn len(&self) -> usize {
        match self {
            Self::Known(object) => object.len(),
            Self::Read(members) => members.len(),
        }
    }

    fn get(&self, key: &String) -> Option<Text<'a>> {
        match self {
            Self::Known(object) => object.get(key).map(Text::Json),
            Self::Read(members) => members.iter().find(|(name, _)| name == key).map(|(_, value)| *value),
        }
    }

    fn members(&self) -> MembersIter<'a> {
        match self {
            Self::Known(object) => MembersIter::Known(object, 0),
            Self::Read(members) => MembersIter::Read(members.clone().into_iter()),
        }
    }
}

/// The elements of a list.
pub(super) struct Elements<'a>(&'a str);

impl<'a> Array<'a, JsonText> for Elements<'a> {
    type Node = Text<'a>;
    type ElementsIter = iter::Map<Values<'a>, fn(&'a str) -> Text<'a>>;

    fn len(&self) -> usize {
        Values::within(self.0).count()
    }

    fn elements(&self) -> Self::ElementsIter {
        Values::within(self.0).map(Text::Json)
    }
}

#[cfg(test)]
mod tests {
    use jsonschema::json::conformance;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn text_is_looked_at_as_validators_expect() {
        let document = conformance::document();
        conformance::assert_conformance::<JsonText>(&Text::Json(&document.to_string()));
        let object = ObjectText::from(document.as_object().unwrap());
        conformance::assert_conformance::<JsonText>(&Text::Object(&object));
    }

    fn json() -> impl Strategy<Value = Value> {
        let scalar = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[a-c\\n\"é]{0,3}".prop_map(Value::from),
        ];
        scalar.prop_recursive(3, 20, 4, |inner| {
            let object = proptest::collection::btree_map("[a-c\\n]{0,2}", inner.clone(), 0..4);
            prop_oneof![
                proptest::collection::vec(inner, 0..4).prop_map(Value::from),
                object.prop_map(|object| object.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn text_is_valid_where_its_tree_is(
            object in proptest::collection::btree_map("[a-c\\n]{0,2}", json(), 0..5),
            expected in json(),
            limit in 0..4_u64,
        ) {
            let tree: Value = object.into_iter().collect();
            let text = ObjectText::from(tree.as_object().unwrap());
            for schema in [
                json!({"properties": {"a": {"type": ["integer", "string"]}, "b": {"const": expected}}}),
                json!({"required": ["a"], "propertyNames": {"pattern": "^[a-b]*$", "minLength": limit}}),
                json!({"additionalProperties": {"maxLength": limit, "maximum": limit, "maxItems": limit, "uniqueItems": true}}),
                json!({"patternProperties": {"^[ab]": {"type": "object", "minProperties": limit, "not": {"required": ["c"]}}}}),
                json!({"properties": {"a": {"type": "array", "items": {"enum": [expected, 1, "a"]}}, "c": false}, "maxProperties": limit}),
            ] {
                let of_trees = jsonschema::validator_for(&schema).unwrap();
                let of_text = jsonschema::options_for::<JsonText>().build(&schema).unwrap();
                prop_assert_eq!(of_text.is_valid(Text::Object(&text)), of_trees.is_valid(&tree), "{} {}", schema, tree);
                let again = text.as_str().to_owned();
                prop_assert_eq!(of_text.is_valid(Text::Json(&again)), of_trees.is_valid(&tree), "{} {}", schema, tree);
            }
        }
    }
}
