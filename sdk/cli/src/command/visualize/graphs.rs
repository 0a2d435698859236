//! Builds the pictures of steps and types from the plan, declarations, and a summary.

use std::collections::{BTreeMap, BTreeSet};

use integration_sdk::graph::run::{DisabledReason, StepReport, StepStatus};
use integration_sdk::graph::{Direction, ObjectType, StepId};
use integration_sdk::step::Declaration;
use integration_sdk::{Integration, Plan, Summary, Timestamp};
use integration_view::{Dependency, RunStatus, StepGraph, StepNode, StepRun, StepState, TypeEdge, TypeGraph, TypeNode};

use super::gaps;

/// Builds the picture of the steps, in the order of the plan.
pub(super) fn steps(integration: &Integration, plan: &Plan, summary: Option<&Summary>) -> StepGraph {
    let reports: BTreeMap<&StepId, &StepReport> =
        summary.iter().flat_map(|summary| &summary.integration_step_results).map(|step| (&step.id, step)).collect();
    let critical = critical_path(&reports);
    let nodes = plan.steps().map(|step| {
        let declaration = step.declaration();
        let report = reports.get(step.id()).copied();
        let run = report.filter(|report| report.status != StepStatus::Disabled);
        StepNode {
            depends_on: dependencies(plan, step.id()),
            reads: texts(inputs(declaration)),
            emits: texts(declaration.emits()),
            scopes: texts(&declaration.scopes),
            source: declaration.source.clone(),
            state: state(integration, declaration, report),
            run: run.zip(summary).map(|(report, job)| ran(report, job, critical.contains(step.id()))),
            ..StepNode::new(step.id().as_str(), &declaration.name)
        }
    });
    let missing = summary.map(gaps::lines_of).unwrap_or_default();
    StepGraph { title: integration.title().to_owned(), missing, steps: nodes.collect() }
}

fn texts<T: ToString>(names: impl IntoIterator<Item = T>) -> Vec<String> {
    names.into_iter().map(|name| name.to_string()).collect()
}

/// The types that a step reads, in whatever way.
fn inputs(declaration: &Declaration) -> BTreeSet<&ObjectType> {
    declaration.reads.iter().chain(&declaration.follows).chain(&declaration.knows).collect()
}

fn dependencies(plan: &Plan, step: &StepId) -> Vec<Dependency> {
    let edges = plan.dependencies(step).into_iter();
    let dependency = edges.map(|(id, edge)| {
        let through = texts(&edge.through).into_iter().chain(texts(&edge.data)).collect();
        Dependency { step: id.to_string(), through, explicit: edge.explicit, streams: edge.streams }
    });
    dependency.collect()
}

/// The state of a step in the job, or by default without a job.
fn state(integration: &Integration, declaration: &Declaration, report: Option<&StepReport>) -> StepState {
    let off = || {
        let source = integration.sources().iter().find(|source| Some(&source.id) == declaration.source.as_ref());
        source.is_some_and(|source| !source.on_by_default)
    };
    match report {
        Some(report) if report.status == StepStatus::Disabled => StepState::Disabled {
            reason: report.disabled_reason.map(DisabledReason::as_str).unwrap_or_default().replace('_', " "),
        },
        None if off() => StepState::Disabled { reason: "off by default".to_owned() },
        _ => StepState::Enabled,
    }
}

fn ran(report: &StepReport, job: &Summary, critical: bool) -> StepRun {
    // Work of an earlier process of a resumed job is not part of this run.
    let since_begin = |time: Option<Timestamp>| {
        let time = time.map_or(job.start_time.millis(), Timestamp::millis);
        u64::try_from(time.saturating_sub(job.start_time.millis())).unwrap_or(0).min(job.duration)
    };
    StepRun {
        status: match report.status {
            StepStatus::Success => RunStatus::Success,
            StepStatus::Cached => RunStatus::Cached,
            StepStatus::Partial => RunStatus::Partial,
            StepStatus::Failure => RunStatus::Failure,
            StepStatus::Disabled | StepStatus::Pending => RunStatus::Pending,
        },
        duration_ms: report.duration,
        ran_ms: since_begin(report.start_time)..since_begin(report.end_time),
        objects: report.objects(),
        requests: report.usage.total.requests,
        critical,
    }
}

