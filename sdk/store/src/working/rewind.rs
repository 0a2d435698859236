//! The return of a step to its last consistent state.

use integration_graph::StepId;
use integration_graph::run::{PartitionId, PartitionRef};

use super::{Object, Working};
use crate::{Kind, ResumePoint, RewindTo};

impl Working {
    /// Discards the report of a step, and the objects that do not belong to a completed partition.
    pub(crate) fn rewind(&mut self, step: &StepId, to: RewindTo) -> ResumePoint {
        if to == RewindTo::Start {
            self.partitions.retain(|(of, _), _| of != step);
            self.duplicates.retain(|(of, ..)| of != step);
            self.superseded.retain(|(of, ..)| of != step);
            for descriptions in self.descriptions.values_mut() {
                descriptions.retain(|(of, _), _| of != step);
            }
        }
        let mut point = ResumePoint::default();
        for ((_, id), partition) in self.partitions.iter().filter(|((of, _), _)| of == step) {
            point.done.insert(partition.path.clone());
            point.stats.push(partition.stats.clone());
            point.next_partition = point.next_partition.max(id.next());
        }
        for object in self.objects.values().filter(|object| object.step == *step) {
            if let PartitionRef::Nth(id) = object.row.partition {
                point.next_partition = point.next_partition.max(id.next());
            }
        }
        let done: Vec<PartitionId> = self.partitions.keys().filter(|(of, _)| of == step).map(|(_, id)| *id).collect();
        let is_unfinished = |object: &Object| match object.row.partition {
            PartitionRef::Shared => false,
            PartitionRef::None => true,
            PartitionRef::Nth(id) => !done.contains(&id),
        };
        self.quarantined.retain(|(of, object)| of != step || !is_unfinished(object));
        let unfinished = self.objects.iter().filter(|(_, object)| object.step == *step && is_unfinished(object));
        for (key, kind) in unfinished.map(|(key, object)| (key.clone(), object.row.kind)).collect::<Vec<_>>() {
            if kind == Kind::Entity {
                self.doubtful.insert(key.clone());
            }
            self.objects.remove(&key);
        }
        self.reports.remove(step);
        point
    }

    /// Discards the record of a partition, of those around it, and of its step.
    pub(super) fn reopen_partition(&mut self, step: &StepId, partition: PartitionRef) {
        self.reports.remove(step);
        let mut inner = match partition {
            PartitionRef::None => None,
            PartitionRef::Shared => {
                // The partitions of a shared object are unknown.
                self.partitions.retain(|(of, _), _| of != step);
                None
            }
            PartitionRef::Nth(id) => Some(id),
        };
        while let Some(id) = inner {
            inner = self.partitions.remove(&(step.clone(), id)).and_then(|partition| partition.outer);
        }
    }
}
