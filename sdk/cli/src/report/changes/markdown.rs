//! The report as Markdown, for a pull request or a ticket.
//!
//! All text of the provider is within code spans, so that it cannot mention people, link, or format.

use std::collections::BTreeMap;
use std::fmt::Write;

use indicatif::HumanCount;
use integration_sdk::diff::{ChangeCounts, ChangeKind, CoveringGap, GraphSide, ObjectChange, ObjectKind};

use crate::report::code_span::{VALUE, cell, code, fenced};
use crate::report::text::counted;
use crate::style::printable;

use super::kept::OfType;
use super::value::{Difference, cut_both, shown};
use super::{Compared, Report, lack};

pub(super) fn render(report: &Report<'_>) -> String {
    let total = report.counts.total();
    let [from, to] = report.sides;
    let mut text = format!("**{}** from {} to {}.\n", sentence(total), side(from), side(to));
    if total.has_changes() || total.unknown > 0 {
        text += "\n| Type | Added | Removed | Changed | Unknown |\n| --- | ---: | ---: | ---: | ---: |\n";
        for (_, object_type, counts) in report.counts.by_type() {
            let numbers = [counts.added, counts.removed, counts.changed, counts.unknown];
            if numbers != [0; 4] {
                let cells = numbers.map(|number| HumanCount(number).to_string()).join(" | ");
                let _ = writeln!(text, "| {} | {cells} |", cell(object_type));
            }
        }
    }
    for of_type in &report.types {
        text += &of(of_type, report);
    }
    if report.omitted > 0 {
        let _ = writeln!(text, "\n{} not shown.", counted(report.omitted, "more change is", "more changes are"));
    }
    if total.raw_only > 0 {
        let objects = counted(total.raw_only, "object differs", "objects differ");
        let _ = writeln!(text, "\n{objects} in raw data only.");
    }
    text
}

fn sentence(total: ChangeCounts) -> String {
    let numbers =
        [(total.added, "added"), (total.removed, "removed"), (total.changed, "changed"), (total.unknown, "unknown")];
    let shown: Vec<String> =
        numbers.into_iter().filter(|(count, _)| *count > 0).map(|(count, word)| counted(count, word, word)).collect();
    if shown.is_empty() { "No changes".to_owned() } else { shown.join(", ") }
}

fn side(side: &Compared) -> String {
    code(&side.described())
}

fn of(of_type: &OfType, report: &Report<'_>) -> String {
    let mut text = format!("\n### {}\n\n", code(&of_type.object_type));
    for (kind, word) in
        [(ChangeKind::Added, "Added"), (ChangeKind::Removed, "Removed"), (ChangeKind::Changed, "Changed")]
    {
        for change in of_type.certain.iter().filter(|change| change.kind == kind) {
            let _ = writeln!(text, "- {word} {}", title(change));
            if kind == ChangeKind::Changed {
                text += &properties(change);
            }
            if let Some(gap) = &change.gap {
                let _ = match kind {
                    ChangeKind::Removed => writeln!(text, "  - {}", fenced(&printable(&gap.cause))),
                    _ => writeln!(text, "  - unknown, because {}", fenced(&lack(report.sides, change.gap_side, gap))),
                };
            }
        }
    }
    let mut by_gap: BTreeMap<Option<(GraphSide, &CoveringGap)>, Vec<&ObjectChange>> = BTreeMap::new();
    for change in &of_type.unknown {
        by_gap.entry(change.gap_side.zip(change.gap.as_ref())).or_default().push(change);
    }
    for (gap, changes) in by_gap {
        let because = gap.map(|(side, gap)| format!(", because {}", fenced(&lack(report.sides, Some(side), gap))));
        let _ = writeln!(text, "- Unknown{}", because.unwrap_or_default());
        for change in changes {
            let _ = writeln!(text, "  - {}", title(change));
        }
    }
    text
}

fn title(change: &ObjectChange) -> String {
    let key = code(&change.key);
    let name = change.display_name.as_ref().filter(|_| change.object_kind == ObjectKind::Entity);
    match name.filter(|name| **name != change.key) {
        Some(name) => format!("{} ({key})", code(name)),
        None => key,
    }
}

fn properties(change: &ObjectChange) -> String {
    let mut text = String::new();
    for difference in change.properties.iter().flat_map(shown) {
        let note = if difference.unknown { " (unknown)" } else { "" };
        let values = match difference.difference {
            Difference::Values(old, new) => {
                let (old, new) = cut_both(&old, &new, VALUE);
                format!("{} → {}", code(&old), code(&new))
            }
            Difference::Items(removed, added) => {
                let items = |word: &str, items: Vec<String>| {
                    let items: Vec<String> = items.iter().map(|item| code(item)).collect();
                    if items.is_empty() { None } else { Some(format!("{word} {}", items.join(", "))) }
                };
                let parts = [items("without", removed), items("with", added)];
                parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
            }
        };
        let _ = writeln!(text, "  - {}: {values}{note}", code(&difference.name));
    }
    text
}
