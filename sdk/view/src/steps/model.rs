//! What there is to draw: plain data, made by whoever knows the plan and the job.

/// The steps of an integration, in the order in which they are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepGraph {
    /// What stands above the picture: the name of the integration.
    pub title: String,
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
    /// The scopes or permissions that the provider asks for.
    pub scopes: Vec<String>,
    /// The ingestion source that it belongs to, where it can be switched off by itself.
    pub source: Option<String>,
    /// Whether it takes part.
    pub state: StepState,
    /// How it went, where a job is laid over the picture.
    pub run: Option<StepRun>,
}

/// A step that another one waits for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dependency {
    /// The id of the step that is waited for.
    pub step: String,
    /// The types that it emits and that are read.
    pub through: Vec<String>,
    /// Whether the edge was asked for by hand (`.after(step)`) rather than derived from what is read.
    pub explicit: bool,
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
}

impl Dependency {
    /// A dependency that follows from reading what the other step emits.
    pub fn reading<T: Into<String>>(step: impl Into<String>, types: impl IntoIterator<Item = T>) -> Self {
        Dependency { step: step.into(), through: types.into_iter().map(Into::into).collect(), explicit: false }
    }

    /// A dependency that was asked for by hand.
    pub fn after(step: impl Into<String>) -> Self {
        Dependency { step: step.into(), through: Vec::new(), explicit: true }
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
    /// The time taken, to two or three digits: `830 ms`, `1.2 s`, `3 min 05 s`.
    pub(super) fn duration(&self) -> String {
        duration(self.duration_ms)
    }

    /// Objects and requests in words.
    pub(super) fn counts(&self) -> String {
        let plural = |count: u64, what: &str| format!("{} {what}{}", grouped(count), if count == 1 { "" } else { "s" });
        format!("{} · {}", plural(self.objects, "object"), plural(self.requests, "request"))
    }
}

/// A time in milliseconds for people.
pub(super) fn duration(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..10_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        10_000..60_000 => format!("{} s", ms / 1_000),
        60_000..3_600_000 => format!("{} min {:02} s", ms / 60_000, ms / 1_000 % 60),
        _ => format!("{} h {:02} min", ms / 3_600_000, ms / 60_000 % 60),
    }
}

/// A number with its thousands apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_for_people() {
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped(12), "12");
        assert_eq!([83, 1_290, 61_000, 7_260_000].map(duration), ["83 ms", "1.2 s", "1 min 01 s", "2 h 01 min"]);
        let run = StepRun { objects: 1, requests: 2_000, ..StepRun::default() };
        assert_eq!(run.counts(), "1 object · 2,000 requests");
    }
}
