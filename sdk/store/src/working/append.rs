//! Additions to a job: new objects, repeated descriptions, conflicts, amendments, and checkpoints.

use std::cmp::Ordering;

use integration_graph::run::PartitionRef;
use integration_graph::{ObjectJson, ObjectKey, Parted, StepId};

use super::{Object, Working};
use crate::publication::corrupt;
use crate::{
    AmendOutcome, Amendment, AppendReport, CollectedEntity, CompletedPartition, Conflict, Kind, Revision, Row,
    StepBatch, StoreError, rules,
};

impl Working {
    /// Adds the objects of a batch, then marks the partitions that are complete with them.
    pub(crate) fn append(&mut self, batch: &StepBatch) -> Result<AppendReport, StoreError> {
        let StepBatch { step, objects, completed } = batch;
        let mut report = AppendReport::default();
        for (row, json) in objects.iter() {
            if row.quarantined.is_some() {
                let object = self.object(step, row, json);
                self.quarantined.push((step.clone(), object));
                self.doubt(row);
            } else if let Some(there) = self.objects.get(&row.key).cloned() {
                self.share(step, row, &there);
                match there.row.object_type == row.object_type {
                    true => self.describe_again(step, row, json, &there, &mut report)?,
                    false => {
                        let conflict = self.displace(step, row, json, &there, &mut report);
                        report.conflicts.push(conflict);
                    }
                }
            } else {
                let object = self.object(step, row, json);
                self.objects.insert(row.key.clone(), object);
            }
        }
        self.doubtful.extend(objects.rejected().iter().cloned());
        self.mark(step, completed);
        Ok(report)
    }

    fn object(&mut self, step: &StepId, row: &Row, json: ObjectJson<'_>) -> Object {
        let position = self.next_change();
        let (properties, raw) = (json.properties.to_owned(), json.raw.map(str::to_owned));
        Object { row: row.clone(), step: step.clone(), position, revision: position, properties, raw }
    }

    fn doubt(&mut self, row: &Row) {
        if row.kind == Kind::Entity {
            self.doubtful.insert(row.key.clone());
        }
    }

    /// Marks an object as shared if several partitions or steps added it.
    fn share(&mut self, step: &StepId, row: &Row, there: &Object) {
        let same = there.row.partition == row.partition && there.step == *step;
        if let Some(object) = self.objects.get_mut(&row.key).filter(|_| !same) {
            (object.row.partition, object.row.parent) = (PartitionRef::Shared, None);
        }
    }

    /// Handles an object whose key and type were collected already.
    fn describe_again(
        &mut self,
        step: &StepId,
        row: &Row,
        json: ObjectJson<'_>,
        there: &Object,
        report: &mut AppendReport,
    ) -> Result<(), StoreError> {
        if !row.merge {
            let compared = rules::compare_descriptions(json, there.json()).map_err(corrupt)?;
            self.describe(step, row, there, compared);
            if compared != Ordering::Equal {
                self.duplicates.insert((step.clone(), row.object_type.clone(), row.key.clone()));
                if compared == Ordering::Greater {
                    self.replace(step, row, json);
                }
                report.repeated.push(row.object_type.clone());
                return Ok(());
            }
        }
        if there.json() != json {
            let parted = |json| Parted::read(json).map_err(corrupt);
            let merged = parted(there.json())?.joined(parted(json)?);
            self.set_content(&row.key, merged.properties().as_str().to_owned(), merged.raw());
        }
        if there.step == *step || !self.contribute(&row.key, [&there.step, step]) {
            report.repeated.push(row.object_type.clone());
        } else if *step < there.step
            && let Some(object) = self.objects.get_mut(&row.key)
        {
            // The least name wins, so that the result does not depend on the order of the steps.
            object.step = step.clone();
        }
        Ok(())
    }

    /// Records the partitions that described an entity.
    fn describe(&mut self, step: &StepId, row: &Row, there: &Object, compared: Ordering) {
        let now = (step.clone(), row.partition);
        let collected = (there.step.clone(), there.row.partition);
        if row.kind != Kind::Entity || collected == now && there.row.partition != PartitionRef::Shared {
            return;
        }
        let known = self.descriptions.entry(row.key.clone()).or_default();
        if there.row.partition != PartitionRef::Shared {
            known.insert(collected, true);
        }
        if compared == Ordering::Greater {
            known.values_mut().for_each(|stays| *stays = false);
        }
        *known.entry(now).or_default() |= compared != Ordering::Less;
    }

