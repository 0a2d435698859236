//! From declarations to a graph: checks, edges, cycles, and order.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

use crate::account_kind::AccountKind;
use crate::graph::{ObjectType, OnDuplicateKey, StepId};
use crate::step::{IngestionSource, Step};

use super::{Edge, PlanError};

/// Checks that the steps of the kinds of accounts emit their types.
pub(super) fn check_accounts(steps: &[Step], kinds: &[AccountKind]) -> impl Iterator<Item = PlanError> {
    let finds = |kind: &AccountKind| {
        let declarations = steps.iter().map(Step::declaration).filter(|declaration| declaration.id == *kind.step());
        declarations.flat_map(|declaration| &declaration.entities).any(|of| of.object_type == *kind.object_type())
    };
    kinds.iter().filter(move |kind| !finds(kind)).map(|kind| PlanError::UnknownAccounts {
        kind: kind.plural().to_owned(),
        step: kind.step().clone(),
        object_type: kind.object_type().clone(),
    })
}

/// Checks everything that needs no edges: ids, producers, publishers, and sources.
pub(super) fn check(steps: &[Step], sources: &[IngestionSource]) -> Vec<PlanError> {
    let mut errors = Vec::new();
    let mut names: BTreeMap<&StepId, &str> = BTreeMap::new();
    let mut emitters: BTreeMap<&ObjectType, Vec<Emitter>> = BTreeMap::new();
    let mut publishers: BTreeMap<&str, Vec<StepId>> = BTreeMap::new();
    for step in steps {
        let declaration = step.declaration();
        if let Some(first) = names.insert(&declaration.id, &declaration.name) {
            let (first, second) = (first.to_owned(), declaration.name.clone());
            errors.push(PlanError::DuplicateStep { step: declaration.id.clone(), first, second });
        }
        for entity in &declaration.entities {
            let looks_up = declaration.knows.contains(&entity.object_type);
            let on_duplicate_key = entity.on_duplicate_key;
            let step = declaration.id.clone();
            emitters.entry(&entity.object_type).or_default().push(Emitter { step, on_duplicate_key, looks_up });
        }
        for data in &declaration.publishes {
            publishers.entry(data).or_default().push(declaration.id.clone());
        }
        let known = |source: &&String| sources.iter().all(|known| known.id != **source);
        if let Some(source) = declaration.source.as_ref().filter(known) {
            errors.push(PlanError::UnknownSource { step: declaration.id.clone(), source_id: source.clone() });
        }
    }
    // A step that looks up the keys of the others adds only what they lack. All others would describe objects twice.
    let refusing = |emitters: &[Emitter]| emitters.iter().any(|it| it.on_duplicate_key == OnDuplicateKey::Reject);
    let unaware = |emitters: &[Emitter]| emitters.iter().filter(|it| !it.looks_up).count() > 1;
    let several = emitters.into_iter().filter(|(_, emitters)| unaware(emitters) && refusing(emitters));
    errors.extend(several.map(|(object_type, emitters)| PlanError::SeveralProducers {
        object_type: object_type.clone(),
        steps: emitters.into_iter().map(|emitter| emitter.step).collect(),
    }));
    let several = publishers.into_iter().filter(|(_, publishers)| publishers.len() > 1);
    errors.extend(several.map(|(data, steps)| PlanError::SeveralPublishers { data: data.to_owned(), steps }));
    errors
}

/// A step that emits a type.
struct Emitter {
    step: StepId,
    on_duplicate_key: OnDuplicateKey,
    /// Whether the step looks up the keys that other steps emit.
    looks_up: bool,
}

/// The steps that emit and amend each type, and publish each job data.
#[derive(Default)]
struct Producers<'a> {
    emitters: BTreeMap<ObjectType, BTreeSet<NodeIndex>>,
    amenders: BTreeMap<&'a ObjectType, BTreeSet<NodeIndex>>,
    publishers: BTreeMap<&'a str, BTreeSet<NodeIndex>>,
}

