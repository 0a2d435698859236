//! References between schemas: located, converted to absolute addresses, and checked.
//!
//! Published sets refer to a class by a bare fragment (`"$ref": "#User"`), which is not an identifier. File names
//! (`User.json`) and fragments inside a schema (`#/definitions/tag`, `#User/properties/email`) are supported as well.
//! Nothing is fetched.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::address::{BASE, address, escaped};
use super::expansion;
use super::problem::SchemaProblem;

/// A reference in a class schema.
struct Reference {
    from: String,
    pointer: String,
    /// The original text.
    text: String,
    leads: Leads,
}

enum Leads {
    /// A class, and a fragment inside it.
    To(String, String),
    /// A standard schema, or a name inside the same schema. Validators resolve both.
    Known,
    Outside,
}

/// Converts schemas and references to absolute addresses and returns all unusable references.
///
/// A reference is unusable if it cannot be resolved, if it makes a class extend itself, or if it expands beyond the
/// bounds.
pub(super) fn resolve(classes: &mut BTreeMap<String, Value>) -> Vec<SchemaProblem> {
    let mut references = Vec::new();
    for (class, schema) in classes.iter_mut() {
        let names = local_names(schema);
        if let Some(object) = schema.as_object_mut() {
            object.insert("$id".into(), address(class).into());
        }
        each(schema, &mut String::new(), &mut |pointer, text| {
            let leads = parse(class, text, &names);
            let reference = Reference { from: class.clone(), pointer: pointer.to_owned(), text: text.clone(), leads };
            if let Leads::To(target, fragment) = &reference.leads {
                *text = if fragment.is_empty() { address(target) } else { format!("{}#{fragment}", address(target)) };
            }
            references.push(reference);
        });
    }
    let mut problems: Vec<SchemaProblem> =
        references.iter().filter_map(|reference| reference.follow(classes).err()).collect();
    if problems.is_empty() {
        problems = circles(&references);
    }
    if problems.is_empty() {
        problems = expansion::check(classes);
    }
    problems
}

/// Returns the names (`"$id": "#tag"`) that a schema defines for its parts.
fn local_names(schema: &Value) -> BTreeSet<String> {
    fn collect(schema: &Value, names: &mut BTreeSet<String>) {
        if let Some(name) = schema.get("$id").and_then(Value::as_str).and_then(|id| id.strip_prefix('#')) {
            names.insert(name.to_owned());
        }
        children(schema).for_each(|child| collect(child, names));
    }
    let mut names = BTreeSet::new();
    children(schema).for_each(|child| collect(child, &mut names));
    names
}

fn children(value: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match value {
        Value::Object(object) => Box::new(object.values()),
        Value::Array(items) => Box::new(items.iter()),
        _ => Box::new(std::iter::empty()),
    }
}

fn parse(class: &str, text: &str, names: &BTreeSet<String>) -> Leads {
    let text = text.strip_prefix(BASE).or_else(|| text.strip_prefix("./")).unwrap_or(text);
    let (file, fragment) = text.split_once('#').unwrap_or((text, ""));
    if file.starts_with("http://json-schema.org/") {
        return Leads::Known;
    }
    if file.contains([':', '/']) {
        return Leads::Outside;
    }
    if !file.is_empty() {
        return Leads::To(file.strip_suffix(".json").unwrap_or(file).to_owned(), fragment.to_owned());
    }
    if fragment.is_empty() || fragment.starts_with('/') {
        return Leads::To(class.to_owned(), fragment.to_owned());
    }
    if names.contains(fragment) {
        return Leads::Known;
    }
    let (target, place) = fragment.split_once('/').map_or((fragment, None), |(target, place)| (target, Some(place)));
    Leads::To(target.to_owned(), place.map(|place| format!("/{place}")).unwrap_or_default())
}

/// Visits every `$ref` with its pointer.
fn each(schema: &mut Value, pointer: &mut String, visit: &mut impl FnMut(&str, &mut String)) {
    let below = pointer.len();
    match schema {
        Value::Object(object) => {
            for (word, value) in object.iter_mut() {
                let _ = std::fmt::Write::write_fmt(pointer, format_args!("/{}", escaped(word)));
                match (word.as_str(), value) {
                    ("$ref", Value::String(reference)) => visit(pointer, reference),
                    // These contain values, not schemas.
                    ("enum" | "const" | "default" | "examples", _) => {}
                    ("properties" | "patternProperties" | "definitions" | "$defs", Value::Object(named)) => {
                        for (name, value) in named.iter_mut() {
                            let word = pointer.len();
                            let _ = std::fmt::Write::write_fmt(pointer, format_args!("/{}", escaped(name)));
                            each(value, pointer, visit);
                            pointer.truncate(word);
                        }
                    }
                    (_, value) => each(value, pointer, visit),
                }
                pointer.truncate(below);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter_mut().enumerate() {
                let _ = std::fmt::Write::write_fmt(pointer, format_args!("/{at}"));
                each(item, pointer, visit);
                pointer.truncate(below);
            }
        }
        _ => {}
    }
}

impl Reference {
    fn follow(&self, classes: &BTreeMap<String, Value>) -> Result<(), SchemaProblem> {
        let reason = match &self.leads {
            Leads::Known => return Ok(()),
            Leads::Outside => {
                format!("{:?} points outside the loaded schemas, and remote schemas are not fetched", self.text)
            }
            Leads::To(class, fragment) => match classes.get(class) {
                None => match nearest(class, classes.keys()) {
                    Some(name) => {
                        format!("{:?} cannot be resolved: there is no class {class}; did you mean {name}?", self.text)
                    }
                    None => format!("{:?} cannot be resolved: there is no class {class}", self.text),
                },
                // The validator resolves fragments with percent encoding.
                Some(schema) if fragment.contains('%') || schema.pointer(fragment).is_some() => return Ok(()),
                Some(_) if fragment.starts_with('/') => {
                    format!("{:?} cannot be resolved: there is no {fragment} in {class}", self.text)
                }
                Some(_) => return Ok(()),
            },
        };
        Err(self.problem(reason))
    }

    fn problem(&self, reason: String) -> SchemaProblem {
        SchemaProblem { schema: self.from.clone(), file: None, pointer: self.pointer.clone(), reason }
    }

    /// Returns the class that the reference extends, if it applies to the same value.
    fn parent(&self) -> Option<&str> {
        const IN_PLACE: [&str; 7] = ["allOf", "anyOf", "oneOf", "not", "if", "then", "else"];
        let mut words = self.pointer.strip_suffix("/$ref")?.split('/').skip(1);
        let in_place = words.all(|word| IN_PLACE.contains(&word) || word.bytes().all(|byte| byte.is_ascii_digit()));
        match &self.leads {
            Leads::To(class, fragment) if in_place && fragment.is_empty() => Some(class),
            _ => None,
        }
    }
}

fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> Option<&'a String> {
    let distance = |known: &&String| strsim::damerau_levenshtein(&known.to_lowercase(), &name.to_lowercase());
    known.min_by_key(distance).filter(|known| distance(known) <= 2)
}

