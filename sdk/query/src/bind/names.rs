//! The names of a graph: classes, types, relationship classes, and properties.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use integration_graph::RelationshipClass;

use super::suggestion::nearest;
use super::{EdgePattern, Label, NodePattern, Pattern, Slot, SlotId};
use crate::catalogue::{CLASSES, Catalogue, DeclaredType};
use crate::graph::{AccountGraph, Column, GraphError, ValueRef};

/// The names of a graph and of a catalogue.
pub(super) struct Names<'b> {
    graph: &'b AccountGraph,
    catalogue: &'b Catalogue,
    node_classes: OnceCell<Vec<Vec<SegmentClass>>>,
    edge_classes: OnceCell<Vec<Vec<SegmentClass>>>,
}

/// A class of the objects of a segment.
struct SegmentClass {
    class: String,
    /// Whether all objects of the segment have it.
    is_complete: bool,
}

/// The labels that a name in a selector stands for.
pub(super) struct Labels {
    pub labels: Vec<Label>,
    /// Whether the name has the form of a class.
    pub is_class: bool,
    is_known: bool,
}

impl Labels {
    /// Whether neither the graph nor the catalogue has the name.
    pub(super) fn is_unknown(&self) -> bool {
        !self.is_known
    }
}

/// Properties that objects have only in some states, so that their absence is no mistake.
const OCCASIONAL: [&str; 1] = ["_stale"];

impl<'b> Names<'b> {
    pub(super) fn new(graph: &'b AccountGraph, catalogue: &'b Catalogue) -> Self {
        Self { graph, catalogue, node_classes: OnceCell::new(), edge_classes: OnceCell::new() }
    }

    /// Returns the labels of a name. A name in TitleCase is a class, and a name in snake_case a type; if the graph has
    /// only the other, it is that.
    pub(super) fn labels(&self, name: &str) -> Result<Labels, GraphError> {
        let is_class = name.chars().next().is_some_and(char::is_uppercase);
        let order = if is_class { [true, false] } else { [false, true] };
        for as_class in order {
            if if as_class { self.has_class(name)? } else { self.has_type(name) } {
                return Ok(Labels { labels: vec![label(name, as_class)], is_class: as_class, is_known: true });
            }
        }
        let is_known = self.catalogue.has_class(name) || self.catalogue.entities.contains_key(name);
        Ok(Labels { labels: vec![label(name, is_class)], is_class, is_known })
    }

    /// Whether the data model, or the catalogue, has an entity class.
    pub(super) fn is_known_class(&self, class: &str) -> bool {
        CLASSES.binary_search(&class).is_ok() || self.catalogue.has_class(class)
    }

    /// Returns the class or type that is nearest to an unknown name, unless the data model has the name.
    pub(super) fn similar_label(&self, name: &str) -> Result<Option<String>, GraphError> {
        if self.is_known_class(name) {
            return Ok(None);
        }
        let types = self.graph.node_segments().iter().map(|segment| segment.object_type.as_str());
        let classes = self.node_classes()?.iter().flatten().map(|class| class.class.as_str());
        let declared = self.catalogue.entities.iter();
        let declared = declared.flat_map(|(object_type, declared)| {
            std::iter::once(object_type.as_str()).chain(declared.classes.iter().map(String::as_str))
        });
        let known = types.chain(classes).chain(declared).chain(CLASSES.iter().copied());
        Ok(nearest(name, known).map(str::to_owned))
    }

    /// Returns the segments that contain entities with one of the labels, and whether all of their entities fit.
    pub(super) fn node_segments(&self, labels: &[Label], is_any: bool) -> Result<Vec<(usize, bool)>, GraphError> {
        let segments = self.graph.node_segments();
        if is_any {
            return Ok((0..segments.len()).map(|segment| (segment, true)).collect());
        }
        let mut fitting = Vec::new();
        for (number, segment) in segments.iter().enumerate() {
            let mut fits = None;
            for label in labels {
                let is_complete = match label {
                    Label::Type(name) => (segment.object_type.as_str() == name).then_some(true),
                    Label::Class(name) => complete(&self.node_classes()?[number], name),
                };
                fits = fits.max(is_complete);
            }
            fitting.extend(fits.map(|is_complete| (number, is_complete)));
        }
        Ok(fitting)
    }

