//! The form of uploaded objects.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Returns the first defect of an entity.
pub(crate) fn entity(object: &Value) -> Result<(), String> {
    let object = common(object)?;
    for name in ["_fromEntityKey", "_toEntityKey", "_mapping"] {
        if object.contains_key(name) {
            return Err(format!("an entity has no `{name}`"));
        }
    }
    let classes = match &object["_class"] {
        Value::String(class) => !class.is_empty(),
        Value::Array(classes) => {
            !classes.is_empty() && classes.iter().all(|class| class.as_str().is_some_and(|class| !class.is_empty()))
        }
        _ => false,
    };
    if classes { Ok(()) } else { Err("`_class` of an entity is a class or a list of classes".to_owned()) }
}

/// Returns the first defect of a relationship.
pub(crate) fn relationship(object: &Value) -> Result<(), String> {
    let object = common(object)?;
    if !object["_class"].as_str().is_some_and(|class| !class.is_empty() && class == class.to_uppercase()) {
        return Err("`_class` of a relationship is one word in upper case".to_owned());
    }
    match object.get("_mapping") {
        Some(mapping) => self::mapping(mapping),
        None => {
            text(object, "_fromEntityKey")?;
            text(object, "_toEntityKey").map(drop)
        }
    }
}

fn mapping(mapping: &Value) -> Result<(), String> {
    let mapping = mapping.as_object().ok_or("`_mapping` is not an object")?;
    if !matches!(text(mapping, "relationshipDirection")?, "FORWARD" | "REVERSE") {
        return Err("`relationshipDirection` is FORWARD or REVERSE".to_owned());
    }
    text(mapping, "sourceEntityKey")?;
    let is_names = |names: &Value| names.is_string() || names.as_array().is_some_and(|names| !names.is_empty());
    let filters = mapping.get("targetFilterKeys").and_then(Value::as_array);
    if !filters.is_some_and(|filters| !filters.is_empty() && filters.iter().all(is_names)) {
        return Err("`targetFilterKeys` is a list of property names".to_owned());
    }
    match mapping.get("targetEntity") {
        Some(Value::Object(_)) => Ok(()),
        _ => Err("`targetEntity` is not an object".to_owned()),
    }
}

/// Checks the parts that entities and relationships have in common.
fn common(object: &Value) -> Result<&Map<String, Value>, String> {
    let object = object.as_object().ok_or("an object of a graph is a JSON object")?;
    text(object, "_key")?;
    text(object, "_type")?;
    if !object.contains_key("_class") {
        return Err("`_class` is missing".to_owned());
    }
    for (name, value) in object {
        match name.as_str() {
            "_rawData" => raw_data(value)?,
            "_mapping" => {}
            _ if !is_flat(value) => return Err(format!("the property `{name}` is not flat")),
            _ => {}
        }
    }
    Ok(object)
}

fn is_flat(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().all(|item| !item.is_array() && !item.is_object()),
        Value::Object(_) => false,
        _ => true,
    }
}

fn raw_data(raw: &Value) -> Result<(), String> {
    let list = raw.as_array().ok_or("`_rawData` is not a list")?;
    let mut names = BTreeSet::new();
    for raw in list {
        let named = raw.as_object().filter(|raw| raw.contains_key("rawData")).ok_or("raw data has a `rawData`")?;
        if !names.insert(text(named, "name")?) {
            return Err("names of raw data are unique".to_owned());
        }
    }
    Ok(())
}

fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Result<&'a str, String> {
    let text = object.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    text.ok_or_else(|| format!("`{name}` is missing or is not a text"))
}
