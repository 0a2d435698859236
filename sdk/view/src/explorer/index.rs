//! The graph with numbers instead of keys, independent of the input order.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};

use crate::graph::{GraphEdge, GraphNode, GraphPicture};

/// Nodes sorted by key, and relationships resolved to them.
pub(super) struct Index<'a> {
    pub(super) nodes: Vec<&'a GraphNode>,
    /// The entity types, sorted, and the type of each node.
    pub(super) types: Vec<&'a str>,
    pub(super) type_of: Vec<usize>,
    /// The relationship types with their classes, sorted.
    pub(super) kinds: Vec<(&'a str, &'a str)>,
    pub(super) edges: Vec<Edge<'a>>,
    /// Relationships with a missing end.
    pub(super) dangling: Vec<&'a GraphEdge>,
}

/// A relationship whose two ends exist.
pub(super) struct Edge<'a> {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) kind: usize,
    pub(super) source: &'a GraphEdge,
}

impl<'a> Index<'a> {
    pub(super) fn of(graph: &'a GraphPicture) -> Index<'a> {
        let mut nodes: Vec<&GraphNode> = graph.nodes.iter().collect();
        nodes.sort_by(|a, b| a.key.cmp(&b.key));
        let types = sorted(nodes.iter().map(|node| node.object_type.as_str()));
        let number = numbers(&types);
        let type_of = nodes.iter().map(|node| number[node.object_type.as_str()]).collect();
        let (kinds, edges, dangling) = resolve(graph, &nodes);
        Index { nodes, types, type_of, kinds, edges, dangling }
    }
}

type Resolved<'a> = (Vec<(&'a str, &'a str)>, Vec<Edge<'a>>, Vec<&'a GraphEdge>);

fn resolve<'a>(graph: &'a GraphPicture, nodes: &[&'a GraphNode]) -> Resolved<'a> {
    let mut by_key = HashMap::with_capacity(nodes.len());
    for (at, node) in nodes.iter().enumerate() {
        by_key.entry(node.key.as_str()).or_insert(at);
    }
    let kind = |edge: &'a GraphEdge| (edge.object_type.as_str(), edge.class.as_str());
    let kinds = sorted(graph.edges.iter().map(kind));
    let number = numbers(&kinds);
    let mut edges = Vec::with_capacity(graph.edges.len());
    let mut dangling = Vec::new();
    for edge in &graph.edges {
        match (by_key.get(edge.from.as_str()), by_key.get(edge.to.as_str())) {
            (Some(&from), Some(&to)) => edges.push(Edge { from, to, kind: number[&kind(edge)], source: edge }),
            _ => dangling.push(edge),
        }
    }
    edges.sort_by(|a, b| (a.from, a.to).cmp(&(b.from, b.to)).then_with(|| by_identity(a.source, b.source)));
    dangling.sort_by(|a, b| by_identity(a, b).then_with(|| (&a.from, &a.to).cmp(&(&b.from, &b.to))));
    (kinds, edges, dangling)
}

fn by_identity(a: &GraphEdge, b: &GraphEdge) -> Ordering {
    (&a.key, &a.object_type, &a.class).cmp(&(&b.key, &b.object_type, &b.class))
}

fn sorted<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    values.collect::<BTreeSet<T>>().into_iter().collect()
}

fn numbers<T: Copy + Eq + std::hash::Hash>(values: &[T]) -> HashMap<T, usize> {
    values.iter().enumerate().map(|(at, &value)| (value, at)).collect()
}
