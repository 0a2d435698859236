//! `sync`: uploads a graph to JupiterOne.

mod destination;
mod folder;
mod report;

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use integration_sdk::Summary;
use integration_sdk::graph::InstanceId;
use integration_sdk::store::Snapshot;
use integration_sink::{SinkError, SnapshotSource, Source, SourceOptions, transfer};
use integration_sink_jupiterone::{JupiterOneSink, SyncSession};
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::failure::Failure;
use crate::interrupt::{self, Messages};
use crate::options::{self, Format};
use crate::{exit, job_lookup, progress};

pub(crate) use destination::Destination;
use destination::Prepared;
use folder::FolderGraph;
use report::{Origin, Synced};

const UPLOADING: Messages = Messages {
    stopping: "Stopping. The graph in JupiterOne stays as it is. Press Ctrl-C again to stop immediately.",
    late: "The upload did not end in time. The program stops now; the next upload ends its synchronization job.",
};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  {name} sync --integration-instance-id ID
      upload the newest job; JUPITERONE_API_KEY and JUPITERONE_ACCOUNT are set
  {name} sync --integration-instance-id ID --api-key file:/etc/keys/jupiterone --account ACCOUNT
      read the API key from a file
  {name} sync --integration-instance-id ID --job 0198f3a2
      upload the job whose id begins with 0198f3a2
  {name} sync --source api --scope heroku --input graph
      upload a folder in the exchange layout, from any program
  {name} sync --integration-instance-id ID --dry-run
      show the objects without an upload

The upload replaces the graph of the integration instance or scope. JupiterOne deletes the objects that it lacks, except
those of types with missing data. Nothing changes before the upload is complete.

Exit codes: 0 success, 1 failure, 2 wrong usage, 3 part of the data is missing.")]
pub(crate) struct Sync {
    /// Id of the job to upload, or its first characters [default: the newest job with a graph]
    #[arg(long, value_name = "JOB", conflicts_with = "input")]
    job: Option<String>,
    /// Instance whose newest job is uploaded
    #[arg(long, value_name = "NAME", value_parser = options::any_instance, conflicts_with = "input")]
    instance: Option<InstanceId>,
    /// Folder in the exchange layout to upload instead of a job
    #[arg(short = 'p', long, alias = "project-path", value_name = "DIR")]
    input: Option<PathBuf>,
    /// Show the objects that would be uploaded, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Format of the report on stdout
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    // Last, because its heading also applies to the options after it.
    #[command(flatten)]
    destination: Destination,
}

pub(crate) async fn run(context: &Context<'_>, args: &Sync) -> Result<u8, Failure> {
    let receiver = args.destination.receiver(context)?;
    let synced = match &args.input {
        Some(folder) => {
            let graph = FolderGraph::read(folder).await?;
            match args.dry_run {
                true => Synced::planned(receiver, Origin::of_folder(&graph), graph.duplicates),
                false => upload_folder(context, &graph, &args.destination).await?,
            }
        }
        None => {
            let (data_dir, integration) = (&context.globals.data_dir, context.integration.id());
            let wanted = (args.job.as_deref(), args.instance.as_ref());
            let (store, job) = job_lookup::find_graph_of(data_dir, integration, wanted.0, wanted.1).await?;
            let summary = job_lookup::summary(&job)?;
            let snapshot = job_lookup::snapshot(&store, &job).await?;
            match args.dry_run {
                true => Synced::planned(receiver, Origin::of_job(source(snapshot).await?.manifest(), summary), 0),
                false => upload_snapshot(context, snapshot, summary, &args.destination).await?,
            }
        }
    };
    synced.print(context, args.format)?;
    Ok(synced.code())
}

/// Uploads the graph of a job.
pub(crate) async fn upload_snapshot(
    context: &Context<'_>,
    snapshot: Snapshot,
    summary: &Summary,
    destination: &Destination,
) -> Result<Synced, Failure> {
    let Prepared { receiver, target, options } = destination.prepare(context).await?;
    let source = source(snapshot).await?;
    let origin = Origin::of_job(source.manifest(), summary);
    let mut sink = JupiterOneSink::new(&target, options)?;
    let cancel = CancellationToken::new();
    let listening = interrupt::listen(cancel.clone(), context.console.clone(), UPLOADING);
    let progress = progress::Transfer::begin(&context.console, context.globals.log_format, "Uploading");
    let report = transfer(&mut sink, &source, &progress.events(), cancel.cancelled()).await;
    drop((listening, progress));
    let refused = report?.refused();
    let outcome = sink.outcome().cloned();
    Ok(Synced { receiver, origin, outcome, refused })
}

async fn source(snapshot: Snapshot) -> Result<SnapshotSource, Failure> {
    let options = SourceOptions { with_raw: true, ..SourceOptions::default() };
    Ok(SnapshotSource::open(vec![Arc::new(snapshot)], &options).await?)
}

/// Uploads a folder.
async fn upload_folder(
    context: &Context<'_>,
    graph: &FolderGraph,
    destination: &Destination,
) -> Result<Synced, Failure> {
    let Prepared { receiver, target, options } = destination.prepare(context).await?;
    let mut session = SyncSession::new(&target, options)?;
    let cancel = CancellationToken::new();
    let listening = interrupt::listen(cancel.clone(), context.console.clone(), UPLOADING);
    let progress = progress::Transfer::begin(&context.console, context.globals.log_format, "Uploading");
    let uploaded = tokio::select! {
        uploaded = graph.upload(&mut session, &progress) => uploaded,
        () = cancel.cancelled() => Err(SinkError::Stopped.into()),
    };
    drop(progress);
    if let Err(failure) = &uploaded
        && let Err(second) = session.abort(&failure.to_string()).await
    {
        context.console.warn(&second.to_string());
    }
    drop(listening);
    let uploaded = uploaded?;
    let (origin, outcome) = (Origin::of_folder(graph), Some(uploaded.outcome));
    Ok(Synced { receiver, origin, outcome, refused: uploaded.duplicates })
}

/// The exit code of an upload without problems of its own.
fn code_of(summary: Option<&Summary>, is_partial: bool) -> u8 {
    match summary {
        Some(summary) => exit::of_job(summary),
        None if is_partial => exit::INCOMPLETE,
        None => exit::SUCCESS,
    }
}
