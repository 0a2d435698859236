//! Read access to the working data of a job.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Bound::{Excluded, Unbounded};

use integration_graph::run::Position;
use integration_graph::{ObjectKey, ObjectType, StepId};

use super::append::entity;
use super::{Object, Working};
use crate::{CollectedEntity, CollectedObject, CollectedPage, DescribedAgain, Kind, ScanCursor, TypeCount};

/// The maximum number of JSON bytes in a page. A larger object fills a page alone.
const BYTES: usize = 4 << 20;

impl Working {
    /// Returns objects of a type.
    pub(crate) fn scan(&self, object_type: &ObjectType, from: &ScanCursor, limit: usize) -> CollectedPage {
        let of_type = |object: &&Object| object.row.object_type == *object_type;
        match from {
            ScanCursor::Key(after) => {
                let begin = after.as_ref().map_or(Unbounded, Excluded);
                let rest =
                    self.objects.range::<ObjectKey, _>((begin, Unbounded)).map(|(_, object)| object).filter(of_type);
                let page = page(rest, limit);
                let next = page.last().map(|last| ScanCursor::Key(Some(last.row.key.clone())));
                CollectedPage { objects: objects(&page), next }
            }
            ScanCursor::Appended(after) => {
                let of_type = self.objects.values().filter(of_type).filter(|of| of.position > after.get());
                let page = in_order(of_type, limit);
                CollectedPage { objects: objects(&page), next: Some(ScanCursor::Appended(last(&page, *after))) }
            }
            ScanCursor::Quarantined(after) => {
                let of_type = self.quarantined.iter().map(|(_, object)| object).filter(of_type);
                let entities = of_type.filter(|of| of.row.kind == Kind::Entity && of.position > after.get());
                let page = in_order(entities, limit);
                CollectedPage { objects: objects(&page), next: Some(ScanCursor::Quarantined(last(&page, *after))) }
            }
        }
    }

    /// Finds an entity by its key.
    pub(crate) fn entity(&self, key: &ObjectKey) -> Option<CollectedEntity> {
        self.objects.get(key).filter(|object| object.row.kind == Kind::Entity).map(entity)
    }

    /// Returns those keys that belong to objects of a type.
    pub(crate) fn known(&self, object_type: &ObjectType, keys: Vec<ObjectKey>) -> HashSet<ObjectKey> {
        let is_known =
            |key: &ObjectKey| self.objects.get(key).is_some_and(|object| object.row.object_type == *object_type);
        keys.into_iter().filter(is_known).collect()
    }

    /// Counts the objects of the job, or those that one step described.
    pub(crate) fn counts(&self, step: Option<&StepId>) -> Vec<TypeCount> {
        let is_counted = |object: &&Object| match (step, self.contributions.get(&object.row.key)) {
            (None, _) => true,
            (Some(step), Some(steps)) => steps.contains(step),
            (Some(step), None) => object.step == *step,
        };
        let mut counts: BTreeMap<(Kind, ObjectType), u64> = BTreeMap::new();
        for object in self.objects.values().filter(is_counted) {
            *counts.entry((object.row.kind, object.row.object_type.clone())).or_default() += 1;
        }
        let count = |((kind, object_type), objects)| TypeCount { kind, object_type, objects, stale: 0 };
        counts.into_iter().map(count).collect()
    }

    /// Returns the objects of which a step gave several descriptions, by type.
    pub(crate) fn duplicates(&self, step: &StepId) -> Vec<DescribedAgain> {
        let of_step = self.duplicates.iter().filter(|(of, ..)| of == step);
        DescribedAgain::grouped(of_step.map(|(_, object_type, key)| (object_type.clone(), key.to_string())))
    }

    /// Returns the parents of all completed partitions, or of those of one step.
    pub(crate) fn completed_parents(&self, step: Option<&StepId>) -> BTreeSet<ObjectKey> {
        let of_step = self.partitions.iter().filter(|((of, _), _)| step.is_none_or(|step| step == of));
        of_step.map(|(_, partition)| partition.parent.clone()).collect()
    }
}

/// Takes the first objects, up to a number and a size.
fn page<'a>(objects: impl Iterator<Item = &'a Object>, limit: usize) -> Vec<&'a Object> {
    let (mut page, mut bytes) = (Vec::new(), 0);
    for object in objects.take(limit) {
        bytes += object.properties.len();
        page.push(object);
        if bytes >= BYTES {
            break;
        }
    }
    page
}

fn in_order<'a>(objects: impl Iterator<Item = &'a Object>, limit: usize) -> Vec<&'a Object> {
    let mut objects: Vec<&Object> = objects.collect();
    objects.sort_unstable_by_key(|object| object.position);
    page(objects.into_iter(), limit)
}

fn last(page: &[&Object], before: Position) -> Position {
    page.last().map_or(before, |object| Position::new(object.position))
}

fn objects(page: &[&Object]) -> Vec<CollectedObject> {
    let object =
        |object: &&Object| CollectedObject { key: object.row.key.clone(), properties: object.properties.clone() };
    page.iter().map(object).collect()
}