/// Builds the graph of the steps with all edges that follow from their declarations.
///
/// If two steps have the same id, only the first is included.
pub(super) fn edges(steps: &[Step], errors: &mut Vec<PlanError>) -> (DiGraph<Step, Edge>, BTreeMap<StepId, NodeIndex>) {
    let mut graph = DiGraph::new();
    let mut by_id = BTreeMap::new();
    let mut producers = Producers::default();
    for step in steps {
        let declaration = step.declaration();
        if by_id.contains_key(&declaration.id) {
            continue;
        }
        let at = graph.add_node(step.clone());
        by_id.insert(declaration.id.clone(), at);
        for object_type in declaration.emits() {
            producers.emitters.entry(object_type).or_default().insert(at);
        }
        for object_type in declaration.amends.difference(&declaration.annotates) {
            producers.amenders.entry(object_type).or_default().insert(at);
        }
        for data in &declaration.publishes {
            producers.publishers.entry(data).or_default().insert(at);
        }
    }
    let known: Vec<StepId> = graph.node_weights().map(|step: &Step| step.id().clone()).collect();
    for at in graph.node_indices() {
        for (from, why) in wanted(graph[at].clone(), at, &producers, &by_id, &known, errors) {
            let found = graph.find_edge(from, at);
            let edge = found.unwrap_or_else(|| graph.add_edge(from, at, Edge::default()));
            why(&mut graph[edge]);
        }
    }
    mark_streams(&mut graph, &producers);
    (graph, by_id)
}

/// Marks the edges that stream.
///
/// The reader must follow all types of the edge, and no entity of these types may change after it was emitted.
fn mark_streams(graph: &mut DiGraph<Step, Edge>, producers: &Producers<'_>) {
    let merging: BTreeSet<ObjectType> = graph
        .node_weights()
        .flat_map(|step| step.declaration().entities.iter())
        .filter(|entity| entity.on_duplicate_key == OnDuplicateKey::Merge)
        .map(|entity| entity.object_type.clone())
        .collect();
    for at in graph.edge_indices() {
        let Some((_, to)) = graph.edge_endpoints(at) else { continue };
        let reader = graph[to].declaration();
        let streams = |object_type: &ObjectType| {
            let settled = !merging.contains(object_type) && !producers.amenders.contains_key(object_type);
            let waits = reader.reads.contains(object_type) || reader.knows.contains(object_type);
            settled && reader.follows.contains(object_type) && !waits
        };
        let edge = &graph[at];
        let all = !edge.explicit && edge.data.is_empty() && edge.through.iter().all(streams);
        graph[at].streams = all;
    }
}

/// Computes for each step the length of the longest chain of dependents.
///
/// Streaming edges add nothing to the length, because a follower does not wait for the end of its producer.
pub(super) fn ranks(graph: &DiGraph<Step, Edge>, order: &[NodeIndex]) -> Vec<usize> {
    let mut ranks = vec![0; graph.node_count()];
    for &at in order.iter().rev() {
        let below = graph.edges_directed(at, Direction::Outgoing);
        let rank = below.map(|edge| ranks[edge.target().index()] + usize::from(!edge.weight().streams)).max();
        ranks[at.index()] = rank.unwrap_or(0);
    }
    ranks
}

type Reason = Box<dyn FnOnce(&mut Edge)>;

