//! The objects that the options of a transfer select.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use integration_query::QueryResult;
use integration_sdk::graph::{ObjectKey, ObjectType, Properties};
use integration_sdk::store::{Snapshot, Store};
use integration_sink::{Scope, SnapshotSource, Source, SourceOptions, Subset};
use integration_store::GraphReader;

use super::acknowledged::Publications;
use super::changes;
use super::transfer_options::TransferOptions;
use crate::account_graph;
use crate::asking::Asking;
use crate::context::Context;
use crate::failure::Failure;
use crate::report::text::list;

/// Opens the source of a transfer.
pub(super) async fn open(
    context: &Context<'_>,
    store: &Store,
    snapshots: Vec<Snapshot>,
    args: &TransferOptions,
    last: Option<&Publications>,
) -> Result<Box<dyn Source>, Failure> {
    let integrations = context.offers.iter().map(|offer| &offer.integration);
    let options = SourceOptions {
        scope: scope(&snapshots, args).await?,
        with_raw: args.raw,
        declared: account_graph::declared_columns(integrations),
    };
    if let Some(since) = &args.changes_since {
        return Ok(Box::new(changes::open(context, store, snapshots, since, last, &options).await?));
    }
    let mut readers: Vec<Arc<dyn GraphReader>> =
        snapshots.into_iter().map(|snapshot| Arc::new(snapshot) as Arc<dyn GraphReader>).collect();
    if let Scope::Query(text) = &options.scope {
        readers = selected(context, store, readers, text, args).await?;
    }
    Ok(Box::new(SnapshotSource::open(readers, &options).await?))
}

async fn scope(snapshots: &[Snapshot], args: &TransferOptions) -> Result<Scope, Failure> {
    if let Some(query) = &args.query {
        return Ok(Scope::Query(query.clone()));
    }
    if args.types.is_empty() {
        return Ok(Scope::All);
    }
    let mut known = BTreeSet::new();
    for snapshot in snapshots {
        known.extend(snapshot.kinds().await?.into_iter().map(|(object_type, _)| object_type));
    }
    let wanted = args.types.iter().map(|name| {
        let found = known.iter().find(|object_type| object_type.as_str() == name.as_str());
        let unknown =
            || Failure::Usage(format!("the graph has no objects of type {name}; the types are: {}", list(&known)));
        found.cloned().ok_or_else(unknown)
    });
    Ok(Scope::Types(wanted.collect::<Result<_, _>>()?))
}

/// Limits readers to the result of a query.
async fn selected(
    context: &Context<'_>,
    store: &Store,
    readers: Vec<Arc<dyn GraphReader>>,
    text: &str,
    args: &TransferOptions,
) -> Result<Vec<Arc<dyn GraphReader>>, Failure> {
    let graph = account_graph::join(store, readers.clone()).await?;
    let answer = Asking::new(context, &[], args.timeout).answer(&graph, text).await?;
    let objects = match answer.result {
        QueryResult::Tree { vertices, edges } => vertices.into_iter().chain(edges),
        QueryResult::List { entities } => entities.into_iter().chain(Vec::new()),
        _ => {
            let message = "the query returns rows, not a part of the graph; end it with RETURN TREE";
            return Err(Failure::Usage(message.to_owned()));
        }
    };
    let mut names: BTreeMap<(String, String), BTreeSet<(ObjectType, ObjectKey)>> = BTreeMap::new();
    for object in objects {
        // A placeholder of a mapped relationship is in no snapshot.
        if let Some((instance, name)) = named(&object) {
            names.entry(instance).or_default().insert(name);
        }
    }
    let subset = |reader: Arc<dyn GraphReader>| {
        let id = reader.id();
        let names = names.remove(&(id.integration, id.instance.to_string())).unwrap_or_default();
        Arc::new(Subset::new(reader, names)) as Arc<dyn GraphReader>
    };
    Ok(readers.into_iter().map(subset).collect())
}

/// Returns the integration and instance of an object in a query result, and its type and key.
fn named(object: &Properties) -> Option<((String, String), (ObjectType, ObjectKey))> {
    let text = |name: &str| object.get(name)?.as_str();
    let name = (ObjectType::new(text("_type")?).ok()?, ObjectKey::stored(text("_key")?).ok()?);
    Some(((text("_integrationType")?.to_owned(), text("_integrationInstanceId")?.to_owned()), name))
}
