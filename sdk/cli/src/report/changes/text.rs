//! The report as text for a terminal.

use std::collections::BTreeMap;
use std::fmt::Write;

use clap::builder::styling::Style;
use comfy_table::Cell;
use indicatif::HumanCount;
use integration_sdk::diff::{
    ChangeCounts, ChangeKind, CoveringGap, GraphSide, ObjectChange, ObjectKind, PropertyChange,
};
use textwrap::core::display_width;

use crate::brief::cut;
use crate::report::table::{self, right};
use crate::report::text::{counted, list, paragraph};
use crate::style::{BOLD, FAINT, GREEN, RED, YELLOW, paint, printable};
use crate::visible::visible;

use super::kept::OfType;
use super::value::{Difference, Shown, cut_both, shown, window};
use super::{Report, lack};

/// The maximum width of a name, in columns.
const NAME: usize = 60;
/// The minimum width of a value that is printed next to the other one, in columns.
const VALUE: usize = 16;

pub(super) fn render(report: &Report<'_>, width: usize) -> String {
    let mut text = String::new();
    for (word, side) in ["From", "To  "].iter().zip(report.sides) {
        text += &paragraph(&format!("{word}  {}", side.described()), width, 0, 6);
    }
    text.push('\n');
    let total = report.counts.total();
    if total == ChangeCounts::default() {
        return text + "No changes.\n";
    }
    if total.has_changes() || total.unknown > 0 {
        text += &counts(report, width);
    }
    for of_type in &report.types {
        text += &of(of_type, report, width);
    }
    text += &notes(report, total, width);
    text
}

fn notes(report: &Report<'_>, total: ChangeCounts, width: usize) -> String {
    let mut text = String::new();
    if report.omitted > 0 {
        let more = counted(report.omitted, "more change is", "more changes are");
        text += &paragraph(&format!("{more} not shown: use --limit N or --format json."), width, 0, 0);
    }
    if total.raw_only > 0 {
        let objects = counted(total.raw_only, "object differs", "objects differ");
        text += &paragraph(&format!("{objects} in raw data only: use --raw to see the differences."), width, 0, 0);
    }
    if text.is_empty() || report.counts.total().has_changes() || total.unknown > 0 {
        return if text.is_empty() { text } else { format!("\n{text}") };
    }
    format!("No changes. {text}")
}

fn counts(report: &Report<'_>, width: usize) -> String {
    let mut table = table::plain();
    table.set_header([Cell::new("Type")].into_iter().chain(["Added", "Removed", "Changed", "Unknown"].map(right)));
    let numbers = |counts: ChangeCounts| [counts.added, counts.removed, counts.changed, counts.unknown];
    let shown = |count: u64| if count == 0 { String::new() } else { HumanCount(count).to_string() };
    let rows = || report.counts.by_type().filter(|(_, _, counts)| numbers(*counts) != [0; 4]);
    for (_, object_type, counts) in rows() {
        table.add_row([Cell::new(visible(object_type))].into_iter().chain(numbers(counts).map(shown).map(right)));
    }
    let total = numbers(report.counts.total());
    if rows().count() > 1 {
        table.add_row([Cell::new("Total")].into_iter().chain(total.map(shown).map(right)));
    }
    let drawn = table::write(&mut table);
    if table::fits(&anstream::adapter::strip_str(&drawn).to_string(), width) {
        return drawn;
    }
    let line = |name: &str, numbers: [u64; 4]| {
        let words = ["added", "removed", "changed", "unknown"];
        let counts = numbers.iter().zip(words).filter(|(count, _)| **count > 0);
        format!("{name}\n  {}\n", list(counts.map(|(count, word)| counted(*count, word, word))))
    };
    rows().map(|(_, name, counts)| line(&visible(name), numbers(counts))).collect()
}

/// The changes of one type: added, removed, and changed objects, then unknown ones by gap.
fn of(of_type: &OfType, report: &Report<'_>, width: usize) -> String {
    let mut text = format!("\n{}\n", paint(BOLD, visible(&of_type.object_type)));
    for kind in [ChangeKind::Added, ChangeKind::Removed, ChangeKind::Changed] {
        for change in of_type.certain.iter().filter(|change| change.kind == kind) {
            text += &object(change, width);
            if let Some(gap) = &change.gap {
                let because = match kind {
                    ChangeKind::Removed => printable(&gap.cause),
                    _ => format!("unknown, because {}", lack(report.sides, change.gap_side, gap)),
                };
                text += &faint(&paragraph(&because, width, 4, 2));
            }
        }
    }
    let mut by_gap: BTreeMap<Option<(GraphSide, &CoveringGap)>, Vec<&ObjectChange>> = BTreeMap::new();
    for change in &of_type.unknown {
        by_gap.entry(change.gap_side.zip(change.gap.as_ref())).or_default().push(change);
    }
    for (gap, changes) in by_gap {
        if let Some((side, gap)) = gap {
            text += &faint(&paragraph(&lack(report.sides, Some(side), gap), width, 2, 2));
        }
        for change in changes {
            text += &object(change, width);
        }
    }
    text
}

