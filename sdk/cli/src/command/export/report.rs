//! The report of a transfer, for people and for programs.

use indicatif::HumanBytes;
use integration_sdk::graph::history::ChangeCounts;
use integration_sink::{Manifest, Report, TransferKind, kind_name};
use serde_json::{Value, json};

use super::target::Target;
use crate::report::table::{plain, right, write};
use crate::report::text::counted;
use crate::style::printable;
use crate::visible::visible;

/// Returns the transfer as one JSON document.
pub(super) fn document(target: &Target, manifest: &Manifest, report: Option<&Report>) -> Value {
    json!({
        "target": target.to_string(),
        "dryRun": report.is_none(),
        "manifest": manifest.document(),
        "report": report.map(Report::document),
    })
}

/// Returns the counts of a transfer that was not carried out.
pub(super) fn planned(target: &Target, manifest: &Manifest) -> String {
    let mut table = plain();
    let changes = manifest.transfer == TransferKind::Changes;
    match changes {
        true => table.set_header(["TYPE", "KIND", "ADDED", "CHANGED", "REMOVED", "UNKNOWN", "CONFIRMED"]),
        false => table.set_header(["TYPE", "KIND", "OBJECTS", "STALE"]),
    };
    for of_type in &manifest.types {
        let ChangeCounts { added, changed, removed, unknown, .. } = of_type.changes;
        let numbers = match changes {
            true => vec![added, changed, removed, unknown, of_type.confirmed],
            false => vec![of_type.objects, of_type.stale],
        };
        let mut row = vec![of_type.object_type.to_string().into(), kind_name(of_type.kind).into()];
        row.extend(numbers.into_iter().map(right));
        table.add_row(row);
    }
    let objects = |number| counted(number, "object", "objects");
    let unknown: u64 = manifest.types.iter().map(|of_type| of_type.changes.unknown).sum();
    let what = match (changes, unknown) {
        (false, _) => format!("{} would be written", objects(manifest.objects())),
        (true, 0) => format!("{} differ from the older graph", objects(manifest.objects())),
        (true, _) => format!(
            "{} differ from the older graph, and the state of {} is not known",
            objects(manifest.objects() - unknown),
            objects(unknown)
        ),
    };
    let line = format!("{what}; nothing was written to {}.\n", visible(&target.to_string()));
    if manifest.types.is_empty() { line } else { format!("{}\n{line}", write(&mut table)) }
}

/// Describes a complete transfer.
pub(super) fn text(target: &Target, report: &Report) -> String {
    let mut line =
        format!("Wrote {} to {}", counted(report.written(), "object", "objects"), visible(&target.to_string()));
    if report.unchanged() > 0 {
        line += &format!(", which contained {} already", counted(report.unchanged(), "other one", "others"));
    }
    if report.deleted() > 0 {
        line += &format!(", and deleted {}", report.deleted());
    }
    let size = report.bytes.map(|bytes| HumanBytes(bytes).to_string());
    let files = report.files.map(|files| counted(files, "file", "files"));
    if let Some(details) = files.into_iter().chain(size).reduce(|one, other| format!("{one}, {other}")) {
        line += &format!(" ({details})");
    }
    let mut text = line + ".\n";
    for ((_, object_type), of_type) in &report.types {
        for (word, reasons) in
            [("Altered", &of_type.altered), ("Skipped", &of_type.skipped), ("Refused", &of_type.refused)]
        {
            for (reason, named) in reasons {
                let names = printable(&named.text());
                text += &format!("{word} {} {object_type}, because {}: {names}\n", named.count, printable(reason));
            }
        }
    }
    for remark in &report.remarks {
        text += &format!("Note: {}.\n", printable(remark));
    }
    text
}
