//! Publications over full copies of graphs.
//!
//! A store on a disk keeps versions and their differences. This module computes the same snapshots from two complete
//! graphs, which is slower and easier to verify: the store in memory uses it, and the conformance suite compares other
//! stores with it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use integration_graph::history::{ChangeCounts, Published, StaleObjects};
use integration_graph::{ObjectKey, ObjectType, StepId, Timestamp};
use serde_json::Value;

use crate::rules::{self, Collected, Effect, decide};
use crate::{Kind, Publication, StoreError, StoredObject};

/// An object with the columns that a snapshot keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) object: StoredObject,
    pub(crate) class: Arc<str>,
}

/// The objects of a snapshot. A key belongs to one type at a time.
pub(crate) type Graph = BTreeMap<ObjectKey, Version>;

/// The graph of an instance with the times at which its objects were published first.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    pub(crate) newest: Arc<Graph>,
    created: HashMap<(ObjectType, ObjectKey), Timestamp>,
}

impl History {
    /// Publishes the objects that a job collected; returns the changes.
    ///
    /// The collected objects receive the properties that only a gap explains to be missing.
    pub(crate) fn publish(
        &mut self,
        collected: &mut Graph,
        publication: &Publication,
        now: Timestamp,
    ) -> Result<Published, StoreError> {
        let before = Arc::clone(&self.newest);
        let mut next = Next { before: &before, publication, changes: BTreeMap::new(), stale: BTreeMap::new() };
        let (mut after, mut gone) = (Graph::new(), HashSet::new());
        for (key, version) in &mut *collected {
            let published = next.settle(version, before.get(key), now, &mut gone)?;
            let name = (published.object.object_type.clone(), key.clone());
            let created = *self.created.entry(name).or_insert(now);
            let object = StoredObject { created, ..published.object };
            after.insert(key.clone(), Version { object, ..published });
        }
        next.keep_covered(collected, &mut after, gone)?;
        let Next { mut changes, stale, .. } = next;
        changes.retain(|_, counts| *counts != ChangeCounts::default());
        let stale = stale.into_iter().map(|((object_type, gap), count)| StaleObjects {
            object_type,
            count,
            gap: publication.gaps[gap].clone(),
        });
        self.newest = Arc::new(after);
        Ok(Published { previous: None, changes, stale: stale.collect() })
    }
}

impl History {
    /// Drops the stale objects, and the relationships of dropped entities. Returns the number of dropped objects.
    pub(crate) fn drop_stale(&mut self) -> Result<usize, StoreError> {
        let is_stale = |key: &ObjectKey| self.newest.get(key).is_some_and(|version| version.object.is_stale);
        let mut kept = Graph::new();
        for (key, version) in self.newest.iter().filter(|(key, _)| !is_stale(key)) {
            if !ends_of(version.object.kind, version.object.ends.as_ref(), &version.object.properties)?
                .iter()
                .any(is_stale)
            {
                kept.insert(key.clone(), version.clone());
            }
        }
        let dropped = self.newest.len() - kept.len();
        self.newest = Arc::new(kept);
        Ok(dropped)
    }
}

/// A publication at work.
struct Next<'a> {
    before: &'a Graph,
    publication: &'a Publication,
    changes: BTreeMap<ObjectType, ChangeCounts>,
    /// The numbers of stale objects by type and position of the gap.
    stale: BTreeMap<(ObjectType, usize), u64>,
}

