//! The objects that stay in the graph although the job could not confirm them.

use std::collections::BTreeMap;

use indicatif::HumanCount;
use integration_sdk::Summary;
use integration_sdk::graph::history::ChangeCounts;
use integration_sdk::graph::run::ErrorCode;

use crate::job_lookup::short;

use super::text::{counted, list, paragraph};

/// Renders the numbers of stale objects, grouped by the step with the gap.
pub(super) fn lines(summary: &Summary, width: usize) -> String {
    let Some(published) = &summary.published else { return String::new() };
    let mut groups: BTreeMap<(&str, &str), BTreeMap<&str, u64>> = BTreeMap::new();
    for stale in &published.stale {
        let group = groups.entry((stale.gap.step.as_str(), reason(&stale.gap.code))).or_default();
        *group.entry(stale.object_type.as_str()).or_default() += stale.count;
    }
    let line = |((step, reason), types): ((&str, &str), BTreeMap<&str, u64>)| {
        let types = list(types.into_iter().map(|(name, count)| format!("{} {name}", HumanCount(count))));
        paragraph(&format!("{step} {reason}: {types}"), width, 2, 4)
    };
    groups.into_iter().map(line).collect()
}

fn reason(code: &ErrorCode) -> &'static str {
    match code {
        ErrorCode::ParentsExcluded => "excludes parents",
        code if code.means_not_run() => "did not run",
        _ => "has a gap",
    }
}

/// Returns a sentence with the numbers of stale objects by type; `None` if there are none.
pub(crate) fn sentence(summary: &Summary) -> Option<String> {
    let stale = &summary.published.as_ref()?.stale;
    let mut types: BTreeMap<&str, u64> = BTreeMap::new();
    for group in stale {
        *types.entry(group.object_type.as_str()).or_default() += group.count;
    }
    let count = types.values().sum::<u64>();
    let types = list(types.into_iter().map(|(name, count)| format!("{} {name}", HumanCount(count))));
    let objects = counted(count, "object is", "objects are");
    (count > 0).then(|| format!("{objects} stale, kept from earlier jobs because of gaps: {types}."))
}

/// Returns a sentence about the changes since the previous snapshot; `None` for the first one.
pub(super) fn changes(summary: &Summary) -> Option<String> {
    let published = summary.published.as_ref()?;
    let previous = published.previous.as_ref()?;
    let previous = match *previous == summary.job {
        true => "the earlier run of this job".to_owned(),
        false => format!("job {}", short(previous.as_str())),
    };
    let ChangeCounts { added, removed, changed, raw_only, unknown } = published.total();
    let counts = [
        (added, "added"),
        (removed, "removed"),
        (changed, "changed"),
        (raw_only, "changed in raw data only"),
        (unknown, "stale"),
    ];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let counts: Vec<String> = counts.map(|(count, word)| format!("{} {word}", HumanCount(count))).collect();
    Some(match counts.is_empty() {
        true => format!("No changes since {previous}."),
        false => format!("Since {previous}: {}.", counts.join(", ")),
    })
}
