//! The report of a job that has ended: steps, missing data, skipped objects, findings, and the next action.

pub(crate) mod alerts;
pub(crate) mod answer;
pub(crate) mod changes;
pub(crate) mod code_span;
pub(crate) mod coverage;
pub(crate) mod diagnostic;
mod findings;
mod footer;
mod gaps;
pub(crate) mod history;
pub(crate) mod questions;
mod rule;
pub(crate) mod rules;
pub(crate) mod sarif;
pub(crate) mod stale;
mod steps;
pub(crate) mod table;
pub(crate) mod text;

pub(crate) use findings::{Findings, Group};
pub(crate) use footer::{Kept, incomplete};
pub(crate) use rule::{Level, Rule};

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use indicatif::HumanCount;
use integration_sdk::Summary;
use integration_sdk::graph::ObjectType;
use integration_sdk::graph::run::StepReport;

use crate::style::{BOLD, paint, printable};
use text::{list, paragraph};

/// The maximum number of finding groups in the report; `validate data` shows more.
const FINDINGS: usize = 10;
/// The maximum number of names per line; the summary and `-v` contain more.
const EXAMPLES: usize = 3;

/// Renders the summary of a job for people.
pub(crate) fn summary(summary: &Summary, kept: &Kept<'_>, width: usize) -> String {
    let mut text = steps::table(summary, width);
    section(&mut text, "Missing", &gaps::missing(summary, width));
    section(&mut text, "Stale, kept from earlier jobs", &stale::lines(summary, width));
    section(&mut text, "Not requested", &not_requested(summary, width));
    section(&mut text, "Skipped", &skipped(summary, width));
    section(&mut text, "Schema findings", &schema_findings(summary, width));
    let _ = write!(text, "\n{}", footer::lines(summary, kept, width));
    text
}

fn section(text: &mut String, title: &str, body: &str) {
    if !body.is_empty() {
        let _ = write!(text, "\n{}\n{body}", paint(BOLD, title));
    }
}

/// Renders the numbers of parents under which a step requested nothing.
fn not_requested(summary: &Summary, width: usize) -> String {
    let line = |step: &StepReport| {
        let parents = [
            (step.excluded_parents, "excluded by the configuration"),
            (step.kept_parents, "unchanged since the last job, kept"),
        ];
        let parents = parents.into_iter().filter(|(count, _)| *count > 0);
        let parents = list(parents.map(|(count, reason)| format!("{} {reason}", HumanCount(count))));
        if parents.is_empty() { parents } else { paragraph(&format!("{}: {parents}", step.id), width, 2, 4) }
    };
    summary.integration_step_results.iter().map(line).collect()
}

fn skipped(summary: &Summary, width: usize) -> String {
    let mut groups: BTreeMap<(&ObjectType, &str), (u64, BTreeSet<&str>)> = BTreeMap::new();
    for step in &summary.integration_step_results {
        for (object_type, reasons) in &step.skipped {
            for (reason, count) in reasons {
                let (known, names) = groups.entry((object_type, reason)).or_default();
                *known += count;
                let named = step.skipped_details.get(object_type).and_then(|reasons| reasons.get(reason));
                names.extend(named.into_iter().flatten().map(String::as_str));
            }
        }
    }
    let line = |((object_type, reason), (count, names)): (&(&ObjectType, &str), &(u64, BTreeSet<&str>))| {
        let mut text = format!("{} {object_type}: {}", HumanCount(*count), printable(reason));
        text += &examples(*count, names.iter().copied());
        paragraph(&text, width, 2, 2)
    };
    groups.iter().map(line).collect()
}

/// Lists the names of some objects.
fn examples<'a>(count: u64, names: impl Iterator<Item = &'a str>) -> String {
    let shown = list(names.take(EXAMPLES).map(printable));
    match count > EXAMPLES as u64 {
        _ if shown.is_empty() => String::new(),
        true => format!(", such as {shown}"),
        false => format!(": {shown}"),
    }
}

fn schema_findings(summary: &Summary, width: usize) -> String {
    let mut findings = Findings::default();
    for counted in summary.integration_step_results.iter().flat_map(|step| &step.findings) {
        findings.add(Rule::Schema, counted.count, counted.example.clone(), None);
    }
    findings.text(FINDINGS, width)
}
