//! The walk over two graphs, object by object in the order of types and keys.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph::{ObjectKey, ObjectType};
use crate::store::{Count, Kind, Snapshot, StoreError, Stored};

use super::absent::{Absent, LoneObject, added, removed, source_of};
use super::change::{CoveringGap, GraphSide};
use super::coverage::Coverage;
use super::judge::{self, Change};
use super::pages::Pages;

/// One of the two graphs.
pub struct Side<'a> {
    /// The objects.
    pub graph: &'a Snapshot,
    /// The number of objects of each type.
    pub counts_by_step_and_type: &'a [Count],
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
    for count in [&older, &newer].into_iter().flat_map(|side| side.counts_by_step_and_type) {
        kinds.entry(&count.object_type).or_insert(count.kind);
    }
    let mut walk = Walk {
        older: Half { absent: Absent::from(older.coverage), side: &older },
        newer: Half { absent: Absent::from(newer.coverage), side: &newer },
    };
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

struct Half<'a> {
    side: &'a Side<'a>,
    /// The entities that are missing from this graph.
    absent: Absent<'a>,
}

struct Walk<'a> {
    older: Half<'a>,
    newer: Half<'a>,
}

impl Walk<'_> {
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
            let (older, newer) = (&mut self.older.absent, &mut self.newer.absent);
            let (change, gap) = match (&old, &new) {
                (Some(old), None) => lone(old, |object| removed(object, older, newer)),
                (None, Some(new)) => lone(new, |object| added(object, older, newer)),
                (Some(old), Some(new)) => {
                    let (before, now) = (old.json().joined(), new.json().joined());
                    let judged = judge::explained(object_type.as_str(), &before, &now, older.coverage, newer.coverage);
                    match judged {
                        (Change::Same, _) if new.is_stale => unconfirmed(new, newer),
                        judged => judged,
                    }
                }
                (None, None) => continue,
            };
            visit(Difference { before: old, now: new, change, gap });
        }
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
    judge(&LoneObject { kind: stored.row.kind.into(), object_type, key, parent, ends })
}
