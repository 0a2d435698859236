//! References that lead back to their own schema for the same value.
//!
//! A recursive schema is fine if each round goes one level deeper into the value, as for the children of a tree. If it
//! stays at the same value, for example because two definitions refer to each other, validation has no result.

use std::collections::HashMap;

use serde_json::Value;

use super::{Applied, Expansion, applied, children, subschemas};

/// The progress of the search at a schema, by its address in memory.
type Progress = HashMap<*const Value, bool>;

/// Returns the JSON pointer of the first schema that leads back to a schema for the same value.
pub(super) fn first<'a>(expansion: &Expansion<'a>, class: &'a str, schema: &'a Value) -> Option<String> {
    let mut progress = Progress::new();
    let mut waiting = vec![(String::new(), schema)];
    while let Some((pointer, node)) = waiting.pop() {
        if leads_back(expansion, class, node, &mut progress) {
            return Some(pointer);
        }
        waiting.extend(subschemas(node).into_iter().map(|(below, child)| (format!("{pointer}/{below}"), child)));
    }
    None
}

/// The recursion is at most as deep as the longest chain of references, which has a bound.
fn leads_back<'a>(expansion: &Expansion<'a>, class: &'a str, node: &'a Value, progress: &mut Progress) -> bool {
    let place = std::ptr::from_ref(node);
    if let Some(is_done) = progress.get(&place) {
        return !is_done;
    }
    progress.insert(place, false);
    let found = in_place(expansion, class, node).any(|(class, child)| leads_back(expansion, class, child, progress));
    progress.insert(place, true);
    found
}

/// Returns the schemas that apply to the same value.
fn in_place<'a>(
    expansion: &Expansion<'a>,
    class: &'a str,
    node: &'a Value,
) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let mut found = Vec::new();
    for (word, value) in node.as_object().into_iter().flatten() {
        match (word.as_str(), value) {
            ("$ref" | "$dynamicRef" | "$recursiveRef", Value::String(reference)) => {
                found.extend(expansion.target(class, reference));
            }
            // The names of members are other values.
            ("propertyNames", _) => {}
            (word, value) if matches!(applied(word), Applied::InPlace) => {
                found.extend(children(word, value).into_iter().map(|(_, child)| (class, child)));
            }
            _ => {}
        }
    }
    found.into_iter()
}
