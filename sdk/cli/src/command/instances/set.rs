//! `instances set`: changes an instance.

use clap::Args;
use integration_instances::InstanceFile;
use integration_sdk::graph::InstanceId;

use super::settings::{Settings, field};
use super::{configured, credentials, entered, unknown};
use crate::context::Context;
use crate::failure::Failure;
use crate::instances;
use crate::options::{self, Format};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  {name} instances set production --interval FOUR_HOURS
  {name} instances set production --secret api_key
      enter a new secret; it is tested before it replaces the old one
  {name} instances set production --set api_key=env:NEW_KEY --keep-for 90d
  {name} instances set production --unset api_url")]
pub(super) struct Set {
    /// Name of the instance
    #[arg(value_name = "NAME", value_parser = options::instance)]
    instance: InstanceId,
    #[command(flatten)]
    settings: Settings,
    /// Configuration field that returns to its default
    #[arg(long, value_name = "FIELD")]
    unset: Vec<String>,
    /// Keep all jobs
    #[arg(long, conflicts_with_all = ["keep_jobs", "keep_for"])]
    keep_all: bool,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

pub(super) async fn run(context: &Context<'_>, args: &Set) -> Result<(), Failure> {
    let integration = context.integration;
    let former = configured(context, &args.instance)?;
    let mut instance = former.clone();
    for name in &args.unset {
        instance.config.remove(field(integration, name)?.name);
    }
    if args.keep_all {
        instance.retention = Default::default();
    }
    args.settings.apply(integration, &mut instance)?;
    let secrets = entered::read(context, &args.settings.secret, &mut instance).await?;
    if instance == former && secrets.is_empty() {
        return Err(Failure::Usage(
            "nothing is to be changed; use an option such as --interval or --secret".to_owned(),
        ));
    }
    let instance = instances::fitting(integration, instance)?;
    let changes_config = args.settings.change_config() || !args.unset.is_empty();
    if changes_config && !args.settings.no_test {
        let tested = credentials::test(context, &instance, &secrets).await;
        tested.inspect_err(|_| context.console.say(&format!("The instance {} is unchanged.", args.instance)))?;
    }
    let mut file = InstanceFile::open(&context.globals.data_dir, integration.id())?;
    let stored = file.instances.iter_mut().find(|other| other.is(&former.integration, &former.name));
    let stored = stored.ok_or_else(|| unknown(context, &args.instance))?;
    if *stored != former {
        return Err(Failure::Usage(format!("another process has changed the instance {}; try again", args.instance)));
    }
    stored.clone_from(&instance);
    entered::save(context, &file, &[(instance.clone(), secrets)])?;
    match args.format {
        Format::Json => context.print_json(&instance),
        Format::Text => context.print(&format!("Changed the instance {}.\n", args.instance)),
    }
}