/// The critical path: the step that ended last, the last of its dependencies to end, and so on.
fn critical_path(reports: &BTreeMap<&StepId, &StepReport>) -> BTreeSet<StepId> {
    let end = |report: &&StepReport| report.end_time.map(|time| time.millis());
    let mut path = BTreeSet::new();
    let mut last = reports.values().copied().filter(|report| end(report).is_some()).max_by_key(end);
    while let Some(step) = last {
        if !path.insert(step.id.clone()) {
            break;
        }
        let before = step.depends_on.iter().filter_map(|id| reports.get(id).copied());
        last = before.filter(|report| end(report).is_some()).max_by_key(end);
    }
    path
}

/// Builds the picture of the types, with counts if there is a job.
pub(super) fn types(integration: &Integration, summary: Option<&Summary>) -> TypeGraph {
    let counts = summary.map(counts);
    let count = |name: &ObjectType| counts.as_ref().map(|counts| counts.get(name).copied().unwrap_or(0));
    let mut nodes: BTreeMap<&ObjectType, TypeNode> = BTreeMap::new();
    let mut edges: BTreeMap<&ObjectType, TypeEdge> = BTreeMap::new();
    for declaration in integration.steps().iter().map(|step| step.declaration()) {
        for entity in &declaration.entities {
            let node = || TypeNode {
                object_type: entity.object_type.to_string(),
                classes: texts(&entity.classes),
                resource: entity.resource.clone(),
                count: count(&entity.object_type),
                mapped: false,
            };
            nodes.entry(&entity.object_type).or_insert_with(node);
        }
        for declared in &declaration.relationships {
            let ends = (&declared.from, &declared.to);
            let edge = || edge(&declared.object_type, declared.class.as_str(), ends, count(&declared.object_type));
            edges.entry(&declared.object_type).or_insert_with(edge);
        }
        for declared in &declaration.mapped_relationships {
            let ends = match declared.direction {
                Direction::Forward => (&declared.source, &declared.target),
                Direction::Reverse => (&declared.target, &declared.source),
            };
            let edge = || edge(&declared.object_type, declared.class.as_str(), ends, count(&declared.object_type));
            edges.entry(&declared.object_type).or_insert_with(|| TypeEdge { mapped: true, ..edge() });
        }
    }
    let others = foreign(integration, &nodes);
    TypeGraph {
        title: integration.title().to_owned(),
        missing: summary.map(gaps::lines_of).unwrap_or_default(),
        entities: nodes.into_values().chain(others).collect(),
        relationships: edges.into_values().collect(),
    }
}

fn edge(name: &ObjectType, class: &str, ends: (&ObjectType, &ObjectType), count: Option<u64>) -> TypeEdge {
    TypeEdge {
        object_type: name.to_string(),
        class: class.to_owned(),
        from: ends.0.to_string(),
        to: ends.1.to_string(),
        count,
        mapped: false,
    }
}

/// The targets of mapped relationships that belong to other integrations.
fn foreign(integration: &Integration, own: &BTreeMap<&ObjectType, TypeNode>) -> Vec<TypeNode> {
    let mapped = integration.steps().iter().flat_map(|step| &step.declaration().mapped_relationships);
    let targets: BTreeSet<&ObjectType> = mapped.map(|declared| &declared.target).collect();
    let others = targets.into_iter().filter(|target| !own.contains_key(target));
    others.map(|target| TypeNode { object_type: target.to_string(), mapped: true, ..TypeNode::default() }).collect()
}

fn counts(summary: &Summary) -> BTreeMap<ObjectType, u64> {
    let mut counts = BTreeMap::new();
    for (name, count) in summary.integration_step_results.iter().flat_map(|step| &step.encountered_type_counts) {
        *counts.entry(name.clone()).or_default() += count;
    }
    counts
}
