//! The walk over two graphs, object by object in the order of types and keys.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph::{ObjectKey, ObjectType};
use crate::store::{Dropped, Kind, Snapshot, StoreError, Stored};

use super::absent::{Absent, LoneObject, added, removed, source_of};
use super::change::{CoveringGap, GraphSide};
use super::coverage::Coverage;
use super::judge::{self, Change};
use super::pages::Pages;

/// The maximum number of differing objects that are read one by one: their keys take about 30 MB.
///
/// A walk over both graphs reads each object from another page of the file, so it costs as much for each object of a
/// graph as this way costs for each different one.
const FEW: usize = 200_000;
/// The number of objects in memory.
const AT_ONCE: usize = 500;

/// One of the two graphs.
pub struct Side<'a> {
    /// The objects.
    pub graph: &'a Snapshot,
    /// The types of the objects.
    pub types: &'a [(ObjectType, Kind)],
    /// The gaps of the job.
    pub coverage: &'a Coverage,
}

/// An object of one or both graphs, with its change.
#[derive(Debug, Clone)]
pub struct Difference {
    /// The object in the older graph.
    pub before: Option<Stored>,
    /// The object in the newer graph.
    pub now: Option<Stored>,
    /// The change.
    pub change: Change,
    /// The gap that explains the difference or a part of it, and the graph with the gap.
    pub gap: Option<(CoveringGap, GraphSide)>,
}

/// Compares two graphs and passes every object of either one to `visit`.
///
/// Entities come before relationships, and each type is in key order. Types that `wanted` rejects are skipped.
///
/// # Errors
/// [`StoreError`] if a store fails.
pub async fn compare(
    older: Side<'_>,
    newer: Side<'_>,
    wanted: impl Fn(&ObjectType) -> bool,
    mut visit: impl FnMut(Difference),
) -> Result<(), StoreError> {
    let mut kinds: BTreeMap<&ObjectType, Kind> = BTreeMap::new();
    for (object_type, kind) in [&older, &newer].into_iter().flat_map(|side| side.types) {
        kinds.entry(object_type).or_insert(*kind);
    }
    let mut walk = Walk::between(&older, &newer).await?;
    let types: BTreeSet<(Kind, &ObjectType)> = kinds.into_iter().map(|(name, kind)| (kind, name)).collect();
    for (kind, object_type) in types {
        // The absence of an entity determines the change of its relationships, so entities are compared even if they
        // are not visited.
        if kind == Kind::Entity || wanted(object_type) {
            let shown = wanted(object_type);
            walk.of_type(object_type, &mut |difference| {
                if shown {
                    visit(difference)
                }
            })
            .await?;
        }
    }
    Ok(())
}

/// Compares two graphs as [`compare`] does, but leaves out objects that are certainly the same.
///
/// Snapshots of one instance share the versions of unchanged objects. If few objects differ, only those are read.
pub(super) async fn compare_changed(
    older: Side<'_>,
    newer: Side<'_>,
    wanted: impl Fn(&ObjectType) -> bool,
    mut visit: impl FnMut(Difference),
) -> Result<(), StoreError> {
    let Some(differing) = newer.graph.differing_from(older.graph.info(), FEW).await? else {
        return compare(older, newer, wanted, visit).await;
    };
    let mut walk = Walk::between(&older, &newer).await?;
    for some in differing.chunks(AT_ONCE) {
        let keys = || some.iter().map(|(_, object_type, key)| (object_type.clone(), key.clone())).collect();
        let (before, now) = (older.graph.stored(keys()).await?, newer.graph.stored(keys()).await?);
        for ((_, object_type, _), (old, new)) in some.iter().zip(before.into_iter().zip(now)) {
            if let Some(difference) = walk.judge(object_type, old, new).filter(|_| wanted(object_type)) {
                visit(difference);
            }
        }
    }
    Ok(())
}

struct Half<'a> {
    side: &'a Side<'a>,
    /// The entities that are missing from this graph.
    absent: Absent<'a>,
}

