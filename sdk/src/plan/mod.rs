//! The plan: the dependencies between steps, derived from their declarations.
//!
//! ```text
//!   declarations ──derive──▶ edges ──check──▶ petgraph DAG ──▶ order, selection, start states
//!        └─ reads, amends, uses, after            └─ all errors together, with remedies
//! ```
//!
//! A reader waits for the end of every step that emits or amends its type; a follower waits only for their start. An
//! amender waits for the emitters, a user of job data for its publisher, and `after` adds an edge explicitly. The plan
//! runs nothing.
//!
//! ```
//! use integration_sdk::graph::StepId;
//! use integration_sdk::{Integration, Plan};
//! # use integration_sdk::prelude::*;
//! # #[derive(EntityKind)]
//! # #[entity(type = "space_planet", class = "Site", resource = "Planet")]
//! # struct Planet { #[entity(key)] id: String }
//! # #[step(id = "fetch-planets", name = "Fetch planets")]
//! # async fn fetch_planets(_: Emit<Planet>) -> StepResult { Ok(()) }
//! # #[step(id = "fetch-moons", name = "Fetch moons")]
//! # async fn fetch_moons(_: Follow<Planet>) -> StepResult { Ok(()) }
//!
//! let space = Integration::without_provider::<()>("space", "Space").step(fetch_moons()).step(fetch_planets());
//! let plan = Plan::new(&space)?;
//! let order: Vec<&str> = plan.steps().map(|step| step.id().as_str()).collect();
//! assert_eq!(order, ["fetch-planets", "fetch-moons"]);
//!
//! let (dependency, edge) = plan.dependencies(&StepId::literal("fetch-moons"))[0];
//! assert_eq!((dependency.as_str(), edge.to_string()), ("fetch-planets", "follows space_planet".to_owned()));
//!
//! // Without its producer, the type that the second step follows would stay empty. The error contains the remedy.
//! let lonely = Integration::without_provider::<()>("space", "Space").step(fetch_moons());
//! assert!(Plan::new(&lonely).is_err());
//! # Ok::<(), integration_sdk::plan::PlanErrors>(())
//! ```

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

/// The reasons why one step waits for another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edge {
    /// The types that the other step emits or amends and this step reads or amends.
    pub through: BTreeSet<ObjectType>,
    /// The job data that the other step publishes and this step uses.
    pub data: BTreeSet<String>,
    /// Whether `after` declares the edge.
    pub explicit: bool,
    /// Whether the step follows the other one and starts together with it.
    pub streams: bool,
}

impl std::fmt::Display for Edge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let verb = if self.streams { "follows" } else { "reads" };
        let reads = self.through.iter().map(|name| format!("{verb} {name}"));
        let uses = self.data.iter().map(|name| format!("uses the job data {name:?}"));
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
    /// All errors of the declarations together.
    pub fn new(integration: &Integration) -> Result<Self, PlanErrors> {
        let mut errors = derive::check(integration.steps(), integration.sources());
        errors.extend(derive::check_accounts(integration.steps(), integration.account_kinds()));
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

    /// Returns the steps in topological order, with ties in the order of the integration.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.order.iter().map(|&at| &self.graph[at])
    }

    /// Returns a step by its id.
    pub fn step(&self, id: &StepId) -> Option<&Step> {
        self.by_id.get(id).map(|&at| &self.graph[at])
    }

    /// Returns the dependencies of a step with their reasons, in the order of the plan.
    pub fn dependencies(&self, id: &StepId) -> Vec<(&StepId, &Edge)> {
        let Some(&at) = self.by_id.get(id) else { return Vec::new() };
        let edges = self.graph.edges_directed(at, Direction::Incoming);
        let mut found: Vec<_> = edges.map(|edge| (edge.source(), edge.weight())).collect();
        found.sort_by_key(|(at, _)| at.index());
        found.into_iter().map(|(at, edge)| (self.graph[at].id(), edge)).collect()
    }

    /// Returns the length of the longest chain of dependents. Steps with a long chain should run early.
    pub(crate) fn rank(&self, id: &StepId) -> usize {
        self.by_id.get(id).map_or(0, |&at| self.ranks[at.index()])
    }

    /// Returns the given steps and all their dependencies.
    ///
    /// # Errors
    /// [`PlanError::UnknownStep`] if an id is not the id of a step.
    pub fn closure(&self, ids: &[StepId]) -> Result<BTreeSet<StepId>, PlanError> {
        let mut chosen = BTreeSet::new();
        for id in ids {
            let start = self.by_id.get(id).ok_or_else(|| self.unknown(id))?;
            let upwards = petgraph::visit::Dfs::new(Reversed(&self.graph), *start);
            chosen.extend(upwards.iter(Reversed(&self.graph)).map(|at| self.graph[at].id().clone()));
        }
        Ok(chosen)
    }

    /// The number of steps.
    pub fn len(&self) -> usize {
        self.graph.node_bound()
    }

    /// Whether the plan contains no steps.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn unknown(&self, id: &StepId) -> PlanError {
        PlanError::UnknownStep { step: id.clone(), known: self.steps().map(|step| step.id().clone()).collect() }
    }
}

#[cfg(test)]
mod tests;
