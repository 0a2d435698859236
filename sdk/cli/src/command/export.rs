//! `export`: the graph of a finished job as files.

use std::path::PathBuf;

use clap::Args;
use integration_sdk::store::{JobRow, JobState, Store};

use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use crate::report::text::counted;
use crate::{exit, job_lookup, options};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  {name} export --output graph                     the newest job
  {name} export 0198f3a2 --output graph            by the beginning of its id
  {name} export --instance east --output graph     the newest job of an instance

The folder then holds what `collect --output` would have written. Files that no export wrote are never replaced.")]
pub(crate) struct Export {
    /// The id of the job or its beginning; the newest job unless given
    #[arg(value_name = "JOB")]
    job: Option<String>,
    /// The folder to write the graph and the summary into
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// The instance that the job belongs to
    #[arg(long, value_name = "NAME", value_parser = options::instance)]
    instance: Option<String>,
}

pub(crate) async fn run(context: &Context<'_>, args: &Export) -> Result<u8, Failure> {
    let (store, job) = find(context, args).await?;
    let summary = job_lookup::summary(&job)?;
    let output = Output::open(&args.output)?;
    let stays = output.stays();
    let exported = match output.write(&store, &summary).await? {
        Ok(exported) => exported,
        Err(reason) => return Err(Failure::Kept { stays, reason }),
    };
    let part = if summary.state == JobState::Complete { "" } else { ", in which data are missing" };
    context.print(&format!(
        "{} is written: the graph of job {}{part}, {} and {} in {}.\n",
        args.output.display(),
        job_lookup::short(job.id.as_str()),
        counted(exported.entities, "entity", "entities"),
        counted(exported.relationships, "relationship", "relationships"),
        counted(exported.files, "file", "files"),
    ))?;
    Ok(exit::SUCCESS)
}

async fn find(context: &Context<'_>, args: &Export) -> Result<(Store, JobRow), Failure> {
    let (data_dir, integration) = (&context.globals.data_dir, context.integration.id());
    let (store, job) = job_lookup::find(data_dir, integration, args.job.as_deref()).await?;
    match args.instance.as_deref() {
        Some(instance) if instance != job.instance && args.job.is_some() => {
            Err(Failure::Usage(format!("the job {} belongs to the instance {:?}", job.id, job.instance)))
        }
        Some(instance) if instance != job.instance => {
            let mut jobs = store.jobs().await?.into_iter();
            let newest = jobs.find(|job| job.integration == integration && job.instance == instance);
            newest.map(|job| (store, job)).ok_or_else(|| Failure::NoJobs(data_dir.clone()))
        }
        _ => Ok((store, job)),
    }
}
