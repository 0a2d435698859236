//! A bound on the work that references cause.
//!
//! A validator follows each reference every time it encounters it. A schema of thirty definitions, each with two
//! references to the next, is small, but a single object would be checked 2^30 times against the last definition.
//! Therefore the schemas that apply to one value are counted before a schema is used, at each depth of an object
//! ([`nesting`]), and so is the depth of references.

mod circle;
mod nesting;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use serde_json::Value;

use super::address::{BASE, class_at, escaped};
use super::problem::{SchemaProblem, problem};

/// The maximum number of schemas that apply to one value. Published sets need fewer than a hundred.
const MOST: u64 = 10_000;
/// The maximum nesting depth of schemas, references included.
const DEEPEST: usize = 256;

/// Returns an error for each class that exceeds a bound. References must already be absolute addresses.
pub(super) fn check(classes: &BTreeMap<String, Value>) -> Vec<SchemaProblem> {
    let anchors = classes.iter().map(|(class, schema)| (class.as_str(), anchors(schema))).collect();
    let mut expansion = Expansion { classes, anchors, known: HashMap::new() };
    let mut problems = Vec::new();
    for (class, schema) in classes {
        let Some((pointer, excess)) = expansion.first_excess(class, schema, &mut String::new()) else { continue };
        let reason = match excess {
            Excess::Many => format!(
                "its references apply more than {MOST} schemas to one value, so that checking an object would not end: refer \
                 to each definition once"
            ),
            Excess::Deep => format!("its references nest more than {DEEPEST} deep: shorten the chain"),
        };
        problems.push(problem(class, None::<PathBuf>, &pointer, reason));
    }
    if problems.is_empty() {
        for (class, schema) in classes {
            let Some(pointer) = circle::first(&expansion, class, schema) else { continue };
            let reason = "its references lead back to this schema for the same value, so that validation would not end: \
                          remove one of the references";
            problems.push(problem(class, None::<PathBuf>, &pointer, reason));
        }
    }
    if problems.is_empty()
        && let Some(class) = nesting::first_excess(&expansion)
    {
        let reason = format!(
            "its references apply more than {MOST} schemas to one value deep within an object, so that checking it would not \
             end: refer to each definition once"
        );
        problems.push(problem(class, None::<PathBuf>, "", reason));
    }
    problems
}

/// The exceeded bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Excess {
    Many,
    Deep,
}

struct Expansion<'a> {
    classes: &'a BTreeMap<String, Value>,
    /// The anchors of each class.
    anchors: HashMap<&'a str, HashMap<&'a str, &'a Value>>,
    /// The size of each schema by its address in memory; `None` while it is being computed.
    known: HashMap<*const Value, Option<Result<Size, Excess>>>,
}

/// The size of a schema with everything it refers to.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    /// The number of schemas that apply to a value if this one does.
    schemas: u64,
    /// The length of the longest path below the schema.
    depth: usize,
}

/// The way in which the schemas below a keyword apply.
enum Applied {
    /// The subschema applies to the same value, like a reference.
    InPlace,
    /// The subschema applies to a nested value.
    Within,
    /// The keyword contains values instead of subschemas.
    Not,
}

fn applied(word: &str) -> Applied {
    match word {
        "$ref" | "$dynamicRef" | "$recursiveRef" | "allOf" | "anyOf" | "oneOf" | "not" | "if" | "then" | "else"
        | "dependencies" | "dependentSchemas" | "propertyNames" => Applied::InPlace,
        "enum" | "const" | "default" | "examples" => Applied::Not,
        _ => Applied::Within,
    }
}

/// Returns whether the keyword maps names to schemas.
fn names_schemas(word: &str) -> bool {
    matches!(word, "properties" | "patternProperties" | "definitions" | "$defs" | "dependencies" | "dependentSchemas")
}

impl<'a> Expansion<'a> {
    /// Returns the JSON pointer of the first schema that exceeds a bound.
    fn first_excess(&mut self, class: &'a str, node: &'a Value, pointer: &mut String) -> Option<(String, Excess)> {
        if let Err(excess) = self.size(class, node, 0) {
            return Some((pointer.clone(), excess));
        }
        let below = pointer.len();
        for (word, child) in subschemas(node) {
            pointer.push('/');
            pointer.push_str(&word);
            let found = self.first_excess(class, child, pointer);
            pointer.truncate(below);
            if found.is_some() {
                return found;
            }
        }
        None
    }

    fn size(&mut self, class: &'a str, node: &'a Value, depth: usize) -> Result<Size, Excess> {
        let place = std::ptr::from_ref(node);
        match self.known.get(&place) {
            Some(Some(size)) => return *size,
            // Cycles are the subject of another check.
            Some(None) => return Ok(Size::default()),
            None => {}
        }
        // This function is recursive, so the bound also protects its stack.
        if depth > DEEPEST {
            return Err(Excess::Deep);
        }
        self.known.insert(place, None);
        let size = self.sum(class, node, depth);
        self.known.insert(place, Some(size));
        size
    }

