//! `instances import` and `instances export`.

use std::path::{Path, PathBuf};

use clap::Args;
use integration_instances::{ConfigValue, Instance, InstanceFile, Misfit, to_yaml};
use integration_sdk::input;
use integration_secrets::SecretString;

use super::entered::{self, Entered, accept};
use super::settings::field;
use crate::asking::stdin;
use crate::context::Context;
use crate::failure::Failure;
use crate::instances;
use crate::report::text::counted;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  {name} instances import instances.yaml
  {name} instances import config.yaml            a configuration of Starbase
  {name} instances import --replace - < a.json   replace instances of the same names

Accepted are files of `instances export`, integration instances of JupiterOne (YAML or JSON, in the spelling of the API or of \
Terraform), and configurations of Starbase. Secrets in plain text are moved into the encrypted vault; remove them from the \
file afterwards. The credentials are not tested: run `instances test NAME`.")]
pub(super) struct Import {
    /// File to read; - is stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace instances of the same names
    #[arg(long)]
    replace: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  {name} instances export
  {name} instances export --output instances.yaml")]
pub(super) struct Export {
    /// File to write [default: stdout]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn export(context: &Context<'_>, args: &Export) -> Result<(), Failure> {
    let all = integration_instances::read(&context.globals.data_dir, context.integration.id())?;
    for instance in &all {
        let misfits = misfits(context, instance);
        // A secret that a person wrote into the file stays in it.
        if let Some(Misfit::PlainSecret { field }) = misfits.iter().find(|misfit| is_plain_secret(misfit)) {
            return Err(Failure::Usage(format!(
                "the field {field} of the instance {} is secret, and in plain text in instances.yaml; enter it with the option \
                 `--secret` of `{} instances set {}` first",
                instance.name,
                context.called(),
                instance.name
            )));
        }
    }
    context.deliver(args.output.as_deref(), &to_yaml(&all)?)
}

pub(super) fn import(context: &Context<'_>, args: &Import) -> Result<(), Failure> {
    let name = args.file.display().to_string();
    let text = match args.file == Path::new("-") {
        true => stdin()?,
        false => input::read_to_string(&args.file, input::DOCUMENT).map_err(Failure::file("read", &args.file))?,
    };
    let imported = integration_instances::import(&text, context.integration.id());
    let imported = imported.map_err(|error| Failure::Document { name, error: error.to_string() })?;
    let mut file = InstanceFile::open(&context.globals.data_dir, context.integration.id())?;
    let mut accepted = Vec::new();
    for mut instance in imported.instances {
        let entered = checked(context, &mut instance)?;
        match file.instances.iter_mut().find(|other| other.is(&instance.integration, &instance.name)) {
            Some(former) if args.replace => former.clone_from(&instance),
            Some(_) => {
                return Err(Failure::Usage(format!(
                    "there is an instance {} already; use --replace to replace it",
                    instance.name
                )));
            }
            None => file.instances.push(instance.clone()),
        }
        accepted.push((instance, entered));
    }
    if !accepted.is_empty() {
        entered::save(context, &file, &accepted)?;
    }
    for (instance, entered) in &accepted {
        for field in entered.keys() {
            context.console.note(&format!(
                "The {field} of {} was in plain text and is encrypted now; remove it from the file.",
                instance.name
            ));
        }
    }
    imported.remarks.iter().for_each(|remark| context.console.note(remark));
    context.print(&format!("Imported {}.\n", counted(accepted.len() as u64, "instance", "instances")))
}

/// Checks an imported instance, and takes the secrets out of it.
///
/// Instances of other integrations are not checked, because their fields are unknown.
fn checked(context: &Context<'_>, instance: &mut Instance) -> Result<Entered, Failure> {
    let mut entered = Entered::new();
    let Some(offer) = context.offers.iter().find(|offer| offer.id() == instance.integration) else {
        context.console.note(&format!(
            "The instance {} belongs to {}, which is no integration of this program; its values are not checked.",
            instance.name, instance.integration
        ));
        return Ok(entered);
    };
    let mut others = Vec::new();
    for misfit in instances::fit(&offer.integration, instance) {
        match misfit {
            Misfit::PlainSecret { field: name } => {
                let text = instance.config.get(&name).and_then(ConfigValue::plain_text).unwrap_or_default();
                accept(field(&offer.integration, &name)?, SecretString::from(text), instance, &mut entered)?;
            }
            // It can be set afterwards; exports of other programs contain no secrets.
            Misfit::Missing { field } => context.console.note(&format!(
                "The instance {} lacks the field {field}; run `{} instances set {} --secret {field}`.",
                instance.name,
                context.called(),
                instance.name
            )),
            other => others.push(other),
        }
    }
    if others.is_empty() {
        Ok(entered)
    } else {
        // The instance is in no file of this program, so no other command can correct it.
        let texts: Vec<String> = others.iter().map(Misfit::to_string).collect();
        Err(Failure::Usage(format!(
            "the instance {} cannot be imported: {}. Nothing was imported; correct the file, and run `{} instances import` again",
            instance.name,
            texts.join("; "),
            context.called()
        )))
    }
}

fn misfits(context: &Context<'_>, instance: &Instance) -> Vec<Misfit> {
    let offer = context.offers.iter().find(|offer| offer.id() == instance.integration);
    offer.map(|offer| instances::fit(&offer.integration, &mut instance.clone())).unwrap_or_default()
}

fn is_plain_secret(misfit: &Misfit) -> bool {
    matches!(misfit, Misfit::PlainSecret { .. })
}
