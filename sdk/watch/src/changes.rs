//! The changes that a rule has not seen yet.
//!
//! A rule sees the changes of each publication, not the difference between two evaluations: a value that changed and
//! changed back in between is two changes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures::TryStreamExt;
use integration_rules::{ChangeKind, ChangeSelection, GraphChange};
use integration_sdk::diff::{self, ChangeOptions, Coverage, ObjectChange, Side};
use integration_sdk::graph::run::ErrorCode;
use integration_sdk::graph::{ObjectKey, ObjectType};
use integration_sdk::store::{Snapshot, SnapshotInfo, Store, StoreError};
use integration_store::{GraphReader, Selection};
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::position::Position;
use crate::state::instance_name;

/// The number of objects that are read together.
const BATCH: usize = 1_000;

/// The positions of a rule, by instance.
type Positions = BTreeMap<String, Position>;

/// The unseen changes of one rule.
#[derive(Debug, Default)]
pub(crate) struct Unseen {
    /// The changes that at least one selection of the rule contains.
    pub(crate) changes: Vec<GraphChange>,
    /// The positions after these changes.
    pub(crate) positions: Positions,
    /// The instances of which changes are lost, because snapshots were pruned.
    pub(crate) lost: Vec<String>,
}

/// Reads changes for several rules. A change that several rules see is read once.
pub(crate) struct ChangeReader<'a> {
    store: &'a Store,
    snapshots: &'a [Snapshot],
    /// The selections of all rules. Other changes are not kept.
    selections: Vec<ChangeSelection>,
    at: Timestamp,
    kept: HashMap<String, Vec<SnapshotInfo>>,
    steps: HashMap<(u64, u64), Arc<Vec<GraphChange>>>,
    stale: Option<Arc<Vec<GraphChange>>>,
}

impl<'a> ChangeReader<'a> {
    pub(crate) fn new(
        store: &'a Store,
        snapshots: &'a [Snapshot],
        selections: Vec<ChangeSelection>,
        at: Timestamp,
    ) -> Self {
        Self { store, snapshots, selections, at, kept: HashMap::new(), steps: HashMap::new(), stale: None }
    }

    /// Returns the changes that a rule with these positions has not seen yet.
    ///
    /// A rule without a position in an instance begins at its current snapshot, and sees no change of it.
    pub(crate) async fn unseen(
        &mut self,
        selections: &[ChangeSelection],
        positions: &Positions,
    ) -> Result<Unseen, StoreError> {
        let mut unseen = Unseen { positions: positions.clone(), ..Unseen::default() };
        let at = self.at;
        let is_selected = |change: &&GraphChange| selections.iter().any(|selection| selection.matches(change, at));
        if selections.iter().any(ChangeSelection::is_about_stale) {
            unseen.changes.extend(self.stale().await?.iter().filter(is_selected).cloned());
        }
        for snapshot in self.snapshots {
            let (id, instance) = (snapshot.id(), instance_name(snapshot.info()));
            let path = match positions.get(&instance) {
                None => vec![snapshot.info().clone()],
                Some(position) if position.is_at(&id) => continue,
                Some(position) => {
                    let way = position.unseen(self.kept(snapshot.info()).await?, &id);
                    unseen.lost.extend(way.has_lost.then(|| instance.clone()));
                    way.path
                }
            };
            for step in path.windows(2) {
                unseen.changes.extend(self.step(&step[0], &step[1]).await?.iter().filter(is_selected).cloned());
            }
            if !path.is_empty() {
                unseen.positions.insert(instance, Position::from(&id));
            }
        }
        Ok(unseen)
    }

    /// Returns the snapshots of an instance that were not pruned, newest first.
    async fn kept(&mut self, info: &SnapshotInfo) -> Result<&[SnapshotInfo], StoreError> {
        let name = instance_name(info);
        if !self.kept.contains_key(&name) {
            let found = self.store.snapshots(&info.integration, &info.instance_id).await?;
            self.kept.insert(name.clone(), found);
        }
        Ok(self.kept.get(&name).map_or(&[], Vec::as_slice))
    }

    /// Returns the changes of one publication.
    async fn step(&mut self, from: &SnapshotInfo, to: &SnapshotInfo) -> Result<Arc<Vec<GraphChange>>, StoreError> {
        let place = (from.number(), to.number());
        if let Some(known) = self.steps.get(&place) {
            return Ok(Arc::clone(known));
        }
        let (older, newer) = (self.store.snapshot(from.clone()), self.store.snapshot(to.clone()));
        let found = Arc::new(self.between(&older, &newer).await?);
        self.steps.insert(place, Arc::clone(&found));
        Ok(found)
    }

