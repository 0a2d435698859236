//! `jobs`: lists, shows, and deletes the jobs of the data directory.

mod prune;

use clap::{Args, Subcommand};
use comfy_table::Cell;
use indicatif::HumanCount;
use integration_sdk::Timestamp;
use integration_sdk::store::JobRow;
use serde::Serialize;

use crate::brief::cut;
use crate::context::Context;
use crate::failure::Failure;
use crate::options::Format;
use crate::report::table::{self, right};
use crate::report::text::{counted, duration, moment};
use crate::report::{self, Kept};
use crate::style::{BOLD, paint, printable_path};
use crate::{console, exit, job_lookup};

#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:
  {name} jobs list               list all jobs
  {name} jobs show               show the newest job
  {name} jobs show 0198f3a2      show the job whose id begins with 0198f3a2
  {name} jobs prune --keep 10    delete old jobs"
)]
pub(crate) struct Jobs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the jobs, newest first
    #[command(after_help = "Examples:\n  {name} jobs list\n  {name} jobs list --format json")]
    List {
        /// Output format
        #[arg(long, value_name = "FORMAT", default_value = "text")]
        format: Format,
    },
    /// Show the summary of a job, as printed by `collect`
    #[command(after_help = "Examples:\n  {name} jobs show\n  {name} jobs show 0198f3a2 --format json")]
    Show {
        /// Id of the job or its first characters [default: the newest job]
        #[arg(value_name = "ID")]
        job: Option<String>,
        /// Output format
        #[arg(long, value_name = "FORMAT", default_value = "text")]
        format: Format,
    },
    /// Delete old jobs with their snapshots, or drop stale objects
    Prune(prune::Prune),
}

/// The maximum width of a name in the list, in columns.
const NAME: usize = 32;

/// A job in the JSON list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'a> {
    id: &'a str,
    integration: &'a str,
    instance: &'a str,
    state: &'a str,
    start_time: Timestamp,
    end_time: Option<Timestamp>,
    entities: Option<u64>,
    relationships: Option<u64>,
    /// The reason why this version cannot read the summary.
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable: Option<String>,
}

impl<'a> Listed<'a> {
    fn of(job: &'a JobRow) -> Self {
        let (summary, unreadable) = match &job.summary {
            Some(Ok(summary)) => (Some(summary), None),
            Some(Err(error)) => (None, Some(error.to_string())),
            None => (None, None),
        };
        Self {
            id: job.id.as_str(),
            integration: &job.integration,
            instance: job.instance.as_str(),
            state: job.state.as_str(),
            start_time: job.started,
            end_time: job.ended,
            entities: summary.map(|summary| summary.entities),
            relationships: summary.map(|summary| summary.relationships),
            unreadable,
        }
    }
}

impl Listed<'_> {
    /// The state for people, with a mark if the summary cannot be read.
    fn shown_state(&self) -> String {
        let mark = if self.unreadable.is_some() { " (unreadable)" } else { "" };
        format!("{}{mark}", self.state)
    }
}

pub(crate) async fn run(context: &Context<'_>, args: &Jobs) -> Result<u8, Failure> {
    match &args.action {
        Action::List { format } => list(context, *format).await?,
        Action::Show { job, format } => show(context, job.as_deref(), *format).await?,
        Action::Prune(args) => prune::run(context, args).await?,
    }
    Ok(exit::SUCCESS)
}

async fn list(context: &Context<'_>, format: Format) -> Result<(), Failure> {
    let jobs = match job_lookup::store(&context.globals.data_dir)? {
        Some(store) => store.jobs().await?,
        None => Vec::new(),
    };
    let listed: Vec<Listed<'_>> = jobs.iter().map(Listed::of).collect();
    match format {
        Format::Json => context.print_json(&listed),
        Format::Text if listed.is_empty() => context.print(&format!(
            "There are no jobs in {} yet. Run `{} collect` to create one.\n",
            printable_path(&context.globals.data_dir),
            context.called()
        )),
        Format::Text => {
            let table = table(&listed);
            let fits = table::fits(&table, console::width());
            context.print(&if fits { table } else { listed.iter().map(stacked).collect() })
        }
    }
}

fn table(jobs: &[Listed<'_>]) -> String {
    let mut table = table::plain();
    let names = ["Job", "Integration", "Instance", "State", "Started"].map(Cell::new);
    table.set_header(names.into_iter().chain(["Duration", "Entities", "Relationships"].map(right)));
    for job in jobs {
        let took = job.end_time.map(|end| duration((end.millis() - job.start_time.millis()).unsigned_abs()));
        let number =
            |count: Option<u64>| right(count.map(HumanCount).map_or_else(String::new, |count| count.to_string()));
        table.add_row([
            Cell::new(job_lookup::short(job.id)),
            Cell::new(cut(job.integration, NAME)),
            Cell::new(cut(job.instance, NAME)),
            Cell::new(job.shown_state()),
            Cell::new(moment(job.start_time)),
            right(took.unwrap_or_default()),
            number(job.entities),
            number(job.relationships),
        ]);
    }
    table::write(&mut table)
}

/// A job as two lines, for a narrow terminal.
fn stacked(job: &Listed<'_>) -> String {
    let (entities, relationships) = (job.entities.unwrap_or(0), job.relationships.unwrap_or(0));
    format!(
        "{} {} {}\n  {}/{}, {}, {}\n",
        paint(BOLD, job_lookup::short(job.id)),
        moment(job.start_time),
        job.shown_state(),
        cut(job.integration, NAME),
        cut(job.instance, NAME),
        counted(entities, "entity", "entities"),
        counted(relationships, "relationship", "relationships")
    )
}

async fn show(context: &Context<'_>, wanted: Option<&str>, format: Format) -> Result<(), Failure> {
    let data_dir = &context.globals.data_dir;
    let (_, job) = job_lookup::find(data_dir, context.integration.id(), wanted).await?;
    let summary = job_lookup::summary(&job)?;
    match format {
        Format::Json => context.print_json(summary),
        Format::Text => {
            let kept = Kept {
                program: context.program,
                integration: context.globals.integration.as_deref(),
                data_dir,
                output: None,
                exported: None,
            };
            context.print(&report::summary(summary, &kept, console::width()))
        }
    }
}
