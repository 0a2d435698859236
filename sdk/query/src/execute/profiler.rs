//! Recording of a profile.

use std::time::Instant;

use super::candidates::Candidates;
use crate::bind::{Bound, EdgePattern, Hop, NodePattern, Pattern, SlotId};
use crate::profile::{Operator, Profile};
use crate::syntax::Direction;

/// Records the operators of a query.
pub(crate) struct Profiler {
    profile: Profile,
    /// The text of each slot, with a mark if it has a filter.
    labels: Vec<String>,
    estimates: Vec<u64>,
}

impl Profiler {
    pub(crate) fn new(labels: Vec<String>) -> Self {
        Self { profile: Profile::default(), labels, estimates: Vec::new() }
    }

    /// Sets the estimated number of objects of each slot.
    pub(crate) fn estimate(&mut self, estimates: Vec<u64>) {
        self.estimates = estimates;
    }

    pub(crate) fn start(&self) -> Instant {
        Instant::now()
    }

    /// Records an operator that ends now.
    pub(crate) fn record(
        &mut self,
        started: Instant,
        name: &'static str,
        detail: String,
        estimated: Option<u64>,
        rows: u64,
    ) {
        self.profile.operators.push(Operator { name, detail, estimated, rows, time: started.elapsed() });
    }

    /// Records the selection of all objects of a slot.
    pub(crate) fn scan(&mut self, started: Instant, slot: SlotId, candidates: &Candidates<'_>, rows: u64) {
        let detail = format!("{} of {} objects", self.labels[slot], candidates.labelled_count);
        self.record(started, "scan", detail, Some(candidates.estimate), rows);
    }

    /// Records a reduction over a hop.
    pub(crate) fn hop(&mut self, started: Instant, name: &'static str, bound: &Bound, hop: &Hop, rows: u64) {
        let arrow = match hop.direction {
            Direction::Either => "--",
            Direction::Forward => ">>",
            Direction::Backward => "<<",
        };
        let left = match &bound.slots[hop.edge].pattern {
            Pattern::Edge(edge) => verbs(edge),
            _ => String::new(),
        };
        let detail = format!("{left} {arrow} {}", self.labels[hop.node]);
        let estimated = self.estimates.get(hop.node).copied().filter(|_| name == "traverse");
        self.record(started, name, detail, estimated, rows);
    }

    pub(crate) fn finish(self) -> Profile {
        self.profile
    }
}

fn verbs(edge: &EdgePattern) -> String {
    let verbs = if edge.verbs.is_empty() { "RELATES TO".to_owned() } else { edge.verbs.join("|") };
    if edge.filter.is_some() { format!("{verbs} (filtered)") } else { verbs }
}

/// Returns the texts of the slots.
pub(crate) fn labels(bound: &Bound, filtered: &[bool]) -> Vec<String> {
    let slots = bound.slots.iter().zip(filtered);
    let label = |pattern: &Pattern| match pattern {
        Pattern::Node(NodePattern { text, .. }) => text.clone(),
        Pattern::Edge(edge) => verbs(edge),
        Pattern::Either(_) => "optional".to_owned(),
    };
    slots
        .map(|(slot, is_filtered)| {
            let alias = slot.name.as_ref().filter(|name| **name != label(&slot.pattern));
            let alias = alias.map_or_else(String::new, |alias| format!(" AS {alias}"));
            let filter = if *is_filtered { " (filtered)" } else { "" };
            format!("{}{alias}{filter}", label(&slot.pattern))
        })
        .collect()
}
