//! The report of a comparison: text, Markdown, or JSON.
//!
//! Without a limit, JSON is written while the graphs are compared, so that memory holds one change at a time. Text and
//! Markdown begin with the numbers of changes, and hold the changes up to their limit.

mod json;
mod kept;
mod markdown;
mod text;
pub(crate) mod value;

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use integration_sdk::diff::{ChangesByType, CoveringGap, GraphSide, ObjectChange};
use integration_sdk::{Timestamp, owner_only};
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::job_lookup::short;
use crate::style::{printable, printable_path};
use kept::Kept;
pub(crate) use text::property;

use super::text::{counted, moment};

/// The size at which JSON is written to its destination.
const CHUNK: usize = 1 << 16;

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Text { width: usize },
    Json,
    Markdown,
}

/// One of the compared graphs.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Compared {
    /// The folder or file, if the graph is not that of a job in the data directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) input: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) job: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) integration: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) instance: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) start_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) end_time: Option<Timestamp>,
}

impl Compared {
    /// A short name within a sentence.
    fn name(&self) -> String {
        match (&self.input, &self.job) {
            (Some(path), _) => printable(path),
            (None, Some(job)) => format!("job {}", short(job)),
            (None, None) => "the graph".to_owned(),
        }
    }

    /// The name with the instance, the time, and the state.
    fn described(&self) -> String {
        let mut parts = vec![self.name()];
        if let (Some(_), Some(job)) = (&self.input, &self.job) {
            parts.push(format!("job {}", short(job)));
        }
        parts.extend(self.instance.as_deref().map(|name| format!("instance {}", printable(name))));
        parts.extend(self.end_time.map(moment));
        parts.extend(self.state.clone());
        parts.join(", ")
    }
}

/// The destination of a report.
pub(crate) enum Out<'a> {
    Stdout(&'a Context<'a>),
    File { context: &'a Context<'a>, path: PathBuf, file: File },
}

impl<'a> Out<'a> {
    /// Creates the file, whose data only its owner can read, if there is a path.
    pub(crate) fn new(context: &'a Context<'a>, path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(Self::Stdout(context)) };
        let create = || {
            path.parent().map_or(Ok(()), owner_only::create_folder)?;
            owner_only::create(path)
        };
        let file = create().map_err(Failure::file("write", path))?;
        Ok(Self::File { context, path: path.to_owned(), file })
    }

    fn write(&mut self, text: &str) -> Result<(), Failure> {
        match self {
            Self::Stdout(context) => context.print(text),
            Self::File { path, file, .. } => {
                let plain = anstream::adapter::strip_str(text).to_string();
                file.write_all(plain.as_bytes()).map_err(Failure::file("write", path.as_path()))
            }
        }
    }

    fn end(self, counts: &ChangesByType) -> Result<(), Failure> {
        match self {
            Self::Stdout(_) => Ok(()),
            Self::File { context, path, .. } => {
                context.print(&format!("Wrote {}: {}.\n", printable_path(&path), sum(counts)))
            }
        }
    }
}

/// The numbers of all changes as text.
fn sum(counts: &ChangesByType) -> String {
    let total = counts.total();
    let numbers =
        [(total.added, "added"), (total.removed, "removed"), (total.changed, "changed"), (total.unknown, "unknown")];
    numbers.map(|(count, word)| counted(count, word, word)).join(", ")
}

/// Describes the graph with a gap, and the step and parent of the gap.
fn lack(sides: &[Compared; 2], side: Option<GraphSide>, gap: &CoveringGap) -> String {
    let of = match side {
        Some(GraphSide::From) => sides[0].name(),
        Some(GraphSide::To) => sides[1].name(),
        None => "one of the graphs".to_owned(),
    };
    format!("{of} lacks data{}", gap_text(gap))
}

/// Describes the step, the parent, the code, and the cause of a gap, as the end of a sentence.
pub(crate) fn gap_text(gap: &CoveringGap) -> String {
    let step = gap.step.as_ref().map(|step| format!(" of {step}")).unwrap_or_default();
    let parent = gap.parent.as_ref();
    let parent = parent.map(|parent| format!(" under {} {}", parent.object_type, printable(parent.key.as_str())));
    let others = match gap.others {
        0 => String::new(),
        others => format!(" (or because of {})", counted(others, "other gap", "other gaps")),
    };
    format!("{step}{}{others}: {}: {}", parent.unwrap_or_default(), gap.code, printable(&gap.cause))
}

/// The changes of a comparison, on their way to the destination.
pub(crate) struct Changes<'a> {
    form: Form,
    sides: [Compared; 2],
    kept: Kept,
    out: Out<'a>,
    /// JSON that is not written yet, if every change is written at once.
    stream: Option<json::Stream>,
    failed: Option<Failure>,
}

impl<'a> Changes<'a> {
    pub(crate) fn new(form: Form, limit: Option<usize>, sides: [Compared; 2], out: Out<'a>) -> Self {
        let stream = (form == Form::Json && limit.is_none()).then(|| json::Stream::new(&sides));
        Self { form, sides, kept: Kept::up_to(limit.unwrap_or(usize::MAX)), out, stream, failed: None }
    }

    /// Writes a change, or keeps it for the report.
    pub(crate) fn add(&mut self, change: ObjectChange) {
        let Some(stream) = &mut self.stream else { return self.kept.add(change) };
        stream.add(&change);
        if self.failed.is_none()
            && let Some(text) = stream.chunk(CHUNK)
        {
            self.failed = self.out.write(&text).err();
        }
    }

    /// Writes the report, or its end.
    pub(crate) fn finish(mut self, counts: &ChangesByType) -> Result<(), Failure> {
        if let Some(failed) = self.failed {
            return Err(failed);
        }
        let (types, omitted) = self.kept.shared();
        let report = Report { sides: &self.sides, counts, types, omitted };
        let text = match (self.form, self.stream) {
            (_, Some(stream)) => stream.end(counts, 0),
            (Form::Json, None) => {
                let mut stream = json::Stream::new(&self.sides);
                report.types.iter().flat_map(kept::OfType::in_key_order).for_each(|change| stream.add(change));
                stream.end(counts, omitted)
            }
            (Form::Text { width }, None) => text::render(&report, width),
            (Form::Markdown, None) => markdown::render(&report),
        };
        self.out.write(&text)?;
        self.out.end(counts)
    }
}

/// A complete comparison.
struct Report<'a> {
    sides: &'a [Compared; 2],
    counts: &'a ChangesByType,
    types: Vec<kept::OfType>,
    /// The number of changes beyond the limit.
    omitted: u64,
}

#[cfg(test)]
mod tests;
