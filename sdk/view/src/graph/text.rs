//! The number of objects in a graph for a terminal, by type, largest types first.

use anstyle::Style;

use super::model::{Changes, GraphCounts, TypeCount};
use crate::escape::visible;
use crate::measure::columns;
use crate::number::{counted, grouped};
use crate::terminal::{BOLD, FAINT, GREEN, MAGENTA, PLAIN, RED, Terminal, YELLOW, padded};

/// The maximum width to which names are aligned.
const WIDEST_COLUMN: usize = 60;

pub(super) fn text(counts: &GraphCounts, width: usize, colour: bool) -> String {
    let mut out = Terminal::new(width, colour);
    for (style, line) in [(BOLD, &counts.title), (FAINT, &counts.subtitle)] {
        if !line.trim().is_empty() {
            out.line(&[(style, &visible(line))]);
        }
    }
    out.notes(&counts.missing);
    let sum = |types: &[TypeCount]| types.iter().fold(0_u64, |sum, one| sum.saturating_add(one.count));
    let (entities, relationships) = (sum(&counts.entities), sum(&counts.relationships));
    let all = || counts.entities.iter().chain(&counts.relationships);
    let names = all().map(|one| columns(&visible(&one.object_type))).max().unwrap_or(0).min(WIDEST_COLUMN);
    let numbers = all().map(|one| grouped(one.count).len()).max().unwrap_or(0);
    let sections = [
        (counted(entities, "entity", "entities"), &counts.entities),
        (counted(relationships, "relationship", "relationships"), &counts.relationships),
    ];
    for (heading, types) in sections {
        out.line(&[]);
        out.line(&[(BOLD, &heading)]);
        let mut types: Vec<&TypeCount> = types.iter().collect();
        types.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.object_type.cmp(&b.object_type)));
        for one in types {
            line(&mut out, one, names, numbers);
        }
    }
    out.finish()
}

fn line(out: &mut Terminal, one: &TypeCount, names: usize, numbers: usize) {
    let name = format!("  {}", padded(&visible(&one.object_type), names));
    let count = format!("  {:>numbers$}", grouped(one.count));
    let mapped = if one.mapped { "  mapped" } else { "" };
    let Changes { added, removed, changed, unknown } = one.changes;
    let remarks = [
        (GREEN, added, "added"),
        (RED, removed, "removed"),
        (YELLOW, changed, "changed"),
        (MAGENTA, unknown, "unknown"),
    ];
    let remarks: Vec<(Style, String)> = remarks
        .into_iter()
        .filter(|&(_, count, _)| count > 0)
        .map(|(style, count, word)| (style, format!("  {} {word}", grouped(count))))
        .collect();
    let mut spans = vec![(PLAIN, name.as_str()), (PLAIN, &count), (FAINT, mapped)];
    spans.extend(remarks.iter().map(|(style, remark)| (*style, remark.as_str())));
    out.line(&spans);
}