    /// Returns the segments that contain relationships of one of the classes, and whether all of them fit.
    pub(super) fn edge_segments(&self, verbs: &[String], is_any: bool) -> Result<Vec<(usize, bool)>, GraphError> {
        if is_any {
            return Ok((0..self.graph.edge_segments().len()).map(|segment| (segment, true)).collect());
        }
        let classes = self.edge_classes()?.iter().enumerate();
        Ok(classes
            .filter_map(|(number, classes)| {
                let fits = verbs.iter().filter_map(|verb| complete(classes, verb)).max();
                fits.map(|is_complete| (number, is_complete))
            })
            .collect())
    }

    /// Whether a relationship of the graph has the class.
    pub(super) fn has_verb(&self, verb: &str) -> Result<bool, GraphError> {
        Ok(self.edge_classes()?.iter().flatten().any(|class| class.class == verb))
    }

    /// Whether the data model, or the catalogue, has a relationship class.
    pub(super) fn is_known_verb(&self, verb: &str) -> bool {
        RelationshipClass::ALL.iter().any(|class| class.as_str() == verb) || self.is_declared_verb(verb)
    }

    /// Whether the catalogue has a relationship class.
    pub(super) fn is_declared_verb(&self, verb: &str) -> bool {
        self.catalogue.has_verb(verb)
    }

    /// Returns all known relationship classes.
    pub(super) fn verbs(&self) -> Result<BTreeSet<String>, GraphError> {
        let graph = self.edge_classes()?.iter().flatten().map(|class| class.class.clone());
        let model = RelationshipClass::ALL.iter().map(|class| class.as_str().to_owned());
        let declared = self.catalogue.relationships.values().flat_map(|declared| declared.classes.iter().cloned());
        Ok(graph.chain(model).chain(declared).collect())
    }

    /// Whether an object that fits into the slot has the property.
    pub(super) fn has_property(&self, slots: &[Slot], slot: SlotId, property: &str) -> bool {
        self.properties(slots, slot).contains(property)
    }

    /// Returns whether the objects that fit into the slot lack a property, and the nearest one that they have.
    pub(super) fn missing_property(&self, slots: &[Slot], slot: SlotId, property: &str) -> Option<Option<String>> {
        let known = self.properties(slots, slot);
        if known.contains(property) || OCCASIONAL.contains(&property) {
            return None;
        }
        let declared = self.declared_properties(slots, slot);
        let is_common = || property.starts_with('_') || property == "displayName" || property.starts_with("tag.");
        if declared.contains(property) || known.is_empty() && (declared.is_empty() || is_common()) {
            return None;
        }
        Some(nearest(property, known.union(&declared).copied()).map(str::to_owned))
    }

