//! The plan: which step waits for which, derived from what steps declare.
//!
//! ```text
//!   declarations ──derive──▶ edges ──check──▶ petgraph DAG ──▶ order, selection, start states
//!        └─ reads, amends, uses, after            └─ every mistake at once, with the way out
//! ```
//!
//! A reader waits for every step that emits or amends what it reads, a follower only for their beginning; an amender for those that emit; a user of job data
//! for its publisher; and `after` is an edge by hand. The plan runs nothing.

mod derive;
mod error;
mod start;

use std::collections::{BTreeMap, BTreeSet};

use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::{EdgeRef, NodeIndexable, Reversed, Walker};

use crate::graph::{ObjectType, StepId};
use crate::integration::Integration;
use crate::step::Step;

pub use error::{PlanError, PlanErrors};
pub use start::StartState;

/// Why one step waits for another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edge {
    /// Types that the other emits or amends and this one reads or amends.
    pub through: BTreeSet<ObjectType>,
    /// Job data that the other publishes and this one uses.
    pub data: BTreeSet<String>,
    /// Asked for by hand.
    pub explicit: bool,
    /// The step reads item by item: it begins when the other one does.
    pub streams: bool,
}

impl std::fmt::Display for Edge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let verb = if self.streams { "follows" } else { "reads" };
        let reads = self.through.iter().map(|name| format!("{verb} {name}"));
        let uses = self.data.iter().map(|name| format!("uses the data {name:?}"));
        let after = self.explicit.then(|| "after".to_owned());
        let reasons: Vec<String> = reads.chain(uses).chain(after).collect();
        f.write_str(&reasons.join(", "))
    }
}

/// The steps of an integration in an order in which they can run.
#[derive(Debug, Clone)]
pub struct Plan {
    graph: DiGraph<Step, Edge>,
    by_id: BTreeMap<StepId, NodeIndex>,
    order: Vec<NodeIndex>,
    ranks: Vec<usize>,
}

impl Plan {
    /// Derives and checks the plan of an integration.
    ///
    /// # Errors
    /// Everything that is wrong with the declarations.
    pub fn new(integration: &Integration) -> Result<Self, PlanErrors> {
        let mut errors = derive::check(integration.steps(), integration.sources());
        let (graph, by_id) = derive::edges(integration.steps(), &mut errors);
        errors.extend(derive::cycle(&graph));
        if errors.is_empty() {
            let order = derive::order(&graph);
            let ranks = derive::ranks(&graph, &order);
            Ok(Self { graph, by_id, order, ranks })
        } else {
            Err(PlanErrors(errors))
        }
    }

    /// The steps, each after those it waits for; equals in the order in which the integration names them.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.order.iter().map(|&at| &self.graph[at])
    }

    /// A step by its id.
    pub fn step(&self, id: &StepId) -> Option<&Step> {
        self.by_id.get(id).map(|&at| &self.graph[at])
    }

    /// The steps that a step waits for, in the order of the plan, and why.
    pub fn dependencies(&self, id: &StepId) -> Vec<(&StepId, &Edge)> {
        let Some(&at) = self.by_id.get(id) else { return Vec::new() };
        let edges = self.graph.edges_directed(at, Direction::Incoming);
        let mut found: Vec<_> = edges.map(|edge| (edge.source(), edge.weight())).collect();
        found.sort_by_key(|(at, _)| at.index());
        found.into_iter().map(|(at, edge)| (self.graph[at].id(), edge)).collect()
    }

    /// How many steps in a row wait for the end of a step: the more, the sooner it should be done.
    pub(crate) fn rank(&self, id: &StepId) -> usize {
        self.by_id.get(id).map_or(0, |&at| self.ranks[at.index()])
    }

    /// The named steps and all that they need.
    ///
    /// # Errors
    /// [`PlanError::UnknownStep`] for a name that is not a step.
    pub fn closure(&self, ids: &[StepId]) -> Result<BTreeSet<StepId>, PlanError> {
        let mut chosen = BTreeSet::new();
        for id in ids {
            let start = self.by_id.get(id).ok_or_else(|| self.unknown(id))?;
            let upwards = petgraph::visit::Dfs::new(Reversed(&self.graph), *start);
            chosen.extend(upwards.iter(Reversed(&self.graph)).map(|at| self.graph[at].id().clone()));
        }
        Ok(chosen)
    }

    /// How many steps there are.
    pub fn len(&self) -> usize {
        self.graph.node_bound()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn unknown(&self, id: &StepId) -> PlanError {
        PlanError::UnknownStep { step: id.clone(), known: self.steps().map(|step| step.id().clone()).collect() }
    }
}

#[cfg(test)]
mod tests;