/// Finds classes that extend themselves, because validation against them would never end.
fn circles(references: &[Reference]) -> Vec<SchemaProblem> {
    let mut parents: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for reference in references {
        parents.entry(&reference.from).or_default().extend(reference.parent());
    }
    let builds_on_itself = |reference: &&Reference| {
        let Some(first) = reference.parent() else { return false };
        let (mut waiting, mut seen) = (vec![first], BTreeSet::new());
        while let Some(class) = waiting.pop() {
            if class == reference.from {
                return true;
            }
            if seen.insert(class) {
                waiting.extend(parents.get(class).into_iter().flatten());
            }
        }
        false
    };
    let circular = references.iter().filter(builds_on_itself);
    circular.map(|reference| reference.problem(format!("{:?} makes the class extend itself", reference.text))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn classes(schemas: Value) -> BTreeMap<String, Value> {
        match schemas {
            Value::Object(schemas) => schemas.into_iter().collect(),
            _ => BTreeMap::new(),
        }
    }

    /// Returns the errors, as `schema pointer: reason`.
    fn problems(schemas: Value) -> Vec<String> {
        let found = resolve(&mut classes(schemas));
        found.into_iter().map(|found| format!("{} {}: {}", found.schema, found.pointer, found.reason)).collect()
    }

    #[test]
    fn a_class_is_named_by_fragment_file_or_address_and_a_place_in_it_by_pointer() {
        let mut schemas = classes(json!({
            "Entity": {"properties": {"id": {"type": "string"}}, "definitions": {"tag": {"$id": "#tag", "type": "string"}}},
            "User": {"allOf": [{"$ref": "#Entity"}, {"$ref": "Entity.json"}, {"$ref": "#Entity/properties/id"},
                               {"$ref": "#/allOf/0"}, {"$ref": "http://json-schema.org/draft-07/schema#"}]},
            "Tagged": {"properties": {"own": {"$ref": "#word"}, "$ref": {"type": "string"}},
                       "definitions": {"word": {"$id": "#word"}}, "default": {"$ref": "#Nobody"}},
        }));
        assert_eq!(resolve(&mut schemas), []);
        let reference = |at: usize| schemas["User"]["allOf"][at]["$ref"].as_str().unwrap_or_default().to_owned();
        assert_eq!([reference(0), reference(1)], ["schema:///classes/Entity.json"; 2]);
        assert_eq!(reference(2), "schema:///classes/Entity.json#/properties/id");
        assert_eq!(reference(3), "schema:///classes/User.json#/allOf/0");
        assert_eq!(schemas["Tagged"]["properties"]["own"]["$ref"], "#word");
        let once = schemas.clone();
        assert_eq!((resolve(&mut schemas), schemas), (vec![], once));
    }

    #[test]
    fn every_broken_reference_is_told_with_its_place() {
        let found = problems(json!({
            "Entity": {},
            "Team": {"allOf": [{"$ref": "#Entitty"}]},
            "User": {"allOf": [{"$ref": "#Entity"}], "properties": {
                "a/b": {"$ref": "#Entity/properties/email"}, "home": {"items": {"$ref": "https://example.com/a.json"}}}},
        }));
        assert_eq!(
            found,
            [
                r##"Team /allOf/0/$ref: "#Entitty" cannot be resolved: there is no class Entitty; did you mean Entity?"##,
                r##"User /properties/a~1b/$ref: "#Entity/properties/email" cannot be resolved: there is no /properties/email in Entity"##,
                r#"User /properties/home/items/$ref: "https://example.com/a.json" points outside the loaded schemas, and remote schemas are not fetched"#,
            ]
        );
    }

    #[test]
    fn a_class_that_builds_on_itself_is_refused_and_one_that_contains_itself_is_not() {
        let found = problems(json!({
            "A": {"allOf": [{"$ref": "#B"}]}, "B": {"$ref": "#C"}, "C": {"anyOf": [{"$ref": "#B"}]},
            "Tree": {"properties": {"children": {"items": {"$ref": "#"}}}},
        }));
        assert_eq!(
            found,
            [
                r##"B /$ref: "#C" makes the class extend itself"##,
                r##"C /anyOf/0/$ref: "#B" makes the class extend itself"##
            ]
        );
    }
}
