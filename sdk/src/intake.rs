//! The way into the graph: hooks, checks, serialization, and the queue to the store's writer.
//!
//! An object is built once, validated once and serialized once; what follows handles bytes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::graph::{Entity, EqualKeys, MappedRelationship, ObjectKey, ObjectType, Relationship, StepId};
use crate::schema::{Schemas, Validation};
use crate::step::{Declaration, Ledger, ObjectError, StepError, StepResult};
use crate::store::{JobStore, Kind, Row};

/// Changes an entity before it is added, such as to take out what must not be kept.
pub type EntityHook = Arc<dyn Fn(&StepId, &mut Entity) + Send + Sync>;
/// Changes a relationship before it is added.
pub type RelationshipHook = Arc<dyn Fn(&StepId, &mut Relationship) + Send + Sync>;

/// Full enough for cheap transactions, small enough to lose little and to hold little memory.
const BATCH_ROWS: usize = 1_000;
const BATCH_BYTES: usize = 1 << 20;

pub(crate) enum Object {
    Entity(Entity),
    Relationship(Relationship),
    Mapped(MappedRelationship),
}

/// An object that a step wants to add.
pub(crate) struct Candidate {
    object: Object,
    equal_keys: EqualKeys,
}

impl Candidate {
    pub(crate) fn entity(entity: Entity, equal_keys: EqualKeys) -> Self {
        Self { object: Object::Entity(entity), equal_keys }
    }
    pub(crate) fn relationship(relationship: Relationship) -> Self {
        Self { object: Object::Relationship(relationship), equal_keys: EqualKeys::Refuse }
    }
    pub(crate) fn mapped_relationship(relationship: MappedRelationship) -> Self {
        Self { object: Object::Mapped(relationship), equal_keys: EqualKeys::Refuse }
    }
}

#[derive(Default)]
struct Batch {
    rows: Vec<Row>,
    bytes: usize,
}

/// Admits objects to one job.
pub(crate) struct Intake {
    store: JobStore,
    schemas: Arc<Schemas>,
    validation: Validation,
    on_entity: Vec<EntityHook>,
    on_relationship: Vec<RelationshipHook>,
    batches: Mutex<BTreeMap<StepId, Batch>>,
}

impl Intake {
    pub(crate) fn new(
        store: JobStore,
        schemas: Arc<Schemas>,
        validation: Validation,
        on_entity: Vec<EntityHook>,
        on_relationship: Vec<RelationshipHook>,
    ) -> Self {
        Self { store, schemas, validation, on_entity, on_relationship, batches: Mutex::default() }
    }

    pub(crate) async fn add(&self, step: &Declaration, ledger: &Ledger, candidate: Candidate) -> StepResult {
        let row = self.row(step, candidate);
        let declared = step.emits().contains(&row.object_type);
        if !declared && ledger.open().undeclared.insert(row.object_type.clone()) {
            tracing::warn!(step = %step.id, object_type = %row.object_type, "the step does not declare this type");
        }
        match self.admit(row, ledger)? {
            Some(row) => self.enqueue(&step.id, ledger, row).await,
            None => Ok(()),
        }
    }

    fn row(&self, step: &Declaration, candidate: Candidate) -> Unwritten {
        let merge = candidate.equal_keys == EqualKeys::Merge;
        match candidate.object {
            Object::Entity(mut entity) => {
                self.on_entity.iter().for_each(|hook| hook(&step.id, &mut entity));
                let classes: Vec<&str> = entity.classes.iter().map(|class| class.as_str()).collect();
                Unwritten {
                    kind: Kind::Entity,
                    class: classes.join(","),
                    key: entity.key.clone(),
                    object_type: entity.object_type.clone(),
                    ends: None,
                    merge,
                    json: entity.into_json(),
                }
            }
            Object::Relationship(mut relationship) => {
                self.on_relationship.iter().for_each(|hook| hook(&step.id, &mut relationship));
                Unwritten {
                    kind: Kind::Relationship,
                    class: relationship.class.to_string(),
                    key: relationship.key(),
                    object_type: relationship.object_type.clone(),
                    ends: Some((relationship.from.clone(), relationship.to.clone())),
                    merge,
                    json: relationship.into_json(),
                }
            }
            Object::Mapped(mapped) => Unwritten {
                kind: Kind::MappedRelationship,
                class: mapped.class.to_string(),
                key: mapped.key(),
                object_type: mapped.object_type.clone(),
                ends: None,
                merge,
                json: mapped.into_json(),
            },
        }
    }