    fn sum(&mut self, class: &'a str, node: &'a Value, depth: usize) -> Result<Size, Excess> {
        let mut sum = Size { schemas: 1, depth: 1 };
        let Value::Object(words) = node else { return Ok(sum) };
        for (word, value) in words {
            let mut below = Vec::new();
            if let ("$ref" | "$dynamicRef" | "$recursiveRef", Value::String(reference)) = (word.as_str(), value) {
                below.extend(self.target(class, reference));
            } else {
                below.extend(children(word, value).into_iter().map(|(_, child)| (class, child)));
            }
            let in_place = matches!(applied(word), Applied::InPlace);
            for (class, child) in below {
                let size = self.size(class, child, depth + 1)?;
                sum.schemas = sum.schemas.saturating_add(if in_place { size.schemas } else { 0 });
                sum.depth = sum.depth.max(size.depth + 1);
            }
        }
        match sum {
            Size { schemas, .. } if schemas > MOST => Err(Excess::Many),
            Size { depth, .. } if depth > DEEPEST => Err(Excess::Deep),
            size => Ok(size),
        }
    }

    fn target(&self, class: &'a str, reference: &str) -> Option<(&'a str, &'a Value)> {
        let (file, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let class = if file.is_empty() { class } else { class_at(file).filter(|_| file.starts_with(BASE))? };
        let (class, schema) = self.classes.get_key_value(class)?;
        if fragment.is_empty() {
            return Some((class, schema));
        }
        let fragment = decoded(fragment);
        let named = || self.anchors.get(class.as_str())?.get(fragment.as_str()).copied();
        Some((class, schema.pointer(&fragment).or_else(named)?))
    }
}

/// Returns the schemas below a keyword.
fn children<'a>(word: &str, value: &'a Value) -> Vec<(String, &'a Value)> {
    if matches!(applied(word), Applied::Not) {
        return Vec::new();
    }
    match value {
        Value::Array(items) => items.iter().enumerate().map(|(at, item)| (format!("/{at}"), item)).collect(),
        Value::Object(named) if names_schemas(word) => {
            named.iter().map(|(name, schema)| (format!("/{}", escaped(name)), schema)).collect()
        }
        Value::Object(_) => vec![(String::new(), value)],
        _ => Vec::new(),
    }
}

/// Returns all direct subschemas with their pointers.
fn subschemas(node: &Value) -> Vec<(String, &Value)> {
    let Value::Object(words) = node else { return Vec::new() };
    let mut found = Vec::new();
    for (word, value) in words {
        found
            .extend(children(word, value).into_iter().map(|(rest, child)| (format!("{}{rest}", escaped(word)), child)));
    }
    found
}

/// Returns the named anchors of a document.
fn anchors(schema: &Value) -> HashMap<&str, &Value> {
    let (mut found, mut waiting) = (HashMap::new(), vec![schema]);
    while let Some(node) = waiting.pop() {
        for word in ["$id", "$anchor", "$dynamicAnchor"] {
            if let Some(name) = node.get(word).and_then(Value::as_str) {
                found.insert(name.strip_prefix('#').unwrap_or(name), node);
            }
        }
        waiting.extend(subschemas(node).into_iter().map(|(_, child)| child));
    }
    found
}

