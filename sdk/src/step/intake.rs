//! The way into the graph: hooks, redaction, serialization, checks, and the queue to the store's writer.
//!
//! ```text
//!   step ──object──▶ hooks ──▶ batch ──▶ redaction ▶ bytes, schemas ──▶ writer's queue
//!                              └───── pipeline: threads of their own ─────┘
//! ```
//!
//! An object is built once, validated once and serialized once; what follows handles bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::Value;

use crate::graph::{Entity, EqualKeys, MappedRelationship, ObjectKey, ObjectType, Properties, Relationship, StepId};
use crate::store::{Kind, PartNumber, Row};

use super::admission::{Intake, Unchecked};
use super::bytes;
use super::pipeline::Pipeline;
use super::tail::Tail;
use super::{Declaration, Ledger, ObjectError, Part, StepError, StepResult};

/// An object that a step wants to add.
pub(crate) enum Candidate {
    Entity(Entity, EqualKeys),
    Relationship(Relationship),
    Mapped(MappedRelationship),
}

/// One step's way into the graph.
pub(crate) struct StepIntake {
    intake: Arc<Intake>,
    pipeline: Arc<Pipeline>,
    step: StepId,
    emits: BTreeSet<ObjectType>,
    /// It may amend entities that it adds itself.
    amends_own: bool,
    ledger: Arc<Ledger>,
    next_part: AtomicI64,
    /// The types it adds that other steps follow.
    followed: BTreeMap<ObjectType, Arc<Tail>>,
}

impl StepIntake {
    /// `next_part` is the first number that no part of the step has had.
    pub(crate) fn new(
        intake: Arc<Intake>,
        declaration: &Declaration,
        ledger: Arc<Ledger>,
        next_part: PartNumber,
        followed: BTreeMap<ObjectType, Arc<Tail>>,
    ) -> Self {
        let emits = declaration.emits();
        let pipeline = Arc::new(Pipeline::new(Arc::clone(&intake), declaration.id.clone(), Arc::clone(&ledger)));
        followed.values().for_each(|tail| tail.produced_by(Arc::downgrade(&pipeline)));
        Self {
            pipeline,
            intake,
            step: declaration.id.clone(),
            amends_own: !emits.is_disjoint(&declaration.amends),
            emits,
            ledger,
            next_part: AtomicI64::new(next_part),
            followed,
        }
    }

    pub(crate) async fn add(&self, candidate: Candidate) -> StepResult {
        let object = self.unchecked(candidate);
        if !self.emits.contains(&object.object_type) && self.ledger.open().undeclared.insert(object.object_type.clone())
        {
            tracing::warn!(object_type = %object.object_type, "the step does not declare this type");
        }
        if object.class.is_empty() {
            return self.refuse(ObjectError::MissingClass { key: object.key, object_type: object.object_type });
        }
        self.push(object).await
    }

    /// Adds an object that an earlier job collected: checked anew, since schemas change.
    pub(crate) async fn adopt(&self, row: Row) -> StepResult {
        let Row { kind, key, object_type, class, ends, merge, json, .. } = row;
        let json = serde_json::from_slice(&json).map_err(|error| StepError::Other(format!("cached {key}: {error}")))?;
        let (part, raw_data) = (Part::current(), Vec::new());
        self.push(Unchecked { kind, key, object_type, class, part, ends, merge, json, raw_data }).await
    }

    /// An object that the graph cannot take: its step goes on without it, unless it was asked to fail.
    pub(crate) fn refuse(&self, error: ObjectError) -> StepResult {
        self.intake.refuse(&self.ledger, error)
    }

    fn unchecked(&self, candidate: Candidate) -> Unchecked {
        let part = Part::current();
        match candidate {
            Candidate::Entity(mut entity, equal_keys) => {
                self.intake.on_entity.iter().for_each(|hook| hook(&self.step, &mut entity));
                let classes: Vec<&str> = entity.classes.iter().map(|class| class.as_str()).collect();
                let (class, key, object_type) = (classes.join(","), entity.key.clone(), entity.object_type.clone());
                let raw_data = std::mem::take(&mut entity.raw_data);
                let mut json = entity.into_properties();
                bytes::outline(&mut json, &raw_data);
                let (json, merge) = (Value::Object(json), equal_keys == EqualKeys::Merge);
                Unchecked { kind: Kind::Entity, class, key, object_type, part, ends: None, merge, json, raw_data }
            }
            Candidate::Relationship(mut relationship) => {
                self.intake.on_relationship.iter().for_each(|hook| hook(&self.step, &mut relationship));
                let (class, key) = (relationship.class.to_string(), relationship.key());
                let (object_type, merge, raw_data) = (relationship.object_type.clone(), false, Vec::new());
                let ends = Some((relationship.from.clone(), relationship.to.clone()));
                let (kind, json) = (Kind::Relationship, Value::Object(relationship.into_properties(&key)));
                Unchecked { kind, class, key, object_type, part, ends, merge, json, raw_data }
            }
            Candidate::Mapped(mapped) => {
                let (class, key, object_type) = (mapped.class.to_string(), mapped.key(), mapped.object_type.clone());
                let (ends, merge, raw_data) = (None, false, Vec::new());
                let (kind, json) = (Kind::MappedRelationship, mapped.into_json());
                Unchecked { kind, class, key, object_type, part, ends, merge, json, raw_data }
            }
        }
    }

    async fn push(&self, object: Unchecked) -> StepResult {
        let tail = self.followed.get(&object.object_type);
        self.ledger.offer();
        self.pipeline.push(object).await?;
        if let Some(tail) = tail {
            tail.tell();
        }
        Ok(())
    }

    /// Joins properties to an entity that is there; the check happens where the two are joined.
    pub(crate) async fn amend(&self, key: &ObjectKey, properties: Properties) -> StepResult<bool> {
        if self.amends_own {
            self.flush().await?;
        }
        let (intake, ledger, amended) = (Arc::clone(&self.intake), Arc::clone(&self.ledger), key.clone());
        let check = move |object: &Value| intake.check_amended(&ledger, &amended, object);
        match self.intake.store.amend(key.clone(), properties, check).await? {
            Some(Ok(())) => Ok(true),
            Some(Err(Some(error))) => Err(error.into()),
            Some(Err(None)) | None => Ok(false),
        }
    }

    pub(crate) fn next_part(&self) -> PartNumber {
        self.next_part.fetch_add(1, Ordering::Relaxed)
    }

    /// Marks a part as done, behind all its objects.
    pub(crate) async fn close_part(&self, part: Arc<Part>, parent: ObjectKey) -> StepResult {
        self.pipeline.mark(part, parent).await
    }

    /// Sends what is in hand to the writer, so that what is written next comes after it.
    pub(crate) async fn flush(&self) -> StepResult {
        self.pipeline.flush().await
    }

    /// Waits until all that the step added is committed, and reports the duplicate keys met.
    pub(crate) async fn finish(&self) -> StepResult {
        self.pipeline.finish().await?;
        match self.ledger.duplicate() {
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    }
}