    /// Records the steps that described an object; returns whether the last of them is new.
    fn contribute(&mut self, key: &ObjectKey, steps: [&StepId; 2]) -> bool {
        let known = self.contributions.entry(key.clone()).or_default();
        steps.into_iter().fold(false, |_, step| known.insert(step.clone()))
    }

    /// Decides between objects of two types that claim one key.
    fn displace(
        &mut self,
        step: &StepId,
        row: &Row,
        json: ObjectJson<'_>,
        there: &Object,
        report: &mut AppendReport,
    ) -> Conflict {
        let (ours, theirs) = ((&row.object_type, step), (&there.row.object_type, &there.step));
        if rules::keeps_key((theirs.0.as_str(), there.json()), (ours.0.as_str(), json)) {
            self.leave_unmarked(step, row.partition);
            report.repeated.push(row.object_type.clone());
            self.doubt(row);
            return conflict(&row.key, ours, theirs);
        }
        if theirs.1 == step {
            report.repeated.push(theirs.0.clone());
        }
        self.leave_unmarked(theirs.1, there.row.partition);
        self.reopen_partition(theirs.1, there.row.partition);
        self.replace(step, row, json);
        self.doubt(&there.row);
        conflict(&row.key, theirs, ours)
    }

    /// Overwrites an object with another one of the same key. Its position and partition stay.
    fn replace(&mut self, step: &StepId, row: &Row, json: ObjectJson<'_>) {
        let revision = self.next_change();
        let Some(object) = self.objects.get_mut(&row.key) else { return };
        let (partition, parent) = (object.row.partition, object.row.parent.take());
        *object = Object {
            row: Row { partition, parent, ..row.clone() },
            step: step.clone(),
            position: object.position,
            revision,
            properties: json.properties.to_owned(),
            raw: json.raw.map(str::to_owned),
        };
    }

    fn set_content(&mut self, key: &ObjectKey, properties: String, raw: Option<String>) {
        let change = self.next_change();
        if let Some(object) = self.objects.get_mut(key) {
            (object.revision, object.properties, object.raw) = (change, properties, raw);
        }
    }

    fn leave_unmarked(&mut self, step: &StepId, partition: PartitionRef) {
        if let PartitionRef::Nth(id) = partition {
            self.unmarked.insert((step.clone(), id));
        }
    }

    /// Records partitions as complete, except those with a rejected object and those around them.
    fn mark(&mut self, step: &StepId, completed: &[CompletedPartition]) {
        for partition in completed {
            if self.unmarked.contains(&(step.clone(), partition.id)) {
                self.leave_unmarked(step, PartitionRef::from(partition.outer));
                continue;
            }
            self.partitions.insert((step.clone(), partition.id), partition.clone());
        }
    }

    /// Replaces the properties of an entity that has not changed since the caller read it.
    pub(crate) fn amend(&mut self, amendment: Amendment) -> AmendOutcome {
        let Amendment { key, expected, properties } = amendment;
        let Some(object) = self.objects.get(&key).filter(|of| of.row.kind == Kind::Entity) else {
            return AmendOutcome::Absent;
        };
        if Revision::from(object) != expected {
            return AmendOutcome::Conflict(entity(object));
        }
        let raw = object.raw.clone();
        self.set_content(&key, properties, raw);
        AmendOutcome::Amended
    }
}

fn conflict(
    key: &ObjectKey,
    rejected: (&integration_graph::ObjectType, &StepId),
    other: (&integration_graph::ObjectType, &StepId),
) -> Conflict {
    Conflict {
        key: key.clone(),
        object_type: rejected.0.clone(),
        step: rejected.1.clone(),
        other_type: other.0.clone(),
        other_step: other.1.clone(),
    }
}

pub(super) fn entity(object: &Object) -> CollectedEntity {
    CollectedEntity {
        object_type: object.row.object_type.clone(),
        properties: object.properties.clone(),
        revision: Revision::from(object),
    }
}
