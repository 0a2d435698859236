//! The changes that `--changes-since` selects.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::TryStreamExt;
use integration_sdk::diff::{self, ChangeKind, ChangeOptions, ObjectChange};
use integration_sdk::graph::{ObjectKey, ObjectType, Timestamp};
use integration_sdk::store::{Kind, Selection, Snapshot, SnapshotInfo, Store};
use integration_sink::{Action, ChangeSource, ChangedObject, InstanceChanges, SinkError, SourceOptions};
use integration_store::{GraphReader, ReadError};

use super::acknowledged::{self, Publication, Publications};
use crate::context::Context;
use crate::failure::Failure;
use crate::job_graph::JobGraph;
use crate::job_lookup;
use crate::moment::{self, Moment};

/// The older side of the changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Since {
    /// The last transfer to the target.
    Last,
    /// The newest graph at a time.
    Time(Moment),
    /// The graph of the job with an id that begins so.
    Job(String),
}

/// Parses `last`, a time, or the beginning of the id of a job.
pub(super) fn parse(text: &str) -> Result<Since, String> {
    match text {
        "last" => Ok(Since::Last),
        "" => Err("name `last`, a time, or a job".to_owned()),
        _ => Ok(moment::parse(text).map_or_else(|_| Since::Job(text.to_owned()), Since::Time)),
    }
}

/// Opens the changes of snapshots since the older ones.
pub(super) async fn open(
    context: &Context<'_>,
    store: &Store,
    snapshots: Vec<Snapshot>,
    since: &Since,
    last: Option<&Publications>,
    options: &SourceOptions,
) -> Result<ChangeSource, Failure> {
    if let (Since::Job(_), [_, _, ..]) = (since, snapshots.as_slice()) {
        let message = "a job belongs to one instance; select it with --instance, or name a time";
        return Err(Failure::Usage(message.to_owned()));
    }
    let mut instances = Vec::new();
    for newer in snapshots {
        let older = older(context, store, newer.info(), since, last).await?.map(|info| store.snapshot(info));
        let changes = match &older {
            Some(older) => between(store, older, &newer, options).await?,
            None => all(&newer).await?,
        };
        let reader = |snapshot: Snapshot| Arc::new(snapshot) as Arc<dyn GraphReader>;
        instances.push(InstanceChanges { newer: reader(newer), older: older.map(reader), changes });
    }
    Ok(ChangeSource::open(instances, options).await?)
}

/// Returns the older snapshot of an instance; `None` if the instance had none at that time.
async fn older(
    context: &Context<'_>,
    store: &Store,
    newer: &SnapshotInfo,
    since: &Since,
    last: Option<&Publications>,
) -> Result<Option<SnapshotInfo>, Failure> {
    let snapshots = store.snapshots(&newer.integration, &newer.instance_id).await?;
    let earlier = snapshots.into_iter().filter(|info| info == newer || newer.follows(info));
    let earlier: Vec<SnapshotInfo> = earlier.collect();
    match since {
        Since::Time(at) => Ok(earlier.into_iter().find(|info| info.published <= at.end())),
        Since::Job(wanted) => {
            let ids: Vec<&str> = earlier.iter().map(|info| info.job.as_str()).collect();
            let at = ids.iter().position(|id| id.starts_with(wanted.as_str()));
            let unknown = || Failure::UnknownJob { wanted: wanted.clone(), nearest: None };
            Ok(Some(earlier[at.ok_or_else(unknown)?].clone()))
        }
        Since::Last => {
            let name = acknowledged::instance(&newer.integration, newer.instance_id.as_str());
            let Some(Publication { job, number }) = last.and_then(|known| known.get(&name)) else { return Ok(None) };
            let is_it = |info: &SnapshotInfo| {
                info.job.as_str() == job && store.snapshot((*info).clone()).id().number == *number
            };
            let gone = || {
                Failure::Usage(format!(
                    "the graph that the target contains, of job {job}, is not stored any more; run `{} export` without \
                     --changes-since to transfer everything",
                    context.called()
                ))
            };
            earlier.into_iter().find(|info| is_it(info)).map(Some).ok_or_else(gone)
        }
    }
}

