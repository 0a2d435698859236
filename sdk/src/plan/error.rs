//! Errors of a plan, each with a remedy.

use std::fmt;

use crate::graph::run::ErrorCode;
use crate::graph::{ObjectType, StepId};

use super::Edge;

/// An error in the declarations of steps, or in a request to a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// Two steps have the same id.
    #[error("two steps have the id `{step}` ({first:?} and {second:?}): give one of them another id")]
    DuplicateStep {
        /// The id.
        step: StepId,
        /// The name of the first step.
        first: String,
        /// The name of the second step.
        second: String,
    },
    /// `after` names a step that does not exist.
    #[error("step `{step}` runs after `{dependency}`, which does not exist: {}", hint(dependency, known))]
    UnknownDependency {
        /// The waiting step.
        step: StepId,
        /// The missing step.
        dependency: StepId,
        /// The existing steps.
        known: Vec<StepId>,
    },
    /// A type is read, followed, amended, or looked up, but no step emits it.
    #[error(
        "step `{step}` {verb} {object_type}, which no step emits: add a step that emits it, or remove the parameter"
    )]
    NoProducer {
        /// The step.
        step: StepId,
        /// The use of the type: reads, follows, amends, or looks up.
        verb: &'static str,
        /// The type.
        object_type: ObjectType,
    },
    /// Several steps emit an entity type that does not merge equal keys.
    #[error(
        "{object_type} is emitted by several steps ({}): let one step emit it, let the others look up its keys first \
         (`Known`), or declare that equal keys merge (`#[entity(merge)]`)",
        list(steps)
    )]
    SeveralProducers {
        /// The type.
        object_type: ObjectType,
        /// The steps.
        steps: Vec<StepId>,
    },
    /// A step uses job data that no step publishes.
    #[error("step `{step}` uses the job data {data:?}, which no step publishes: add a step with `Publish` of it")]
    NoPublisher {
        /// The step.
        step: StepId,
        /// The name of the data.
        data: String,
    },
    /// Several steps publish the same job data.
    #[error("the job data {data:?} is published by several steps ({}): let only one step publish it", list(steps))]
    SeveralPublishers {
        /// The name of the data.
        data: String,
        /// The steps.
        steps: Vec<StepId>,
    },
    /// A step belongs to an ingestion source that the integration does not declare.
    #[error("step `{step}` belongs to the source {source_id:?}, which is not declared: add `Integration::source`")]
    UnknownSource {
        /// The step.
        step: StepId,
        /// The source.
        source_id: String,
    },
    /// A kind of account names a step that does not exist or does not emit its type.
    #[error("the accounts {kind:?} are to be found by step `{step}`, which emits no {object_type}: name another step")]
    UnknownAccounts {
        /// The name of several accounts of the kind.
        kind: String,
        /// The step.
        step: StepId,
        /// The type.
        object_type: ObjectType,
    },
    /// Steps wait for each other.
    #[error("steps wait for each other: {}: remove one of these dependencies, or split a step", cycle(.0))]
    Cycle(
        /// The steps of the cycle, each with the reason why the next one waits for it.
        Vec<(StepId, Edge)>,
    ),
    /// A selected step does not exist.
    #[error("there is no step `{step}`: {}", hint(step, known))]
    UnknownStep {
        /// The selected step.
        step: StepId,
        /// The existing steps.
        known: Vec<StepId>,
    },
    /// A start state names a step that does not exist.
    #[error("a start state names the step `{step}`, which does not exist: {}", hint(step, known))]
    UnknownStart {
        /// The missing step.
        step: StepId,
        /// The existing steps.
        known: Vec<StepId>,
    },
    /// A selected source does not exist.
    #[error("there is no ingestion source {source_id:?}; {}", sources(known))]
    UnknownSourceSelection {
        /// The selected source.
        source_id: String,
        /// The existing sources.
        known: Vec<String>,
    },
}

impl PlanError {
    /// The code of the error in summaries.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::UnknownStart { .. } => ErrorCode::UnknownStart,
            _ => ErrorCode::Unexpected,
        }
    }
}

/// All errors of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanErrors(pub Vec<PlanError>);

impl std::error::Error for PlanErrors {}

impl fmt::Display for PlanErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [only] => only.fmt(f),
            several => {
                write!(f, "the declarations of the steps have {} errors:", several.len())?;
                several.iter().try_for_each(|error| write!(f, "\n- {error}"))
            }
        }
    }
}

impl From<PlanError> for PlanErrors {
    fn from(error: PlanError) -> Self {
        Self(vec![error])
    }
}

fn sources(known: &[String]) -> String {
    if known.is_empty() { "this integration has none".to_owned() } else { format!("there are: {}", known.join(", ")) }
}

fn list(steps: &[StepId]) -> String {
    steps.iter().map(StepId::as_str).collect::<Vec<_>>().join(", ")
}

fn cycle(steps: &[(StepId, Edge)]) -> String {
    let first = steps.first().map(|(step, _)| step.as_str()).unwrap_or_default();
    let links: String = steps
        .iter()
        .zip(steps.iter().skip(1).map(|(step, _)| step.as_str()).chain([first]))
        .map(|((_, edge), next)| format!(" -> {next} ({edge})"))
        .collect();
    format!("{first}{links}")
}

fn hint(wanted: &StepId, known: &[StepId]) -> String {
    let close = known
        .iter()
        .map(|step| (strsim::jaro_winkler(wanted.as_str(), step.as_str()), step))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    match close {
        Some((_, step)) => format!("did you mean `{step}`?"),
        None => format!("the steps are {}", list(known)),
    }
}
