//! `collect`: runs the plan.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use integration_sdk::dataset::Exported;
use integration_sdk::graph::StepId;
use integration_sdk::recording::{RecordOptions, Recorder, Replay};
use integration_sdk::schema::Validation;
use integration_sdk::store::{JobRow, JobState, Store};
use integration_sdk::{Job, Summary};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::sources::Sources;
use crate::account::{Account, Origin};
use crate::context::{Configured, Context};
use crate::failure::Failure;
use crate::options::{self, Format};
use crate::output::Output;
use crate::report::text::counted;
use crate::report::{self, Kept};
use crate::{console, exit, interrupt, job_lookup, progress};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  {name} collect --sample
      from an imitation of the provider: no account is needed
  {name} collect --output graph
      and write the graph as files
  {name} collect --step ID --max-age 2h
      one step; what it needs comes from jobs of the last two hours
  {name} collect --instance east
      with the values of .env.east
  {name} collect --resume
      go on with a job that was killed, cancelled or left something missing
  {name} collect --reuse-answers
      the provider sends again only what has changed since the last time
  {name} collect --record recordings
      and write down what the provider said
  {name} collect --replay recordings
      the same again, without a provider
  {name} collect --format json > summary.json
      the summary for a program

Exit codes: 0 complete, 1 failed, 2 wrong usage, 3 part of the data is missing or the job was cancelled.")]
pub(crate) struct Collect {
    /// Collect from an imitation of the provider: no account is needed
    #[arg(long)]
    sample: bool,
    /// Also write the graph and the summary as files into this folder
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Only these steps, and what they need
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = |id: &str| StepId::new(id))]
    step: Vec<StepId>,
    /// How old the results of earlier jobs may be that serve as what the steps need
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = options::age, requires = "step")]
    max_age: Duration,
    /// Which account: its values stand in .env.NAME
    #[arg(long, value_name = "NAME", value_parser = options::instance)]
    instance: Option<String>,
    /// Go on with a job that was killed, cancelled or left something missing: the newest one, or that of this id
    #[arg(long, value_name = "JOB", num_args = 0..=1, conflicts_with_all = ["step", "validation", "enable_source", "disable_source", "sample", "reuse_answers"])]
    resume: Option<Option<String>>,
    /// Write down what the provider says into this folder, as HAR files without secrets
    #[arg(long, value_name = "DIR", conflicts_with = "replay")]
    record: Option<PathBuf>,
    /// Give e-mail addresses in the recording other names
    #[arg(long, requires = "record")]
    pseudonymise: bool,
    /// Collect from recordings in the place of the provider: no account and no network are needed
    #[arg(long, value_name = "DIR", conflicts_with_all = ["sample", "resume"])]
    replay: Option<PathBuf>,
    /// Keep the provider's answers, and have it send only those that have changed since the last run with this option
    #[arg(long, conflicts_with = "sample")]
    reuse_answers: bool,
    /// How many requests may be in flight at the most; within that the program finds out how many get more done
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1_000))]
    concurrency: Option<u16>,
    /// What happens to objects that their schemas find fault with
    #[arg(long, value_name = "HOW", default_value = "warn")]
    validation: ValidationMode,
    /// Class schemas of your own, added to or in the place of the built-in ones
    #[arg(long, value_name = "DIR")]
    schemas: Option<PathBuf>,
    #[command(flatten)]
    sources: Sources,
    /// How the summary is written to stdout
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ValidationMode {
    /// Schemas are not looked at
    Off,
    /// It is reported
    Warn,
    /// It is reported, and the object kept apart
    Quarantine,
    /// It ends the step
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
    let class_schemas = context.class_schemas(args.schemas.as_deref())?;
    let output = args.output.as_deref().map(Output::open).transpose()?;
    let unfinished = unfinished(context, args).await?;
    let configured = context.configured(&account(args, unfinished.as_ref())?).await?;
    let store = Store::open(&context.globals.data_dir)?;
    let mut job = job(context, args, &configured, &store).class_schemas(class_schemas);
    if let Some(unfinished) = &unfinished {
        job = job.resume(unfinished);
    }
    let recorder = recorder(args)?;
    if let Some(recorder) = &recorder {
        job = job.record(recorder.clone());
    }
    if let Some(folder) = &args.replay {
        job = job.replay(Replay::open(folder)?);
    }
    let summary = watched(context, job, &configured).await.inspect_err(|_| {
        if let Some(output) = output.as_ref().filter(|output| output.holds_graph()) {
            context.console.say(&format!("{}.", output.stays()));
        }
    })?;
    if let Some(recorder) = recorder {
        let recorded = recorder.finish()?;
        let exchanges = counted(recorded.exchanges, "exchange is", "exchanges are");
        context.console.note(&format!("{exchanges} recorded in {}", recorded.directory.display()));
    }
    let exported = match output {
        Some(output) => output.replace(context, &store, &summary).await,
        None => Ok(None),
    };
    report(context, args, &summary, exported.as_ref().ok().copied().flatten())?;
    exported?;
    Ok(match summary.state {
        JobState::Complete => exit::SUCCESS,
        // Selected steps: everything that was asked for is there.
        JobState::Partial if !summary.is_partial() => exit::SUCCESS,
        JobState::Partial | JobState::Cancelled => exit::INCOMPLETE,
        JobState::Failed | JobState::Running | JobState::Interrupted => exit::FAILED,
    })
}

