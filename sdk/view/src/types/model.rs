//! The input of the pictures: plain data from the declarations and a collected graph.

use crate::number::counted;

/// The types of an integration, in the order in which they are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TypeGraph {
    /// The heading: the name of the integration.
    pub title: String,
    /// Lines that state which data are missing.
    pub missing: Vec<String>,
    /// The entity types; of two with one name the first gets the arrows.
    pub entities: Vec<TypeNode>,
    /// The relationship types.
    pub relationships: Vec<TypeEdge>,
}

/// An entity type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TypeNode {
    /// The `_type`, by which relationships name it.
    pub object_type: String,
    /// The classes.
    pub classes: Vec<String>,
    /// The name for people.
    pub resource: String,
    /// The number of entities, if a graph was collected.
    pub count: Option<u64>,
    /// Whether it belongs to another integration and is only reached by mapped relationships.
    pub mapped: bool,
}

/// A relationship type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TypeEdge {
    /// The `_type`.
    pub object_type: String,
    /// The class: `HAS`, `OWNS`.
    pub class: String,
    /// The type of the entity that it leads from.
    pub from: String,
    /// The type of the entity that it leads to.
    pub to: String,
    /// The number of relationships, if a graph was collected.
    pub count: Option<u64>,
    /// Whether its target is found by the properties of a mapping rather than by key.
    pub mapped: bool,
}

impl TypeNode {
    /// The resource, or the type without a resource.
    pub(super) fn name(&self) -> &str {
        if self.resource.trim().is_empty() { &self.object_type } else { &self.resource }
    }

    /// The lines of a box that is drawn elsewhere, escaped for there.
    pub(super) fn lines(&self, escaped: fn(&str) -> String) -> Vec<String> {
        let count = self.count.map(|count| counted(count, "entity", "entities")).unwrap_or_default();
        let mut lines =
            [self.resource.as_str(), &self.object_type, &self.classes.join(", "), &count].map(escaped).to_vec();
        lines.retain(|line| !line.is_empty());
        lines
    }
}
