//! `collect`: runs a job.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use integration_recording::{RecordOptions, Recorder, Replay};
use integration_sdk::dataset::{self, Exported};
use integration_sdk::graph::{InstanceId, StepId};
use integration_sdk::schema::Validation;
use integration_sdk::store::{JobRow, JobState, Store};
use integration_sdk::{Job, Summary};

use super::sources::Sources;
use super::sync::{self, Destination};
use crate::account::{Account, Origin};
use crate::context::{Configured, Context};
use crate::failure::Failure;
use crate::options::{self, Format};
use crate::output::Output;
use crate::progress::watched;
use crate::report::text::counted;
use crate::report::{self, Kept};
use crate::shell::quoted;
use crate::style::printable_path;
use crate::{console, exit, instances, job_lookup};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  {name} collect --sample
      collect from the fake provider, without an account
  {name} collect --output graph
      collect, and write the graph as files
  {name} collect --step ID --max-age 2h
      run one step; reuse results of the last two hours for the steps it depends on
  {name} collect --instance east
      use the configured instance east, or the configuration in .env.east
  {name} collect --resume
      resume the newest job after a crash, a cancellation or an error
  {name} collect --reuse-answers
      download only responses that have changed since the last run with this option
  {name} collect --enable-source ID --only-changed
      request details only of objects that have changed since the last job
  {name} collect --record recordings
      collect, and record the responses of the provider
  {name} collect --replay recordings
      collect from the recorded responses, without a network
  {name} collect --sync --integration-instance-id ID
      collect, and upload the graph to JupiterOne
  {name} collect --format json > summary.json
      print the summary as JSON

Exit codes: 0 complete, 1 failed, 2 wrong usage, 3 part of the data is missing or the job was cancelled.")]
pub(crate) struct Collect {
    /// Collect from the fake provider, without an account
    #[arg(long)]
    sample: bool,
    /// Folder to write the graph and the summary to
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Run only these steps and the steps they depend on
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = |id: &str| StepId::new(id))]
    step: Vec<StepId>,
    /// Maximum age of earlier results that are reused for the dependencies of --step
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = options::age, requires = "step")]
    max_age: Duration,
    /// Instance to collect; without a configured one of this name, .env.NAME is read
    #[arg(long, value_name = "NAME", value_parser = options::instance)]
    instance: Option<InstanceId>,
    /// Resume a job that was interrupted or cancelled, or is missing data: the newest, or the one with this id
    #[arg(long, value_name = "JOB", num_args = 0..=1, conflicts_with_all = ["step", "validation", "enable_source", "disable_source", "sample", "reuse_answers", "only_changed"])]
    resume: Option<Option<String>>,
    /// Record the responses of the provider in this folder, as HAR files without secrets
    #[arg(long, value_name = "DIR", conflicts_with = "replay")]
    record: Option<PathBuf>,
    /// Replace e-mail addresses in the recording with pseudonyms
    #[arg(long, requires = "record")]
    pseudonymise: bool,
    /// Collect from the recording in this folder, without an account or a network
    #[arg(long, value_name = "DIR", conflicts_with_all = ["sample", "resume"])]
    replay: Option<PathBuf>,
    /// Reuse responses of earlier runs with this option; download only changed responses
    #[arg(long, conflicts_with = "sample")]
    reuse_answers: bool,
    /// Keep the data under objects that have not changed since the last job, for the steps that can tell; without it,
    /// the setting of the instance applies
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    only_changed: Option<bool>,
    /// Upload the graph to JupiterOne when the job has ended
    #[arg(long)]
    sync: bool,
    /// Maximum number of concurrent requests; the actual number adapts to the provider
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1_000))]
    concurrency: Option<u16>,
    /// How to treat objects that violate their schema
    #[arg(long, value_name = "HOW", default_value = "warn")]
    validation: ValidationMode,
    /// Folder of class schemas that extend or replace the built-in ones
    #[arg(long, value_name = "DIR")]
    schemas: Option<PathBuf>,
    #[command(flatten)]
    sources: Sources,
    /// Format of the summary on stdout
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    // Last, because its heading also applies to the options after it.
    #[command(flatten)]
    destination: Destination,
}

