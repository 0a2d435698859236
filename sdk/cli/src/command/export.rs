//! `export`: the graph of a finished job as files.

use std::path::PathBuf;

use clap::Args;
use integration_sdk::store::{JobRow, JobState, Store};

use crate::failure::Failure;
use crate::output::Output;
use crate::report::words::counted;
use crate::session::Session;
use crate::{exit, history, options};

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

pub(crate) async fn run(session: &Session<'_>, order: &Export) -> Result<u8, Failure> {
    let (store, job) = find(session, order).await?;
    let summary = history::summary(&job)?;
    let output = Output::open(&order.output)?;
    let stays = output.stays();
    let exported = match output.write(&store, &summary).await? {
        Ok(exported) => exported,
        Err(reason) => return Err(Failure::Kept { stays, reason }),
    };
    let part = if summary.state == JobState::Complete { "" } else { ", in which data are missing" };
    session.print(&format!(
        "{} is written: the graph of job {}{part}, {} and {} in {}.\n",
        order.output.display(),
        history::short(job.id.as_str()),
        counted(exported.entities, "entity", "entities"),
        counted(exported.relationships, "relationship", "relationships"),
        counted(exported.files, "file", "files"),
    ))?;
    Ok(exit::SUCCESS)
}

async fn find(session: &Session<'_>, order: &Export) -> Result<(Store, JobRow), Failure> {
    let (data_dir, integration) = (&session.globals.data_dir, session.integration.id());
    let (store, job) = history::find(data_dir, integration, order.job.as_deref()).await?;
    match order.instance.as_deref() {
        Some(instance) if instance != job.instance && order.job.is_some() => {
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
