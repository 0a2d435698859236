//! What is said of a job that has ended: its steps, what is missing, what was left out, and what to do next.

mod closing;
mod findings;
mod gaps;
mod rule;
pub(crate) mod sheet;
mod steps;
pub(crate) mod words;

pub(crate) use closing::Kept;
pub(crate) use findings::{Findings, Group};
pub(crate) use rule::{Level, Rule};

use std::collections::BTreeMap;
use std::fmt::Write;

use indicatif::HumanCount;
use integration_sdk::Summary;
use integration_sdk::graph::ObjectType;

use crate::ink::{BOLD, paint, printable};
use words::paragraph;

/// Groups of findings in the report of a collection; `validate data` shows more.
const FINDINGS: usize = 10;

/// The summary of a job, for people.
pub(crate) fn summary(summary: &Summary, kept: &Kept<'_>, width: usize) -> String {
    let mut text = steps::table(summary, width);
    section(&mut text, "Missing", &gaps::missing(summary, width));
    section(&mut text, "Left out on purpose", &skipped(summary, width));
    section(&mut text, "Schema findings", &schema_findings(summary, width));
    let _ = write!(text, "\n{}", closing::lines(summary, kept, width));
    text
}

fn section(text: &mut String, title: &str, body: &str) {
    if !body.is_empty() {
        let _ = write!(text, "\n{}\n{body}", paint(BOLD, title));
    }
}

fn skipped(summary: &Summary, width: usize) -> String {
    let mut counts: BTreeMap<(&ObjectType, &str), u64> = BTreeMap::new();
    for step in &summary.integration_step_results {
        for (object_type, reasons) in &step.skipped {
            for (reason, count) in reasons {
                *counts.entry((object_type, reason)).or_default() += count;
            }
        }
    }
    let line = |((object_type, reason), count): (&(&ObjectType, &str), &u64)| {
        paragraph(&format!("{} {object_type}: {}", HumanCount(*count), printable(reason)), width, 2, 2)
    };
    counts.iter().map(line).collect()
}

fn schema_findings(summary: &Summary, width: usize) -> String {
    let mut findings = Findings::default();
    for counted in summary.integration_step_results.iter().flat_map(|step| &step.findings) {
        findings.add(Rule::Schema, counted.count, counted.example.clone(), None);
    }
    findings.text(FINDINGS, width)
}
