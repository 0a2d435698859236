//! The rules about a single object.

use std::collections::BTreeSet;

use integration_sdk::dataset::Wrapper;
use integration_sdk::graph::{ObjectType, RelationshipClass};
use integration_sdk::schema::{Finding, Schemas};
use integration_sdk::secrets::may_be_in;
use serde_json::{Map, Value};

use crate::report::Rule;

use super::pointer::Pointer;
use super::secrets;

/// The JSON pointers to the ends of direct and mapped relationships.
pub(super) const ENDS: [&str; 3] = ["/_fromEntityKey", "/_toEntityKey", "/_mapping/sourceEntityKey"];
/// Values near the present as seconds, but in the 1970s as milliseconds.
const SECONDS: std::ops::Range<f64> = 1e8..1e11;
/// Larger values are beyond the year 5000 as milliseconds, and are probably microseconds.
const MICROSECONDS: f64 = 1e14;

/// A violation of a rule by an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Defect {
    pub(super) rule: Rule,
    pub(super) pointer: String,
    pub(super) reason: String,
    /// The schema that the object violates, if any.
    pub(super) schema: String,
}

impl Defect {
    pub(super) fn new(rule: Rule, pointer: impl ToString, reason: impl Into<String>) -> Self {
        Self { rule, pointer: pointer.to_string(), reason: reason.into(), schema: String::new() }
    }

    /// Returns whether a schema finding reports the same defect.
    fn covers(&self, finding: &Finding) -> bool {
        let beneath = finding.pointer.strip_prefix(&self.pointer);
        matches!(self.rule, Rule::PropertyName | Rule::NestedObject | Rule::RelationshipClass)
            && beneath.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// Returns all defects of an object.
pub(super) fn defects(schemas: &Schemas, object: &Value, json: &str, wrapper: Wrapper) -> Vec<Defect> {
    let mut defects = Vec::new();
    let ends = ENDS.iter().filter(|end| object.pointer(end).is_some_and(Value::is_string)).count();
    match (wrapper, ends) {
        (Wrapper::Entities, 1..) => {
            defects.push(Defect::new(Rule::Misplaced, "", "this relationship is listed under `entities`"));
        }
        (Wrapper::Relationships, 0) => {
            defects.push(Defect::new(
                Rule::Misplaced,
                "",
                "this object is listed under `relationships` and has no ends",
            ));
        }
        _ => {}
    }
    if let Value::Object(properties) = object {
        let pointer = &mut Pointer::default();
        of_properties(properties, pointer, &mut defects);
        of_class(schemas, properties, ends > 0, &mut defects);
        of_raw_data(properties, &mut defects);
        if let Some(Value::Object(mapping)) = properties.get("_mapping") {
            pointer.within("_mapping", |pointer| of_mapping(mapping, pointer, &mut defects));
        }
    }
    of_type(schemas, object, &mut defects);
    let found: Vec<Finding> = schemas.check(object);
    let new = found.into_iter().filter(|finding| !defects.iter().any(|defect| defect.covers(finding)));
    let new: Vec<Defect> = new
        .map(|Finding { pointer, reason, schema, .. }| Defect { rule: Rule::Schema, pointer, reason, schema })
        .collect();
    defects.extend(new);
    if may_be_in(json) {
        secrets::each(object, &mut Pointer::default(), &mut |pointer, kind| {
            defects.push(Defect::new(Rule::Secret, pointer, format!("the text looks like {kind}")));
        });
    }
    defects
}

/// Checks names, nesting, and times of an object or of a mapping's target.
fn of_properties(properties: &Map<String, Value>, pointer: &mut Pointer, defects: &mut Vec<Defect>) {
    for (name, value) in properties {
        if !is_property_name(name) {
            pointer.within(name, |pointer| {
                defects.push(Defect::new(Rule::PropertyName, pointer, "the name of this property is not allowed"));
            });
        }
        if matches!(name.as_str(), "_rawData" | "_mapping") {
            continue;
        }
        match value {
            Value::Object(_) => {
                pointer.within(name, |pointer| {
                    defects.push(Defect::new(Rule::NestedObject, pointer, "the value is an object"))
                });
            }
            Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
                pointer.within(name, |pointer| {
                    defects.push(Defect::new(Rule::NestedObject, pointer, "the items are lists or objects"));
                });
            }
            Value::Number(time) if name.ends_with("On") => {
                if let Some(reason) = time.as_f64().and_then(wrong_unit) {
                    pointer.within(name, |pointer| defects.push(Defect::new(Rule::TimeUnit, pointer, reason)));
                }
            }
            _ => {}
        }
    }
}

/// Returns whether queries can use a name: letters, digits, dots, dashes and spaces, after an optional underscore.
fn is_property_name(name: &str) -> bool {
    let rest = name.strip_prefix('_').unwrap_or(name);
    !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b' ' | b'-'))
}

