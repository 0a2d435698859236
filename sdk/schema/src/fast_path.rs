//! The fast path of validation: rules by property instead of schema by schema.
//!
//! A validator walks through all schemas of an object with their references, and checks each property several times.
//! Objects of one type, however, have only a few distinct sets of property names. Therefore names are validated once
//! per distinct set, and each value is validated once against all schemas that apply to it. A schema with other
//! constraints, such as alternatives, cannot be split this way and is validated as a whole.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use jsonschema::Validator;
use serde::Serialize;
use serde_json::{Map, Value, json};

use integration_graph::ObjectText;

use super::json_text::{JsonText, Text};

/// The maximum number of cached name sets, which exceeds the combinations that a type usually has.
const MOST_SHAPES: usize = 64;
/// The only draft whose keywords are interpreted here.
const DRAFT: &str = "http://json-schema.org/draft-07/schema";

/// The schemas of an object, split by property.
pub(super) struct PropertyRules {
    layers: Vec<Layer>,
    of_names: Value,
    names: OnceLock<Option<Validator<JsonText>>>,
    shapes: RwLock<Vec<Arc<Shape>>>,
    values: RwLock<BTreeMap<String, Option<Arc<Validator<JsonText>>>>>,
}

/// The constraints of one schema on the values of properties.
#[derive(Default)]
struct Layer {
    properties: Map<String, Value>,
    patterns: Map<String, Value>,
    additional: Option<Value>,
}

/// A valid set of names.
struct Shape(Vec<MemberRule>);

/// The rule of one property.
struct MemberRule {
    name: String,
    validator: Option<Arc<Validator<JsonText>>>,
    /// A valid value. Properties such as the type have no other.
    known: OnceLock<Box<str>>,
}

impl PropertyRules {
    /// Splits schemas, if possible. `follow` resolves references.
    pub(super) fn of<'a>(
        schemas: impl IntoIterator<Item = &'a Value>,
        follow: &impl Fn(&str) -> Option<&'a Value>,
    ) -> Option<Self> {
        let (mut layers, mut of_names) = (Vec::new(), Vec::new());
        for schema in schemas {
            take_apart(schema, follow, &mut layers, &mut of_names)?;
        }
        let of_names = all_of(&of_names);
        Some(Self { layers, of_names, names: OnceLock::new(), shapes: RwLock::default(), values: RwLock::default() })
    }

    /// Returns whether the split rules accept an object; `None` if they cannot decide.
    ///
    /// `compile` creates a validator from a schema.
    pub(super) fn allow(
        &self,
        object: &ObjectText,
        compile: &impl Fn(&Value) -> Option<Validator<JsonText>>,
    ) -> Option<bool> {
        if !object.has_plain_names() {
            return None;
        }
        let known = self.shapes.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(shape) = known.iter().find(|shape| shape.is_of(object)).map(Arc::clone) {
            drop(known);
            return Some(shape.allows(object));
        }
        let is_full = known.len() >= MOST_SHAPES;
        drop(known);
        let names = self.names.get_or_init(|| compile(&self.of_names)).as_ref()?;
        if is_full || !names.is_valid(Text::Object(object)) {
            return None;
        }
        let rules = object.members().map(|(name, _)| self.rule(name, compile)).collect::<Option<_>>()?;
        let shape = Arc::new(Shape(rules));
        self.shapes.write().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&shape));
        Some(shape.allows(object))
    }

    fn rule(&self, name: &str, compile: &impl Fn(&Value) -> Option<Validator<JsonText>>) -> Option<MemberRule> {
        let rule = |validator| MemberRule { name: name.to_owned(), validator, known: OnceLock::new() };
        if let Some(known) = self.values.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Some(rule(known.clone()));
        }
        let mut schemas: Vec<&Value> = Vec::new();
        for layer in &self.layers {
            let mut is_additional = true;
            if let Some(schema) = layer.properties.get(name) {
                is_additional = false;
                schemas.push(schema);
            }
            for (pattern, schema) in &layer.patterns {
                if compile(&json!({"pattern": pattern}))?.is_valid(Text::Name(name)) {
                    is_additional = false;
                    schemas.push(schema);
                }
            }
            schemas.extend(layer.additional.as_ref().filter(|_| is_additional));
        }
        let validator = match schemas.is_empty() {
            true => None,
            false => Some(Arc::new(compile(&all_of(&schemas))?)),
        };
        let mut values = self.values.write().unwrap_or_else(PoisonError::into_inner);
        Some(rule(values.entry(name.to_owned()).or_insert(validator).clone()))
    }
}

fn all_of(schemas: &impl Serialize) -> Value {
    json!({"$schema": DRAFT, "allOf": schemas})
}

impl Shape {
    fn is_of(&self, object: &ObjectText) -> bool {
        self.0.len() == object.len() && self.0.iter().zip(object.members()).all(|(rule, (name, _))| rule.name == name)
    }

    fn allows(&self, object: &ObjectText) -> bool {
        self.0.iter().zip(object.members()).all(|(rule, (_, json))| rule.allows(json))
    }
}

