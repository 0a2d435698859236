//! The objects that fit into a slot: by class and type at once, by property only where needed.

use super::Budget;
use super::filter::{Filter, Readers, Single};
use super::property::Kind;
use super::set::NumberSet;
use crate::bind::{Formula, Label, LeafKind, Logic, Pattern, SlotId};
use crate::error::QueryError;
use crate::graph::GraphError;
use crate::value::{Constant, Relation, Test};

/// The objects that fit into a slot.
pub(crate) struct Candidates<'g> {
    /// The objects of the classes and types; `None` stands for all.
    labelled: Option<NumberSet>,
    /// The number of objects of the classes and types.
    pub(crate) labelled_count: u64,
    filter: Option<Filter<'g>>,
    /// The estimated number of objects that fit.
    pub(crate) estimate: u64,
    bound: u32,
}

impl<'g> Candidates<'g> {
    /// Finds the objects by class and type, and prepares the filter. Slots after optional parts accept everything.
    pub(crate) fn new(readers: &Readers<'g>, pattern: &Pattern, filter: Option<&Formula>) -> Result<Self, QueryError> {
        let (kind, segments, classes) = match pattern {
            Pattern::Node(node) => {
                let class = |label: &Label| match label {
                    Label::Class(name) => Some(name.clone()),
                    Label::Type(_) => None,
                };
                (Kind::Node, node.segments.as_slice(), node.labels.iter().filter_map(class).collect())
            }
            Pattern::Edge(edge) => (Kind::Edge, edge.segments.as_slice(), edge.verbs.clone()),
            Pattern::Either(_) => (Kind::Node, &[][..], Vec::new()),
        };
        let all = kind.segments(readers.graph);
        let bound = all.last().map_or(0, |last| last.range.end);
        let is_all = matches!(pattern, Pattern::Either(_))
            || segments.len() == all.len() && segments.iter().all(|(_, is_complete)| *is_complete);
        let labelled = (!is_all).then(|| labelled(readers, kind, bound, segments, classes)).transpose()?;
        let labelled_count = labelled.as_ref().map_or(u64::from(bound), NumberSet::count);
        let largest = segments.iter().map(|(segment, _)| *segment).max_by_key(|segment| all[*segment].length());
        let share = match (filter, largest) {
            (Some(formula), Some(segment)) => selectivity(readers, formula, segment)?,
            _ => 1.0,
        };
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an estimate"
        )]
        let estimate = (labelled_count as f64 * share).ceil() as u64;
        Ok(Self {
            labelled,
            labelled_count,
            filter: filter.map(|formula| Filter::new(readers, formula)),
            estimate,
            bound,
        })
    }

    /// Whether an object fits.
    pub(crate) fn accepts(&self, number: u32) -> Result<bool, GraphError> {
        if self.labelled.as_ref().is_some_and(|labelled| !labelled.contains(number)) {
            return Ok(false);
        }
        match &self.filter {
            Some(filter) => filter.accepts(&Single(number)),
            None => Ok(true),
        }
    }

    /// Returns all objects that fit.
    pub(crate) fn all(&self, budget: &Budget<'_>) -> Result<NumberSet, QueryError> {
        let labelled = match &self.labelled {
            Some(labelled) => labelled.clone(),
            None => {
                let mut all = NumberSet::new(self.bound);
                all.insert_range(0..self.bound);
                all
            }
        };
        match &self.filter {
            Some(filter) => filter.select(&labelled, self.bound, budget),
            None => Ok(labelled),
        }
    }

    /// The condition on the properties.
    pub(crate) fn filter(&self) -> Option<&Filter<'g>> {
        self.filter.as_ref()
    }
}

fn labelled(
    readers: &Readers<'_>,
    kind: Kind,
    bound: u32,
    segments: &[(usize, bool)],
    classes: Vec<String>,
) -> Result<NumberSet, QueryError> {
    let mut set = NumberSet::new(bound);
    let constants = classes.into_iter().map(Constant::Text).collect();
    let test = Test { relation: Relation::Equal, is_negated: false, constants };
    for (segment, is_complete) in segments {
        let range = kind.segments(readers.graph)[*segment].range.clone();
        if *is_complete {
            set.insert_range(range);
            continue;
        }
        let reader = readers.named(kind, "_class");
        let Some(column) = reader.column(*segment)? else { continue };
        let passes: Vec<bool> =
            (0..=column.distinct()).map(|code| code > 0 && test.passes(Some(&column.value(code)))).collect();
        for (position, number) in (0..).zip(range) {
            if passes[column.code(position) as usize] {
                set.insert(number);
            }
        }
    }
    Ok(set)
}

/// Estimates the share of the objects of a segment that satisfy a condition.
fn selectivity(readers: &Readers<'_>, formula: &Formula, segment: usize) -> Result<f64, GraphError> {
    let mut stack: Vec<f64> = Vec::new();
    for logic in &formula.program {
        let share = match *logic {
            Logic::Leaf(leaf) => leaf_selectivity(readers, &formula.leaves[leaf].kind, segment)?,
            Logic::And(count) => stack.drain(stack.len().saturating_sub(count)..).product(),
            Logic::Or(count) => stack.drain(stack.len().saturating_sub(count)..).sum::<f64>().min(1.0),
        };
        stack.push(share);
    }
    Ok(stack.pop().unwrap_or(1.0))
}

fn leaf_selectivity(readers: &Readers<'_>, leaf: &LeafKind, segment: usize) -> Result<f64, GraphError> {
    let LeafKind::Test(place, test) = leaf else {
        return Ok(match leaf {
            LeafKind::Contains(..) => 0.01,
            _ => 0.1,
        });
    };
    let reader = readers.of(place);
    let share = match test.relation {
        Relation::Equal if test.constants.iter().all(|constant| !matches!(constant, Constant::Pattern(_))) => {
            let Some(column) = reader.column(segment)? else { return Ok(f64::from(u8::from(test.passes(None)))) };
            let constants = u32::try_from(test.constants.len()).unwrap_or(u32::MAX);
            f64::from(constants) / f64::from(column.distinct().max(2))
        }
        Relation::Equal | Relation::Contains | Relation::StartsWith | Relation::EndsWith => 0.1,
        Relation::Less | Relation::LessOrEqual | Relation::Greater | Relation::GreaterOrEqual => 0.3,
    };
    let share = share.min(1.0);
    Ok(if test.is_negated { 1.0 - share } else { share })
}

/// The candidates of every slot.
pub(crate) struct AllCandidates<'g>(Vec<Candidates<'g>>);

impl<'g> AllCandidates<'g> {
    pub(crate) fn new(slots: Vec<Candidates<'g>>) -> Self {
        Self(slots)
    }

    /// Returns the candidates of a slot.
    pub(crate) fn of(&self, slot: SlotId) -> &Candidates<'g> {
        &self.0[slot]
    }

    /// Returns the candidates of all slots.
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Candidates<'g>> {
        self.0.iter()
    }
}