/// The job to go on with, if that is asked for.
async fn unfinished(context: &Context<'_>, args: &Collect) -> Result<Option<JobRow>, Failure> {
    let Some(wanted) = &args.resume else { return Ok(None) };
    let (store, job) = job_lookup::find(&context.globals.data_dir, context.integration.id(), wanted.as_deref()).await?;
    let ours = args.instance.as_deref().is_none_or(|instance| instance == job.instance);
    match (wanted, ours) {
        (None, false) => {
            let jobs = store.jobs().await?.into_iter();
            let instance = args.instance.as_deref().unwrap_or_default();
            let mut ours = jobs.filter(|job| job.integration == context.integration.id() && job.instance == instance);
            ours.next().map(Some).ok_or_else(|| Failure::NoJobs(context.globals.data_dir.clone()))
        }
        (Some(_), false) => {
            Err(Failure::Usage(format!("the job {} belongs to the instance {:?}", job.id, job.instance)))
        }
        (_, true) => Ok(Some(job)),
    }
}

/// The account whose values are used: a job goes on where it began.
fn account(args: &Collect, unfinished: Option<&JobRow>) -> Result<Account, Failure> {
    let Some(job) = unfinished else {
        let account = Account::new(args.sample, args.instance.as_deref());
        return Ok(if args.replay.is_some() { Account { origin: Origin::Replay, ..account } } else { account });
    };
    match Account::of(&job.instance) {
        Account { origin: Origin::Replay, .. } => Err(Failure::Usage(format!(
            "the job {} was made from recordings and cannot go on with the provider: use `collect --replay DIR` again",
            job.id
        ))),
        account => Ok(account),
    }
}

fn recorder(args: &Collect) -> Result<Option<Recorder>, Failure> {
    let Some(folder) = &args.record else { return Ok(None) };
    // A job that goes on adds to what it recorded before.
    let options = RecordOptions { pseudonymise_emails: args.pseudonymise, append: args.resume.is_some() };
    Ok(Some(Recorder::open(folder, options)?))
}

fn job<'a>(context: &Context<'a>, args: &Collect, configured: &Configured, store: &'a Store) -> Job<'a> {
    let mut job =
        Job::new(context.integration, store).instance(&configured.instance).validation(args.validation.into());
    job = job.network(configured.network.clone());
    job = job.reuse_answers(args.reuse_answers);
    if !args.step.is_empty() {
        job = job.select(args.step.clone(), args.max_age);
    }
    if let Some(limit) = args.concurrency {
        job = job.concurrency(limit.into());
    }
    args.sources.switch(job)
}

/// Runs the job, shows how it goes, and lets the user end it.
async fn watched(context: &Context<'_>, job: Job<'_>, configured: &Configured) -> Result<Summary, Failure> {
    let (sender, events) = mpsc::channel(progress::QUEUE);
    let shown = tokio::spawn(progress::follow(events, context.console.clone(), context.globals.log_format));
    let cancel = CancellationToken::new();
    let listening = interrupt::listen(cancel.clone(), context.console.clone());
    let outcome = job.events(sender).run(&configured.values, cancel).await;
    drop(listening);
    // The job has let go of the stream, so its consumer comes to an end; a broken one is no reason to lose the result.
    drop(shown.await);
    Ok(outcome?)
}

fn report(context: &Context<'_>, args: &Collect, summary: &Summary, exported: Option<Exported>) -> Result<(), Failure> {
    if args.format == Format::Json {
        return context.print_json(summary);
    }
    let kept = Kept {
        program: context.program,
        data_dir: &context.globals.data_dir,
        exported: args.output.as_deref().zip(exported),
    };
    context.print(&report::summary(summary, &kept, console::width()))
}
