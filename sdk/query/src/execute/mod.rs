//! Execution: reduction of sets, enumeration of paths, and the result.
//!
//! ```text
//! filters ─► sets of entities, reduced over the hops ─┬─► list, tree, counts
//!                                                     └─► paths ─► conditions ─► rows, groups
//! ```
//!
//! Everything here is synchronous and reads columns and adjacency only. Objects are read afterwards, by their numbers.

mod aggregate;
mod budget;
mod calculator;
mod candidates;
mod filter;
mod hash;
mod identity;
mod paths;
mod profiler;
mod property;
mod reach;
mod reduce;
mod set;
mod sort;
mod table;

use crate::bind::{Bound, Output, SlotId, Step, Table};
use crate::diagnostic::Diagnostic;
use crate::error::QueryError;
use crate::graph::{AccountGraph, Adjacency, NodeId};
use crate::options::Options;
use crate::plan::{Plan, plan};
use crate::profile::Profile;
use crate::value::{Constant, parse_instant};

pub(crate) use budget::Budget;
use calculator::Calculator;
use candidates::{AllCandidates, Candidates};
pub(crate) use filter::ABSENT;
use filter::{Filter, Mismatch, Readers, Single};
pub(crate) use hash::NumberMap;
use paths::{Next, Paths};
use profiler::Profiler;
use reduce::{Reduced, Reducer};
use set::NumberSet;
use sort::{page, sorted};
pub(crate) use table::Rows;

/// The result of a query, with the numbers of its objects.
pub(crate) struct Executed {
    pub(crate) outcome: Outcome,
    pub(crate) profile: Profile,
    /// Comparisons that are probably mistakes.
    pub(crate) warnings: Vec<Diagnostic>,
}

/// The objects and rows of a result.
pub(crate) enum Outcome {
    /// Entities, and their number before the page was cut.
    Entities { nodes: Vec<u32>, total: u64 },
    /// Entities and relationships of the paths of some heads, and the number of heads before the page was cut.
    Tree { nodes: Vec<u32>, edges: Vec<u32>, heads: u64, total: u64 },
    /// Rows.
    Table(Rows),
}

/// Executes a query.
pub(crate) fn execute(bound: &Bound, graph: &AccountGraph, options: &Options) -> Result<Executed, QueryError> {
    let Plan { filters, conditions } = plan(bound);
    let readers = Readers::new(graph, bound);
    let filtered: Vec<bool> = filters.iter().map(Option::is_some).collect();
    let mut profiler = Profiler::new(profiler::labels(bound, &filtered));
    let budget = Budget::new(options);
    budget.begin("planned the query")?;
    let mut candidates = Vec::with_capacity(bound.slots.len());
    for (slot, filter) in bound.slots.iter().zip(&filters) {
        budget.charge(NumberSet::bytes(graph.node_count().max(graph.edge_count())), "sets of entities")?;
        candidates.push(Candidates::new(&readers, &slot.pattern, filter.as_ref())?);
    }
    profiler.estimate(candidates.iter().map(|slot| slot.estimate).collect());
    let conditions = conditions.iter().map(|(step, formula)| (*step, Filter::new(&readers, formula))).collect();
    let edges = Edges(if bound.steps.is_empty() { None } else { Some(graph.adjacency()?) });
    let candidates = AllCandidates::new(candidates);
    let reducer = Reducer { bound, candidates: &candidates, edges: &edges, budget: &budget, nodes: graph.node_count() };
    let reduced = reducer.reduce(None, &mut profiler)?;
    let evaluation =
        Evaluation { bound, readers, candidates: &candidates, edges: &edges, budget: &budget, reduced, conditions };
    let outcome = evaluation.outcome(&mut profiler)?;
    Ok(Executed { outcome, warnings: evaluation.warnings(), profile: profiler.finish() })
}

/// The edges of the graph. A query without hops does not read them.
pub(crate) struct Edges<'g>(Option<Adjacency<'g>>);

impl<'g> Edges<'g> {
    /// Returns the edges of a node, each with the node at its other end.
    fn neighbours(&self, node: u32, direction: crate::syntax::Direction) -> crate::graph::Neighbours<'g> {
        self.0.as_ref().expect("a query with hops has read the edges").neighbours(NodeId(node), direction)
    }
}