impl MemberRule {
    fn allows(&self, json: &str) -> bool {
        let Some(validator) = &self.validator else { return true };
        if self.known.get().is_some_and(|known| **known == *json) {
            return true;
        }
        let is_valid = validator.is_valid(Text::Json(json));
        if is_valid {
            self.known.get_or_init(|| json.into());
        }
        is_valid
    }
}

/// Adds the constraints of a schema on values and names; `None` if it has others.
fn take_apart<'a>(
    schema: &'a Value,
    follow: &impl Fn(&str) -> Option<&'a Value>,
    layers: &mut Vec<Layer>,
    of_names: &mut Vec<Value>,
) -> Option<()> {
    let schema = match schema {
        Value::Bool(true) => return Some(()),
        Value::Object(schema) => schema,
        _ => return None,
    };
    if let Some(reference) = schema.get("$ref") {
        // In this draft, keywords next to a reference are ignored.
        return take_apart(follow(reference.as_str()?)?, follow, layers, of_names);
    }
    let (mut layer, mut names) = (Layer::default(), Map::new());
    for (word, value) in schema {
        match word.as_str() {
            "$schema" if value.as_str()?.trim_end_matches('#') != DRAFT => return None,
            "$schema" | "$id" | "$comment" | "title" | "description" | "default" | "examples" | "definitions" => {}
            "type" if value == "object" => {}
            "required" | "propertyNames" | "minProperties" | "maxProperties" if stands_alone(value) => {
                names.insert(word.clone(), value.clone());
            }
            "properties" if stands_alone(value) => layer.properties = value.as_object()?.clone(),
            "patternProperties" if stands_alone(value) => layer.patterns = value.as_object()?.clone(),
            "additionalProperties" if stands_alone(value) => layer.additional = Some(value.clone()),
            "allOf" => {
                for part in value.as_array()? {
                    take_apart(part, follow, layers, of_names)?;
                }
            }
            _ => return None,
        }
    }
    layers.push(layer);
    of_names.push(Value::Object(names));
    Some(())
}

/// Returns whether a subschema keeps its meaning when it is moved, because its references are absolute.
fn stands_alone(part: &Value) -> bool {
    match part {
        Value::Object(members) => members.iter().all(|(word, value)| match (word.as_str(), value) {
            ("$ref", Value::String(reference)) => !reference.starts_with('#'),
            ("$id", Value::String(_)) => false,
            _ => stands_alone(value),
        }),
        Value::Array(parts) => parts.iter().all(stands_alone),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::{select, subsequence};

    use super::*;
    use crate::formats;

    const TYPES: [&str; 6] = ["string", "boolean", "integer", "number", "null", "array"];

    fn schemas() -> impl Strategy<Value = Vec<Value>> {
        let types =
            prop_oneof![select(&TYPES[..]).prop_map(Value::from), subsequence(&TYPES[..], 1..4).prop_map(Value::from)];
        let word = prop_oneof![
            4 => types.prop_map(|types| ("type", types)),
            4 => (0..3_u64).prop_map(|least| ("minLength", least.into())),
            1 => Just(("maxLength", json!(2))),
            1 => Just(("format", json!("uri"))),
            1 => Just(("pattern", json!("^a"))),
            1 => Just(("items", json!({"type": "string"}))),
            1 => Just(("minItems", json!(1))),
            1 => Just(("minimum", json!(5))),
            1 => Just(("enum", json!(["a", 7, true]))),
            1 => Just(("description", json!("What it is."))),
        ];
        let schema = proptest::collection::vec(word, 0..4)
            .prop_map(|words| Value::Object(words.into_iter().map(|(word, value)| (word.to_owned(), value)).collect()));
        proptest::collection::vec(schema, 1..3)
    }

    fn values() -> impl Strategy<Value = Value> {
        select(vec![
            json!("abc"),
            json!("a"),
            json!(""),
            json!("\u{1f99c}\""),
            json!("https://h.example/"),
            json!(true),
            json!(false),
            json!(7),
            json!(-7),
            json!(7.5),
            json!(null),
            json!([]),
            json!(["a"]),
            json!([1]),
        ])
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn split_rules_decide_as_the_schemas_do(schemas in schemas(), values in prop::collection::vec(values(), 1..4)) {
            let schemas: Vec<Value> =
                schemas.into_iter().map(|value| json!({"properties": {"p": value}})).collect();
            let rules = PropertyRules::of(&schemas, &|_| None).expect("schemas without references");
            // The second value is checked with the rules that the first one created.
            for value in values {
                let object = json!({"p": value});
                let text = ObjectText::from(object.as_object().expect("an object"));
                let compile = |schema: &Value| {
                    formats::checked(jsonschema::options_for::<JsonText>().offline()).build(schema).ok()
                };
                let whole = json!({"$schema": DRAFT, "allOf": schemas});
                let whole = formats::checked(jsonschema::options().offline()).build(&whole).expect("a schema");
                prop_assert_eq!(rules.allow(&text, &compile), Some(whole.is_valid(&object)), "{}", object);
            }
        }
    }
}