/// Paints each line, so that a pager can show any part of the text.
fn faint(text: &str) -> String {
    text.lines().map(|line| paint(FAINT, line) + "\n").collect()
}

/// The symbol and the colour of a change.
fn mark(kind: ChangeKind) -> (Style, char) {
    match kind {
        ChangeKind::Added => (GREEN, '+'),
        ChangeKind::Removed => (RED, '-'),
        ChangeKind::Changed => (YELLOW, '~'),
        ChangeKind::Unknown | ChangeKind::Stale => (FAINT, '?'),
    }
}

fn object(change: &ObjectChange, width: usize) -> String {
    let (style, symbol) = mark(change.kind);
    let key = visible(&change.key);
    // The name of a relationship is its class, which its type and key contain as well.
    let name = change.display_name.as_deref().filter(|_| change.object_kind == ObjectKind::Entity);
    let name = name
        .map(|name| cut(&visible(name), NAME.min(width.saturating_sub(2))))
        .filter(|name| !name.is_empty() && *name != key);
    let title = match name {
        None => key,
        Some(name) if display_width(&name) + display_width(&key) + 4 <= width => format!("{name}  {key}"),
        Some(name) => format!("{name}\n  {key}"),
    };
    let mut text: String = format!("{symbol} {title}").lines().map(|line| paint(style, line) + "\n").collect();
    if matches!(change.kind, ChangeKind::Changed | ChangeKind::Unknown) && !is_lone(change) {
        for difference in change.properties.iter().flat_map(shown) {
            text += &property(&difference, width);
        }
    }
    text
}

/// Whether only one graph contains the object, so that its properties are not differences.
fn is_lone(change: &ObjectChange) -> bool {
    let all = |of_side: fn(&PropertyChange) -> bool| change.properties.iter().all(of_side);
    // Every object has a class, which rarely differs.
    change.properties.iter().any(|one| one.name == "_class")
        && (all(|one| one.old.is_none()) || all(|one| one.new.is_none()))
}

/// One property of a changed object, with as much of its values as fits.
pub(crate) fn property(shown: &Shown, width: usize) -> String {
    const INDENT: usize = 4;
    let Shown { name, difference, unknown } = shown;
    let name = cut(name, NAME);
    let note = if *unknown { paint(FAINT, " (unknown)") } else { String::new() };
    let mut text = format!("{:INDENT$}{name}:", "");
    match difference {
        Difference::Values(old, new) => {
            let room = width.saturating_sub(display_width(&text) + " ".len() + " → ".chars().count());
            let (old_width, new_width) = (display_width(old), display_width(new));
            if old_width + new_width <= room {
                let _ = write!(text, " {} → {}", paint(RED, old), paint(GREEN, new));
            } else if room / 2 >= VALUE && old_width.min(new_width) <= room / 2 {
                // The shorter value is complete.
                let room_of = |own: usize, other: usize| if own <= other { own } else { room - other };
                let old = window(old, 0, room_of(old_width, new_width));
                let new = window(new, 0, room_of(new_width, old_width));
                let _ = write!(text, " {} → {}", paint(RED, old), paint(GREEN, new));
            } else {
                let (old, new) = cut_both(old, new, width.saturating_sub(INDENT + 4));
                let _ = write!(
                    text,
                    "\n{:INDENT$}  {}\n{:INDENT$}  {}",
                    "",
                    paint(RED, format!("- {old}")),
                    "",
                    paint(GREEN, format!("+ {new}"))
                );
            }
        }
        Difference::Items(removed, added) => {
            for (style, symbol, items) in [(RED, '-', removed), (GREEN, '+', added)] {
                for item in items {
                    let item = window(item, 0, width.saturating_sub(INDENT + 4));
                    let _ = write!(text, "\n{:INDENT$}  {}", "", paint(style, format!("{symbol} {item}")));
                }
            }
        }
    }
    text + &note + "\n"
}
