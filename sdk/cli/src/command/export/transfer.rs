//! `export --to`: transfers graphs to a target.

use std::time::Duration;

use clap::Args;
use integration_sdk::Summary;
use integration_secrets::SecretString;
use integration_sink::{Manifest, Report, Source};
use tokio_util::sync::CancellationToken;

use super::changes::{self, Since};
use super::target::Target;
use super::{report, source};
use crate::account_graph::{self, Selected, Snapshots};
use crate::context::Context;
use crate::failure::Failure;
use crate::interrupt;
use crate::options::{self, Format};
use crate::report::incomplete;
use crate::report::text::list;
use crate::style::printable;
use crate::{exit, progress};

/// The maximum number of gaps that are named for an instance.
const GAPS: usize = 10;

/// The options of a transfer.
#[derive(Debug, Args)]
pub(super) struct Transfer {
    /// Transfer only what has changed since a job, a time, or the last export to this target: JOB, TIME or `last`
    #[arg(long, value_name = "SINCE", value_parser = changes::parse, conflicts_with = "query")]
    pub(super) changes_since: Option<Since>,
    /// Transfer only objects of these types
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',', conflicts_with = "query")]
    pub(super) types: Vec<String>,
    /// Transfer only the result of a query in J1QL that ends with RETURN TREE
    #[arg(long, value_name = "QUERY")]
    pub(super) query: Option<String>,
    /// Maximum duration of the query
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = options::age)]
    pub(super) timeout: Duration,
    /// Schema of the tables in PostgreSQL [default: graph]
    #[arg(long, value_name = "NAME")]
    pub(super) schema: Option<String>,
    /// Add the properties id, firstseen and lastupdated in Neo4j, as Cartography does
    #[arg(long)]
    pub(super) stamps: bool,
    /// Place of a database's password: env:NAME, file:PATH, vault:NAME or command:PROGRAM [default: PGPASSWORD, a password file, or NEO4J_PASSWORD]
    #[arg(long, value_name = "REFERENCE", value_parser = |text: &str| Ok::<_, String>(SecretString::from(text)))]
    pub(super) password: Option<SecretString>,
    /// Transfer raw data as well
    #[arg(long)]
    pub(super) raw: bool,
    /// Show the numbers of objects without writing anything
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: Format,
}

impl Transfer {
    /// Returns the first given option that needs a target.
    pub(super) fn given(&self) -> Option<&'static str> {
        let options = [
            (self.changes_since.is_some(), "--changes-since"),
            (!self.types.is_empty(), "--type"),
            (self.query.is_some(), "--query"),
            (self.schema.is_some(), "--schema"),
            (self.stamps, "--stamps"),
            (self.password.is_some(), "--password"),
            (self.raw, "--raw"),
            (self.dry_run, "--dry-run"),
            (self.format == Format::Json, "--format json"),
        ];
        options.into_iter().find_map(|(is_given, name)| is_given.then_some(name))
    }

    /// Returns the first given option that needs a database.
    pub(super) fn database_option(&self) -> Option<&'static str> {
        let options =
            [(self.schema.is_some(), "--schema"), (self.stamps, "--stamps"), (self.password.is_some(), "--password")];
        options.into_iter().find_map(|(is_given, name)| is_given.then_some(name))
    }
}

pub(super) async fn run(
    context: &Context<'_>,
    target: Target,
    wanted: &Snapshots,
    args: &Transfer,
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
    args: &Transfer,
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
