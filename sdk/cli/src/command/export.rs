//! `export`: writes the graph of a job as files.

use std::path::PathBuf;

use clap::Args;
use integration_sdk::graph::InstanceId;
use integration_sdk::store::JobState;

use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Output, Part};
use crate::report::text::counted;
use crate::report::{incomplete, stale};
use crate::style::printable_path;
use crate::{exit, job_lookup, options};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  {name} export --output graph                     export the newest job
  {name} export 0198f3a2 --output graph            export the job whose id begins with 0198f3a2
  {name} export --instance east --output graph     export the newest job of an instance

The files are the same as those of `collect --output`. Files that were not written by an export are never replaced.")]
pub(crate) struct Export {
    /// Id of the job or its first characters [default: the newest job]
    #[arg(value_name = "JOB")]
    job: Option<String>,
    /// Folder to write the graph and the summary to
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// Instance that the job belongs to
    #[arg(long, value_name = "NAME", value_parser = options::instance)]
    instance: Option<InstanceId>,
}

pub(crate) async fn run(context: &Context<'_>, args: &Export) -> Result<u8, Failure> {
    let (data_dir, integration) = (&context.globals.data_dir, context.integration.id());
    let (store, job) =
        job_lookup::find_graph_of(data_dir, integration, args.job.as_deref(), args.instance.as_ref()).await?;
    let summary = job_lookup::summary(&job)?;
    let output = Output::open(&args.output, &context.globals.data_dir)?;
    let stays = output.stays();
    let exported = match output.write(&store, summary, Part::Whole).await? {
        Ok(exported) => exported,
        Err(reason) => return Err(Failure::Kept { stays, reason }),
    };
    let part = if summary.state == JobState::Complete { "" } else { ", which is missing data" };
    context.print(&format!(
        "Exported job {}{part}, to {}: {} and {} in {}.\n",
        job_lookup::short(job.id.as_str()),
        printable_path(&args.output),
        counted(exported.entities, "entity", "entities"),
        counted(exported.relationships, "relationship", "relationships"),
        counted(exported.files, "file", "files"),
    ))?;
    if let Some(stale) = stale::sentence(summary) {
        context.print(&format!("{stale}\n"))?;
    }
    let code = exit::of_job(summary);
    if code == exit::INCOMPLETE {
        context.console.note(&incomplete(summary, &context.called()));
    }
    Ok(code)
}
