//! The input of the pictures and the explorer: plain data from a collected graph.

/// A collected graph, or two laid over each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GraphPicture {
    /// The heading: the name of the integration or instance.
    pub title: String,
    /// One line below it: which job, when, how much.
    pub subtitle: String,
    /// Lines that state which data are missing.
    pub missing: Vec<String>,
    /// The entities, in any order. Of two with one key the first gets the relationships.
    pub nodes: Vec<GraphNode>,
    /// The relationships, in any order. A relationship with an unknown end is listed but not drawn.
    pub edges: Vec<GraphEdge>,
}

/// An entity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GraphNode {
    /// The `_key`, by which relationships and links into the page name it.
    pub key: String,
    /// The `_type`: gives the colour.
    pub object_type: String,
    /// The `_class`, one or more.
    pub classes: Vec<String>,
    /// The name for people. Without one the key is shown.
    pub name: String,
    /// The complete entity as JSON, raw data included; may be empty to keep the page small.
    pub json: String,
    /// How it differs from the graph compared with.
    pub change: Change,
}

/// A relationship.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GraphEdge {
    /// The `_key`.
    pub key: String,
    /// The `_type`.
    pub object_type: String,
    /// The `_class`: the label of the line.
    pub class: String,
    /// The key of the entity that it leads from.
    pub from: String,
    /// The key of the entity that it leads to.
    pub to: String,
    /// The whole relationship as JSON; may be empty.
    pub json: String,
    /// How it differs from the graph compared with.
    pub change: Change,
}

/// The change of an object relative to the compared graph. If every object is [`Change::Same`], the page does not
/// speak of changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Change {
    /// As it was, or nothing to compare with.
    #[default]
    Same,
    /// Was not there.
    Added,
    /// The object was removed; its JSON is the earlier state.
    Removed,
    /// Has other properties now.
    Changed {
        /// The object as it was, as JSON.
        before: String,
        /// The names of further properties that differ, perhaps only because data are missing.
        unknown: Vec<String>,
    },
    /// Differs, perhaps only because data are missing from either graph.
    Unknown {
        /// The object as it was, as JSON, if both graphs have it.
        before: Option<String>,
    },
}

/// How much there is in a graph, by type: known without reading it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GraphCounts {
    /// The heading: the name of the integration or instance.
    pub title: String,
    /// One line below it: which job, when.
    pub subtitle: String,
    /// Lines that state which data are missing.
    pub missing: Vec<String>,
    /// The types of entities, in any order.
    pub entities: Vec<TypeCount>,
    /// The types of relationships, in any order.
    pub relationships: Vec<TypeCount>,
}

/// How many objects of a type there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TypeCount {
    /// The `_type`.
    pub object_type: String,
    /// How many there are.
    pub count: u64,
    /// Whether they lead to entities of another source, found by the properties of a mapping.
    pub mapped: bool,
    /// How they differ from the graph compared with.
    pub changes: Changes,
}

/// The number of objects by change relative to the compared graph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Were not there.
    pub added: u64,
    /// Are no longer there, and not among those counted.
    pub removed: u64,
    /// Have other properties now.
    pub changed: u64,
    /// Differ, perhaps only because data are missing from either graph.
    pub unknown: u64,
}
