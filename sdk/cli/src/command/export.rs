//! `export`: writes the graph of a job as files, or transfers graphs to another system.

mod acknowledged;
mod changes;
mod database;
mod password;
mod report;
mod source;
mod target;
mod transfer;
mod transfer_options;

use std::path::{Path, PathBuf};

use clap::Args;
use integration_sdk::graph::InstanceId;
use integration_sdk::store::JobState;
use integration_secrets::{ExposeSecret, SecretString};

use crate::account_graph::Snapshots;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Output, Part};
use crate::report::text::counted;
use crate::report::{incomplete, stale};
use crate::style::printable_path;
use crate::{exit, job_lookup, options};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  {name} export --output graph                     export the newest job in the exchange layout
  {name} export 0198f3a2 --output graph            export the job whose id begins with 0198f3a2
  {name} export --instance east --output graph     export the newest job of an instance
  {name} export --to parquet:tables                write one Parquet table for each type, of all instances
  {name} export --to sqlite:graph.db --raw         write a SQLite database with raw data
  {name} export --to csv:changes --changes-since 2026-11-01
  {name} export --to ndjson:changes --changes-since last
  {name} export --to graphml:teams.graphml --query 'FIND Team THAT OWNS Application RETURN TREE'
  {name} export --to opengraph:heroku.json --dry-run
  {name} export --to postgres://writer@db.example.com/warehouse --schema heroku --password file:/etc/keys/warehouse
  {name} export --to postgres://writer@db.example.com/warehouse --changes-since last
  {name} export --to neo4j+s://db.example.com --stamps         NEO4J_USER and NEO4J_PASSWORD are set

Targets of --to:
  parquet:DIR csv:DIR ndjson:DIR    one table for each type
  sqlite:FILE                       one database
  opengraph:FILE                    BloodHound, with an extension schema for path finding
  graphml:FILE json-graph:FILE      Gephi, yEd and NetworkX; D3 and Cytoscape
  exchange:DIR                      the exchange layout of one instance
  postgres://USER@HOST/DATABASE     tables in PostgreSQL
  neo4j-csv:DIR cypher:FILE         the same for neo4j-admin and cypher-shell
  neo4j+s://USER@HOST bolt://HOST   nodes and relationships in Neo4j; neo4j is the server that NEO4J_URI names

Files are replaced as a whole, PostgreSQL is changed in one transaction, Neo4j in many, and files that were not written by an export are never replaced. --to reads the newest graph of every \
instance; data of --sample and --replay only if there is no other, or if --instance names it. docs/sending.md describes the targets.

Exit codes: 0 exported, 1 failed, 2 wrong usage, 3 exported, but data is missing.")]
pub(crate) struct Export {
    /// Id of the job or its first characters [default: the newest job]
    #[arg(value_name = "JOB")]
    job: Option<String>,
    /// Folder to write the graph and the summary to, in the exchange layout
    #[arg(long, value_name = "DIR", conflicts_with = "to")]
    output: Option<PathBuf>,
    /// Target to transfer the graph to
    // The text may contain a password by mistake, which the parser of the command line would print.
    #[arg(long, value_name = "TARGET", value_parser = |text: &str| Ok::<_, String>(SecretString::from(text)))]
    to: Option<SecretString>,
    /// Instance that the job belongs to; with --to, may be repeated [default: all instances]
    #[arg(long, value_name = "NAME", value_parser = options::any_instance)]
    instance: Vec<InstanceId>,
    #[command(flatten)]
    transfer: transfer_options::TransferOptions,
}

pub(crate) async fn run(context: &Context<'_>, args: &Export) -> Result<u8, Failure> {
    match (&args.to, &args.output) {
        (Some(target), _) => {
            let target = target::parse(context, target.expose_secret())?;
            let snapshots = Snapshots::new(args.instance.clone(), args.job.clone());
            transfer::run(context, target, &snapshots, &args.transfer).await
        }
        (None, Some(output)) => files(context, args, output).await,
        (None, None) => Err(Failure::Usage(
            "name a target with --to, such as parquet:DIR, or a folder for the exchange layout with --output"
                .to_owned(),
        )),
    }
}

/// Writes the exchange layout.
async fn files(context: &Context<'_>, args: &Export, output: &Path) -> Result<u8, Failure> {
    if let Some(option) = args.transfer.given() {
        return Err(Failure::Usage(format!("{option} needs --to; the exchange layout contains the whole graph")));
    }
    let instance = match args.instance.as_slice() {
        [] => None,
        [only] => Some(only),
        _ => return Err(Failure::Usage("the exchange layout contains one instance; use --instance once".to_owned())),
    };
    let (data_dir, integration) = (&context.globals.data_dir, context.integration.id());
    let (store, job) = job_lookup::find_graph_of(data_dir, integration, args.job.as_deref(), instance).await?;
    let summary = job_lookup::summary(&job)?;
    let folder = Output::open(output, &context.globals.data_dir)?;
    let stays = folder.stays();
    let exported = match folder.write(&store, summary, Part::Whole).await? {
        Ok(exported) => exported,
        Err(reason) => return Err(Failure::Kept { stays, reason }),
    };
    let part = if summary.state == JobState::Complete { "" } else { ", which is missing data" };
    context.print(&format!(
        "Exported job {}{part}, to {}: {} and {} in {}.\n",
        job_lookup::short(job.id.as_str()),
        printable_path(output),
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
