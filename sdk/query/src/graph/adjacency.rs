//! The edges of a graph by their ends.

use super::{EdgeId, NodeId};
pub use crate::syntax::Direction;

/// The edges of one snapshot: their ends, and the edges of each node in both directions.
///
/// The lists of a node are in the order of edge numbers. All numbers count from the first node and edge of the snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct EdgeIndex {
    pub(super) ends: Vec<[u32; 2]>,
    pub(super) forward: EdgeLists,
    pub(super) backward: EdgeLists,
}

/// The edges of each node in one direction. The edges of node `n` lie between the offsets `n` and `n + 1`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct EdgeLists {
    pub(super) offsets: Vec<u32>,
    /// Edge, and node at its other end.
    pub(super) entries: Vec<[u32; 2]>,
}

impl EdgeIndex {
    /// Sorts edges by their ends. Every end is less than `nodes`.
    pub(super) fn new(nodes: u32, ends: Vec<[u32; 2]>) -> Self {
        let forward = EdgeLists::new(nodes, &ends, |[from, to]| [from, to]);
        let backward = EdgeLists::new(nodes, &ends, |[from, to]| [to, from]);
        Self { ends, forward, backward }
    }

    /// Whether all numbers are those of `nodes` and `edges`.
    pub(super) fn is_valid(&self, nodes: u32, edges: u32) -> bool {
        let Self { ends, forward, backward } = self;
        let is_valid = |lists: &EdgeLists| {
            lists.offsets.len() == nodes as usize + 1
                && lists.entries.len() == edges as usize
                && lists.offsets.is_sorted()
                && lists.offsets.last() == Some(&edges)
                && lists.entries.iter().all(|[edge, node]| *edge < edges && *node < nodes)
        };
        ends.len() == edges as usize
            && ends.iter().all(|[from, to]| *from < nodes && *to < nodes)
            && is_valid(forward)
            && is_valid(backward)
    }
}

impl EdgeLists {
    /// Sorts by counting. `sides` returns the end that owns the list, and the other one.
    fn new(nodes: u32, ends: &[[u32; 2]], sides: impl Fn([u32; 2]) -> [u32; 2]) -> Self {
        let mut offsets = vec![0_u32; nodes as usize + 1];
        for edge in ends {
            offsets[sides(*edge)[0] as usize + 1] += 1;
        }
        for node in 1..offsets.len() {
            offsets[node] += offsets[node - 1];
        }
        let (mut next, mut entries) = (offsets.clone(), vec![[0; 2]; ends.len()]);
        for (number, edge) in (0_u32..).zip(ends) {
            let [own, other] = sides(*edge);
            let at = &mut next[own as usize];
            entries[*at as usize] = [number, other];
            *at += 1;
        }
        Self { offsets, entries }
    }

    /// Returns the edges of a node, each with the node at its other end.
    fn of(&self, node: u32) -> &[[u32; 2]] {
        let at = node as usize;
        let range = self.offsets.get(at).zip(self.offsets.get(at + 1));
        range.and_then(|(begin, end)| self.entries.get(*begin as usize..*end as usize)).unwrap_or_default()
    }
}

/// Edges beyond those of single snapshots, sorted by the node that owns the list.
#[derive(Debug, Clone, Default)]
pub(super) struct MappedEdges {
    pub(super) ends: Vec<[u32; 2]>,
    /// Node, edge, and node at the other end.
    forward: Vec<[u32; 3]>,
    backward: Vec<[u32; 3]>,
}

impl MappedEdges {
    /// Sorts edges by their ends. Their numbers begin with `first`.
    pub(super) fn new(first: u32, ends: Vec<[u32; 2]>) -> Self {
        let numbered = || (first..).zip(&ends);
        let mut forward: Vec<_> = numbered().map(|(edge, [from, to])| [*from, edge, *to]).collect();
        let mut backward: Vec<_> = numbered().map(|(edge, [from, to])| [*to, edge, *from]).collect();
        forward.sort_unstable();
        backward.sort_unstable();
        Self { ends, forward, backward }
    }

    fn of(list: &[[u32; 3]], node: u32) -> &[[u32; 3]] {
        let begin = list.partition_point(|[owner, ..]| *owner < node);
        let length = list[begin..].partition_point(|[owner, ..]| *owner == node);
        &list[begin..begin + length]
    }
}

