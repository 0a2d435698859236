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
    /// The steps. The ids are meant to be unique; of two steps with one id the first gets the arrows.
    pub steps: Vec<StepNode>,
}

/// One step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepNode {
    /// The id, by which others depend on it.
    pub id: String,
    /// The name for people.
    pub name: String,
    /// The steps it waits for.
    pub depends_on: Vec<Dependency>,
    /// The types it reads.
    pub reads: Vec<String>,
    /// The types it emits: entities, relationships and mapped relationships.
    pub emits: Vec<String>,
    /// The OAuth scopes or permissions that the step requires.
    pub scopes: Vec<String>,
    /// The ingestion source of the step, if it has one.
    pub source: Option<String>,
    /// Whether it takes part.
    pub state: StepState,
    /// The result of the step, if a job is overlaid.
    pub run: Option<StepRun>,
}

/// A step that another one waits for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dependency {
    /// The id of the step that is waited for.
    pub step: String,
    /// The types that it emits and that are read.
    pub through: Vec<String>,
    /// Whether the edge was declared (`.after(step)`) instead of derived from reads.
    pub explicit: bool,
    /// Whether the edge streams, so that both steps start together.
    pub streams: bool,
}

/// Whether a step takes part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum StepState {
    /// It does.
    #[default]
    Enabled,
    /// It does not.
    Disabled {
        /// Why not, in a few words; may be empty.
        reason: String,
    },
}

/// How a step went in a job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepRun {
    /// How it ended.
    pub status: RunStatus,
    /// How long it took.
    pub duration_ms: u64,
    /// The part of the job in which it ran, in milliseconds since the job began. Parts of steps overlap where one follows
    /// another item by item.
    pub ran_ms: Range<u64>,
    /// How many entities and relationships it emitted.
    pub objects: u64,
    /// How many requests it sent.
    pub requests: u64,
    /// Whether it lies on the path that decided how long the job took.
    pub critical: bool,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RunStatus {
    /// All is there.
    Success,
    /// The answer of an earlier job was good enough.
    Cached,
    /// It ran, but part of the data is missing.
    Partial,
    /// It failed.
    Failure,
    /// It did not run or has not ended.
    #[default]
    Pending,
}

impl StepNode {
    /// An enabled step that waits for nothing, to be filled with `..StepNode::new(id, name)`.
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        StepNode { id: id.into(), name: name.into(), ..StepNode::default() }
    }

    /// The reason why the step is disabled; `None` if it is enabled.
    pub(super) fn disabled(&self) -> Option<String> {
        match &self.state {
            StepState::Enabled => None,
            StepState::Disabled { reason } if reason.trim().is_empty() => Some("disabled".into()),
            StepState::Disabled { reason } => Some(format!("disabled: {reason}")),
        }
    }

    /// The run, unless all that it says is that a disabled step did not run.
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
    /// The status in words.
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

    /// One sign for the status, for where colours may be missing.
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
    /// The time taken.
    pub(super) fn duration(&self) -> String {
        number::duration(self.duration_ms)
    }

    /// Objects and requests in words.
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