    /// Checks and serializes; `None` where nothing is left to do.
    fn admit(&self, object: Unwritten, ledger: &Ledger) -> StepResult<Option<Row>> {
        let findings = match self.validation {
            Validation::Off => Vec::new(),
            _ => self.schemas.check(&object.json),
        };
        if self.validation == Validation::Fail {
            if let Some(finding) = findings.first() {
                let (key, object_type) = (object.key, object.object_type);
                return Err(ObjectError::Invalid { key, object_type, finding: finding.to_string() }.into());
            }
        }
        let quarantined = (self.validation == Validation::Quarantine && !findings.is_empty())
            .then(|| serde_json::to_string(&findings).unwrap_or_default());
        findings.into_iter().for_each(|finding| ledger.found(finding));
        {
            let mut record = ledger.open();
            match &quarantined {
                Some(_) => record.quarantined += 1,
                None => *record.added.entry(object.object_type.clone()).or_default() += 1,
            }
        }
        let json = serde_json::to_vec(&object.json).map_err(|error| StepError::Other(error.to_string()))?;
        let Unwritten { kind, key, object_type, class, ends, merge, .. } = object;
        Ok(Some(Row { kind, key, object_type, class, ends, merge, json, quarantined }))
    }

    async fn enqueue(&self, step: &StepId, ledger: &Ledger, row: Row) -> StepResult {
        let full = {
            let mut batches = self.batches.lock().unwrap_or_else(PoisonError::into_inner);
            let batch = batches.entry(step.clone()).or_default();
            batch.bytes += row.json.len();
            batch.rows.push(row);
            let full = batch.rows.len() >= BATCH_ROWS || batch.bytes >= BATCH_BYTES;
            full.then(|| std::mem::take(batch))
        };
        match full {
            Some(batch) => self.write(step, ledger, batch).await,
            None => Ok(()),
        }
    }

    /// Writes what a step has still in hand, and reports the duplicate keys met.
    pub(crate) async fn finish(&self, step: &StepId, ledger: &Ledger) -> StepResult {
        let rest = self.batches.lock().unwrap_or_else(PoisonError::into_inner).remove(step);
        if let Some(batch) = rest {
            self.write(step, ledger, batch).await?;
        }
        let record = ledger.open();
        match record.first_duplicate.clone() {
            Some((key, object_type, first_step)) => {
                Err(ObjectError::DuplicateKey { key, object_type, first_step, count: record.duplicates }.into())
            }
            None => Ok(()),
        }
    }

    async fn write(&self, step: &StepId, ledger: &Ledger, batch: Batch) -> StepResult {
        let outcome = self.store.insert(step.clone(), batch.rows).await?;
        let mut record = ledger.open();
        for (object_type, repeated) in outcome.repeated {
            if let Some(added) = record.added.get_mut(&object_type) {
                *added = added.saturating_sub(repeated);
            }
        }
        for conflict in outcome.conflicts {
            record.duplicates += 1;
            record.first_duplicate.get_or_insert((conflict.key, conflict.object_type, conflict.first_step));
        }
        Ok(())
    }
}

/// An object between its check and its bytes.
struct Unwritten {
    kind: Kind,
    key: ObjectKey,
    object_type: ObjectType,
    class: String,
    ends: Option<(ObjectKey, ObjectKey)>,
    merge: bool,
    json: Value,
}