/// The treatment of objects that violate their schema.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum ValidationMode {
    /// Do not check objects
    Off,
    /// Report the finding and keep the object
    Warn,
    /// Report the finding and store the object outside the graph
    Quarantine,
    /// End the step with an error
    Fail,
}

impl From<ValidationMode> for Validation {
    fn from(mode: ValidationMode) -> Self {
        match mode {
            ValidationMode::Off => Self::Off,
            ValidationMode::Warn => Self::Warn,
            ValidationMode::Quarantine => Self::Quarantine,
            ValidationMode::Fail => Self::Fail,
        }
    }
}

pub(crate) async fn run(context: &Context<'_>, args: &Collect) -> Result<u8, Failure> {
    args.sources.check()?;
    check_destination(context, args).await?;
    let class_schemas = context.class_schemas(args.schemas.as_deref())?;
    if let (Some(record), Some(output)) = (&args.record, &args.output) {
        dataset::check_kept(record, output)?;
    }
    let output = args.output.as_deref().map(|path| Output::open(path, &context.globals.data_dir)).transpose()?;
    let unfinished = unfinished(context, args).await?;
    let configured = context.configured(&account(args, unfinished.as_ref())?).await?;
    let store = Store::open(&context.globals.data_dir)?;
    let mut job = job(context, args, &configured, &store).class_schemas(class_schemas);
    if let Some(unfinished) = &unfinished {
        job = job.resume(unfinished);
    }
    let recorder = recorder(args)?;
    if let Some(recorder) = &recorder {
        job = job.transport(recorder.clone());
    }
    if let Some(folder) = &args.replay {
        job = job.transport(Replay::open(folder)?);
    }
    let events = job.events();
    let ended = watched(context, events, |cancel| job.run(&configured.values, cancel)).await;
    let summary = ended.map_err(Failure::from).inspect_err(|_| {
        if let Some(output) = output.as_ref().filter(|output| output.holds_graph()) {
            context.console.say(&format!("{}.", output.stays()));
        }
    })?;
    if let Some(recorder) = recorder {
        let recorded = recorder.finish()?;
        let exchanges = counted(recorded.exchanges, "exchange", "exchanges");
        context.console.note(&format!("Recorded {exchanges} in {}", printable_path(&recorded.directory)));
    }
    let exported = match output {
        Some(output) => output.replace(context, &store, &summary).await,
        None => Ok(None),
    };
    if let (Some(instance), JobState::Complete | JobState::Partial) = (&configured.settings, summary.state) {
        instances::retain(&store, instance).await;
    }
    report(context, args, &summary, exported.as_ref().ok().copied().flatten())?;
    exported?;
    if args.sync {
        upload(context, args, &store, &summary).await?;
    }
    let code = exit::of_job(&summary);
    // The text for people says it in full.
    if code == exit::INCOMPLETE && args.format == Format::Json {
        context.console.note(&report::incomplete(&summary, &context.called()));
    }
    Ok(code)
}

/// Checks the receiver of the upload before the job begins, so that a missing key is found early.
async fn check_destination(context: &Context<'_>, args: &Collect) -> Result<(), Failure> {
    match args.sync {
        true => args.destination.prepare(context).await.map(drop),
        false if args.destination.is_empty() => Ok(()),
        false => Err(Failure::Usage("the options of JupiterOne need --sync".to_owned())),
    }
}

