//! The nodes that one head reaches, without enumerating paths.
//!
//! A group by properties of the head needs each node of a slot once, however many paths lead to it.

use super::Budget;
use super::paths::Paths;
use crate::bind::{SlotId, Step};
use crate::error::QueryError;

/// Visits the nodes of slots, head by head.
pub(crate) struct Reach<'p, 'e, 'g> {
    paths: &'p Paths<'e, 'g>,
    budget: &'p Budget<'p>,
    /// The nodes before each step.
    frontiers: Vec<Vec<u32>>,
    /// The last visit of each node, by step.
    visits: Vec<Vec<u32>>,
    visit: u32,
}

impl<'p, 'e, 'g> Reach<'p, 'e, 'g> {
    pub(crate) fn new(paths: &'p Paths<'e, 'g>, budget: &'p Budget<'p>, nodes: u32) -> Result<Self, QueryError> {
        let steps = paths.bound.steps.len() + 1;
        budget.charge(steps * nodes as usize * 4, "visits of entities")?;
        let visits = vec![vec![0; nodes as usize]; steps];
        Ok(Self { paths, budget, frontiers: vec![Vec::new(); steps], visits, visit: 0 })
    }

    /// Visits each node of each slot that a complete path from the head visits. There must be no conditions on paths.
    pub(crate) fn visit(
        &mut self,
        head: u32,
        mut visit: impl FnMut(SlotId, u32) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        self.frontiers.iter_mut().for_each(Vec::clear);
        // Heads are distinct nodes, so that their number fits.
        self.visit += 1;
        self.enter(0, head);
        let before = &self.paths.reduced.before;
        for (number, step) in self.paths.bound.steps.iter().enumerate() {
            let frontier = std::mem::take(&mut self.frontiers[number]);
            for node in &frontier {
                self.budget.tick()?;
                match step {
                    Step::Hop(hop) => {
                        let edges = self.paths.candidates.of(hop.edge);
                        for (edge, other) in self.paths.edges.neighbours(*node, hop.direction) {
                            self.budget.tick()?;
                            if before[number + 1].contains(other.0)
                                && edges.accepts(edge.0)?
                                && self.enter(number + 1, other.0)
                            {
                                visit(hop.node, other.0)?;
                            }
                        }
                    }
                    Step::Without(_) => {
                        self.enter(number + 1, *node);
                    }
                    Step::Exit { slot } => {
                        if let Some(slot) = slot {
                            visit(*slot, *node)?;
                        }
                        self.enter(number + 1, *node);
                    }
                    Step::Enter { exit, is_last, .. } => {
                        let enters = before[number + 1].contains(*node);
                        if enters {
                            self.enter(number + 1, *node);
                        }
                        if !(*is_last && enters) && before[*exit + 1].contains(*node) {
                            self.enter(*exit, *node);
                        }
                    }
                }
            }
            self.frontiers[number] = frontier;
        }
        Ok(())
    }

    /// Adds a node to the frontier before a step; returns whether it is new there.
    fn enter(&mut self, step: usize, node: u32) -> bool {
        let last = &mut self.visits[step][node as usize];
        let is_new = *last != self.visit;
        if is_new {
            *last = self.visit;
            self.frontiers[step].push(node);
        }
        is_new
    }
}
