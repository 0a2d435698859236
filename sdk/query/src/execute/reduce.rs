//! Reduction of sets: which nodes are on a complete path at each step.
//!
//! After Yannakakis: sets are reduced from the most selective slot to the head, from the head to the end, and from the
//! end back to the head. After that a node is in the set of a step exactly if a complete path visits it there, so that
//! counting needs no paths, and enumeration has no dead ends.

use super::candidates::AllCandidates;
use super::set::NumberSet;
use super::{Budget, Edges, Profiler};
use crate::bind::{Bound, Hop, SlotId, Step};
use crate::error::QueryError;
use crate::syntax::Direction;

/// The nodes of all complete paths, by step.
pub(crate) struct Reduced {
    /// The nodes from which the rest of the path exists, before each step. The last is the set of the ends.
    pub(crate) before: Vec<NumberSet>,
}

impl Reduced {
    /// Returns the nodes that are at a slot in some complete path.
    pub(crate) fn nodes(&self, bound: &Bound, slot: SlotId) -> NumberSet {
        for (number, step) in bound.steps.iter().enumerate() {
            match step {
                Step::Hop(hop) if hop.node == slot => return self.before[number + 1].clone(),
                Step::Exit { slot: Some(own) } if *own == slot => return self.around(bound, number),
                _ => {}
            }
        }
        self.before[0].clone()
    }

    /// Returns the nodes after an optional part: those at its end, and those of paths without it.
    fn around(&self, bound: &Bound, exit: usize) -> NumberSet {
        let mut nodes = self.before[exit].clone();
        let enter = bound.steps.iter().position(|step| matches!(step, Step::Enter { exit: own, .. } if *own == exit));
        if let Some(enter) = enter {
            let mut without = self.before[enter].clone();
            match &bound.steps[enter] {
                Step::Enter { is_last: true, .. } => without.subtract(&self.before[enter + 1]),
                _ => without.intersect(&self.before[exit + 1]),
            }
            nodes.union(&without);
        }
        nodes
    }
}

/// Reduces the sets of one query.
pub(crate) struct Reducer<'e, 'g> {
    pub(crate) bound: &'e Bound,
    pub(crate) candidates: &'e AllCandidates<'g>,
    pub(crate) edges: &'e Edges<'g>,
    pub(crate) budget: &'e Budget<'e>,
    pub(crate) nodes: u32,
}

impl Reducer<'_, '_> {
    /// Returns the step whose entity has the fewest candidates; `None` stands for the head.
    pub(crate) fn start(&self) -> Option<usize> {
        let mut depth = 0_usize;
        let mut best = (self.candidates.of(0).estimate, None);
        for (number, step) in self.bound.steps.iter().enumerate() {
            match step {
                Step::Enter { .. } => depth += 1,
                Step::Exit { .. } => depth -= 1,
                Step::Hop(hop) if depth == 0 && self.candidates.of(hop.node).estimate < best.0 => {
                    best = (self.candidates.of(hop.node).estimate, Some(number));
                }
                _ => {}
            }
        }
        best.1
    }

    /// Reduces all sets. `heads` limits the first one.
    pub(crate) fn reduce(&self, heads: Option<&NumberSet>, profiler: &mut Profiler) -> Result<Reduced, QueryError> {
        let sets = (self.bound.steps.len() + 1) * 3 + 2;
        self.budget.charge(sets * NumberSet::bytes(self.nodes), "sets of entities")?;
        self.budget.begin("traversed relationships")?;
        let start = if heads.is_some() { None } else { self.start() };
        let restricted = match start {
            Some(step) => self.restrict(step, profiler)?,
            None => Vec::new(),
        };
        let head = match (heads, restricted.first()) {
            (Some(heads), _) => heads.clone(),
            (None, Some(restricted)) => self.accepted(restricted, 0)?,
            (None, None) => {
                let started = profiler.start();
                let all = self.candidates.of(0).all(self.budget)?;
                profiler.scan(started, 0, self.candidates.of(0), all.count());
                all
            }
        };
        let reached = self.forward(head, &restricted, profiler)?;
        let before = self.backward(&reached, profiler)?;
        Ok(Reduced { before })
    }

