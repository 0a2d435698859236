//! The last lines: how much there is, where it is, and what to do next.

use std::path::Path;

use indicatif::HumanCount;
use integration_sdk::Summary;
use integration_sdk::dataset::Exported;
use integration_sdk::http::Usage;
use integration_sdk::store::JobState;

use crate::account::{Account, Origin};
use crate::job_lookup::short;
use crate::options::DATA_DIR;
use crate::style::{BOLD, GREEN, RED, YELLOW, paint};

use super::text::{counted, duration, paragraph};

/// Where the results of a job are.
pub(crate) struct Kept<'a> {
    /// The program's name.
    pub(crate) program: &'a str,
    /// The data directory.
    pub(crate) data_dir: &'a Path,
    /// The folder of an export.
    pub(crate) exported: Option<(&'a Path, Exported)>,
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
    };
    let mut line = format!(
        "{}: {}, {} in {}",
        paint(style, word),
        counted(summary.entities, "entity", "entities"),
        counted(summary.relationships, "relationship", "relationships"),
        duration(summary.duration)
    );
    line += &requests(&summary.usage);
    line += &format!(". Job {}, kept in {}", summary.job, kept.data_dir.display());
    if let Some((folder, exported)) = &kept.exported {
        line += &format!(", written to {} ({})", folder.display(), counted(exported.files, "file", "files"));
    }
    let mut text = paragraph(&(line + "."), width, 0, 2);
    text += &paragraph(&format!("Next: {}", next(summary, kept)), width, 0, 2);
    text
}

fn requests(usage: &Usage) -> String {
    if usage.total.requests == 0 {
        return String::new();
    }
    let repeated = (usage.total.retries > 0).then(|| format!("{} repeated", HumanCount(usage.total.retries)));
    let left = usage.rate_remaining.map(|left| format!("{} left of the rate budget", HumanCount(left)));
    let unchanged =
        (usage.total.not_modified > 0).then(|| format!("{} not changed", HumanCount(usage.total.not_modified)));
    let asides: Vec<String> = repeated.into_iter().chain(unchanged).chain(left).collect();
    let asides = if asides.is_empty() { String::new() } else { format!(" ({})", asides.join(", ")) };
    format!(" with {}{asides}", counted(usage.total.requests, "request", "requests"))
}

fn next(summary: &Summary, kept: &Kept<'_>) -> String {
    let (program, job) = (called(kept), short(summary.job.as_str()));
    let gaps = || summary.integration_step_results.iter().flat_map(|step| &step.incomplete);
    let account = Account::of(&summary.instance);
    let settled = !summary.is_partial() && matches!(summary.state, JobState::Complete | JobState::Partial);
    match summary.state {
        _ if settled && kept.exported.is_none() => {
            format!(
                "`{program} validate data` checks the graph, `{program} visualize steps --job {job}` shows the run."
            )
        }
        _ if settled => format!("`{program} visualize steps --job {job}` shows where the time went."),
        _ if account.origin == Origin::Replay && summary.state != JobState::Running => {
            format!("record what is missing with `{program} collect --record DIR`, then replay that.")
        }
        JobState::Failed => format!(
            "`{program} validate config` checks the credentials by themselves, `{program} collect --resume {job}` goes on."
        ),
        JobState::Partial if !gaps().any(|gap| gap.resumable && gap.inherited_from.is_none()) => format!(
            "what is missing cannot be read or kept as it is, and resuming the job does not change that; once it is \
             corrected, `{program} collect{}` collects it.",
            account.options()
        ),
        JobState::Partial if gaps().any(|gap| gap.code == "PROVIDER_AUTHORIZATION_ERROR") => format!(
            "give the credentials the permission that they lack, then `{program} collect --resume {job}` collects what is \
             missing."
        ),
        JobState::Partial | JobState::Complete => format!(
            "`{program} collect --resume {job}` tries what is missing again, `{program} collect{}` all of it.",
            account.options()
        ),
        JobState::Cancelled | JobState::Interrupted => {
            format!("`{program} collect --resume {job}` goes on, `{program} collect{}` starts anew.", account.options())
        }
        JobState::Running => "it is at work.".to_owned(),
    }
}

/// The program as it must be called to find this job.
fn called(kept: &Kept<'_>) -> String {
    if kept.data_dir == Path::new(DATA_DIR) {
        kept.program.to_owned()
    } else {
        format!("{} --data-dir {}", kept.program, kept.data_dir.display())
    }
}
