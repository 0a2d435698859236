//! The input of the pictures: plain data from the declarations and a collected graph.

use crate::number::counted;

/// The types of an integration, in the order in which they are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TypeGraph {
    /// The heading: the name of the integration.
    pub title: String,
    /// Lines that state which data are missing.
    pub missing: Vec<String>,
    /// The entity types. If two have the same name, the first one gets the arrows.
    pub entities: Vec<TypeNode>,
    /// The relationship types.
    pub relationships: Vec<TypeEdge>,
}

/// An entity type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TypeNode {
    /// The `_type`, to which relationships refer.
    pub object_type: String,
    /// The classes.
    pub classes: Vec<String>,
    /// The displayed name.
    pub resource: String,
    /// The number of entities, if a graph was collected.
    pub count: Option<u64>,
    /// Whether the type belongs to another integration and is reached only by mapped relationships.
    pub mapped: bool,
}

/// A relationship type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TypeEdge {
    /// The `_type`.
    pub object_type: String,
    /// The class, such as `HAS` or `OWNS`.
    pub class: String,
    /// The type of the source entity.
    pub from: String,
    /// The type of the target entity.
    pub to: String,
    /// The number of relationships, if a graph was collected.
    pub count: Option<u64>,
    /// Whether the target is found by the properties of a mapping instead of by key.
    pub mapped: bool,
}

impl TypeNode {
    /// Returns the resource, or the type if there is no resource.
    pub(super) fn name(&self) -> &str {
        if self.resource.trim().is_empty() { &self.object_type } else { &self.resource }
    }

    /// Returns the lines of a box for other formats, escaped accordingly.
    pub(super) fn lines(&self, escaped: fn(&str) -> String) -> Vec<String> {
        let count = self.count.map(|count| counted(count, "entity", "entities")).unwrap_or_default();
        let mut lines =
            [self.resource.as_str(), &self.object_type, &self.classes.join(", "), &count].map(escaped).to_vec();
        lines.retain(|line| !line.is_empty());
        lines
    }
}