    /// Reduces the sets from a step to the head, as limits of the sets before each step up to the one after it.
    fn restrict(&self, start: usize, profiler: &mut Profiler) -> Result<Vec<NumberSet>, QueryError> {
        let Step::Hop(hop) = &self.bound.steps[start] else { return Ok(Vec::new()) };
        let started = profiler.start();
        let all = self.candidates.of(hop.node).all(self.budget)?;
        profiler.scan(started, hop.node, self.candidates.of(hop.node), all.count());
        let mut sets = vec![NumberSet::new(0); start + 2];
        sets[start + 1] = all;
        for number in (0..=start).rev() {
            let started = profiler.start();
            let (set, hop) = match &self.bound.steps[number] {
                Step::Hop(hop) => (self.preimage(hop, &sets[number + 1], None)?, Some(hop)),
                Step::Without(_) | Step::Exit { .. } => (sets[number + 1].clone(), None),
                Step::Enter { exit, .. } => {
                    let mut set = sets[number + 1].clone();
                    set.union(&sets[*exit]);
                    (set, None)
                }
            };
            if let Some(hop) = hop {
                profiler.hop(started, "restrict", self.bound, hop, set.count());
            }
            sets[number] = set;
        }
        Ok(sets)
    }

    /// Follows the steps from the head. Returns the nodes that reach each step.
    fn forward(
        &self,
        head: NumberSet,
        restricted: &[NumberSet],
        profiler: &mut Profiler,
    ) -> Result<Vec<NumberSet>, QueryError> {
        let mut reached = vec![head];
        let mut open = Vec::new();
        for (number, step) in self.bound.steps.iter().enumerate() {
            let started = profiler.start();
            let limit = restricted.get(number + 1);
            let set = match step {
                Step::Hop(hop) => {
                    let set = self.image(hop, &reached[number], limit)?;
                    profiler.hop(started, "traverse", self.bound, hop, set.count());
                    set
                }
                Step::Without(hop) => {
                    let set = self.without(hop, &reached[number])?;
                    profiler.hop(started, "exclude", self.bound, hop, set.count());
                    set
                }
                Step::Enter { .. } => {
                    open.push(number);
                    reached[number].clone()
                }
                Step::Exit { .. } => {
                    let mut set = reached[number].clone();
                    if let Some(enter) = open.pop() {
                        set.union(&reached[enter]);
                    }
                    set
                }
            };
            reached.push(set);
        }
        Ok(reached)
    }

    /// Follows the steps from the end. Returns the nodes from which the rest of the path exists.
    fn backward(&self, reached: &[NumberSet], profiler: &mut Profiler) -> Result<Vec<NumberSet>, QueryError> {
        let mut before: Vec<NumberSet> = reached.to_vec();
        for (number, step) in self.bound.steps.iter().enumerate().rev() {
            let set = match step {
                Step::Hop(hop) => {
                    let started = profiler.start();
                    let set = self.preimage(hop, &before[number + 1], Some(&reached[number]))?;
                    profiler.hop(started, "reduce", self.bound, hop, set.count());
                    set
                }
                Step::Without(_) | Step::Exit { .. } => {
                    let mut set = before[number + 1].clone();
                    set.intersect(&reached[number]);
                    set
                }
                // A path that matches nothing in the last part goes on without it.
                Step::Enter { is_last: true, .. } => reached[number].clone(),
                Step::Enter { exit, .. } => {
                    let mut set = before[*exit + 1].clone();
                    set.intersect(&reached[number]);
                    set.union(&before[number + 1]);
                    set
                }
            };
            before[number] = set;
        }
        Ok(before)
    }