/// The state of one query after the reduction of its sets.
struct Evaluation<'e> {
    bound: &'e Bound,
    readers: Readers<'e>,
    candidates: &'e AllCandidates<'e>,
    edges: &'e Edges<'e>,
    budget: &'e Budget<'e>,
    reduced: Reduced,
    conditions: Vec<(usize, Filter<'e>)>,
}

impl<'e> Evaluation<'e> {
    fn outcome(&self, profiler: &mut Profiler) -> Result<Outcome, QueryError> {
        match &self.bound.output {
            Output::Entities => {
                let heads = self.matching_heads(profiler)?;
                let total = heads.len() as u64;
                Ok(Outcome::Entities { nodes: self.page_of_heads(heads, profiler)?, total })
            }
            Output::Tree => self.tree(profiler),
            Output::Table(table) => self.table(table, profiler),
        }
    }

    fn paths<'s>(&'s self, reduced: &'s Reduced) -> Paths<'s, 'e> {
        Paths {
            bound: self.bound,
            candidates: self.candidates,
            edges: self.edges,
            reduced,
            conditions: &self.conditions,
            budget: self.budget,
        }
    }

    /// Returns the heads of complete paths, before the conditions on paths.
    fn heads(&self) -> impl Iterator<Item = u32> {
        self.reduced.before[0].iter()
    }

    /// Returns the heads of complete paths that satisfy the conditions.
    fn matching_heads(&self, profiler: &mut Profiler) -> Result<Vec<u32>, QueryError> {
        let started = profiler.start();
        let mut heads = Vec::new();
        self.budget
            .charge(usize::try_from(self.reduced.before[0].count()).unwrap_or(usize::MAX).saturating_mul(4), "rows")?;
        if self.conditions.is_empty() {
            heads.extend(self.heads());
            return Ok(heads);
        }
        self.budget.begin("enumerated paths")?;
        self.paths(&self.reduced).walk(self.heads(), |path| {
            heads.push(path[0]);
            Ok(Next::Head)
        })?;
        profiler.record(started, "enumerate", "first path of each entity".to_owned(), None, heads.len() as u64);
        Ok(heads)
    }

    fn page_of_heads(&self, heads: Vec<u32>, profiler: &mut Profiler) -> Result<Vec<u32>, QueryError> {
        let (skip, limit) = (self.bound.skip, self.bound.limit);
        if self.bound.order.is_empty() {
            return Ok(page(heads, skip, limit));
        }
        let started = profiler.start();
        self.budget.begin("sorted rows")?;
        let keys: Vec<_> = self.bound.order.iter().map(|key| Calculator::new(&self.readers, &key.program)).collect();
        let (mut keyed, total) = (Vec::with_capacity(heads.len()), heads.len() as u64);
        for head in heads {
            self.budget.tick()?;
            let values: Vec<_> = keys.iter().map(|key| key.value(&Single(head))).collect::<Result<_, _>>()?;
            self.budget.charge(values.iter().map(crate::value::Value::size).sum(), "sort keys")?;
            keyed.push((values, head));
        }
        let heads = sorted(&self.bound.order, keyed);
        profiler.record(started, "sort", String::new(), None, total);
        Ok(page(heads, skip, limit))
    }

    /// Returns everything that the paths of the page's heads visit.
    fn tree(&self, profiler: &mut Profiler) -> Result<Outcome, QueryError> {
        let all = self.matching_heads(profiler)?;
        let total = all.len() as u64;
        let page = self.page_of_heads(all, profiler)?;
        let graph = self.readers.graph;
        let (mut nodes, mut edges) = (NumberSet::new(graph.node_count()), NumberSet::new(graph.edge_count()));
        self.budget.charge(NumberSet::bytes(graph.node_count()) + NumberSet::bytes(graph.edge_count()), "tree")?;
        let mut heads = NumberSet::new(graph.node_count());
        page.iter().for_each(|head| heads.insert(*head));
        let started = profiler.start();
        self.budget.begin("collected the tree")?;
        if self.conditions.is_empty() {
            let reduced = (page.len() as u64) < total;
            let reduced = if reduced { Some(self.reducer().reduce(Some(&heads), profiler)?) } else { None };
            self.tree_of_sets(reduced.as_ref().unwrap_or(&self.reduced), &mut nodes, &mut edges)?;
        } else {
            self.paths(&self.reduced).walk(heads.iter(), |path| {
                for (slot, object) in path.iter().enumerate().filter(|(_, object)| **object != ABSENT) {
                    match self.readers.kind(slot) {
                        property::Kind::Node => nodes.insert(*object),
                        property::Kind::Edge => edges.insert(*object),
                    }
                }
                Ok(Next::Path)
            })?;
        }
        profiler.record(started, "tree", "entities and relationships".to_owned(), None, nodes.count() + edges.count());
        let (nodes, edges) = (nodes.iter().collect(), edges.iter().collect());
        Ok(Outcome::Tree { nodes, edges, heads: page.len() as u64, total })
    }

    /// Collects the nodes of the sets, and the edges between them.
    fn tree_of_sets(&self, reduced: &Reduced, nodes: &mut NumberSet, edges: &mut NumberSet) -> Result<(), QueryError> {
        nodes.union(&reduced.before[0]);
        for (number, step) in self.bound.steps.iter().enumerate() {
            let Step::Hop(hop) = step else { continue };
            let (left, right) = (&reduced.before[number], &reduced.before[number + 1]);
            nodes.union(right);
            let candidates = self.candidates.of(hop.edge);
            for node in left.iter() {
                for (edge, other) in self.edges.neighbours(node, hop.direction) {
                    self.budget.tick()?;
                    if right.contains(other.0) && candidates.accepts(edge.0)? {
                        edges.insert(edge.0);
                    }
                }
            }
        }
        Ok(())
    }

    fn reducer(&self) -> Reducer<'_, 'e> {
        let nodes = self.readers.graph.node_count();
        Reducer { bound: self.bound, candidates: self.candidates, edges: self.edges, budget: self.budget, nodes }
    }

    /// Returns the nodes in a slot; those of the head without a slot.
    fn nodes_of(&self, slot: Option<SlotId>) -> NumberSet {
        self.reduced.nodes(self.bound, slot.unwrap_or(0))
    }

    /// Whether a slot belongs to a negated hop, so that no path has it.
    fn is_negated(&self, slot: SlotId) -> bool {
        self.bound.steps.iter().any(|step| matches!(step, Step::Without(hop) if hop.node == slot || hop.edge == slot))
    }

    fn table(&self, table: &Table, profiler: &mut Profiler) -> Result<Outcome, QueryError> {
        self.table_rows(table, &self.paths(&self.reduced), profiler).map(Outcome::Table)
    }

    /// Returns a warning for each comparison whose constants have another kind than all values of the property.
    fn warnings(&self) -> Vec<Diagnostic> {
        let filters = self.candidates.iter().filter_map(Candidates::filter);
        let all = filters.chain(self.conditions.iter().map(|(_, filter)| filter));
        all.flat_map(Filter::mismatches).map(|mismatch| warning(&mismatch)).collect()
    }
}

fn warning(mismatch: &Mismatch<'_>) -> Diagnostic {
    let kind = |constant: &Constant| match constant {
        Constant::Undefined => "`undefined`",
        Constant::Boolean(_) => "a boolean",
        Constant::Number(_) => "a number",
        Constant::Text(_) => "a text",
        Constant::Instant(_) => "a date",
        Constant::Pattern(_) => "a regular expression",
    };
    let Some(constant) = mismatch.test.constants.first() else {
        let message = "the list of values has no elements, so no value is equal to one of them";
        return Diagnostic::new(message, mismatch.span).with_help("pass at least one value");
    };
    let message = format!("no value of the property `{}` has the kind of {}", mismatch.property, kind(constant));
    let help = match constant {
        Constant::Text(text) if parse_instant(text).is_some() => format!("a date is written `date({text})`"),
        Constant::Text(_) => "a number, `true`, and `false` have no quotes".to_owned(),
        _ => "a text needs quotes".to_owned(),
    };
    Diagnostic::new(message, mismatch.span).with_help(help)
}
