//! The account graph of the data directory: the snapshots that a query or a question reads.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use clap::Args;
use integration_instances::Instance;
use integration_query::Catalogue;
use integration_query::graph::{AccountGraph, FileCache, UnpublishedInstance};
use integration_sdk::Integration;
use integration_sdk::graph::{InstanceId, ObjectType};
use integration_sdk::store::{JobRow, JobState, PublishedInstance, Snapshot, Store};
use integration_sink::Columns;
use integration_store::GraphReader;

use crate::account::{Account, Origin};
use crate::context::Context;
use crate::failure::Failure;
use crate::{job_lookup, moment, options};

/// The options that select snapshots.
#[derive(Debug, Args)]
pub(crate) struct Snapshots {
    /// Instance to read; may be repeated [default: all instances]
    #[arg(long, value_name = "NAME", value_parser = options::any_instance)]
    instance: Vec<InstanceId>,
    /// Job whose graph to read [default: the newest job of each instance]
    #[arg(long, value_name = "ID", conflicts_with_all = ["instance", "at"])]
    job: Option<String>,
    /// Read the graphs as they were published at this time, a date or a date with a time, in UTC without an offset
    #[arg(long, value_name = "TIME", value_parser = moment::parse)]
    at: Option<moment::Moment>,
}

impl Snapshots {
    /// Selects the newest graph of these instances, or of all of them; or the graph of a job.
    pub(crate) fn new(instance: Vec<InstanceId>, job: Option<String>) -> Self {
        Self { instance, job, at: None }
    }
}

/// The snapshots that an option or the default selects.
pub(crate) struct Selected {
    pub(crate) store: Store,
    /// The snapshots; there is at least one.
    pub(crate) snapshots: Vec<Snapshot>,
    /// The selected instances whose jobs had published no graph.
    pub(crate) unpublished: Vec<UnpublishedInstance>,
}

/// Opens the selected snapshots as one graph.
pub(crate) async fn open(context: &Context<'_>, wanted: &Snapshots) -> Result<AccountGraph, Failure> {
    let Selected { store, snapshots, unpublished } = snapshots(context, wanted).await?;
    let readers = snapshots.into_iter().map(|snapshot| Arc::new(snapshot) as Arc<dyn GraphReader>).collect();
    Ok(join(&store, readers).await?.with_unpublished(unpublished))
}

/// Opens snapshots of a store as one graph.
pub(crate) async fn join(store: &Store, readers: Vec<Arc<dyn GraphReader>>) -> Result<AccountGraph, Failure> {
    let indexes = Arc::new(FileCache::new(store.derived_folder()));
    Ok(AccountGraph::open_cached(readers, indexes).await?)
}

/// Returns the selected snapshots.
pub(crate) async fn snapshots(context: &Context<'_>, wanted: &Snapshots) -> Result<Selected, Failure> {
    let data_dir = &context.globals.data_dir;
    match &wanted.job {
        Some(job) => {
            let (store, _, snapshot) = job_lookup::find_graph(data_dir, context.integration.id(), Some(job)).await?;
            Ok(Selected { store, snapshots: vec![snapshot], unpublished: Vec::new() })
        }
        None => {
            let no_jobs = || Failure::NoJobs(data_dir.clone());
            let store = job_lookup::store(data_dir)?.ok_or_else(no_jobs)?;
            let published = store.published_instances().await?;
            let selected = context.globals.integration.as_deref();
            if let Some(absent) = selected.filter(|id| !published.iter().any(|of| of.integration == *id)) {
                return Err(Failure::NoGraph { integration: absent.to_owned() });
            }
            let instances = select(published, &wanted.instance)?;
            let snapshots = newest(&store, instances, wanted.at).await?;
            if let (true, Some(_)) = (snapshots.is_empty(), wanted.at) {
                return Err(Failure::Usage(
                    "no instance had published a graph at that time; `jobs list` shows the times".to_owned(),
                ));
            }
            let configured = match wanted.at {
                Some(_) => Vec::new(),
                None => configured(data_dir, context.offers.first().id()),
            };
            let unpublished = unpublished(&store, &snapshots, wanted, configured).await?;
            if snapshots.is_empty() {
                return Err(match unpublished.into_iter().next() {
                    Some(UnpublishedInstance { integration, .. }) => Failure::NoGraph { integration },
                    None => no_jobs(),
                });
            }
            Ok(Selected { store, snapshots, unpublished })
        }
    }
}

/// Returns the newest snapshots that a query without a selection reads, and the instances without one. There may be none.
///
/// Configured instances without an integration belong to `integration`.
pub(crate) async fn all(
    store: &Store,
    data_dir: &Path,
    integration: &str,
) -> Result<(Vec<Snapshot>, Vec<UnpublishedInstance>), Failure> {
    let snapshots = newest(store, select(store.published_instances().await?, &[])?, None).await?;
    let wanted = Snapshots::new(Vec::new(), None);
    let unpublished = unpublished(store, &snapshots, &wanted, configured(data_dir, integration)).await?;
    Ok((snapshots, unpublished))
}

/// Returns the instances of `instances.yaml`. A query does not depend on the file, so damage to it is only logged.
fn configured(data_dir: &Path, integration: &str) -> Vec<Instance> {
    let found = integration_instances::read(data_dir, integration);
    found.inspect_err(|error| tracing::warn!(%error, "the configured instances are not known")).unwrap_or_default()
}

