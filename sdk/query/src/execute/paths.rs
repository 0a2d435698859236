//! Enumeration of paths over reduced sets, in path order.
//!
//! Paths are in the order of the head's number, then of the entity and the relationship of each hop in turn. At an
//! optional part, the path without it comes first.

use super::candidates::AllCandidates;
use super::filter::{ABSENT, Filter};
use super::reduce::Reduced;
use super::{Budget, Edges};
use crate::bind::{Bound, Hop, Step};
use crate::error::QueryError;

/// The decision of a visitor after a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// The next path.
    Path,
    /// The first path of the next head.
    Head,
    /// No further path.
    Stop,
}

/// Enumerates the paths of one query.
pub(crate) struct Paths<'e, 'g> {
    pub(crate) bound: &'e Bound,
    pub(crate) candidates: &'e AllCandidates<'g>,
    pub(crate) edges: &'e Edges<'g>,
    pub(crate) reduced: &'e Reduced,
    /// Conditions on paths, each with the step before which it is evaluated.
    pub(crate) conditions: &'e [(usize, Filter<'g>)],
    pub(crate) budget: &'e Budget<'e>,
}

/// A point to which the enumeration returns.
enum Frame {
    /// The remaining neighbours of a hop, as a range of the arena.
    Neighbours { step: usize, first: usize, next: usize },
    /// The optional part that follows the path without it.
    Inner { step: usize, node: u32 },
}

impl Paths<'_, '_> {
    /// Visits the paths of some heads. Returns whether the visitor saw all of them.
    pub(crate) fn walk(
        &self,
        heads: impl IntoIterator<Item = u32>,
        mut visit: impl FnMut(&[u32]) -> Result<Next, QueryError>,
    ) -> Result<bool, QueryError> {
        let mut path = vec![ABSENT; self.bound.slots.len()];
        let (mut frames, mut arena) = (Vec::new(), Vec::new());
        for head in heads {
            path.fill(ABSENT);
            path[0] = head;
            frames.clear();
            arena.clear();
            let mut current = Some((0, head));
            loop {
                if let Some((step, node)) = current.take() {
                    self.budget.tick()?;
                    if self.advance(step, node, &mut path, &mut frames, &mut arena)? {
                        match visit(&path)? {
                            Next::Path => {}
                            Next::Head => break,
                            Next::Stop => return Ok(false),
                        }
                    }
                }
                match frames.pop() {
                    None => break,
                    Some(Frame::Inner { step, node }) => current = Some((step + 1, node)),
                    Some(Frame::Neighbours { step, first, next }) => match (arena.get(next), &self.bound.steps[step]) {
                        (Some(&(node, edge)), Step::Hop(hop)) => {
                            (path[hop.node], path[hop.edge]) = (node, edge);
                            frames.push(Frame::Neighbours { step, first, next: next + 1 });
                            current = Some((step + 1, node));
                        }
                        _ => arena.truncate(first),
                    },
                }
            }
        }
        Ok(true)
    }

    /// Follows the steps up to the next hop. Returns whether the path is complete.
    fn advance(
        &self,
        mut step: usize,
        node: u32,
        path: &mut [u32],
        frames: &mut Vec<Frame>,
        arena: &mut Vec<(u32, u32)>,
    ) -> Result<bool, QueryError> {
        loop {
            for (_, condition) in self.conditions.iter().filter(|(at, _)| *at == step) {
                if !condition.accepts(path)? {
                    return Ok(false);
                }
            }
            match self.bound.steps.get(step) {
                None => return Ok(true),
                Some(Step::Hop(hop)) => {
                    let first = arena.len();
                    self.neighbours(hop, step, node, arena)?;
                    frames.push(Frame::Neighbours { step, first, next: first });
                    return Ok(false);
                }
                // The sets contain no node with such a neighbour.
                Some(Step::Without(_)) => step += 1,
                Some(Step::Exit { slot }) => {
                    if let Some(slot) = slot {
                        path[*slot] = node;
                    }
                    step += 1;
                }
                Some(Step::Enter { exit, is_last, slots }) => {
                    let enters = self.reduced.before[step + 1].contains(node);
                    if *is_last && enters {
                        step += 1;
                        continue;
                    }
                    if enters {
                        frames.push(Frame::Inner { step, node });
                    }
                    if !self.reduced.before[*exit + 1].contains(node) {
                        return Ok(false);
                    }
                    path[slots.clone()].fill(ABSENT);
                    step = *exit;
                }
            }
        }
    }

    fn neighbours(&self, hop: &Hop, step: usize, node: u32, arena: &mut Vec<(u32, u32)>) -> Result<(), QueryError> {
        let (first, next) = (arena.len(), &self.reduced.before[step + 1]);
        let edges = self.candidates.of(hop.edge);
        for (edge, other) in self.edges.neighbours(node, hop.direction) {
            self.budget.tick()?;
            if next.contains(other.0) && edges.accepts(edge.0)? {
                arena.push((other.0, edge.0));
            }
        }
        arena[first..].sort_unstable();
        Ok(())
    }

    /// Returns the number of paths, without enumerating them. There must be no conditions on paths.
    pub(crate) fn count(&self, nodes: u32) -> Result<u64, QueryError> {
        let steps = &self.bound.steps;
        self.budget.begin("counted paths")?;
        self.budget.charge((steps.len() + 1) * nodes as usize * 8, "numbers of paths")?;
        let mut counts: Vec<Vec<u64>> = vec![Vec::new(); steps.len() + 1];
        counts[steps.len()] = vec![1; nodes as usize];
        for (number, step) in steps.iter().enumerate().rev() {
            let mut own = vec![0_u64; nodes as usize];
            match step {
                Step::Hop(hop) => {
                    let (next, edges) = (&self.reduced.before[number + 1], self.candidates.of(hop.edge));
                    for node in self.reduced.before[number].iter() {
                        let mut sum = 0_u64;
                        for (edge, other) in self.edges.neighbours(node, hop.direction) {
                            self.budget.tick()?;
                            if next.contains(other.0) && edges.accepts(edge.0)? {
                                sum = sum.saturating_add(counts[number + 1][other.0 as usize]);
                            }
                        }
                        own[node as usize] = sum;
                    }
                }
                Step::Without(_) | Step::Exit { .. } => own.clone_from(&counts[number + 1]),
                Step::Enter { exit, is_last, .. } => {
                    for node in self.reduced.before[number].iter() {
                        let enters = self.reduced.before[number + 1].contains(node);
                        let passes = self.reduced.before[*exit + 1].contains(node) && !(*is_last && enters);
                        let inner = if enters { counts[number + 1][node as usize] } else { 0 };
                        let outer = if passes { counts[*exit + 1][node as usize] } else { 0 };
                        own[node as usize] = inner.saturating_add(outer);
                    }
                }
            }
            counts[number] = own;
        }
        let heads = self.reduced.before[0].iter();
        Ok(heads.fold(0, |sum, head| sum.saturating_add(counts[0][head as usize])))
    }
}