/// Returns the names of the objects that differ between two snapshots.
async fn between(
    store: &Store,
    older: &Snapshot,
    newer: &Snapshot,
    options: &SourceOptions,
) -> Result<Vec<ChangedObject>, Failure> {
    let mut graphs = Vec::new();
    for snapshot in [older, newer] {
        let id = snapshot.info().job.to_string();
        let row = store.job(Some(&id)).await?.ok_or(Failure::UnknownJob { wanted: id, nearest: None })?;
        graphs.push(JobGraph::of(snapshot.clone(), &row).await?);
    }
    let options = ChangeOptions { raw: options.with_raw, ..ChangeOptions::default() };
    let mut changes = Vec::new();
    let add = |change: ObjectChange| changes.extend(named(&change));
    diff::changes(graphs[0].side(), graphs[1].side(), &options, add).await?;
    let confirmed = confirmed(older, newer, &graphs[1].types, &changes).await?;
    changes.extend(confirmed);
    Ok(changes)
}

/// Returns the objects that were stale, and that a later job confirmed without a change.
///
/// A comparison has no change for them, but a target that marks stale objects must remove the mark.
async fn confirmed(
    older: &Snapshot,
    newer: &Snapshot,
    types: &[(ObjectType, Kind)],
    changes: &[ChangedObject],
) -> Result<Vec<ChangedObject>, Failure> {
    let name = |(object_type, key, _): (ObjectType, ObjectKey, Timestamp)| (object_type, key);
    let mut confirmed: BTreeSet<(ObjectType, ObjectKey)> = older.stale_since().await?.into_iter().map(name).collect();
    for (object_type, key, _) in newer.stale_since().await? {
        confirmed.remove(&(object_type, key));
    }
    if confirmed.is_empty() {
        return Ok(Vec::new());
    }
    for change in changes {
        confirmed.remove(&(change.object_type.clone(), change.key.clone()));
    }
    let kinds: BTreeMap<&ObjectType, Kind> = types.iter().map(|(object_type, kind)| (object_type, *kind)).collect();
    let object = |(object_type, key): (ObjectType, ObjectKey)| {
        let kind = *kinds.get(&object_type)?;
        Some(ChangedObject { kind, object_type, key, action: Action::Confirmed })
    };
    Ok(confirmed.into_iter().filter_map(object).collect())
}

fn named(change: &ObjectChange) -> Option<ChangedObject> {
    Some(ChangedObject {
        kind: change.object_kind,
        // Both were names in the store.
        object_type: ObjectType::new(&change.object_type).ok()?,
        key: ObjectKey::stored(&change.key).ok()?,
        action: match change.kind {
            ChangeKind::Added => Action::Added,
            ChangeKind::Changed => Action::Changed,
            ChangeKind::Removed => Action::Removed,
            ChangeKind::Unknown | ChangeKind::Stale => Action::Unknown,
        },
    })
}

/// Returns all objects of the first snapshot of an instance as added.
async fn all(snapshot: &Snapshot) -> Result<Vec<ChangedObject>, Failure> {
    let mut changes = Vec::new();
    let mut batches = snapshot.scan(Selection::default());
    while let Some(batch) = batches.try_next().await.map_err(|error| SinkError::from(ReadError::new(error)))? {
        changes.extend(batch.into_iter().map(|object| ChangedObject {
            kind: object.kind,
            object_type: object.object_type,
            key: object.key,
            action: Action::Added,
        }));
    }
    Ok(changes)
}

/// Returns the summary of the job that published a snapshot.
pub(super) async fn summary(store: &Store, snapshot: &Snapshot) -> Result<integration_sdk::Summary, Failure> {
    let id = snapshot.info().job.to_string();
    let row = store.job(Some(&id)).await?.ok_or(Failure::UnknownJob { wanted: id, nearest: None })?;
    Ok(job_lookup::summary(&row)?.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_side_is_the_last_transfer_a_time_or_a_job() {
        assert_eq!(parse("last"), Ok(Since::Last));
        assert!(matches!(parse("2026-11-01"), Ok(Since::Time(_))));
        assert_eq!(parse("0198f3a2"), Ok(Since::Job("0198f3a2".to_owned())));
        assert!(parse("").is_err());
    }
}