fn wrong_unit(time: f64) -> Option<&'static str> {
    if SECONDS.contains(&time) {
        Some("the value looks like seconds, but times are in milliseconds")
    } else if time >= MICROSECONDS {
        Some("the value looks like microseconds or nanoseconds, but times are in milliseconds")
    } else {
        None
    }
}

fn of_class(schemas: &Schemas, properties: &Map<String, Value>, joins: bool, defects: &mut Vec<Defect>) {
    let known = |name: &str| {
        if joins { class_named(name).is_some() } else { schemas.classes().contains_key(name) }
    };
    let (rule, reason) = match joins {
        true => (Rule::RelationshipClass, "this class of relationships is unknown"),
        false => (Rule::UnknownClass, "there is no schema for this class, so only the base schema is checked"),
    };
    match properties.get("_class") {
        Some(Value::String(name)) if !known(name) => defects.push(Defect::new(rule, "/_class", reason)),
        Some(Value::Array(names)) => {
            for (at, name) in names.iter().enumerate() {
                if name.as_str().is_some_and(|name| !known(name)) {
                    defects.push(Defect::new(rule, format!("/_class/{at}"), reason));
                }
            }
        }
        _ => {}
    }
}

/// Returns the relationship class of this name.
pub(super) fn class_named(name: &str) -> Option<RelationshipClass> {
    RelationshipClass::ALL.iter().copied().find(|class| class.as_str() == name)
}

fn of_type(schemas: &Schemas, object: &Value, defects: &mut Vec<Defect>) {
    let declared = |name| ObjectType::new(name).is_ok_and(|name| schemas.types().contains_key(&name));
    if object["_type"].as_str().is_some_and(|name| !declared(name)) {
        defects.push(Defect::new(Rule::UndeclaredType, "/_type", "no step declares this type"));
    }
}

fn of_raw_data(properties: &Map<String, Value>, defects: &mut Vec<Defect>) {
    let Some(Value::Array(items)) = properties.get("_rawData") else { return };
    let mut names = BTreeSet::new();
    for (at, item) in items.iter().enumerate() {
        if item["name"].as_str().is_some_and(|name| !names.insert(name)) {
            let reason = "another item of raw data in this object has this name";
            defects.push(Defect::new(Rule::RawDataName, format!("/_rawData/{at}/name"), reason));
        }
    }
}

fn of_mapping(mapping: &Map<String, Value>, pointer: &mut Pointer, defects: &mut Vec<Defect>) {
    let Some(Value::Object(target)) = mapping.get("targetEntity") else { return };
    pointer.within("targetEntity", |pointer| of_properties(target, pointer, defects));
    let filters = mapping.get("targetFilterKeys").and_then(Value::as_array);
    for (at, filter) in filters.into_iter().flatten().enumerate() {
        for (part, name) in filter.as_array().into_iter().flatten().enumerate() {
            if name.as_str().is_some_and(|name| target.get(name).is_none_or(Value::is_null)) {
                let place = format!("/_mapping/targetFilterKeys/{at}/{part}");
                defects.push(Defect::new(Rule::MappingFilter, place, "`targetEntity` has no value for this property"));
            }
        }
    }
}
