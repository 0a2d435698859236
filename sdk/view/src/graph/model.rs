//! The input of the pictures and the explorer: plain data from a collected graph.

/// A collected graph, or two laid over each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GraphPicture {
    /// The heading: the name of the integration or instance.
    pub title: String,
    /// A line below the heading with the job, its time, and its size.
    pub subtitle: String,
    /// Lines that state which data are missing.
    pub missing: Vec<String>,
    /// The entities, in any order. If two have the same key, the first one gets the relationships.
    pub nodes: Vec<GraphNode>,
    /// The relationships, in any order. A relationship with an unknown end is listed but not drawn.
    pub edges: Vec<GraphEdge>,
}

/// An entity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GraphNode {
    /// The `_key`, used by relationships and by links into the page.
    pub key: String,
    /// The `_type`, which determines the colour.
    pub object_type: String,
    /// The `_class`, one or more.
    pub classes: Vec<String>,
    /// The displayed name. If it is empty, the key is shown.
    pub name: String,
    /// The complete entity as JSON, raw data included. It may be empty to keep the page small.
    pub json: String,
    /// The change relative to the compared graph.
    pub change: Change,
}

/// A relationship.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GraphEdge {
    /// The `_key`.
    pub key: String,
    /// The `_type`.
    pub object_type: String,
    /// The `_class`, which is the label of the line.
    pub class: String,
    /// The key of the source entity.
    pub from: String,
    /// The key of the target entity.
    pub to: String,
    /// The whole relationship as JSON; may be empty.
    pub json: String,
    /// The change relative to the compared graph.
    pub change: Change,
}

/// The change of an object relative to the compared graph.
///
/// If every object is [`Change::Same`], the page does not mention changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Change {
    /// The object is unchanged, or no graph is compared.
    #[default]
    Same,
    /// The object is new.
    Added,
    /// The object was removed; its JSON is the earlier state.
    Removed,
    /// The object has other properties.
    Changed {
        /// The earlier state of the object, as JSON.
        before: String,
        /// The names of further properties that differ, possibly only because of missing data.
        unknown: Vec<String>,
    },
    /// The object differs, possibly only because of missing data in either graph.
    Unknown {
        /// The earlier state of the object as JSON, if both graphs have it.
        before: Option<String>,
    },
}

/// The number of objects in a graph by type, known without reading the graph.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GraphCounts {
    /// The heading: the name of the integration or instance.
    pub title: String,
    /// A line below the heading with the job and its time.
    pub subtitle: String,
    /// Lines that state which data are missing.
    pub missing: Vec<String>,
    /// The types of entities, in any order.
    pub entities: Vec<TypeCount>,
    /// The types of relationships, in any order.
    pub relationships: Vec<TypeCount>,
}

/// The number of objects of one type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TypeCount {
    /// The `_type`.
    pub object_type: String,
    /// The number of objects.
    pub count: u64,
    /// Whether the targets of the relationships belong to another source and are found by a mapping.
    pub mapped: bool,
    /// The changes relative to the compared graph.
    pub changes: Changes,
}

/// The number of objects by change relative to the compared graph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The number of new objects.
    pub added: u64,
    /// The number of removed objects, which are not part of the total.
    pub removed: u64,
    /// The number of objects with other properties.
    pub changed: u64,
    /// The number of objects that differ, possibly only because of missing data in either graph.
    pub unknown: u64,
}
