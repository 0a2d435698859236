//! The objects in drawing order, and the relationships between them.

use std::collections::{BTreeSet, HashMap};

use super::model::{Change, GraphEdge, GraphNode, GraphPicture};
use crate::escape::visible;
use crate::measure::fit_columns;

/// The maximum length of a displayed name.
const LONGEST_NAME: usize = 40;
/// The maximum length of a displayed key. Keys of providers are shorter.
const LONGEST_KEY: usize = 120;

/// The entities and relationships of a picture. Entities are identified by index; larger indices refer to `missing`.
pub(super) struct Links<'a> {
    /// The entities, sorted by type and key.
    pub(super) nodes: Vec<&'a GraphNode>,
    /// The entity types, sorted.
    pub(super) types: Vec<&'a str>,
    /// The relationships, sorted by type and key, each with the indices of its ends.
    pub(super) edges: Vec<(&'a GraphEdge, usize, usize)>,
    /// The keys that relationships refer to although no entity has them.
    pub(super) missing: Vec<&'a str>,
}

impl<'a> Links<'a> {
    pub(super) fn of(graph: &'a GraphPicture) -> Links<'a> {
        let mut nodes: Vec<&GraphNode> = graph.nodes.iter().collect();
        nodes.sort_by_key(|node| (&node.object_type, &node.key));
        let types: BTreeSet<&str> = nodes.iter().map(|node| node.object_type.as_str()).collect();
        let mut places: HashMap<&str, usize> = HashMap::new();
        for (at, node) in nodes.iter().enumerate() {
            places.entry(&node.key).or_insert(at);
        }
        let mut sorted: Vec<&GraphEdge> = graph.edges.iter().collect();
        sorted.sort_by_key(|edge| (&edge.object_type, &edge.key));
        let mut missing = Vec::new();
        let mut place = |key: &'a str| {
            *places.entry(key).or_insert_with(|| {
                missing.push(key);
                nodes.len() + missing.len() - 1
            })
        };
        let edges = sorted.into_iter().map(|edge| (edge, place(&edge.from), place(&edge.to))).collect();
        Links { types: types.into_iter().collect(), edges, missing, nodes }
    }
}

/// Returns the heading of the picture.
pub(super) fn title(graph: &GraphPicture) -> String {
    let parts = [graph.title.trim(), graph.subtitle.trim()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}

/// Returns the lines of a box: name and type. Without a name, the key is shown.
pub(super) fn lines(node: &GraphNode) -> [String; 2] {
    // A key is not shortened, because a shortened key cannot be searched for.
    let name = match node.name.trim() {
        "" => fit_columns(&visible(&node.key), LONGEST_KEY),
        name => fit_columns(&visible(name), LONGEST_NAME),
    };
    [name, node.object_type.clone()]
}

/// Returns the name and the colour of an object's change, if it has changed.
pub(super) fn mark(change: &Change) -> Option<(&'static str, &'static str)> {
    match change {
        Change::Same => None,
        Change::Added => Some(("added", "#2da44e")),
        Change::Removed => Some(("removed", "#cf222e")),
        Change::Changed { .. } => Some(("changed", "#d4a72c")),
        Change::Unknown { .. } => Some(("unknown", "#8250df")),
    }
}