struct Walk<'a> {
    older: Half<'a>,
    newer: Half<'a>,
    /// The objects that a user dropped in between, if the newer graph follows the older one in its instance.
    published: Option<BTreeMap<(ObjectType, ObjectKey), Dropped>>,
}

impl<'a> Walk<'a> {
    async fn between(older: &'a Side<'a>, newer: &'a Side<'a>) -> Result<Self, StoreError> {
        let half = |side: &'a Side<'a>| Half { absent: Absent::from(side.coverage), side };
        let earlier = older.graph.info();
        let published = match newer.graph.info().follows(earlier) {
            true => Some(newer.graph.dropped_since(earlier).await?),
            false => None,
        };
        Ok(Self { older: half(older), newer: half(newer), published })
    }

    async fn of_type(
        &mut self,
        object_type: &ObjectType,
        visit: &mut (impl FnMut(Difference) + ?Sized),
    ) -> Result<(), StoreError> {
        let mut before = Pages::of(self.older.side.graph, object_type);
        let mut now = Pages::of(self.newer.side.graph, object_type);
        loop {
            let keys = (before.peek().await?.map(|old| &old.row.key), now.peek().await?.map(|new| &new.row.key));
            let (takes_old, takes_new) = match keys {
                (None, None) => return Ok(()),
                (Some(old), Some(new)) => (old <= new, new <= old),
                (old, new) => (old.is_some(), new.is_some()),
            };
            let old = if takes_old { before.take() } else { None };
            let new = if takes_new { now.take() } else { None };
            if let Some(difference) = self.judge(object_type, old, new) {
                visit(difference);
            }
        }
    }

    /// Judges an object of one or both graphs. Entities must come before relationships.
    fn judge(&mut self, object_type: &ObjectType, old: Option<Stored>, new: Option<Stored>) -> Option<Difference> {
        let (older, newer) = (&mut self.older.absent, &mut self.newer.absent);
        let (change, gap) = match (&old, &new, &self.published) {
            (Some(old), None, Some(dropped)) => {
                let reason = dropped.get(&(object_type.clone(), old.row.key.clone())).map(CoveringGap::dropped);
                (Change::Removed, reason.map(|reason| (reason, GraphSide::To)))
            }
            (None, Some(_), Some(_)) => (Change::Added, None),
            (Some(old), None, None) => lone(old, |object| removed(object, older, newer)),
            (None, Some(new), None) => lone(new, |object| added(object, older, newer)),
            (Some(old), Some(new), published) => {
                let (before, now) = (old.json().joined(), new.json().joined());
                let judged = match published.is_some() {
                    true => (judge::published(&before, &now), None),
                    false => judge::explained(object_type.as_str(), &before, &now, older.coverage, newer.coverage),
                };
                match judged {
                    (Change::Same, _) if new.is_stale => unconfirmed(new, newer),
                    judged => judged,
                }
            }
            (None, None, _) => return None,
        };
        Some(Difference { before: old, now: new, change, gap })
    }
}

/// Judges an object of both graphs that the newer job could not confirm.
fn unconfirmed(now: &Stored, newer: &Absent<'_>) -> judge::Judged {
    let gap = lone(now, |object| newer.coverage.covering(object.object_type, &object.related()));
    (Change::Unknown, gap.map(|gap| (gap, GraphSide::To)))
}

/// Calls `judge` with an object that only one graph contains.
fn lone<T>(stored: &Stored, judge: impl FnOnce(&LoneObject<'_>) -> T) -> T {
    let source;
    let ends = match (&stored.row.ends, stored.row.kind) {
        (Some((from, to)), _) => [Some(from.as_str()), Some(to.as_str())],
        (None, Kind::MappedRelationship) => {
            source = source_of(&stored.properties);
            [source.as_deref(), None]
        }
        (None, _) => [None, None],
    };
    let (object_type, key) = (stored.row.object_type.as_str(), stored.row.key.as_str());
    let parent = stored.row.parent.as_ref().map(ObjectKey::as_str);
    judge(&LoneObject { kind: stored.row.kind, object_type, key, parent, ends })
}
