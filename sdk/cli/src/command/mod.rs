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

use crate::failure::Failure;
use crate::session::Session;

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Order {
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
pub(crate) async fn run(session: &Session<'_>, order: &Order) -> Result<u8, Failure> {
    match order {
        Order::Collect(order) => collect::run(session, order).await,
        Order::Export(order) => export::run(session, order).await,
        Order::Plan(order) => plan::run(session, order).await,
        Order::Validate(order) => validate::run(session, order).await,
        Order::Visualize(order) => visualize::run(session, order).await,
        Order::Document(order) => document::run(session, order),
        Order::Jobs(order) => jobs::run(session, order).await,
        Order::New(order) => new::run(session, order),
        Order::Completions(order) => completions::run(session, order),
    }
}
