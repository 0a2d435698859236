//! The input of the pictures: plain data from the plan and the job.

use std::ops::Range;

use crate::number;

/// The steps of an integration, in the order in which they are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepGraph {
    /// The heading: the name of the integration.
    pub title: String,
    /// Lines that state which data are missing.
    pub missing: Vec<String>,
    /// The steps. Ids should be unique; if two steps have the same id, the first one gets the arrows.
    pub steps: Vec<StepNode>,
}

/// One step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepNode {
    /// The id, to which dependencies refer.
    pub id: String,
    /// The displayed name.
    pub name: String,
    /// The dependencies of the step.
    pub depends_on: Vec<Dependency>,
    /// The types that the step reads.
    pub reads: Vec<String>,
    /// The types that the step emits: entities, relationships, and mapped relationships.
    pub emits: Vec<String>,
    /// The OAuth scopes or permissions that the step requires.
    pub scopes: Vec<String>,
    /// The ingestion source of the step, if it has one.
    pub source: Option<String>,
    /// Whether the step takes part.
    pub state: StepState,
    /// The result of the step, if a job is overlaid.
    pub run: Option<StepRun>,
}

/// A dependency on another step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dependency {
    /// The id of the other step.
    pub step: String,
    /// The types that the other step emits and this step reads.
    pub through: Vec<String>,
    /// Whether the edge was declared (`.after(step)`) instead of derived from reads.
    pub explicit: bool,
    /// Whether the edge streams, so that both steps start together.
    pub streams: bool,
}

/// Whether a step takes part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum StepState {
    /// The step takes part.
    #[default]
    Enabled,
    /// The step does not take part.
    Disabled {
        /// A short reason; may be empty.
        reason: String,
    },
}

/// The result of a step in a job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepRun {
    /// The status of the step.
    pub status: RunStatus,
    /// The duration of the step.
    pub duration_ms: u64,
    /// The period in which the step ran, in milliseconds since the start of the job.
    ///
    /// Periods overlap if one step follows another.
    pub ran_ms: Range<u64>,
    /// The number of emitted entities and relationships.
    pub objects: u64,
    /// The number of requests.
    pub requests: u64,
    /// Whether the step is on the critical path of the job.
    pub critical: bool,
}

/// The status of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RunStatus {
    /// The step collected everything.
    Success,
    /// The result of an earlier job was reused.
    Cached,
    /// The step ran, but part of the data is missing.
    Partial,
    /// The step failed.
    Failure,
    /// The step did not run or has not ended.
    #[default]
    Pending,
}

impl StepNode {
    /// Creates an enabled step without dependencies, to be completed with `..StepNode::new(id, name)`.
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        StepNode { id: id.into(), name: name.into(), ..StepNode::default() }
    }

    /// Returns the reason why the step is disabled; `None` if it is enabled.
    pub(super) fn disabled(&self) -> Option<String> {
        match &self.state {
            StepState::Enabled => None,
            StepState::Disabled { reason } if reason.trim().is_empty() => Some("disabled".into()),
            StepState::Disabled { reason } => Some(format!("disabled: {reason}")),
        }
    }

    /// Returns the run, except for a disabled step that did not run.
    pub(super) fn shown_run(&self) -> Option<&StepRun> {
        self.run.as_ref().filter(|run| self.state == StepState::Enabled || run.status != RunStatus::Pending)
    }
}

impl Dependency {
    /// Creates a dependency derived from reading types of another step.
    pub fn reading<T: Into<String>>(step: impl Into<String>, types: impl IntoIterator<Item = T>) -> Self {
        Dependency {
            step: step.into(),
            through: types.into_iter().map(Into::into).collect(),
            explicit: false,
            streams: false,
        }
    }

    /// Creates a declared dependency.
    pub fn after(step: impl Into<String>) -> Self {
        Dependency { step: step.into(), through: Vec::new(), explicit: true, streams: false }
    }
}

impl RunStatus {
    /// Returns the status in words.
    pub fn label(self) -> &'static str {
        match self {
            RunStatus::Success => "success",
            RunStatus::Cached => "cached",
            RunStatus::Partial => "partial",
            RunStatus::Failure => "failure",
            RunStatus::Pending => "not run",
        }
    }

    /// Returns the CSS class of the status in SVG and HTML.
    pub(super) fn css_class(self) -> &'static str {
        match self {
            RunStatus::Success => "success",
            RunStatus::Cached => "cached",
            RunStatus::Partial => "partial",
            RunStatus::Failure => "failure",
            RunStatus::Pending => "pending",
        }
    }

    /// Returns a character for the status, for output without colours.
    pub(super) fn sign(self) -> char {
        match self {
            RunStatus::Success => '✓',
            RunStatus::Cached => '↺',
            RunStatus::Partial => '◐',
            RunStatus::Failure => '✗',
            RunStatus::Pending => '…',
        }
    }
}

impl StepRun {
    /// Returns the duration in words.
    pub(super) fn duration(&self) -> String {
        number::duration(self.duration_ms)
    }

    /// Returns the numbers of objects and requests in words.
    pub(super) fn counts(&self) -> String {
        let objects = number::counted(self.objects, "object", "objects");
        let requests = number::counted(self.requests, "request", "requests");
        format!("{objects} · {requests}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_told_in_words() {
        let run = StepRun { objects: 1, requests: 2_000, duration_ms: 1_290, ..StepRun::default() };
        assert_eq!((run.counts().as_str(), run.duration().as_str()), ("1 object · 2,000 requests", "1.2 s"));
    }
}
