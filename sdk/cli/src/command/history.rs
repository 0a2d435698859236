//! `history`: the versions of one object.

use clap::Args;
use integration_sdk::diff::ObjectHistory;
use integration_sdk::graph::{InstanceId, ObjectKey};

use crate::brief::cut;
use crate::context::Context;
use crate::failure::Failure;
use crate::offer::Offer;
use crate::options::{self, Format};
use crate::report::history;
use crate::visible::visible;
use crate::{console, exit, job_lookup};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  {name} history 01234567-89ab-cdef-0123-456789abcdef     show when the object was first seen, changed, and removed
  {name} history KEY --instance east                      look in this instance
  {name} history KEY --format json                        write one JSON document

KEY is the property _key of an entity or a relationship, as `diff` prints it. A job that could not collect the object because \
of a gap leaves it in the graph; the object is stale until a later job collects it or observes its removal.")]
pub(crate) struct History {
    /// Key of the object
    #[arg(value_name = "KEY", value_parser = key)]
    key: ObjectKey,
    /// Instance that the object belongs to [default: the newest one that contains it]
    #[arg(long, value_name = "NAME", value_parser = options::instance)]
    instance: Option<InstanceId>,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// The maximum width of the names of other instances, in columns.
const NAMES: usize = 200;

fn key(text: &str) -> Result<ObjectKey, String> {
    ObjectKey::new(text).map_err(|error| error.to_string())
}

pub(crate) async fn run(context: &Context<'_>, args: &History) -> Result<u8, Failure> {
    let data_dir = &context.globals.data_dir;
    let no_jobs = || Failure::NoJobs(data_dir.clone());
    let store = job_lookup::store(data_dir)?.ok_or_else(no_jobs)?;
    let selected = context.globals.integration.as_deref();
    let integrations =
        context.offers.iter().map(Offer::id).filter(|id| selected.is_none_or(|selected| selected == *id));
    let mut instances = Vec::new();
    for integration in integrations {
        instances.extend(store.instances(integration).await?.into_iter().map(|instance| (integration, instance)));
    }
    if instances.is_empty() {
        return Err(no_jobs());
    }
    instances.retain(|(_, instance)| args.instance.as_ref().is_none_or(|wanted| wanted == instance));
    let mut instances = instances.into_iter();
    while let Some((integration, instance)) = instances.next() {
        let versions = store.versions(integration, &instance, args.key.clone()).await?;
        let Some(found) = ObjectHistory::of(instance, &versions) else { continue };
        match args.format {
            Format::Json => context.print_json(&found)?,
            Format::Text => context.print(&history::text(&found, console::width()))?,
        }
        // The first search in an instance sorts its versions, so the others are not searched for a remark.
        let others = instances.filter(|(of, _)| *of == integration);
        let others: Vec<String> = others.map(|(_, instance)| visible(instance.as_str())).collect();
        if !others.is_empty() {
            let shown = cut(&others.join(", "), NAMES);
            context.console.note(&format!("Not searched: {shown}. Use --instance to see the history in one of them."));
        }
        return Ok(exit::SUCCESS);
    }
    Err(Failure::UnknownKey { key: args.key.to_string(), instance: args.instance.clone() })
}
