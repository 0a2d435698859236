//! The parents of an object: the entities under which it was collected, at every level.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::graph::{ObjectKey, ObjectType, StepId};
use crate::step::Parent;
use crate::store::{JobStore, Kind, PartitionNumber, StoreError, Stored};

use super::pages::Pages;

/// The maximum number of levels, which protects against cycles in a damaged store.
const LEVELS: usize = 32;

type Scopes = Arc<BTreeSet<Parent>>;

/// The parents of one job's objects, looked up on demand.
pub(super) struct Lineage<'a> {
    job: &'a JobStore,
    relationships: Vec<ObjectType>,
    parts: Option<HashMap<(StepId, PartitionNumber), ObjectKey>>,
    above: HashMap<(StepId, PartitionNumber), Scopes>,
    neighbours: HashMap<ObjectType, HashMap<ObjectKey, BTreeSet<ObjectKey>>>,
}

impl<'a> Lineage<'a> {
    pub(super) fn of(job: &'a JobStore, relationships: Vec<ObjectType>) -> Self {
        Self { job, relationships, parts: None, above: HashMap::new(), neighbours: HashMap::new() }
    }

    /// Returns the known parents of the given types, and the parents between them.
    pub(super) async fn parents(
        &mut self,
        stored: &Stored,
        types: &BTreeSet<ObjectType>,
    ) -> Result<BTreeSet<Parent>, StoreError> {
        let mut parents = BTreeSet::clone(&*self.above(&stored.step, stored.row.part).await?);
        match &stored.row.ends {
            None if stored.row.kind == Kind::Entity => {
                self.add_neighbours(&stored.row.key, types, &mut parents).await?
            }
            None => {}
            Some((from, to)) => {
                for end in [from, to] {
                    parents.extend(self.parents_of_end(end, types).await?);
                }
            }
        }
        Ok(parents)
    }

    /// Returns an end of a relationship and its parents.
    async fn parents_of_end(
        &mut self,
        end: &ObjectKey,
        types: &BTreeSet<ObjectType>,
    ) -> Result<BTreeSet<Parent>, StoreError> {
        let Some(origin) = self.job.origin(end.clone()).await? else { return Ok(BTreeSet::new()) };
        let mut parents = BTreeSet::clone(&*self.above(&origin.step, origin.part).await?);
        if types.contains(&origin.object_type) {
            parents.insert(Parent { object_type: origin.object_type, key: end.clone() });
        } else {
            self.add_neighbours(end, types, &mut parents).await?;
        }
        Ok(parents)
    }

    /// Returns the chain of parents above a partition.
    async fn above(&mut self, step: &StepId, part: PartitionNumber) -> Result<Scopes, StoreError> {
        let place = (step.clone(), part);
        if let Some(known) = self.above.get(&place) {
            return Ok(Arc::clone(known));
        }
        if self.parts.is_none() {
            self.parts = Some(self.job.part_parents().await?);
        }
        let (mut scopes, mut next) = (BTreeSet::new(), place.clone());
        for _ in 0..LEVELS {
            let Some(key) = self.parts.as_ref().and_then(|parts| parts.get(&next)).cloned() else { break };
            let Some(origin) = self.job.origin(key.clone()).await? else { break };
            scopes.insert(Parent { object_type: origin.object_type, key });
            next = (origin.step, origin.part);
        }
        let scopes = Arc::new(scopes);
        self.above.insert(place, Arc::clone(&scopes));
        Ok(scopes)
    }

    /// Adds related entities as parents, for types that partitions do not reveal.
    async fn add_neighbours(
        &mut self,
        key: &ObjectKey,
        types: &BTreeSet<ObjectType>,
        parents: &mut BTreeSet<Parent>,
    ) -> Result<(), StoreError> {
        for object_type in types {
            if parents.iter().any(|parent| parent.object_type == *object_type) {
                continue;
            }
            if !self.neighbours.contains_key(object_type) {
                let neighbours = self.neighbours_of(object_type).await?;
                self.neighbours.insert(object_type.clone(), neighbours);
            }
            let found = self.neighbours.get(object_type).and_then(|neighbours| neighbours.get(key));
            let scope = |key: &ObjectKey| Parent { object_type: object_type.clone(), key: key.clone() };
            parents.extend(found.into_iter().flatten().map(scope));
        }
        Ok(())
    }

    async fn neighbours_of(
        &self,
        object_type: &ObjectType,
    ) -> Result<HashMap<ObjectKey, BTreeSet<ObjectKey>>, StoreError> {
        let mut of_type: BTreeSet<ObjectKey> = BTreeSet::new();
        let mut entities = Pages::of(self.job, object_type);
        while entities.peek().await?.is_some() {
            of_type.extend(entities.take().map(|stored| stored.row.key));
        }
        let mut neighbours: HashMap<ObjectKey, BTreeSet<ObjectKey>> = HashMap::new();
        for relationship in &self.relationships {
            let mut pages = Pages::of(self.job, relationship);
            while pages.peek().await?.is_some() {
                let Some((from, to)) = pages.take().and_then(|stored| stored.row.ends) else { continue };
                for (one, other) in [(&from, &to), (&to, &from)] {
                    if of_type.contains(one) {
                        neighbours.entry(other.clone()).or_default().insert(one.clone());
                    }
                }
            }
        }
        Ok(neighbours)
    }
}
