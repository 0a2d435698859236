//! The changes of each instance since the rules were evaluated last.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use integration_query::graph::{AccountGraph, GraphError};
use integration_rules::GraphChange;
use integration_sdk::diff::{self, ChangeKind, ChangeOptions, ObjectChange, ObjectKind};
use integration_sdk::graph::{ObjectKey, ObjectType};
use integration_sdk::store::{Snapshot, Store};
use integration_store::{GraphReader, Selection, SnapshotId, StoredObject};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::alert_book::AlertBook;
use crate::context::Context;
use crate::failure::Failure;
use crate::job_graph::JobGraph;
use crate::job_lookup;
use crate::style::printable;

/// Returns the changes since the last evaluation, and notes the current jobs in the book.
///
/// The first evaluation of an instance sees no changes: it is the baseline. Changes are read only if they are `wanted`,
/// because that costs a comparison of two graphs.
pub(super) async fn since_last(
    context: &Context<'_>,
    graph: &AccountGraph,
    book: &mut AlertBook,
    wanted: bool,
) -> Result<Vec<GraphChange>, Failure> {
    let mut changes = Vec::new();
    let Some(store) = job_lookup::store(&context.globals.data_dir)? else { return Ok(changes) };
    for snapshot in graph.snapshots() {
        let instance = format!("{}/{}", snapshot.integration, snapshot.instance.as_str());
        let newest = snapshot.job.to_string();
        if wanted {
            changes.extend(stale(&store, snapshot).await?);
        }
        let last = book.content.evaluated.insert(instance.clone(), newest.clone());
        let Some(last) = last.filter(|last| *last != newest) else { continue };
        let (Some(older), Some(newer)) = (graph_of(&store, &last).await?, graph_of(&store, &newest).await?) else {
            context.console.warn(&format!(
                "The graph of job {} was pruned, so the changes of {} since then are unknown.",
                job_lookup::short(&last),
                printable(&instance)
            ));
            continue;
        };
        if wanted {
            changes.extend(between(&older, &newer).await?);
        }
    }
    Ok(changes)
}

/// Returns the stale objects of a snapshot. Being stale is a state, so each evaluation sees it.
async fn stale(store: &Store, id: &SnapshotId) -> Result<Vec<GraphChange>, Failure> {
    let Some(graph) = graph_of(store, id.job.as_str()).await? else { return Ok(Vec::new()) };
    let counts = graph.snapshot.types().await.map_err(GraphError::from)?;
    let mut found = Vec::new();
    for of_type in counts.into_iter().filter(|count| count.stale > 0) {
        let mut batches = graph.snapshot.scan(Selection::of_type(of_type.object_type));
        while let Some(batch) = batches.try_next().await? {
            for object in batch.into_iter().filter(|object| object.is_stale) {
                found.push(stale_change(store, id, object).await?);
            }
        }
    }
    Ok(found)
}

async fn stale_change(store: &Store, id: &SnapshotId, object: StoredObject) -> Result<GraphChange, Failure> {
    let versions = store.versions(&id.integration, &id.instance, object.key.clone()).await?;
    let since = versions.iter().flat_map(|version| &version.stale).rfind(|period| period.until.is_none());
    let properties: Map<String, Value> = serde_json::from_str(&object.properties).unwrap_or_default();
    let json = json!({
        "kind": "stale",
        "objectKind": ObjectKind::from(object.kind),
        "type": object.object_type,
        "key": object.key,
        "displayName": properties.get("displayName").and_then(Value::as_str),
        "properties": [],
    });
    let change: GraphChange = serde_json::from_value(json).map_err(|error| Failure::Stdout(error.into()))?;
    let stale_since = since.and_then(|period| Timestamp::from_millisecond(period.since.published.millis()).ok());
    Ok(GraphChange { object: properties, stale_since, ..change })
}

/// Returns the graph of a job, if the job and its graph still exist.
async fn graph_of(store: &Store, job: &str) -> Result<Option<JobGraph>, Failure> {
    let Some(row) = store.job(Some(job)).await? else { return Ok(None) };
    match store.snapshot_of(&row).await? {
        Some(snapshot) => JobGraph::of(snapshot, &row).await.map(Some),
        None => Ok(None),
    }
}

async fn between(older: &JobGraph, newer: &JobGraph) -> Result<Vec<GraphChange>, Failure> {
    let mut found: Vec<ObjectChange> = Vec::new();
    diff::changes(older.side(), newer.side(), &ChangeOptions::default(), |change| found.push(change)).await?;
    found.retain(|change| change.kind != ChangeKind::Unknown);
    let (removed, present): (Vec<_>, Vec<_>) = found.iter().partition(|change| change.kind == ChangeKind::Removed);
    let mut objects = objects(&older.snapshot, &removed).await?;
    objects.extend(self::objects(&newer.snapshot, &present).await?);
    let converted = found.into_iter().map(|change| {
        let key = change.key.clone();
        let json = serde_json::to_value(change).and_then(serde_json::from_value::<GraphChange>);
        json.map(|change| match objects.remove(&key) {
            Some(Value::Object(object)) => GraphChange { object, ..change },
            _ => change,
        })
    });
    converted.collect::<Result<_, _>>().map_err(|error| Failure::Stdout(error.into()))
}

/// Returns the properties of changed objects by key.
async fn objects(snapshot: &Snapshot, changes: &[&ObjectChange]) -> Result<BTreeMap<String, Value>, Failure> {
    let wanted: Vec<(ObjectType, ObjectKey)> = changes
        .iter()
        .filter_map(|change| Some((ObjectType::new(&change.object_type).ok()?, ObjectKey::stored(&change.key).ok()?)))
        .collect();
    let found = snapshot.objects(wanted).await.map_err(GraphError::from)?;
    let parsed = found.into_iter().flatten().map(|object| {
        let properties = serde_json::from_str(&object.properties).unwrap_or_default();
        (object.key.to_string(), properties)
    });
    Ok(parsed.collect())
}
