//! Relationships that must not stay in the graph, once no step adds objects any more.

use std::collections::{BTreeMap, HashMap};

use integration_graph::{ObjectKey, ObjectType, StepId};

use super::{Object, Working};
use crate::publication::ends_of;
use crate::{DeclaredEnds, Reconciled, StoreError, Superseded, Unattached};

impl Working {
    /// Removes relationships that lost an end or belong to a superseded description.
    pub(crate) fn reconcile(&mut self, declared: &DeclaredEnds) -> Result<Reconciled, StoreError> {
        let unattached = self.detach(declared)?;
        Ok(Reconciled { unattached, superseded: self.supersede()? })
    }

    fn detach(&mut self, declared: &DeclaredEnds) -> Result<Vec<Unattached>, StoreError> {
        let type_of = |key: &ObjectKey| self.entity(key).map(|entity| entity.object_type);
        let doubtful: HashMap<ObjectKey, Option<ObjectType>> =
            self.doubtful.iter().map(|key| (key.clone(), type_of(key))).collect();
        let mut found = Vec::new();
        for object in self.objects.values() {
            let lacks = |(end, key): (usize, &ObjectKey)| match doubtful.get(key) {
                None => false,
                Some(None) => true,
                Some(Some(there)) => !declared.allow(&object.row.object_type, end, there),
            };
            if ends_of(object.row.kind, object.row.ends.as_ref(), &object.properties)?.iter().enumerate().any(lacks) {
                found.push((object.row.key.clone(), object.clone()));
            }
        }
        self.doubtful.retain(|key| doubtful[key].is_none());
        let mut groups: BTreeMap<(StepId, ObjectType), Unattached> = BTreeMap::new();
        for (key, Object { row, step, .. }) in found {
            self.objects.remove(&key);
            self.reopen_partition(&step, row.partition);
            let group = groups.entry((step.clone(), row.object_type.clone()));
            let group = group.or_insert_with(|| Unattached {
                step,
                object_type: row.object_type,
                count: 0,
                first: key.clone(),
            });
            group.count += 1;
            group.first = key.min(group.first.clone());
        }
        Ok(groups.into_values().collect())
    }

    fn supersede(&mut self) -> Result<Vec<Superseded>, StoreError> {
        if !self.descriptions.values().flat_map(BTreeMap::values).any(|stays| !stays) {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        for object in self.objects.values() {
            let place = (object.step.clone(), object.row.partition);
            let is_lesser = |end: &ObjectKey| self.descriptions.get(end).and_then(|of| of.get(&place)) == Some(&false);
            if ends_of(object.row.kind, object.row.ends.as_ref(), &object.properties)?.iter().any(is_lesser) {
                found.push((object.step.clone(), object.row.object_type.clone(), object.row.key.clone()));
            }
        }
        for relationship in &found {
            self.objects.remove(&relationship.2);
            self.superseded.insert(relationship.clone());
        }
        let mut groups: BTreeMap<(StepId, ObjectType), Superseded> = BTreeMap::new();
        for relationship in &self.superseded {
            let (step, object_type, _) = relationship;
            let group = groups.entry((step.clone(), object_type.clone())).or_insert_with(|| Superseded {
                step: step.clone(),
                object_type: object_type.clone(),
                now: 0,
                in_all: 0,
            });
            group.in_all += 1;
            group.now += u64::from(found.contains(relationship));
        }
        Ok(groups.into_values().collect())
    }
}
