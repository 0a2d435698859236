//! `export --to`: transfers graphs to a target.

use integration_sdk::Summary;
use integration_sink::{Manifest, Report, Source};
use tokio_util::sync::CancellationToken;

use super::changes::{self, Since};
use super::target::Target;
use super::transfer_options::TransferOptions;
use super::{report, source};
use crate::account_graph::{self, Selected, Snapshots};
use crate::context::Context;
use crate::failure::Failure;
use crate::interrupt;
use crate::options::Format;
use crate::report::incomplete;
use crate::report::text::list;
use crate::style::printable;
use crate::{exit, progress};

/// The maximum number of gaps that are named for an instance.
const GAPS: usize = 10;

pub(super) async fn run(
    context: &Context<'_>,
    target: Target,
    wanted: &Snapshots,
    args: &TransferOptions,
) -> Result<u8, Failure> {
    let data_dir = &context.globals.data_dir;
    let mut target = target.with(data_dir, args)?;
    let since_last = args.changes_since == Some(Since::Last);
    if since_last || !args.dry_run {
        target = target.with_access(context, args).await?;
    }
    let last = if since_last { target.last(data_dir).await? } else { None };
    if since_last && last.is_none() {
        return Err(Failure::Usage(format!("nothing was exported to {target} yet; omit --changes-since")));
    }
    let target = &target;
    let Selected { store, snapshots, .. } = account_graph::snapshots(context, wanted).await?;
    let mut summaries = Vec::new();
    for snapshot in &snapshots {
        summaries.push(changes::summary(&store, snapshot).await?);
    }
    if args.raw && !target.sink(only(&summaries))?.capabilities().raw {
        return Err(Failure::Usage(format!("{target} has no place for raw data; omit --raw")));
    }
    let source = source::open(context, &store, snapshots, args, last.as_ref()).await?;
    if args.dry_run {
        print(context, target, source.as_ref(), args, None)?;
    } else {
        let report = transfer(context, target, source.as_ref(), &summaries).await?;
        // A part of the graph is no basis for later changes.
        if args.types.is_empty() && args.query.is_none() {
            target.acknowledge(data_dir, source.manifest())?;
        }
        print(context, target, source.as_ref(), args, Some(&report))?;
    }
    Ok(gaps(context, source.manifest(), &summaries))
}

async fn transfer(
    context: &Context<'_>,
    target: &Target,
    source: &dyn Source,
    summaries: &[Summary],
) -> Result<Report, Failure> {
    let mut sink = target.sink(only(summaries))?;
    let cancel = CancellationToken::new();
    let listening = interrupt::listen(cancel.clone(), context.console.clone(), target.messages());
    let progress = progress::Transfer::begin(&context.console, context.globals.log_format, "Exporting");
    let report = integration_sink::transfer(sink.as_mut(), source, &progress.events(), cancel.cancelled()).await;
    drop((listening, progress));
    Ok(report?)
}

/// Returns the only summary.
fn only(summaries: &[Summary]) -> Option<&Summary> {
    match summaries {
        [only] => Some(only),
        _ => None,
    }
}

fn print(
    context: &Context<'_>,
    target: &Target,
    source: &dyn Source,
    args: &TransferOptions,
    report: Option<&Report>,
) -> Result<(), Failure> {
    match (args.format, report) {
        (Format::Json, report) => context.print_json(&report::document(target, source.manifest(), report)),
        (Format::Text, None) => context.print(&report::planned(target, source.manifest())),
        (Format::Text, Some(report)) => context.print(&report::text(target, report)),
    }
}

/// Names the gaps of the jobs, and returns the exit code.
fn gaps(context: &Context<'_>, manifest: &Manifest, summaries: &[Summary]) -> u8 {
    let mut code = exit::SUCCESS;
    for summary in summaries.iter().filter(|summary| exit::of_job(summary) != exit::SUCCESS) {
        code = exit::INCOMPLETE;
        let snapshot = manifest.snapshots.iter().find(|snapshot| snapshot.id.job == summary.job);
        let gaps = snapshot.map(|snapshot| snapshot.gaps.as_slice()).unwrap_or_default();
        for gap in gaps.iter().take(GAPS) {
            let under = gap.parent.as_ref().map(|parent| format!(" under {}", parent.key)).unwrap_or_default();
            let (types, cause) = (list(&gap.types), printable(&gap.cause));
            context.console.note(&format!("Missing in the instance {}: {types}{under}, {cause}.", summary.instance));
        }
        context.console.note(&incomplete(summary, &context.called()));
    }
    code
}
