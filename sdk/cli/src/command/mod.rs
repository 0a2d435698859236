//! The commands, one file each.

mod collect;
mod completions;
mod document;
mod export;
mod jobs;
mod new;
mod plan;
mod sources;
mod validate;
mod visualize;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Failure;

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Collect the graph
    Collect(collect::Collect),
    /// Write the graph of a finished job as files
    Export(export::Export),
    /// Tell what a collection will do and cost, before it runs
    Plan(plan::Plan),
    /// Check schemas, configuration and credentials, or a collected graph
    Validate(validate::Validate),
    /// Draw the steps, the types or a collected graph
    Visualize(visualize::Visualize),
    /// Write the data model as tables into a Markdown file
    Document(document::Document),
    /// List, show and forget jobs
    Jobs(jobs::Jobs),
    /// Begin an integration for another provider
    New(new::New),
    /// Write a script that completes commands in a shell
    Completions(completions::Completions),
}

/// Does it, and gives the exit code.
pub(crate) async fn run(context: &Context<'_>, args: &Command) -> Result<u8, Failure> {
    match args {
        Command::Collect(args) => collect::run(context, args).await,
        Command::Export(args) => export::run(context, args).await,
        Command::Plan(args) => plan::run(context, args).await,
        Command::Validate(args) => validate::run(context, args).await,
        Command::Visualize(args) => visualize::run(context, args).await,
        Command::Document(args) => document::run(context, args),
        Command::Jobs(args) => jobs::run(context, args).await,
        Command::New(args) => new::run(context, args),
        Command::Completions(args) => completions::run(context, args),
    }
}
