//! Completeness: whether the types that a query touched have gaps or stale objects.
//!
//! A query touches the types of the entities that its selectors select, and the types of the relationships between them.
//! A type without any object has no class in the graph; the catalogue has it, and without a catalogue a gap of such a type
//! concerns every selector by class.
//!
//! A step that the configuration disables is a choice of the user. Its gap concerns the selectors that name one of its types
//! or classes, and not `*`: otherwise every query for all objects would be incomplete as long as a source is off.
//!
//! A negated step and an optional part look for objects that may be absent. If such objects are missing, a row can be there
//! only because of that.
//!
//! Graphs that were never collected are in [`missing`].

mod missing;

use std::collections::BTreeSet;

use integration_graph::InstanceId;
use integration_graph::run::ErrorCode;

use crate::answer::{Incomplete, Reason};
use crate::bind::{Bound, EdgePattern, Hop, Label, NodePattern, Pattern, SlotId, Step};
use crate::catalogue::Catalogue;
use crate::graph::{AccountGraph, EdgeId, GraphError, NodeId};

/// Returns the gaps and stale objects of the types that a query touched, and the graphs that it lacks.
pub(crate) fn incomplete(
    bound: &Bound,
    graph: &AccountGraph,
    catalogue: &Catalogue,
) -> Result<Vec<Incomplete>, GraphError> {
    let has_stale = graph.node_segments().iter().chain(graph.edge_segments()).any(|segment| segment.stale > 0);
    let mut found = missing::not_collected(bound, graph, catalogue);
    if graph.gaps().is_empty() && graph.unpublished().is_empty() && !has_stale {
        return Ok(found);
    }
    let touched = Touched::of(Part::whole(bound), bound, graph)?;
    let absent = Touched::of(Part::possibly_absent(bound), bound, graph)?;
    found.extend(missing::unpublished(&Query { bound, graph, catalogue, all_includes: true }, &touched, &absent));
    for (instance, gap) in graph.gaps() {
        let query = Query { bound, graph, catalogue, all_includes: gap.code != ErrorCode::StepDisabled };
        let concerns =
            |touched: &Touched<'_>| gap.types.iter().any(|object_type| touched.concerns(&query, object_type.as_str()));
        if concerns(&touched) {
            let may_add_rows = concerns(&absent);
            found.push(Incomplete { may_add_rows, ..reason(graph, *instance, Reason::Gap(gap.clone())) });
        }
    }
    let nodes = touched.nodes.iter().map(|number| &graph.node_segments()[*number]);
    let edges = touched.edges.iter().map(|number| &graph.edge_segments()[*number]);
    for segment in nodes.chain(edges).filter(|segment| segment.stale > 0) {
        let object_type = segment.object_type.clone();
        // A large type has several segments.
        let known = found.iter_mut().find_map(|known| match &mut known.reason {
            Reason::Stale { object_type: own, objects }
                if *own == object_type && known.instance == Some(instance_of(graph, segment.instance)) =>
            {
                Some(objects)
            }
            _ => None,
        });
        match known {
            Some(objects) => *objects += segment.stale,
            None => found.push(reason(graph, segment.instance, Reason::Stale { object_type, objects: segment.stale })),
        }
    }
    Ok(found)
}

fn reason(graph: &AccountGraph, instance: usize, reason: Reason) -> Incomplete {
    let integration = graph.snapshots()[instance].integration.clone();
    Incomplete { integration, instance: Some(instance_of(graph, instance)), reason, may_add_rows: false }
}

fn instance_of(graph: &AccountGraph, instance: usize) -> InstanceId {
    graph.snapshots()[instance].instance.clone()
}

/// A query, and the meaning of its selectors for the types of one gap.
struct Query<'a> {
    bound: &'a Bound,
    graph: &'a AccountGraph,
    catalogue: &'a Catalogue,
    /// Whether the selector `*` includes the types of the gap.
    all_includes: bool,
}

/// Selectors and steps of a query.
struct Part<'b> {
    /// The slots of the selectors.
    slots: Vec<SlotId>,
    /// The hops, each with the slots of the entities before it.
    hops: Vec<(Vec<SlotId>, &'b Hop)>,
}

impl<'b> Part<'b> {
    fn whole(bound: &'b Bound) -> Self {
        let hops = hops(bound).into_iter().map(|(left, hop, _)| (left, hop)).collect();
        Self { slots: (0..bound.slots.len()).collect(), hops }
    }

    /// The negated steps and the optional parts. The entities before them are not included.
    fn possibly_absent(bound: &'b Bound) -> Self {
        let hops = hops(bound).into_iter().filter(|(.., may_be_absent)| *may_be_absent);
        let hops: Vec<_> = hops.map(|(left, hop, _)| (left, hop)).collect();
        Self { slots: hops.iter().map(|(_, hop)| hop.node).collect(), hops }
    }
}

/// The segments that a part of a query touched.
struct Touched<'b> {
    part: Part<'b>,
    nodes: BTreeSet<usize>,
    edges: BTreeSet<usize>,
}

impl<'b> Touched<'b> {
    fn of(part: Part<'b>, bound: &Bound, graph: &AccountGraph) -> Result<Self, GraphError> {
        let mut nodes = BTreeSet::new();
        for slot in &part.slots {
            nodes.extend(node_segments(&bound.slots[*slot].pattern).map(|(segment, _)| *segment));
        }
        let mut edges = BTreeSet::new();
        for (left, hop) in &part.hops {
            edges.extend(connecting(bound, graph, left, hop)?);
        }
        Ok(Self { part, nodes, edges })
    }