    /// Returns the properties that the catalogue declares for types in a slot, with or without objects.
    fn declared_properties(&self, slots: &[Slot], slot: SlotId) -> BTreeSet<&'b str> {
        let (entities, relationships) = (&self.catalogue.entities, &self.catalogue.relationships);
        let declared: Vec<&DeclaredType> = match &slots[slot].pattern {
            Pattern::Node(NodePattern { labels, .. }) => {
                let fits = |object_type: &String, declared: &DeclaredType| {
                    labels.is_empty()
                        || labels.iter().any(|label| match label {
                            Label::Type(name) => name == object_type,
                            Label::Class(class) => declared.classes.contains(class),
                        })
                };
                entities.iter().filter(|(object_type, of)| fits(object_type, of)).map(|(_, of)| of).collect()
            }
            Pattern::Edge(EdgePattern { verbs, .. }) => {
                let fits = |of: &&DeclaredType| verbs.is_empty() || verbs.iter().any(|verb| of.classes.contains(verb));
                relationships.values().filter(fits).collect()
            }
            Pattern::Either(parts) => {
                return parts.iter().flat_map(|part| self.declared_properties(slots, *part)).collect();
            }
        };
        declared.into_iter().flat_map(|of| &of.properties).map(String::as_str).collect()
    }

    /// Returns the names of the properties that objects in a slot have or declare, sorted. Empty if no object fits.
    pub(super) fn properties(&self, slots: &[Slot], slot: SlotId) -> BTreeSet<&'b str> {
        let mut names = BTreeSet::new();
        match &slots[slot].pattern {
            Pattern::Node(pattern) => {
                for (segment, _) in &pattern.segments {
                    names.extend(self.graph.node_properties(*segment));
                    let object_type = self.graph.node_segments()[*segment].object_type.as_str();
                    let declared = self.catalogue.entities.get(object_type);
                    names.extend(
                        declared.into_iter().flat_map(|declared| declared.properties.iter().map(String::as_str)),
                    );
                }
            }
            Pattern::Edge(pattern) => {
                for (segment, _) in &pattern.segments {
                    names.extend(self.graph.edge_properties(*segment));
                    let object_type = self.graph.edge_segments()[*segment].object_type.as_str();
                    let declared = self.catalogue.relationships.get(object_type);
                    names.extend(
                        declared.into_iter().flat_map(|declared| declared.properties.iter().map(String::as_str)),
                    );
                }
            }
            // These are slots of entities, so that the call returns without another one.
            Pattern::Either(parts) => names.extend(parts.iter().flat_map(|part| self.properties(slots, *part))),
        }
        names
    }

    fn has_class(&self, class: &str) -> Result<bool, GraphError> {
        Ok(self.node_classes()?.iter().flatten().any(|segment| segment.class == class))
    }

    fn has_type(&self, object_type: &str) -> bool {
        self.graph.node_segments().iter().any(|segment| segment.object_type.as_str() == object_type)
    }

    fn node_classes(&self) -> Result<&[Vec<SegmentClass>], GraphError> {
        let segments = self.graph.node_segments().iter().enumerate();
        let column = |(number, _)| self.graph.node_column(number, "_class");
        remember(&self.node_classes, segments.map(column))
    }

    fn edge_classes(&self) -> Result<&[Vec<SegmentClass>], GraphError> {
        let segments = self.graph.edge_segments().iter().enumerate();
        let column = |(number, _)| self.graph.edge_column(number, "_class");
        remember(&self.edge_classes, segments.map(column))
    }
}

fn label(name: &str, is_class: bool) -> Label {
    if is_class { Label::Class(name.to_owned()) } else { Label::Type(name.to_owned()) }
}

fn complete(classes: &[SegmentClass], name: &str) -> Option<bool> {
    classes.iter().find(|class| class.class == name).map(|class| class.is_complete)
}

type FoundColumn = Result<Option<Arc<Column>>, GraphError>;

/// Computes the classes of each segment on the first call.
fn remember(
    cell: &OnceCell<Vec<Vec<SegmentClass>>>,
    columns: impl Iterator<Item = FoundColumn>,
) -> Result<&[Vec<SegmentClass>], GraphError> {
    if let Some(known) = cell.get() {
        return Ok(known);
    }
    let computed = columns.map(|column| Ok(classes(column?.as_deref()))).collect::<Result<_, GraphError>>()?;
    Ok(cell.get_or_init(|| computed))
}

/// Returns the classes in a column of `_class`, which contains texts and lists.
fn classes(column: Option<&Column>) -> Vec<SegmentClass> {
    let Some(column) = column else { return Vec::new() };
    let mut found: Vec<(String, u32)> = Vec::new();
    for code in 1..=column.distinct() {
        let value = column.value(code);
        let own: BTreeSet<&str> = match &value {
            ValueRef::Text(class) => BTreeSet::from([class.as_ref()]),
            ValueRef::List(classes) => classes.iter().filter_map(text).collect(),
            _ => BTreeSet::new(),
        };
        for class in own {
            match found.iter_mut().find(|(known, _)| known == class) {
                Some((_, values)) => *values += 1,
                None => found.push((class.to_owned(), 1)),
            }
        }
    }
    let distinct = column.distinct();
    let has_absent = OnceCell::new();
    let has_absent = || *has_absent.get_or_init(|| (0..column.length()).any(|position| column.code(position) == 0));
    let complete = |values| values == distinct && !has_absent();
    found.into_iter().map(|(class, values)| SegmentClass { is_complete: complete(values), class }).collect()
}

fn text<'v>(value: &'v ValueRef<'_>) -> Option<&'v str> {
    match value {
        ValueRef::Text(text) => Some(text),
        _ => None,
    }
}