    async fn between(&self, older: &Snapshot, newer: &Snapshot) -> Result<Vec<GraphChange>, StoreError> {
        // The gaps of the jobs are not needed, because the publication has decided about every difference.
        let coverage = Coverage::default();
        let (older_types, newer_types) = (older.kinds().await?, newer.kinds().await?);
        let options = ChangeOptions { types: self.types(), ..ChangeOptions::default() };
        let mut found: Vec<ObjectChange> = Vec::new();
        let sides = (
            Side { graph: older, types: &older_types, coverage: &coverage },
            Side { graph: newer, types: &newer_types, coverage: &coverage },
        );
        diff::changes(sides.0, sides.1, &options, |change| found.extend(Some(change).filter(is_observed))).await?;
        let mut changes = Vec::new();
        for batch in found.chunks(BATCH) {
            let mut objects = objects(older, batch, |kind| kind == ChangeKind::Removed).await?;
            objects.extend(self::objects(newer, batch, |kind| kind != ChangeKind::Removed).await?);
            let whole = batch.iter().map(|change| GraphChange {
                kind: change.kind,
                object_kind: change.object_kind,
                object_type: change.object_type.clone(),
                key: change.key.clone(),
                display_name: change.display_name.clone(),
                properties: change.properties.clone(),
                object: objects.remove(&change.key).unwrap_or_default(),
                stale_since: None,
            });
            let is_wanted =
                |change: &GraphChange| self.selections.iter().any(|selection| selection.matches(change, self.at));
            changes.extend(whole.filter(is_wanted));
        }
        Ok(changes)
    }

    /// The types of all selections; empty if one of them selects any type.
    fn types(&self) -> BTreeSet<String> {
        match self.selections.iter().any(|selection| selection.types.is_empty()) {
            true => BTreeSet::new(),
            false => self.selections.iter().flat_map(|selection| selection.types.iter().cloned()).collect(),
        }
    }

    /// Returns the stale objects of all snapshots. Being stale is a state, so each evaluation sees it.
    async fn stale(&mut self) -> Result<Arc<Vec<GraphChange>>, StoreError> {
        if let Some(known) = &self.stale {
            return Ok(Arc::clone(known));
        }
        let types = self.types();
        let mut found = Vec::new();
        for snapshot in self.snapshots {
            let mut since = HashMap::new();
            for (object_type, key, time) in snapshot.stale_since().await? {
                if types.is_empty() || types.contains(object_type.as_str()) {
                    since.entry(object_type).or_insert_with(HashMap::new).insert(key, time);
                }
            }
            for (object_type, since) in since {
                let mut batches = snapshot.scan(Selection::of_type(object_type.clone()));
                while let Some(batch) = batches.try_next().await? {
                    for object in batch {
                        let Some(time) = since.get(&object.key) else { continue };
                        let properties: Map<String, Value> =
                            serde_json::from_str(&object.properties).unwrap_or_default();
                        found.push(GraphChange {
                            kind: ChangeKind::Stale,
                            object_kind: object.kind,
                            object_type: object_type.to_string(),
                            key: object.key.to_string(),
                            display_name: properties.get("displayName").and_then(Value::as_str).map(str::to_owned),
                            properties: Vec::new(),
                            object: properties,
                            stale_since: Timestamp::from_millisecond(time.millis()).ok(),
                        });
                    }
                }
            }
        }
        let found = Arc::new(found);
        self.stale = Some(Arc::clone(&found));
        Ok(found)
    }
}

/// Returns whether a job observed the change. A stale object that a person dropped was not observed to be gone.
fn is_observed(change: &ObjectChange) -> bool {
    let is_dropped = change.gap.as_ref().is_some_and(|gap| gap.code == ErrorCode::Dropped);
    change.kind != ChangeKind::Unknown && !is_dropped
}

/// Returns the properties of changed objects by key.
async fn objects(
    snapshot: &Snapshot,
    changes: &[ObjectChange],
    wants: impl Fn(ChangeKind) -> bool,
) -> Result<BTreeMap<String, Map<String, Value>>, StoreError> {
    let wanted: Vec<(ObjectType, ObjectKey)> = changes
        .iter()
        .filter(|change| wants(change.kind))
        .filter_map(|change| Some((ObjectType::new(&change.object_type).ok()?, ObjectKey::stored(&change.key).ok()?)))
        .collect();
    let found = snapshot.find(wanted).await?;
    let parsed = found.into_iter().flatten().map(|object| {
        let properties = serde_json::from_str(&object.properties).unwrap_or_default();
        (object.key.to_string(), properties)
    });
    Ok(parsed.collect())
}
