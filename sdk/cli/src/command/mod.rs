//! The commands, one file each.

mod alerts;
mod collect;
mod completions;
mod diff;
mod document;
mod export;
mod history;
mod instances;
mod jobs;
mod new;
mod plan;
mod query;
mod questions;
mod rules;
mod serve;
mod sources;
mod sync;
mod validate;
mod visualize;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Failure;

/// The command to run.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Collect the data of an account into a graph
    Collect(collect::Collect),
    /// Write the graph of a job as files
    Export(export::Export),
    /// Upload the graph of a job to JupiterOne
    Sync(sync::Sync),
    /// Show the changes between two jobs or two graphs in files
    Diff(diff::Diff),
    /// Show the versions of an object
    History(history::History),
    /// Ask the collected graph in J1QL
    Query(query::Query),
    /// Ask packs of questions, and judge their results
    Questions(questions::Questions),
    /// Check rules, and evaluate them on the collected graph
    Rules(rules::Rules),
    /// List, show, dismiss or reopen alerts
    Alerts(alerts::Alerts),
    /// Add, list, change, run or remove configured instances
    Instances(instances::Instances),
    /// Run the configured instances at their times, unattended
    Serve(serve::Serve),
    /// Show the steps, requests and duration of a collection without running it
    Plan(plan::Plan),
    /// Check schemas, configuration, credentials or a collected graph
    Validate(validate::Validate),
    /// Draw the steps, the data model or a collected graph
    Visualize(visualize::Visualize),
    /// Write the data model to a Markdown file
    Document(document::Document),
    /// List, show or delete jobs
    Jobs(jobs::Jobs),
    /// Create an integration for another provider
    New(new::New),
    /// Generate a completion script for a shell
    Completions(completions::Completions),
}

/// Runs a command and returns the exit code.
pub(crate) async fn run(context: &Context<'_>, args: &Command) -> Result<u8, Failure> {
    match args {
        Command::Collect(args) => collect::run(context, args).await,
        Command::Export(args) => export::run(context, args).await,
        Command::Sync(args) => sync::run(context, args).await,
        Command::Diff(args) => diff::run(context, args).await,
        Command::History(args) => history::run(context, args).await,
        Command::Query(args) => query::run(context, args).await,
        Command::Questions(args) => questions::run(context, args).await,
        Command::Rules(args) => rules::run(context, args).await,
        Command::Alerts(args) => alerts::run(context, args).await,
        Command::Instances(args) => instances::run(context, args).await,
        Command::Serve(args) => serve::run(context, args).await,
        Command::Plan(args) => plan::run(context, args).await,
        Command::Validate(args) => validate::run(context, args).await,
        Command::Visualize(args) => visualize::run(context, args).await,
        Command::Document(args) => document::run(context, args),
        Command::Jobs(args) => jobs::run(context, args).await,
        Command::New(args) => new::run(context, args),
        Command::Completions(args) => completions::run(context, args),
    }
}

impl Command {
    /// Returns whether the command runs without a person who watches it, so that its logs replace its output.
    pub(crate) fn is_service(&self) -> bool {
        matches!(self, Self::Serve(_))
    }
}