/// A snapshot's part of the account graph, with the numbers of its first node and edge.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) first_node: u32,
    pub(super) first_edge: u32,
    pub(super) index: &'a EdgeIndex,
}

/// The edges of an account graph.
#[derive(Debug, Clone)]
pub struct Adjacency<'a> {
    pub(super) parts: Vec<Part<'a>>,
    /// The number of the first mapped edge.
    pub(super) first_mapped: u32,
    pub(super) mapped: &'a MappedEdges,
}

impl<'a> Adjacency<'a> {
    /// Returns the edges of a node, each with the node at its other end.
    ///
    /// `Forward` returns the edges that begin at the node, `Backward` the edges that end there, and `Either` both, a loop
    /// once. Within a direction, edges are in the order of their numbers.
    ///
    /// # Panics
    /// If the graph has no such node.
    pub fn neighbours(&self, node: NodeId, direction: Direction) -> Neighbours<'a> {
        let part = self.parts.partition_point(|part| part.first_node <= node.0).checked_sub(1);
        let part = part.map(|at| self.parts[at]);
        let (forward, backward) = (direction != Direction::Backward, direction != Direction::Forward);
        let direct = |wanted: bool, lists: fn(&EdgeIndex) -> &EdgeLists| match part {
            Some(part) if wanted => lists(part.index).of(node.0 - part.first_node),
            _ => &[],
        };
        let mapped = |wanted: bool, list| if wanted { MappedEdges::of(list, node.0) } else { &[] };
        Neighbours {
            node,
            first_node: part.map_or(0, |part| part.first_node),
            first_edge: part.map_or(0, |part| part.first_edge),
            is_both: forward && backward,
            forward: direct(forward, |index| &index.forward).iter(),
            forward_mapped: mapped(forward, &self.mapped.forward).iter(),
            backward: direct(backward, |index| &index.backward).iter(),
            backward_mapped: mapped(backward, &self.mapped.backward).iter(),
        }
    }

    /// Returns the first and the last node of an edge.
    ///
    /// # Panics
    /// If the graph has no such edge.
    pub fn ends(&self, edge: EdgeId) -> (NodeId, NodeId) {
        if edge.0 >= self.first_mapped {
            let [from, to] = self.mapped.ends[(edge.0 - self.first_mapped) as usize];
            return (NodeId(from), NodeId(to));
        }
        // Parts without edges share the first number of the next part, so the last of them has the edge.
        let part = self.parts[self.parts.partition_point(|part| part.first_edge <= edge.0) - 1];
        let [from, to] = part.index.ends[(edge.0 - part.first_edge) as usize];
        (NodeId(part.first_node + from), NodeId(part.first_node + to))
    }
}

/// The iterator of [`Adjacency::neighbours`].
#[derive(Debug, Clone)]
pub struct Neighbours<'a> {
    node: NodeId,
    first_node: u32,
    first_edge: u32,
    is_both: bool,
    forward: std::slice::Iter<'a, [u32; 2]>,
    forward_mapped: std::slice::Iter<'a, [u32; 3]>,
    backward: std::slice::Iter<'a, [u32; 2]>,
    backward_mapped: std::slice::Iter<'a, [u32; 3]>,
}

impl Iterator for Neighbours<'_> {
    type Item = (EdgeId, NodeId);

    fn next(&mut self) -> Option<Self::Item> {
        let (first_node, first_edge) = (self.first_node, self.first_edge);
        let direct = |[edge, node]: &[u32; 2]| (EdgeId(first_edge + edge), NodeId(first_node + node));
        let mapped = |[_, edge, node]: &[u32; 3]| (EdgeId(*edge), NodeId(*node));
        if let Some(found) = self.forward.next().map(direct).or_else(|| self.forward_mapped.next().map(mapped)) {
            return Some(found);
        }
        // A loop is in both lists of its node.
        let is_new = |found: &(EdgeId, NodeId)| !self.is_both || found.1 != self.node;
        let found = self.backward.by_ref().map(direct).find(is_new);
        found.or_else(|| self.backward_mapped.by_ref().map(mapped).find(is_new))
    }
}
