//! The last lines of a report: totals, location, and the next action.

use std::path::Path;

use indicatif::HumanCount;
use integration_sdk::Summary;
use integration_sdk::dataset::Exported;
use integration_sdk::graph::run::{ErrorCode, JobState, Usage};

use crate::account::{Account, Origin};
use crate::job_lookup::short;
use crate::shell::{called, quoted_path};
use crate::style::{BOLD, GREEN, RED, YELLOW, paint, printable_path};

use super::text::{counted, duration, paragraph};
use super::{coverage, stale};

/// The location of a job's results.
pub(crate) struct Kept<'a> {
    /// The program's name.
    pub(crate) program: &'a str,
    /// The id of the integration, if the command line selected it.
    pub(crate) integration: Option<&'a str>,
    /// The data directory.
    pub(crate) data_dir: &'a Path,
    /// The export folder, if the user named one.
    pub(crate) output: Option<&'a Path>,
    /// The exported files, if the graph was exported.
    pub(crate) exported: Option<Exported>,
}

pub(super) fn lines(summary: &Summary, kept: &Kept<'_>, width: usize) -> String {
    let (style, word) = match summary.state {
        JobState::Complete => (GREEN, "Complete"),
        JobState::Partial if !summary.is_partial() => (GREEN, "Complete for the selected steps"),
        JobState::Partial => (YELLOW, "Partial"),
        JobState::Cancelled => (YELLOW, "Cancelled"),
        JobState::Failed => (RED, "Failed"),
        JobState::Running => (BOLD, "Running"),
        JobState::Interrupted => (RED, "Interrupted"),
        _ => (RED, "In an unknown state"),
    };
    let mut line = format!(
        "{}: {}, {} in {}",
        paint(style, word),
        counted(summary.entities, "entity", "entities"),
        counted(summary.relationships, "relationship", "relationships"),
        duration(summary.duration)
    );
    line += &requests(&summary.usage);
    line += &format!(". Job {}, stored in {}", summary.job, printable_path(kept.data_dir));
    if let (Some(folder), Some(exported)) = (kept.output, &kept.exported) {
        line += &format!(", exported to {} ({})", printable_path(folder), counted(exported.files, "file", "files"));
    }
    let mut text = paragraph(&(line + "."), width, 0, 2);
    for sentence in coverage::sentences("Accounts covered", &summary.accounts) {
        text += &paragraph(&sentence, width, 0, 2);
    }
    if let Some(changes) = stale::changes(summary) {
        text += &paragraph(&changes, width, 0, 2);
    }
    text += &paragraph(&format!("Next: {}", next(summary, kept)), width, 0, 2);
    text
}

/// The message on stderr for exit code 3.
pub(crate) fn incomplete(summary: &Summary, program: &str) -> String {
    let job = short(summary.job.as_str());
    format!("Data is missing from job {job}; run `{program} jobs show {job}` to list it.")
}

fn requests(usage: &Usage) -> String {
    if usage.total.requests == 0 {
        return String::new();
    }
    let repeated = (usage.total.retries > 0).then(|| format!("{} retried", HumanCount(usage.total.retries)));
    let left = usage.rate_remaining.map(|left| format!("rate limit: {} left", HumanCount(left)));
    let unchanged =
        (usage.total.not_modified > 0).then(|| format!("{} unchanged", HumanCount(usage.total.not_modified)));
    let asides: Vec<String> = repeated.into_iter().chain(unchanged).chain(left).collect();
    let asides = if asides.is_empty() { String::new() } else { format!(" ({})", asides.join(", ")) };
    format!(" with {}{asides}", counted(usage.total.requests, "request", "requests"))
}

fn next(summary: &Summary, kept: &Kept<'_>) -> String {
    let (program, job) = (called(kept.program, kept.integration, kept.data_dir), short(summary.job.as_str()));
    let gaps = || summary.integration_step_results.iter().flat_map(|step| &step.gaps);
    let account = Account::of(&summary.instance);
    // A proposal that leaves out the folder would leave this graph in it.
    let output = kept.output.map(|folder| format!(" --output {}", quoted_path(folder))).unwrap_or_default();
    let options = format!("{}{output}", account.options());
    let settled = summary.is_settled();
    match summary.state {
        _ if settled && kept.exported.is_none() => {
            format!(
                "run `{program} validate data` to check the graph, or `{program} visualize steps --job {job}` to see the run."
            )
        }
        _ if settled => format!("run `{program} visualize steps --job {job}` to see the duration of each step."),
        _ if account.origin == Origin::Replay && summary.state != JobState::Running => {
            format!("record the missing data with `{program} collect --record DIR`, then replay the new recording.")
        }
        JobState::Failed => format!(
            "run `{program} validate config` to check the credentials, then `{program} collect --resume {job}{output}` to continue."
        ),
        JobState::Partial if !gaps().any(|gap| gap.resumable && gap.is_own()) => format!(
            "correct the cause, then run `{program} collect{options}`. Resuming the job does not help, because the missing data \
             cannot be read or stored in their present form."
        ),
        JobState::Partial if gaps().any(|gap| gap.code == ErrorCode::ProviderAuthorization) => format!(
            "grant the credentials the missing permission, then run `{program} collect --resume {job}{output}` to collect the \
             missing data."
        ),
        JobState::Partial | JobState::Complete => format!(
            "run `{program} collect --resume {job}{output}` to retry the missing data{}, or `{program} collect{options}` to start \
             over.",
            if gaps().any(|gap| !gap.resumable) { ", except objects that cannot be read or stored" } else { "" }
        ),
        JobState::Cancelled | JobState::Interrupted => {
            format!(
                "run `{program} collect --resume {job}{output}` to continue, or `{program} collect{options}` to start \
                 over."
            )
        }
        JobState::Running => "wait until the job has ended.".to_owned(),
        _ => "use the version of the program that collected the job.".to_owned(),
    }
}
