//! `instances remove`: removes an instance with everything that belongs to it.

use clap::Args;
use integration_instances::{Instance, InstanceFile};
use integration_sdk::graph::InstanceId;
use integration_sdk::store::Store;
use integration_watch::forget_instance;
use jiff::Timestamp;

use super::{entered, unknown};
use crate::context::Context;
use crate::failure::Failure;
use crate::options;
use crate::report::text::counted;
use crate::serving::{credentials_rule, key_of};
use crate::{dialogue, instances, job_lookup, secrets};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  {name} instances remove staging
  {name} instances remove staging --yes

All jobs of the instance are deleted with their snapshots, and their data is overwritten. A running job is not interrupted: \
the instance is then not removed.")]
pub(super) struct Remove {
    /// Name of the instance
    #[arg(value_name = "NAME", value_parser = options::instance)]
    instance: InstanceId,
    /// Remove it without a question
    #[arg(long)]
    yes: bool,
}

pub(super) async fn run(context: &Context<'_>, args: &Remove) -> Result<(), Failure> {
    let (integration, data_dir, name) = (context.integration, &context.globals.data_dir, &args.instance);
    let configured = instances::find(data_dir, integration, name)?;
    let store = job_lookup::writable_store(data_dir)?;
    let jobs = jobs(context, store.as_ref(), name).await?;
    if configured.is_none() && jobs == 0 {
        return Err(unknown(context, name));
    }
    let vault = secrets::vault(data_dir);
    let entries = entered::entries(&vault, &Instance::new(name.clone(), integration.id()))?;
    let consequences = format!(
        "This removes the instance {name} of {}: {} with all snapshots of its graph, and {}. Its alerts are resolved when rules \
         are evaluated the next time, or now if no other graph remains.",
        integration.id(),
        counted(jobs, "job", "jobs"),
        counted(entries.len() as u64, "entered secret", "entered secrets"),
    );
    if !args.yes {
        context.console.say(&consequences);
        if !dialogue::is_possible() {
            return Err(Failure::Usage(
                "there is no terminal to ask for a confirmation; use --yes to remove it".to_owned(),
            ));
        }
        if !dialogue::is_confirmed("Remove it?")? {
            context.console.say("Nothing was removed.");
            return Ok(());
        }
    }
    // The file comes last. If a step fails, the command can be repeated.
    let removed = match &store {
        Some(store) => store.remove_instance(integration.id(), name).await?.jobs as u64,
        None => 0,
    };
    let has_graph = match &store {
        Some(store) => !store.published_instances().await?.is_empty(),
        None => true,
    };
    let key = key_of(&Instance::new(name.clone(), integration.id()));
    forget_instance(data_dir, &credentials_rule(&key), has_graph, Timestamp::now()).await?;
    for entry in &entries {
        vault.remove(entry)?;
    }
    if configured.is_some() {
        let mut file = InstanceFile::open(data_dir, integration.id())?;
        file.instances.retain(|instance| instance.integration != integration.id() || instance.name != *name);
        file.save()?;
    }
    context.print(&format!(
        "Removed the instance {name} with {} and {}.\n",
        counted(removed, "job", "jobs"),
        counted(entries.len() as u64, "entered secret", "entered secrets")
    ))
}

async fn jobs(context: &Context<'_>, store: Option<&Store>, name: &InstanceId) -> Result<u64, Failure> {
    let Some(store) = store else { return Ok(0) };
    let jobs = store.jobs().await?.into_iter();
    let ours = jobs.filter(|job| job.is_of(context.integration.id(), name));
    Ok(ours.count() as u64)
}