    /// Whether objects of a type can belong to the result.
    fn concerns(&self, query: &Query<'_>, object_type: &str) -> bool {
        let Query { bound, graph, .. } = query;
        let is_node = |number: &usize| graph.node_segments()[*number].object_type.as_str() == object_type;
        let is_edge = |number: &usize| graph.edge_segments()[*number].object_type.as_str() == object_type;
        if self.nodes.iter().any(is_node) || self.edges.iter().any(is_edge) {
            return true;
        }
        let exists = (0..graph.node_segments().len()).any(|number| is_node(&number))
            || (0..graph.edge_segments().len()).any(|number| is_edge(&number));
        let is_entity = |pattern: &Pattern| matches!(pattern, Pattern::Node(_));
        let slots = self.part.slots.iter().map(|slot| &bound.slots[*slot].pattern);
        let mut nodes = slots.filter(|pattern| is_entity(pattern));
        !exists
            && (nodes.any(|pattern| query.may_select(pattern, object_type))
                || self.part.hops.iter().any(|(left, hop)| {
                    query.may_select(&bound.slots[hop.edge].pattern, object_type)
                        && query.may_connect((left, hop), object_type)
                }))
    }
}

/// Returns the hops of a query, each with the slots of the entities before it, and whether an entity may lack it.
fn hops(bound: &Bound) -> Vec<(Vec<SlotId>, &Hop, bool)> {
    let (mut hops, mut left, mut open) = (Vec::new(), vec![0], Vec::new());
    for step in &bound.steps {
        match step {
            Step::Hop(hop) => hops.push((std::mem::replace(&mut left, vec![hop.node]), hop, !open.is_empty())),
            Step::Without(hop) => hops.push((left.clone(), hop, true)),
            Step::Enter { .. } => open.push(left.clone()),
            Step::Exit { .. } => left.extend(open.pop().unwrap_or_default()),
        }
    }
    hops
}

impl Query<'_> {
    /// Whether a relationship of a type that the graph does not contain can connect the entities of a hop.
    fn may_connect(&self, (left, hop): (&[SlotId], &Hop), object_type: &str) -> bool {
        let declared = self.catalogue.relationships.get(object_type);
        let Some(declared) = declared.filter(|declared| !declared.ends.is_empty()) else { return true };
        let fits = |slot: SlotId, entity: &str| {
            let pattern = &self.bound.slots[slot].pattern;
            let mut segments = node_segments(pattern);
            segments.any(|(segment, _)| self.graph.node_segments()[*segment].object_type.as_str() == entity)
                || self.may_select(pattern, entity)
        };
        let before = |entity: &str| left.iter().any(|slot| fits(*slot, entity));
        declared.ends.iter().any(|(from, to)| before(from) && fits(hop.node, to) || before(to) && fits(hop.node, from))
    }

    /// Whether a pattern can select objects of a type that the graph does not contain.
    fn may_select(&self, pattern: &Pattern, object_type: &str) -> bool {
        let entity = self.catalogue.entities.get(object_type);
        let relationship = self.catalogue.relationships.get(object_type);
        match pattern {
            Pattern::Node(NodePattern { labels, .. }) if labels.is_empty() => {
                relationship.is_none() && self.all_includes
            }
            Pattern::Node(NodePattern { labels, .. }) => {
                relationship.is_none()
                    && labels.iter().any(|label| match label {
                        Label::Type(name) => name == object_type,
                        Label::Class(class) => entity.is_none_or(|declared| declared.classes.contains(class)),
                    })
            }
            Pattern::Edge(EdgePattern { verbs, .. }) => {
                entity.is_none()
                    && (verbs.is_empty()
                        || verbs.iter().any(|verb| match relationship {
                            Some(declared) => declared.classes.contains(verb),
                            // The type of a relationship usually contains its class.
                            None => object_type.split('_').any(|word| word.eq_ignore_ascii_case(verb)),
                        }))
            }
            Pattern::Either(_) => false,
        }
    }
}

fn node_segments(pattern: &Pattern) -> std::slice::Iter<'_, (usize, bool)> {
    match pattern {
        Pattern::Node(node) => node.segments.iter(),
        Pattern::Edge(_) | Pattern::Either(_) => [].iter(),
    }
}

/// Returns the edge segments of a hop that connect its selectors. A segment counts from its first such edge.
fn connecting(bound: &Bound, graph: &AccountGraph, left: &[SlotId], hop: &Hop) -> Result<Vec<usize>, GraphError> {
    let Pattern::Edge(edge) = &bound.slots[hop.edge].pattern else { return Ok(Vec::new()) };
    let lefts: BTreeSet<usize> =
        left.iter().flat_map(|slot| node_segments(&bound.slots[*slot].pattern)).map(|(segment, _)| *segment).collect();
    let rights: BTreeSet<usize> = node_segments(&bound.slots[hop.node].pattern).map(|(segment, _)| *segment).collect();
    let adjacency = graph.adjacency()?;
    let segment_of = |node: NodeId| graph.node_segment(node);
    let mut found = Vec::new();
    for (segment, _) in &edge.segments {
        let mut range = graph.edge_segments()[*segment].range.clone();
        let connects = range.any(|number| {
            let (from, to) = adjacency.ends(EdgeId(number));
            let (from, to) = (segment_of(from), segment_of(to));
            lefts.contains(&from) && rights.contains(&to) || lefts.contains(&to) && rights.contains(&from)
        });
        if connects {
            found.push(*segment);
        }
    }
    Ok(found)
}
