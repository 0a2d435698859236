//! `instances`: the configured instances of the data directory.

mod add;
mod credentials;
mod entered;
mod exchange;
mod list;
mod remove;
mod run;
mod set;
mod settings;
mod show;
mod text;

use clap::{Args, Subcommand};
use integration_instances::Instance;
use integration_sdk::graph::InstanceId;

use crate::context::Context;
use crate::exit;
use crate::failure::Failure;
use crate::instances;
use crate::options::{self, Format};
use crate::style::printable_path;

#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:
  {name} instances add production                                add an instance, and answer questions
  {name} instances add staging --set api_key=env:STAGING_KEY     add an instance without questions
  {name} instances list                                          list all instances
  {name} instances run production                                collect an instance
  {name} instances set production --secret api_key               replace a secret, after a test
  {name} instances export --output instances.yaml                write the instances, without secrets

The instances are in the file instances.yaml of the data directory. A secret is a reference (env:NAME, file:PATH, or \
command:PROGRAM ARG…), or it is entered and kept encrypted."
)]
pub(crate) struct Instances {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Add an instance, after a test of its credentials
    Add(add::Add),
    /// List the instances
    #[command(after_help = "Examples:\n  {name} instances list\n  {name} instances list --format json")]
    List {
        /// Output format
        #[arg(long, value_name = "FORMAT", default_value = "text")]
        format: Format,
    },
    /// Show an instance; secrets are shown as references
    #[command(after_help = "Examples:\n  {name} instances show production")]
    Show(Named),
    /// Change an instance; new credentials are tested before they replace the old ones
    Set(set::Set),
    /// Remove an instance with its history and its secrets
    Remove(remove::Remove),
    /// Collect the data of an instance
    #[command(after_help = "Examples:\n  {name} instances run production
\nExit codes: 0 complete, 1 failed, 2 wrong usage, 3 part of the data is missing or the job was cancelled.")]
    Run(Named),
    /// Check the credentials of an instance with the provider
    #[command(after_help = "Examples:\n  {name} instances test production")]
    Test(Named),
    /// Add the instances of a file
    Import(exchange::Import),
    /// Write the instances as YAML, with secrets as references
    Export(exchange::Export),
    /// Encrypt the entered secrets under a new key
    #[command(after_help = "Examples:\n  {name} instances change-key
\nThe key is replaced in its file. If it comes from INTEGRATION_VAULT_KEY, the new key is read from stdin.")]
    ChangeKey,
}

#[derive(Debug, Args)]
struct Named {
    /// Name of the instance
    #[arg(value_name = "NAME", value_parser = options::instance)]
    instance: InstanceId,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

pub(crate) async fn run(context: &Context<'_>, args: &Instances) -> Result<u8, Failure> {
    match &args.action {
        Action::Add(args) => add::run(context, args).await?,
        Action::List { format } => list::run(context, *format).await?,
        Action::Show(named) => show::run(context, &named.instance, named.format).await?,
        Action::Set(args) => set::run(context, args).await?,
        Action::Remove(args) => remove::run(context, args).await?,
        Action::Run(named) => return run::run(context, &named.instance, named.format).await,
        Action::Test(named) => credentials::run(context, &named.instance, named.format).await?,
        Action::Import(args) => exchange::import(context, args)?,
        Action::Export(args) => exchange::export(context, args)?,
        Action::ChangeKey => entered::change_key(context)?,
    }
    Ok(exit::SUCCESS)
}

/// Returns the configured instance with a name.
fn configured(context: &Context<'_>, name: &InstanceId) -> Result<Instance, Failure> {
    let found = instances::find(&context.globals.data_dir, context.integration, name)?;
    found.ok_or_else(|| unknown(context, name))
}

fn unknown(context: &Context<'_>, name: &InstanceId) -> Failure {
    Failure::Usage(format!(
        "there is no instance {name} of {} in {}; run `{} instances list` to list the instances",
        context.integration.id(),
        printable_path(&context.globals.data_dir),
        context.called()
    ))
}