/// Uploads the graph of the job.
///
/// This follows the job, because only then the types with missing data are known, and no object changes any more.
async fn upload(context: &Context<'_>, args: &Collect, store: &Store, summary: &Summary) -> Result<(), Failure> {
    let id = summary.job.as_str();
    let row = store.job(Some(id)).await?.ok_or_else(|| Failure::UnfinishedJob(id.to_owned()))?;
    let snapshot = match (summary.state, store.snapshot_of(&row).await?) {
        (JobState::Complete | JobState::Partial, Some(snapshot)) => snapshot,
        _ => {
            context.console.say("Nothing was uploaded to JupiterOne, because the job did not end by itself.");
            return Ok(());
        }
    };
    let synced = sync::upload_snapshot(context, snapshot, summary, &args.destination).await?;
    // The result on stdout is the summary of the job.
    context.console.note(synced.text(usize::MAX).trim_end());
    Ok(())
}

/// The job to resume, if `--resume` is given.
async fn unfinished(context: &Context<'_>, args: &Collect) -> Result<Option<JobRow>, Failure> {
    let Some(wanted) = &args.resume else { return Ok(None) };
    let (store, job) = job_lookup::find(&context.globals.data_dir, context.integration.id(), wanted.as_deref()).await?;
    let ours = args.instance.as_ref().is_none_or(|instance| *instance == job.instance);
    match (wanted, ours) {
        (None, false) => {
            let jobs = store.jobs().await?.into_iter();
            let is_ours = |job: &JobRow, name| job.is_of(context.integration.id(), name);
            let mut ours = jobs.filter(|job| args.instance.as_ref().is_some_and(|name| is_ours(job, name)));
            ours.next().map(Some).ok_or_else(|| Failure::NoJobs(context.globals.data_dir.clone()))
        }
        (Some(_), false) => Err(Failure::Usage(format!(
            "job {} belongs to the instance {:?}; use --instance {}",
            job.id,
            job.instance,
            quoted(job.instance.as_str())
        ))),
        (_, true) => Ok(Some(job)),
    }
}

/// The account to use; a resumed job keeps its own.
fn account(args: &Collect, unfinished: Option<&JobRow>) -> Result<Account, Failure> {
    let Some(job) = unfinished else {
        let account = Account::new(args.sample, args.instance.as_ref());
        return Ok(if args.replay.is_some() { Account { origin: Origin::Replay, ..account } } else { account });
    };
    match Account::of(&job.instance) {
        Account { origin: Origin::Replay, .. } => Err(Failure::Usage(format!(
            "job {} was collected from a recording and cannot be resumed with the provider; run `collect --replay DIR` again",
            job.id
        ))),
        account => Ok(account),
    }
}

fn recorder(args: &Collect) -> Result<Option<Recorder>, Failure> {
    let Some(folder) = &args.record else { return Ok(None) };
    // A resumed job appends to its recording.
    let options = RecordOptions { pseudonymise_emails: args.pseudonymise, append: args.resume.is_some() };
    Ok(Some(Recorder::open(folder, options)?))
}

fn job(context: &Context<'_>, args: &Collect, configured: &Configured, store: &Store) -> Job {
    let mut job = Job::new(context.integration, store).validation(args.validation.into());
    job = match &configured.settings {
        Some(instance) => instances::configured(job, instance),
        None => job.instance(configured.instance.clone()),
    };
    job = job.network(configured.network.clone());
    job = job.reuse_answers(args.reuse_answers);
    if let Some(only_changed) = args.only_changed {
        job = job.only_changed(only_changed);
    }
    if !args.step.is_empty() {
        job = job.select(args.step.clone(), args.max_age);
    }
    if let Some(limit) = args.concurrency {
        job = job.concurrency(limit.into());
    }
    args.sources.switch(job)
}

fn report(context: &Context<'_>, args: &Collect, summary: &Summary, exported: Option<Exported>) -> Result<(), Failure> {
    if args.format == Format::Json {
        return context.print_json(summary);
    }
    let kept = Kept {
        program: context.program,
        integration: context.globals.integration.as_deref(),
        data_dir: &context.globals.data_dir,
        output: args.output.as_deref(),
        exported,
    };
    context.print(&report::summary(summary, &kept, console::width()))
}
