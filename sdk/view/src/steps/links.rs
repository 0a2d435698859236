//! The dependencies between steps, and statements about the graph as a whole.

use std::collections::HashMap;
use std::ops::Range;

use super::model::{RunStatus, StepGraph, StepNode, StepState};
use crate::layout::layers;
use crate::number::{counted, duration};

/// The arrows of a step graph. Steps are identified by index; larger indices refer to `missing`.
pub(super) struct Links {
    pub(super) edges: Vec<Link>,
    /// The ids that steps depend on although no step has them.
    pub(super) missing: Vec<String>,
    /// The stage of each step, from zero. Except in cycles, all its dependencies are in earlier stages.
    pub(super) stage: Vec<usize>,
}

/// An arrow: step `to` waits for step `from`.
pub(super) struct Link {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) through: Vec<String>,
    /// The dependency was declared, and nothing is read through it.
    pub(super) explicit: bool,
    /// The edge streams.
    pub(super) streams: bool,
    /// The arrow is on the critical path of the job.
    pub(super) critical: bool,
    /// One of its ends is disabled.
    pub(super) off: bool,
}

impl Links {
    pub(super) fn of(graph: &StepGraph) -> Links {
        let steps = &graph.steps;
        let mut index: HashMap<&str, usize> = HashMap::new();
        for (at, step) in steps.iter().enumerate() {
            index.entry(&step.id).or_insert(at);
        }
        let mut links = Links { edges: Vec::new(), missing: Vec::new(), stage: Vec::new() };
        for (to, step) in steps.iter().enumerate() {
            let mut known: HashMap<usize, usize> = HashMap::new();
            for dependency in &step.depends_on {
                let from = *index.entry(&dependency.step).or_insert_with(|| {
                    links.missing.push(dependency.step.clone());
                    steps.len() + links.missing.len() - 1
                });
                let at = *known.entry(from).or_insert_with(|| {
                    let off = is_off(steps.get(from)) || is_off(Some(step));
                    let link =
                        Link { from, to, through: Vec::new(), explicit: true, streams: true, critical: false, off };
                    links.edges.push(link);
                    links.edges.len() - 1
                });
                let link = &mut links.edges[at];
                link.explicit &= dependency.explicit;
                link.streams &= dependency.streams;
                for through in &dependency.through {
                    if !link.through.contains(through) {
                        link.through.push(through.clone());
                    }
                }
            }
        }
        links.stage = layers(steps.len() + links.missing.len(), &links.pairs());
        links.mark_critical(steps);
        links
    }

    /// Returns the arrows as pairs of indices for the layout.
    pub(super) fn pairs(&self) -> Vec<(usize, usize)> {
        self.edges.iter().map(|link| (link.from, link.to)).collect()
    }

    /// Returns the id of an existing or missing step.
    pub(super) fn id<'a>(&'a self, graph: &'a StepGraph, step: usize) -> &'a str {
        let missing = || step.checked_sub(graph.steps.len()).and_then(|at| self.missing.get(at));
        graph.steps.get(step).map(|step| &step.id).or_else(missing).map_or("", String::as_str)
    }

    /// Returns the arrows that lead to a step.
    pub(super) fn into(&self, step: usize) -> impl Iterator<Item = &Link> {
        self.edges.iter().filter(move |link| link.to == step)
    }

    /// Marks the arrows of the critical path.
    ///
    /// An arrow between two critical steps belongs to the path only if the steps are adjacent on it. For each step this
    /// is the arrow from the latest stage.
    fn mark_critical(&mut self, steps: &[StepNode]) {
        let mut best: Vec<Option<usize>> = vec![None; steps.len()];
        for (at, link) in self.edges.iter().enumerate() {
            let forward = self.stage[link.from] < self.stage[link.to];
            if forward && is_critical(steps.get(link.from)) && is_critical(steps.get(link.to)) {
                let stage_of = |edge: usize| self.stage[self.edges[edge].from];
                if best[link.to].is_none_or(|other| stage_of(other) < stage_of(at)) {
                    best[link.to] = Some(at);
                }
            }
        }
        best.into_iter().flatten().for_each(|at| self.edges[at].critical = true);
    }

    /// Returns a summary in a few short lines: size, result, and critical path.
    pub(super) fn facts(&self, graph: &StepGraph) -> Vec<String> {
        let steps = &graph.steps;
        let mut stages: Vec<usize> = self.stage[..steps.len()].to_vec();
        stages.sort_unstable();
        stages.dedup();
        let count = counted(steps.len() as u64, "step", "steps");
        let mut size = format!("{count} in {}", counted(stages.len() as u64, "stage", "stages"));
        let off = steps.iter().filter(|step| step.state != StepState::Enabled).count();
        if off > 0 {
            size += &format!(" · {off} disabled");
        }
        if !self.missing.is_empty() {
            size += &format!(" · {} missing", self.missing.len());
        }
        let facts = [Some(size), outcome(steps), self.critical_path(steps)].into_iter().flatten();
        facts.chain(graph.missing.iter().cloned()).collect()
    }

    fn critical_path(&self, steps: &[StepNode]) -> Option<String> {
        let mut path: Vec<usize> = (0..steps.len()).filter(|&step| is_critical(steps.get(step))).collect();
        path.sort_by_key(|&step| self.stage[step]);
        let time = covered(path.iter().filter_map(|&step| Some(steps[step].run.as_ref()?.ran_ms.clone())));
        let names: Vec<&str> = path.iter().map(|&step| steps[step].id.as_str()).collect();
        (!path.is_empty()).then(|| format!("critical path {}: {}", duration(time), names.join(" → ")))
    }
}

/// Returns the time during which at least one of several steps ran.
fn covered(parts: impl Iterator<Item = Range<u64>>) -> u64 {
    let mut parts: Vec<Range<u64>> = parts.collect();
    parts.sort_by_key(|part| part.start);
    let mut end = 0;
    let ahead = parts.into_iter().map(|part| {
        let more = part.end.saturating_sub(part.start.max(end));
        end = end.max(part.end);
        more
    });
    ahead.sum()
}

fn outcome(steps: &[StepNode]) -> Option<String> {
    use RunStatus::{Cached, Failure, Partial, Pending, Success};
    let runs: Vec<_> = steps.iter().filter_map(StepNode::shown_run).collect();
    let statuses = [Success, Cached, Partial, Failure, Pending].into_iter().filter_map(|status| {
        let count = runs.iter().filter(|run| run.status == status).count();
        (count > 0).then(|| format!("{count} {}", status.label()))
    });
    let objects = runs.iter().fold(0_u64, |sum, run| sum.saturating_add(run.objects));
    let requests = runs.iter().fold(0_u64, |sum, run| sum.saturating_add(run.requests));
    let counts = [counted(objects, "object", "objects"), counted(requests, "request", "requests")];
    (!runs.is_empty()).then(|| statuses.chain(counts).collect::<Vec<_>>().join(" · "))
}

fn is_off(step: Option<&StepNode>) -> bool {
    step.is_some_and(|step| step.state != StepState::Enabled)
}

fn is_critical(step: Option<&StepNode>) -> bool {
    step.and_then(|step| step.run.as_ref()).is_some_and(|run| run.critical)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_parts_are_counted_once_and_pauses_not_at_all() {
        assert_eq!(covered([0..10, 2..12, 3..4].into_iter()), 12);
        assert_eq!(covered([20..30, 0..10, 10..15].into_iter()), 25);
        let backwards = std::ops::Range { start: 7, end: 6 };
        assert_eq!(covered([5..5, backwards].into_iter()), 0);
    }
}