    fn accepted(&self, set: &NumberSet, slot: SlotId) -> Result<NumberSet, QueryError> {
        let mut accepted = NumberSet::new(self.nodes);
        for number in set.iter() {
            self.budget.tick()?;
            if self.candidates.of(slot).accepts(number)? {
                accepted.insert(number);
            }
        }
        Ok(accepted)
    }

    /// Returns the nodes at the right end of a hop from a set, within a limit.
    fn image(&self, hop: &Hop, from: &NumberSet, limit: Option<&NumberSet>) -> Result<NumberSet, QueryError> {
        let mut found = NumberSet::new(self.nodes);
        let (nodes, edges) = (self.candidates.of(hop.node), self.candidates.of(hop.edge));
        if let Some(limit) = limit.filter(|limit| limit.count() < from.count()) {
            for node in limit.iter() {
                if nodes.accepts(node)? && self.has_neighbour(hop, node, reversed(hop.direction), from)? {
                    found.insert(node);
                }
            }
            return Ok(found);
        }
        for node in from.iter() {
            for (edge, other) in self.edges.neighbours(node, hop.direction) {
                self.budget.tick()?;
                let is_new = !found.contains(other.0) && limit.is_none_or(|limit| limit.contains(other.0));
                if is_new && edges.accepts(edge.0)? && nodes.accepts(other.0)? {
                    found.insert(other.0);
                }
            }
        }
        Ok(found)
    }

    /// Returns the nodes at the left end of a hop to a set, within a limit.
    fn preimage(&self, hop: &Hop, to: &NumberSet, limit: Option<&NumberSet>) -> Result<NumberSet, QueryError> {
        let mut found = NumberSet::new(self.nodes);
        if let Some(limit) = limit.filter(|limit| limit.count() <= to.count()) {
            for node in limit.iter() {
                if self.has_neighbour(hop, node, hop.direction, to)? {
                    found.insert(node);
                }
            }
            return Ok(found);
        }
        let edges = self.candidates.of(hop.edge);
        for node in to.iter() {
            for (edge, other) in self.edges.neighbours(node, reversed(hop.direction)) {
                self.budget.tick()?;
                let is_new = !found.contains(other.0) && limit.is_none_or(|limit| limit.contains(other.0));
                if is_new && edges.accepts(edge.0)? {
                    found.insert(other.0);
                }
            }
        }
        Ok(found)
    }

    /// Whether a relationship of the hop leads from a node into a set.
    fn has_neighbour(&self, hop: &Hop, node: u32, direction: Direction, set: &NumberSet) -> Result<bool, QueryError> {
        let edges = self.candidates.of(hop.edge);
        for (edge, other) in self.edges.neighbours(node, direction) {
            self.budget.tick()?;
            if set.contains(other.0) && edges.accepts(edge.0)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns the nodes of a set without a neighbour of the hop.
    fn without(&self, hop: &Hop, from: &NumberSet) -> Result<NumberSet, QueryError> {
        let (nodes, edges) = (self.candidates.of(hop.node), self.candidates.of(hop.edge));
        let mut rest = from.clone();
        if nodes.estimate < from.count() {
            let all = nodes.all(self.budget)?;
            rest.subtract(&self.preimage(hop, &all, Some(from))?);
            return Ok(rest);
        }
        let mut matching = NumberSet::new(self.nodes);
        for node in from.iter() {
            for (edge, other) in self.edges.neighbours(node, hop.direction) {
                self.budget.tick()?;
                if edges.accepts(edge.0)? && nodes.accepts(other.0)? {
                    matching.insert(node);
                    break;
                }
            }
        }
        rest.subtract(&matching);
        Ok(rest)
    }
}

/// Returns the direction seen from the other end.
fn reversed(direction: Direction) -> Direction {
    match direction {
        Direction::Either => Direction::Either,
        Direction::Forward => Direction::Backward,
        Direction::Backward => Direction::Forward,
    }
}