impl Next<'_> {
    fn note(&mut self, object_type: &ObjectType, effect: Effect) {
        effect.count(self.changes.entry(object_type.clone()).or_default());
    }

    /// Compares a collected object with the version of its key, and returns the next version.
    fn settle(
        &mut self,
        now: &mut Version,
        before: Option<&Version>,
        at: Timestamp,
        gone: &mut HashSet<ObjectKey>,
    ) -> Result<Version, StoreError> {
        let next = |now: &Version, step: StepId, began: Timestamp| Version {
            object: StoredObject { step, began, created: at, is_stale: false, ..now.object.clone() },
            class: Arc::clone(&now.class),
        };
        let object_type = now.object.object_type.clone();
        let Some(before) = before else {
            self.note(&object_type, decide(Some(Collected::New), None));
            return Ok(next(now, now.object.step.clone(), at));
        };
        let former = &before.object.object_type;
        if *former == object_type && self.publication.lacking_properties.contains(&object_type) {
            let completed = rules::with_missing_properties(&before.object.properties, &now.object.properties);
            if let Some(properties) = completed.map_err(corrupt)? {
                now.object.properties = properties;
            }
        }
        let effect = decide(Some(compared(before, now)), None);
        if *former == object_type {
            self.note(&object_type, effect);
        } else {
            // The changes are counted by type, and the relationships of the former entity go with it.
            self.note(former, Effect::Removed);
            self.note(&object_type, Effect::Added);
            gone.insert(now.object.key.clone());
        }
        if effect != Effect::Confirmed {
            return Ok(next(now, now.object.step.clone(), at));
        }
        let keeps_step = self.publication.keeps_step(&before.object.step, &object_type);
        let step = if keeps_step { &before.object.step } else { &now.object.step };
        Ok(next(now, step.clone(), before.object.began))
    }

    /// Keeps the versions that were not collected and that a gap covers.
    ///
    /// Entities come first, because the removal of an entity decides about its relationships.
    fn keep_covered(
        &mut self,
        collected: &Graph,
        after: &mut Graph,
        mut gone: HashSet<ObjectKey>,
    ) -> Result<(), StoreError> {
        let missing = || self.before.iter().filter(|(key, _)| !collected.contains_key(*key));
        let (entities, relationships): (Vec<_>, Vec<_>) =
            missing().partition(|(_, version)| version.object.kind == Kind::Entity);
        for (key, version) in entities {
            let gap = match self.gap_of(version) {
                None if self.publication.may_hide(&version.object.object_type) => {
                    self.gap_of_relationships(key, &version.object.object_type, &relationships)?
                }
                gap => gap,
            };
            if !self.keep(key, version, gap, after) {
                gone.insert(key.clone());
            }
        }
        for (key, version) in relationships {
            let lacks_end = ends_of(version.object.kind, version.object.ends.as_ref(), &version.object.properties)?
                .iter()
                .any(|end| gone.contains(end));
            let gap = self.gap_of(version).filter(|_| !lacks_end);
            self.keep(key, version, gap, after);
        }
        Ok(())
    }

    fn gap_of(&self, version: &Version) -> Option<usize> {
        let parents = self.parents(version.object.parent.as_ref());
        self.publication.covering(&version.object.object_type, &parents)
    }

    /// Returns the first gap that covers one of the missing relationships of an entity, and its type.
    fn gap_of_relationships(
        &self,
        key: &ObjectKey,
        object_type: &ObjectType,
        missing: &[(&ObjectKey, &Version)],
    ) -> Result<Option<usize>, StoreError> {
        let mut first: Option<usize> = None;
        for (_, Version { object, .. }) in missing {
            if ends_of(object.kind, object.ends.as_ref(), &object.properties)?.contains(key) {
                let parents = self.parents(object.parent.as_ref());
                let gap = self.publication.covering_end(object_type, &object.object_type, &parents);
                first = first.into_iter().chain(gap).min();
            }
        }
        Ok(first)
    }

    fn keep(&mut self, key: &ObjectKey, version: &Version, gap: Option<usize>, after: &mut Graph) -> bool {
        let object_type = &version.object.object_type;
        let effect = decide(None, gap);
        self.note(object_type, effect);
        let Effect::Stale(gap) = effect else { return false };
        *self.stale.entry((object_type.clone(), gap)).or_default() += 1;
        let object = StoredObject { is_stale: true, ..version.object.clone() };
        after.insert(key.clone(), Version { object, class: Arc::clone(&version.class) });
        true
    }

    /// Returns a parent, the parent of that entity in the previous snapshot, and so on.
    fn parents(&self, first: Option<&ObjectKey>) -> Vec<ObjectKey> {
        let mut parents: Vec<ObjectKey> = first.into_iter().cloned().collect();
        while let Some(next) = parents.last().and_then(|last| self.before.get(last)?.object.parent.clone())
            && !parents.contains(&next)
        {
            parents.push(next);
        }
        parents
    }
}

fn compared(before: &Version, now: &Version) -> Collected {
    let content = |version: &Version| {
        let StoredObject { kind, object_type, ends, properties, .. } = version.object.clone();
        (kind, object_type, Arc::clone(&version.class), ends, properties)
    };
    Collected::compared(content(before) == content(now), before.object.raw == now.object.raw)
}

/// Returns the keys of the entities that a relationship connects, without targets of other integrations.
pub(crate) fn ends_of(
    kind: Kind,
    ends: Option<&(ObjectKey, ObjectKey)>,
    properties: &str,
) -> Result<Vec<ObjectKey>, StoreError> {
    if let Some((from, to)) = ends {
        return Ok(vec![from.clone(), to.clone()]);
    }
    if kind != Kind::MappedRelationship {
        return Ok(Vec::new());
    }
    let properties: Value = serde_json::from_str(properties).map_err(corrupt)?;
    let source = properties["_mapping"]["sourceEntityKey"].as_str();
    let source = source.map(ObjectKey::stored).transpose();
    Ok(source.map_err(|error| StoreError::Corrupt(error.to_string()))?.into_iter().collect())
}

pub(crate) fn corrupt(error: serde_json::Error) -> StoreError {
    StoreError::Corrupt(error.to_string())
}