/// Returns the dependencies of a step, each with a function that records its reason.
fn wanted(
    step: Step,
    at: NodeIndex,
    producers: &Producers<'_>,
    by_id: &BTreeMap<StepId, NodeIndex>,
    known: &[StepId],
    errors: &mut Vec<PlanError>,
) -> Vec<(NodeIndex, Reason)> {
    let declaration = step.declaration();
    let mut wanted: Vec<(NodeIndex, Reason)> = Vec::new();
    let through = |object_type: &ObjectType| -> Reason {
        let object_type = object_type.clone();
        Box::new(move |edge| edge.through.extend([object_type]))
    };
    let reads = declaration.reads.iter().map(|read| (read, "reads"));
    let follows = declaration.follows.iter().map(|followed| (followed, "follows"));
    let amends = declaration.amends.iter().map(|amended| (amended, "amends"));
    let knows = declaration.knows.iter().map(|known| (known, "looks up"));
    for (object_type, verb) in reads.chain(follows).chain(amends).chain(knows) {
        let Some(emitters) = producers.emitters.get(object_type) else {
            let (step, object_type) = (declaration.id.clone(), object_type.clone());
            errors.push(PlanError::NoProducer { step, verb, object_type });
            continue;
        };
        // A step that adds to a type may read the entities of other emitters. If it is the only emitter, it would wait
        // for itself: that edge is kept, so that the cycle is reported.
        let alone = emitters.len() == 1;
        wanted.extend(emitters.iter().filter(|from| alone || **from != at).map(|&from| (from, through(object_type))));
        let amends_it = declaration.amends.contains(object_type);
        // Amendments change no key, so a step that only looks up keys does not wait for them.
        let waits = !amends_it && verb != "looks up";
        let amenders = producers.amenders.get(object_type).filter(|_| waits);
        wanted.extend(amenders.into_iter().flatten().map(|&from| (from, through(object_type))));
    }
    for data in &declaration.uses {
        match producers.publishers.get(data.as_str()) {
            Some(publishers) => wanted.extend(publishers.iter().map(|&from| {
                let data = data.clone();
                (from, Box::new(move |edge: &mut Edge| edge.data.extend([data])) as Reason)
            })),
            None => errors.push(PlanError::NoPublisher { step: declaration.id.clone(), data: data.clone() }),
        }
    }
    for dependency in &declaration.after {
        match by_id.get(dependency) {
            Some(&from) => wanted.push((from, Box::new(|edge| edge.explicit = true))),
            None => errors.push(PlanError::UnknownDependency {
                step: declaration.id.clone(),
                dependency: dependency.clone(),
                known: known.to_vec(),
            }),
        }
    }
    wanted
}

/// Returns one cycle for each group of steps that wait for each other.
pub(super) fn cycle(graph: &DiGraph<Step, Edge>) -> Vec<PlanError> {
    let groups = petgraph::algo::tarjan_scc(graph);
    let mut cycles: Vec<Vec<NodeIndex>> = groups.iter().filter_map(|group| cycle_within(graph, group)).collect();
    cycles.sort();
    let describe = |cycle: Vec<NodeIndex>| {
        let next = cycle.iter().copied().cycle().skip(1);
        let links = cycle.iter().copied().zip(next).map(|(from, to)| {
            let edge = graph.find_edge(from, to).map(|edge| graph[edge].clone()).unwrap_or_default();
            (graph[from].id().clone(), edge)
        });
        PlanError::Cycle(links.collect())
    };
    cycles.into_iter().map(describe).collect()
}

/// Finds a cycle in a group by following edges until a step repeats.
fn cycle_within(graph: &DiGraph<Step, Edge>, group: &[NodeIndex]) -> Option<Vec<NodeIndex>> {
    let members: BTreeSet<NodeIndex> = group.iter().copied().collect();
    let mut at = *members.first()?;
    let mut walk = vec![at];
    loop {
        let inside = graph.neighbors_directed(at, Direction::Outgoing).filter(|next| members.contains(next));
        at = inside.min()?;
        if let Some(start) = walk.iter().position(|seen| *seen == at) {
            let mut cycle = walk.split_off(start);
            let least = cycle.iter().enumerate().min_by_key(|(_, step)| **step).map_or(0, |(at, _)| at);
            cycle.rotate_left(least);
            return Some(cycle);
        }
        walk.push(at);
    }
}

/// Returns a topological order, with ties in the order of the integration.
pub(super) fn order(graph: &DiGraph<Step, Edge>) -> Vec<NodeIndex> {
    let mut waiting: Vec<usize> =
        graph.node_indices().map(|at| graph.edges_directed(at, Direction::Incoming).count()).collect();
    let mut ready: BinaryHeap<Reverse<NodeIndex>> =
        graph.node_indices().filter(|at| waiting[at.index()] == 0).map(Reverse).collect();
    let mut order = Vec::with_capacity(graph.node_count());
    while let Some(Reverse(at)) = ready.pop() {
        order.push(at);
        for edge in graph.edges_directed(at, Direction::Outgoing) {
            let left = &mut waiting[edge.target().index()];
            *left -= 1;
            if *left == 0 {
                ready.push(Reverse(edge.target()));
            }
        }
    }
    order
}
