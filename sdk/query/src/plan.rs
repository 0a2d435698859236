//! Planning: which conditions filter where, and where the evaluation begins.
//!
//! A condition after `WHERE` on one entity that every path has is the same as a filter on that entity before the
//! traversal, and cheaper. The evaluation begins at the slot with the fewest candidates, from which the sets of the other
//! slots are reduced.

use crate::bind::{Bound, Formula, LeafKind, Pattern, SlotId, Step, conjunction};

/// The filters of the slots, and the conditions that remain.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// The filter of each slot.
    pub filters: Vec<Option<Formula>>,
    /// The conditions on paths, each with the step before which it can be evaluated.
    pub conditions: Vec<(usize, Formula)>,
}

/// Moves conditions on single slots to their filters.
pub(crate) fn plan(bound: &Bound) -> Plan {
    let mut filters: Vec<Option<Formula>> = bound.slots.iter().map(|slot| own_filter(&slot.pattern).cloned()).collect();
    let mut conditions = Vec::new();
    for formula in &bound.conditions {
        match sole_slot(bound, formula) {
            Some(slot) => {
                filters[slot] = conjunction(filters[slot].take(), Some(formula.clone()));
            }
            None => conditions.push((earliest(bound, formula), formula.clone())),
        }
    }
    Plan { filters, conditions }
}

fn own_filter(pattern: &Pattern) -> Option<&Formula> {
    match pattern {
        Pattern::Node(node) => node.filter.as_ref(),
        Pattern::Edge(edge) => edge.filter.as_ref(),
        Pattern::Either(_) => None,
    }
}

/// Returns the slot that a condition reads, if it is one slot that every path has.
fn sole_slot(bound: &Bound, formula: &Formula) -> Option<SlotId> {
    let mut slots = formula.leaves.iter().flat_map(|leaf| leaf.kind.slots());
    let slot = slots.next()?;
    let is_property = |kind: &LeafKind| !matches!(kind, LeafKind::Same { .. } | LeafKind::Present { .. });
    let is_pushable = slots.all(|other| other == slot)
        && !bound.slots[slot].is_optional
        && !matches!(bound.slots[slot].pattern, Pattern::Either(_))
        && formula.leaves.iter().all(|leaf| is_property(&leaf.kind));
    is_pushable.then_some(slot)
}

/// Returns the step before which all slots of a condition have their objects.
fn earliest(bound: &Bound, formula: &Formula) -> usize {
    let slots = formula.leaves.iter().flat_map(|leaf| leaf.kind.slots());
    let after = |slot: SlotId| {
        if slot == 0 {
            return 0;
        }
        // An optional part can be left out, so that only the end of the path decides.
        let is_fixed = !bound.slots[slot].is_optional && !matches!(bound.slots[slot].pattern, Pattern::Either(_));
        let step =
            bound.steps.iter().position(|step| matches!(step, Step::Hop(hop) if hop.edge == slot || hop.node == slot));
        step.filter(|_| is_fixed).map_or(bound.steps.len(), |step| step + 1)
    };
    slots.map(after).max().unwrap_or(0)
}
