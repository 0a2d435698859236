//! `instances add`: adds an instance, by options or by questions.

use clap::Args;
use integration_instances::{ConfigValue, Instance, InstanceFile, Misfit, Polling};
use integration_scheduler::{PollingInterval, PollingTime};
use integration_sdk::config::Field;
use integration_sdk::graph::InstanceId;
use integration_secrets::ExposeSecret;

use super::credentials;
use super::entered::{self, Entered};
use super::settings::Settings;
use super::text::polling;
use crate::context::Context;
use crate::dialogue;
use crate::failure::Failure;
use crate::instances;
use crate::options::{self, Format};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  {name} instances add production
      answer questions; the secret is not shown and kept encrypted
  {name} instances add production --set api_key=file:/etc/keys/heroku --interval ONE_HOUR
  {name} instances add production --secret api_key < key
      read the secret from a file, and keep it encrypted
  {name} instances add production --set api_key='command:op read op://Keys/heroku' --cron '0 6 * * mon-fri' \
--time-zone Europe/Berlin

Missing fields are asked for in a terminal. The credentials are tested before the instance is saved.")]
pub(super) struct Add {
    /// Name of the instance
    #[arg(value_name = "NAME", value_parser = options::instance)]
    instance: InstanceId,
    #[command(flatten)]
    settings: Settings,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

pub(super) async fn run(context: &Context<'_>, args: &Add) -> Result<(), Failure> {
    let (integration, data_dir) = (context.integration, &context.globals.data_dir);
    if instances::find(data_dir, integration, &args.instance)?.is_some() {
        return Err(taken(context, &args.instance));
    }
    let mut instance = Instance::new(args.instance.clone(), integration.id());
    args.settings.apply(integration, &mut instance)?;
    let mut secrets = entered::read(context, &args.settings.secret, &mut instance).await?;
    let is_incomplete = |misfit: &Misfit| matches!(misfit, Misfit::Missing { .. });
    if dialogue::is_possible() && instances::fit(integration, &mut instance).iter().any(is_incomplete) {
        ask(context, args, &mut instance, &mut secrets).await?;
    }
    let instance = instances::fitting(integration, instance).map_err(|failure| hint(failure, &args.instance))?;
    if !args.settings.no_test {
        credentials::test(context, &instance, &secrets).await?;
    }
    let mut file = InstanceFile::open(data_dir, integration.id())?;
    if file.instances.iter().any(|other| other.is(&instance.integration, &instance.name)) {
        return Err(taken(context, &args.instance));
    }
    file.instances.push(instance.clone());
    entered::save(context, &file, &[(instance.clone(), secrets)])?;
    match args.format {
        Format::Json => context.print_json(&instance),
        Format::Text => context.print(&format!(
            "Added the instance {}, polled {}. Next: `{} instances run {}` collects it.\n",
            instance.name,
            polling(&instance.polling),
            context.called(),
            instance.name
        )),
    }
}

fn taken(context: &Context<'_>, name: &InstanceId) -> Failure {
    Failure::Usage(format!(
        "there is an instance {name} already; choose another name, or run `{} instances set {name}`",
        context.called()
    ))
}

/// Describes the missing fields of an instance that is not in the file yet.
fn hint(failure: Failure, name: &InstanceId) -> Failure {
    match failure {
        Failure::Misfits { misfits, .. } => {
            let texts: Vec<String> = misfits.iter().map(Misfit::to_string).collect();
            Failure::Usage(format!(
                "the instance {name} is not complete: {}. The option `--set` sets a field, and `--secret` enters a secret",
                texts.join("; ")
            ))
        }
        other => other,
    }
}

/// Asks for everything that the options leave open.
async fn ask(context: &Context<'_>, args: &Add, instance: &mut Instance, secrets: &mut Entered) -> Result<(), Failure> {
    if instance.description.is_none() {
        instance.description = Some(dialogue::line("Description", Some(""))?).filter(|text| !text.is_empty());
    }
    for field in context
        .integration
        .fields()
        .iter()
        .filter(|field| !instance.config.contains_key(field.name))
        .collect::<Vec<_>>()
    {
        context.console.note(&format!("{}: {}", field.name, field.description));
        if field.masked { ask_secret(field, instance, secrets).await? } else { ask_value(field, instance)? }
    }
    if args.settings.interval.is_none() && instance.polling == Polling::default() {
        instance.polling = ask_polling()?;
    }
    if instance.account_name.is_none() {
        let name = dialogue::line("Value of tag.AccountName of every entity, if they are to be tagged", Some(""))?;
        instance.account_name = Some(name).filter(|text| !text.is_empty());
    }
    Ok(())
}

async fn ask_secret(field: &Field, instance: &mut Instance, secrets: &mut Entered) -> Result<(), Failure> {
    let question = format!("{}, or a reference such as env:NAME or file:PATH", field.name);
    loop {
        let secret = dialogue::secret(&question).await?;
        match secret.expose_secret().is_empty() {
            true if field.optional => return Ok(()),
            true => {}
            false => return entered::accept(field, secret, instance, secrets),
        }
    }
}

fn ask_value(field: &Field, instance: &mut Instance) -> Result<(), Failure> {
    loop {
        let text = dialogue::line(field.name, field.default.or(field.optional.then_some("")))?;
        // A value that equals the default follows the default when that changes.
        if text.is_empty() && field.optional || field.default == Some(text.as_str()) {
            return Ok(());
        }
        if !text.is_empty() {
            let value =
                ConfigValue::of_text(&text).map_err(|error| Failure::Usage(format!("{}: {error}", field.name)))?;
            instance.config.insert(field.name.to_owned(), value);
            return Ok(());
        }
    }
}

fn ask_polling() -> Result<Polling, Failure> {
    let default = PollingInterval::default().name();
    let text = dialogue::line("Polling interval (such as ONE_HOUR or ONE_DAY), or a cron expression", Some(default))?;
    let polling = match Polling::interval(&text) {
        Ok(interval) => Polling::every(interval, PollingTime::default()),
        Err(error) if !text.contains(' ') => return Err(Failure::Usage(error.to_string())),
        Err(_) => {
            let zone = dialogue::line("Time zone", Some("UTC"))?;
            Polling::cron(&text, Some(&zone))
        }
    };
    polling.map_err(|error| Failure::Usage(error.to_string()))
}