/// Returns the selected instances that are configured or have jobs, but have no graph at the selected time.
///
/// Sample and recorded data of an integration are expected only if it has no other.
async fn unpublished(
    store: &Store,
    snapshots: &[Snapshot],
    wanted: &Snapshots,
    configured: Vec<Instance>,
) -> Result<Vec<UnpublishedInstance>, Failure> {
    let jobs = store.jobs_without_graph(wanted.at.map(|at| at.end())).await?;
    let is_collected = |integration: &str| snapshots.iter().any(|snapshot| snapshot.id().integration == integration);
    let is_wanted = |integration: &str, instance: &InstanceId| match wanted.instance.as_slice() {
        [] => Account::of(instance).origin == Origin::Provider || !is_collected(integration),
        names => names.contains(instance),
    };
    let of_job = |job: JobRow| UnpublishedInstance {
        cause: without_graph(&job),
        integration: job.integration,
        instance: job.instance,
    };
    let mut found: Vec<UnpublishedInstance> =
        jobs.into_iter().filter(|job| is_wanted(&job.integration, &job.instance)).map(of_job).collect();
    for Instance { integration, name: instance, .. } in configured {
        let has_graph =
            snapshots.iter().map(GraphReader::id).any(|id| id.integration == integration && id.instance == instance);
        let is_known = found.iter().any(|known| known.integration == integration && known.instance == instance);
        if is_wanted(&integration, &instance) && !has_graph && !is_known {
            let cause = "it is configured, but no job could begin".to_owned();
            found.push(UnpublishedInstance { integration, instance, cause });
        }
    }
    Ok(found)
}

/// The reason why the newest job of an instance without a graph has none.
fn without_graph(job: &JobRow) -> String {
    let error = || Some(job.summary.as_ref()?.as_ref().ok()?.error.as_ref()?.message.clone());
    match job.state {
        JobState::Running => "its job is still running".to_owned(),
        JobState::Interrupted => "its job was interrupted".to_owned(),
        _ => error().unwrap_or_else(|| "no job has published one".to_owned()),
    }
}

/// Selects instances by name. Without a name, sample and recorded data of an integration count only if it has no others.
fn select(all: Vec<PublishedInstance>, names: &[InstanceId]) -> Result<Vec<PublishedInstance>, Failure> {
    if let Some(unknown) = names.iter().find(|name| !all.iter().any(|found| found.instance == **name)) {
        let known: BTreeSet<&str> = all.iter().map(|found| found.instance.as_str()).collect();
        let known = known.into_iter().collect::<Vec<_>>().join(", ");
        return Err(Failure::Usage(format!(
            "no job of the instance {unknown} has published a graph; the instances are: {known}"
        )));
    }
    if !names.is_empty() {
        return Ok(all.into_iter().filter(|found| names.contains(&found.instance)).collect());
    }
    let is_real = |found: &PublishedInstance| Account::of(&found.instance).origin == Origin::Provider;
    let with_real: BTreeSet<String> =
        all.iter().filter(|found| is_real(found)).map(|found| found.integration.clone()).collect();
    Ok(all.into_iter().filter(|found| is_real(found) || !with_real.contains(&found.integration)).collect())
}

async fn newest(
    store: &Store,
    instances: Vec<PublishedInstance>,
    at: Option<moment::Moment>,
) -> Result<Vec<Snapshot>, Failure> {
    let mut snapshots = Vec::new();
    for PublishedInstance { integration, instance } in instances {
        let found = store.snapshots(&integration, &instance).await?;
        let newest = found.into_iter().find(|info| at.is_none_or(|at| info.published <= at.end()));
        snapshots.extend(newest.map(|info| store.snapshot(info)));
    }
    Ok(snapshots)
}

/// Returns the names that integrations declare, so that a query may mention them before any object has them.
pub(crate) fn catalogue<'a>(integrations: impl Iterator<Item = &'a Integration>) -> Catalogue {
    let mut catalogue = Catalogue::default();
    let declarations = integrations.flat_map(|of| of.steps().iter().map(|step| (of.id(), step.declaration())));
    for (integration, declaration) in declarations {
        for declared in &declaration.entities {
            let entry = catalogue.entities.entry(declared.object_type.to_string()).or_default();
            entry.integrations.insert(integration.to_owned());
            entry.classes.extend(declared.classes.iter().map(ToString::to_string));
            entry.properties.extend(properties(&declared.schema));
        }
        for declared in &declaration.relationships {
            let entry = catalogue.relationships.entry(declared.object_type.to_string()).or_default();
            entry.integrations.insert(integration.to_owned());
            entry.classes.insert(declared.class.to_string());
            entry.properties.extend(properties(&declared.schema));
            entry.ends.insert((declared.from.to_string(), declared.to.to_string()));
        }
        for declared in &declaration.mapped_relationships {
            let entry = catalogue.relationships.entry(declared.object_type.to_string()).or_default();
            entry.integrations.insert(integration.to_owned());
            entry.classes.insert(declared.class.to_string());
        }
    }
    catalogue
}

/// Returns the properties that integrations declare for their types, so that tables have columns for all of them.
pub(crate) fn declared_columns<'a>(
    integrations: impl Iterator<Item = &'a Integration>,
) -> BTreeMap<ObjectType, Columns> {
    let mut columns = BTreeMap::<ObjectType, Columns>::new();
    for declaration in integrations.flat_map(Integration::steps).map(|step| step.declaration()) {
        let entities = declaration.entities.iter().map(|declared| (&declared.object_type, &declared.schema));
        let relationships = declaration.relationships.iter().map(|declared| (&declared.object_type, &declared.schema));
        for (object_type, schema) in entities.chain(relationships) {
            columns.entry(object_type.clone()).or_default().declare(schema);
        }
    }
    columns
}

fn properties(schema: &serde_json::Value) -> impl Iterator<Item = String> {
    schema["properties"].as_object().into_iter().flat_map(|names| names.keys().cloned())
}