/// Removes the percent encoding of a fragment.
fn decoded(fragment: &str) -> String {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.as_bytes();
    while let [first, more @ ..] = rest {
        let digit = |at: usize| more.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(u8::try_from(high * 16 + low).unwrap_or(b'%'));
                rest = &more[2..];
            }
            _ => {
                bytes.push(*first);
                rest = more;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::reference;

    /// A chain of definitions; `refer` creates each one from the reference to the next.
    fn chain(length: usize, refer: impl Fn(String) -> Value) -> Value {
        let mut definitions = serde_json::Map::new();
        for at in 0..length {
            definitions.insert(format!("a{at}"), refer(format!("#/definitions/a{}", at + 1)));
        }
        definitions.insert(format!("a{length}"), json!({"type": "object"}));
        json!({"definitions": definitions, "allOf": [{"$ref": "#/definitions/a0"}]})
    }

    fn problems(schema: Value) -> Vec<String> {
        let mut classes = BTreeMap::from([("Planet".to_owned(), schema)]);
        reference::resolve(&mut classes)
            .into_iter()
            .map(|found| format!("{} {}: {}", found.schema, found.pointer, found.reason))
            .collect()
    }

    fn is_refused(schema: Value, word: &str) {
        let found = problems(schema);
        assert!(matches!(&found[..], [one] if one.starts_with("Planet ") && one.contains(word)), "{found:?}");
    }

    #[test]
    fn references_that_double_at_each_step_are_refused_however_they_are_written() {
        for word in ["allOf", "anyOf", "oneOf"] {
            is_refused(chain(28, |next| json!({word: [{"$ref": next}, {"$ref": next}]})), "10000 schemas");
        }
        is_refused(chain(28, |next| json!({"if": {"$ref": next}, "else": {"$ref": next}})), "10000 schemas");
        is_refused(chain(28, |next| json!({"not": {"$ref": next}, "dependencies": {"a": {"$ref": next}}})), "10000");
        let encoded = |next: String| next.replace("/a", "/%61");
        is_refused(chain(28, |next| json!({"allOf": [{"$ref": encoded(next.clone())}, {"$ref": next}]})), "10000");
        // References by name, and for the value of a property.
        let named: Vec<Value> = (0..28)
            .map(|at| json!({"$id": format!("#n{at}"), "allOf": vec![json!({"$ref": format!("#n{}", at + 1)}); 2]}))
            .chain([json!({"$id": "#n28"})])
            .collect();
        let definitions: serde_json::Map<String, Value> =
            named.into_iter().enumerate().map(|(at, schema)| (format!("d{at}"), schema)).collect();
        is_refused(json!({"definitions": definitions, "properties": {"x": {"$ref": "#n0"}}}), "10000 schemas");
    }

    #[test]
    fn references_that_double_with_each_level_of_an_object_are_refused() {
        let twice = |next: &str| json!({"allOf": [{"$ref": next}, {"$ref": next}]});
        is_refused(chain(28, |next| json!({"properties": {"p": twice(&next)}})), "10000 schemas to one value deep");
        is_refused(chain(28, |next| json!({"items": twice(&next)})), "10000 schemas to one value deep");
        is_refused(chain(28, |next| json!({"additionalProperties": {"not": twice(&next)}})), "10000 schemas");
        let split = |next: String| json!({"properties": {"p": {"$ref": next}}, "allOf": [{"patternProperties": {"": {"$ref": next}}}]});
        is_refused(chain(28, split), "10000 schemas");
        let named = json!({"properties": {"p": {"$ref": "#"}}});
        is_refused(json!({"allOf": [named, named]}), "10000 schemas");
    }

    #[test]
    fn references_in_a_circle_that_stay_at_one_value_are_refused() {
        let pair = |refer: fn(&str) -> Value| {
            let definitions = json!({"a": refer("#/definitions/b"), "b": refer("#/definitions/a")});
            json!({"definitions": definitions, "properties": {"p": {"$ref": "#/definitions/a"}}})
        };
        is_refused(pair(|next| json!({"$ref": next})), "lead back to this schema");
        is_refused(pair(|next| json!({"allOf": [{"$ref": next}]})), "lead back to this schema");
        is_refused(pair(|next| json!({"if": {"not": {"$ref": next}}})), "lead back to this schema");
        is_refused(json!({"properties": {"p": {"$ref": "#/properties/p"}}}), "/properties/p: its references lead back");
        assert_eq!(problems(pair(|next| json!({"items": {"$ref": next}}))), [""; 0], "each round is one level deeper");
        assert_eq!(problems(json!({"propertyNames": {"$ref": "#"}})), [""; 0]);
    }

    #[test]
    fn schemas_for_different_values_of_an_object_do_not_add_up() {
        let itself = json!({"$ref": "#"});
        let tree = json!({
            "properties": {"left": itself, "right": itself}, "additionalProperties": itself, "items": itself,
            "anyOf": [{"type": "array"}, {"properties": {"size": {}}}],
        });
        assert_eq!(problems(tree), [""; 0]);
        assert_eq!(problems(json!({"items": [itself, itself], "additionalItems": itself})), [""; 0]);
        assert_eq!(
            problems(chain(60, |next| json!({"properties": {"p": {"$ref": next}, "q": {"$ref": next}}}))),
            [""; 0]
        );
    }

    #[test]
    fn a_chain_without_end_is_refused_whatever_it_is_made_of() {
        is_refused(chain(5_000, |next| json!({"$ref": next})), "256 deep");
        is_refused(chain(5_000, |next| json!({"properties": {"x": {"$ref": next}}})), "256 deep");
    }

    #[test]
    fn ordinary_and_recursive_schemas_are_accepted() {
        assert_eq!(
            problems(chain(28, |next| json!({"properties": {"x": {"$ref": next}, "y": {"$ref": next}}}))),
            [""; 0]
        );
        assert_eq!(problems(chain(100, |next| json!({"allOf": [{"$ref": next}]}))), [""; 0]);
        assert_eq!(
            problems(json!({"properties": {"children": {"items": {"$ref": "#"}}}, "enum": [{"$ref": "#"}]})),
            [""; 0]
        );
        assert_eq!(check(&crate::load::own().expect("our own")), []);
    }
}
