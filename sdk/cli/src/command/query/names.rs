//! The names of a graph, for completion.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use integration_query::graph::{AccountGraph, ValueRef};

use crate::failure::Failure;

/// The types, classes, verbs, and properties that occur in a graph.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// The properties of each entity type.
    types: BTreeMap<String, BTreeSet<String>>,
    /// The entity types of each class.
    classes: BTreeMap<String, BTreeSet<String>>,
    /// The properties of the relationships of each class.
    verbs: BTreeMap<String, BTreeSet<String>>,
}

impl Names {
    pub(super) fn of(graph: &AccountGraph) -> Result<Self, Failure> {
        let mut names = Self::default();
        for (number, segment) in graph.node_segments().iter().enumerate() {
            let object_type = segment.object_type.to_string();
            let properties = graph.node_properties(number).into_iter().map(str::to_owned);
            names.types.entry(object_type.clone()).or_default().extend(properties);
            if let Some(classes) = graph.node_column(number, "_class")? {
                for class in (1..=classes.distinct()).flat_map(|code| texts(&classes.value(code))) {
                    names.classes.entry(class).or_default().insert(object_type.clone());
                }
            }
        }
        for number in 0..graph.edge_segments().len() {
            let properties: BTreeSet<String> = graph.edge_properties(number).into_iter().map(str::to_owned).collect();
            if let Some(classes) = graph.edge_column(number, "_class")? {
                for class in (1..=classes.distinct()).flat_map(|code| texts(&classes.value(code))) {
                    names.verbs.entry(class).or_default().extend(properties.iter().cloned());
                }
            }
        }
        Ok(names)
    }

    /// Returns all classes and types.
    pub(super) fn selectors(&self) -> impl Iterator<Item = &str> {
        self.classes.keys().chain(self.types.keys()).map(String::as_str)
    }

    /// Returns all verbs.
    pub(super) fn verbs(&self) -> impl Iterator<Item = &str> {
        self.verbs.keys().map(String::as_str)
    }

    /// Returns the properties of classes, types, and verbs; those of the whole graph if none is known.
    pub(super) fn properties(&self, of: &[String]) -> BTreeSet<&str> {
        let of_type = |name: &String| self.types.get(name).into_iter();
        let of_class = |name: &String| self.classes.get(name).into_iter().flatten().flat_map(of_type);
        let of_verb = |name: &String| self.verbs.get(&name.to_uppercase()).into_iter();
        let known: BTreeSet<&str> = of
            .iter()
            .flat_map(|name| of_type(name).chain(of_class(name)).chain(of_verb(name)))
            .flatten()
            .map(String::as_str)
            .collect();
        if known.is_empty() { self.types.values().flatten().map(String::as_str).collect() } else { known }
    }
}

fn texts(value: &ValueRef<'_>) -> Vec<String> {
    match value {
        ValueRef::Text(text) => vec![text.to_string()],
        ValueRef::List(items) => items.iter().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |names: Vec<&String>| names.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        writeln!(f, "Classes: {}", line(self.classes.keys().collect()))?;
        writeln!(f, "Types: {}", line(self.types.keys().collect()))?;
        writeln!(f, "Verbs: {}", line(self.verbs.keys().collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        Names {
            types: [("a_user".to_owned(), set(&["email"])), ("a_team".to_owned(), set(&["name"]))].into(),
            classes: [("User".to_owned(), set(&["a_user"]))].into(),
            verbs: [("HAS".to_owned(), set(&["role"]))].into(),
        }
    }

    #[test]
    fn properties_are_those_of_the_selector() {
        let of = |name: &str| names().properties(&[name.to_owned()]).into_iter().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(of("User"), ["email"]);
        assert_eq!(of("a_team"), ["name"]);
        assert_eq!(of("has"), ["role"]);
        assert_eq!(of("Unknown"), ["email", "name"]);
    }
}
