//! Compiles class schemas as a loader does: bare fragments become identifiers.

use std::collections::BTreeMap;

use integration_schemas::CLASSES;
use jsonschema::{Registry, Validator};
use serde_json::{Value, json};

const BASE: &str = "schema:///classes/";

/// Every schema as JSON, by name.
pub(crate) fn documents() -> BTreeMap<&'static str, Value> {
    let parse = |&(name, text): &(&'static str, &str)| match serde_json::from_str(text) {
        Ok(schema) => (name, schema),
        Err(error) => panic!("classes/{name}.json is not JSON: {error}"),
    };
    CLASSES.iter().map(parse).collect()
}

/// Returns the name after `#` of every reference to another class, at any depth.
pub(crate) fn references(schema: &Value) -> Vec<&str> {
    let own = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    let children: Vec<&Value> = match schema {
        Value::Object(object) => object.values().collect(),
        Value::Array(items) => items.iter().collect(),
        _ => Vec::new(),
    };
    own.into_iter().chain(children.into_iter().flat_map(references)).collect()
}

/// Compiles the schema of one class, formats included.
pub(crate) fn validator(class: &str) -> Validator {
    let mut registry = Registry::new();
    for (name, mut schema) in documents() {
        let address = format!("{BASE}{name}.json");
        schema["$id"] = address.as_str().into();
        resolve(&mut schema);
        registry = registry.add(address, schema).expect("an address below the base is a URI");
    }
    let registry = registry.prepare().expect("every reference leads to a listed class");
    let schema = json!({"$schema": "http://json-schema.org/draft-07/schema#", "$ref": format!("{BASE}{class}.json")});
    let options = jsonschema::options().with_registry(&registry).offline().should_validate_formats(true);
    options.build(&schema).unwrap_or_else(|error| panic!("the schema of {class} does not compile: {error}"))
}

/// Returns the JSON pointers of the violations in an object, sorted and unique.
pub(crate) fn faults(class: &str, object: &Value) -> Vec<String> {
    let mut pointers: Vec<String> =
        validator(class).iter_errors(object).map(|error| error.instance_path().to_string()).collect();
    pointers.sort();
    pointers.dedup();
    pointers
}

fn resolve(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get_mut("$ref")
                && let Some(class) = reference.strip_prefix('#')
            {
                *reference = format!("{BASE}{class}.json");
            }
            object.values_mut().for_each(resolve);
        }
        Value::Array(items) => items.iter_mut().for_each(resolve),
        _ => {}
    }
}
