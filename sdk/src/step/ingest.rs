//! The path into the graph: hooks, serialization, validation, redaction, and the queue to the writer.
//!
//! ```text
//!   step ──object──▶ hooks ▶ text ──▶ batch ──▶ schemas, redaction of raw data ──▶ writer's queue
//!                                     └────── batches, on blocking threads ─────┘
//! ```
//!
//! An object is written once and validated once; all later stages handle its text.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use crate::graph::run::PartitionId;
use crate::graph::{
    Draft, Entity, EntityDeclaration, EntityKind, MappedRelationship, ObjectKey, ObjectType, OnDuplicateKey,
    Properties, Relationship, RelationshipDeclaration, RelationshipProperties, StepId, written,
};
use crate::redact::Redaction;
use crate::store::StoredObject;

use super::amend;
use super::batch_writer::BatchWriter;
use super::pending::PendingObject;
use super::policy::IngestPolicy;
use super::watermark::Watermark;
use super::{Declaration, ObjectError, Partition, StepError, StepResult, StepStats};

/// The path of one step into the graph.
pub(crate) struct Ingest {
    policy: Arc<IngestPolicy>,
    writer: Arc<BatchWriter>,
    step: StepId,
    emits: BTreeSet<ObjectType>,
    /// Whether the step may amend entities that it adds itself.
    amends_own: bool,
    stats: Arc<StepStats>,
    next_partition: Mutex<PartitionId>,
    /// The watermarks of the types that the step adds and other steps follow.
    followed: BTreeMap<ObjectType, Arc<Watermark>>,
}

impl Ingest {
    /// Creates the path; `next_partition` is the first id that no partition of the step has used.
    pub(crate) fn new(
        policy: Arc<IngestPolicy>,
        declaration: &Declaration,
        stats: Arc<StepStats>,
        next_partition: PartitionId,
        followed: BTreeMap<ObjectType, Arc<Watermark>>,
    ) -> Self {
        let emits = declaration.emits();
        let writer = Arc::new(BatchWriter::new(Arc::clone(&policy), declaration.id.clone(), Arc::clone(&stats)));
        followed.values().for_each(|watermark| watermark.produced_by(Arc::downgrade(&writer)));
        Self {
            writer,
            policy,
            step: declaration.id.clone(),
            amends_own: !emits.is_disjoint(&declaration.amends),
            emits,
            stats,
            next_partition: Mutex::new(next_partition),
            followed,
        }
    }

    /// Adds a value of a declared type and returns it.
    pub(crate) async fn add_value<E: EntityKind>(
        &self,
        draft: Draft<E>,
        key: ObjectKey,
        declaration: &EntityDeclaration,
    ) -> StepResult<E> {
        let (value, object) = self.pending(draft, key, declaration);
        self.add(object).await.map(|()| value)
    }

    /// Quarantines a value of a declared type, and returns it.
    pub(crate) async fn quarantine_value<E: EntityKind>(
        &self,
        draft: Draft<E>,
        key: ObjectKey,
        declaration: &EntityDeclaration,
    ) -> StepResult<E> {
        let (value, object) = self.pending(draft, key, declaration);
        self.add(PendingObject { apart: true, ..object }).await.map(|()| value)
    }

    /// Applies the hooks to a value, and writes it.
    fn pending<E: EntityKind>(
        &self,
        draft: Draft<E>,
        key: ObjectKey,
        declaration: &EntityDeclaration,
    ) -> (E, PendingObject) {
        if self.policy.on_entity.is_empty() {
            return PendingObject::value(draft, key, declaration);
        }
        // Hooks change properties by name, so the value must become an entity first.
        let (value, entity) = draft.into_entity(key, declaration);
        (value, self.pending_entity(entity, declaration.on_duplicate_key))
    }

    fn pending_entity(&self, mut entity: Entity, on_duplicate_key: OnDuplicateKey) -> PendingObject {
        self.policy.on_entity.iter().for_each(|hook| hook(&self.step, &mut entity));
        PendingObject::entity(entity, on_duplicate_key)
    }

    /// Adds a relationship of a declared type.
    pub(crate) async fn add_between<P: RelationshipProperties>(
        &self,
        declaration: &RelationshipDeclaration,
        from: ObjectKey,
        to: ObjectKey,
        properties: &P,
    ) -> StepResult {
        if self.policy.on_relationship.is_empty() {
            return self.add(PendingObject::between(declaration, from, to, properties)).await;
        }
        let properties = written(|object| properties.write(object));
        let RelationshipDeclaration { class, object_type, .. } = declaration;
        let object_type = object_type.clone();
        self.add_relationship(Relationship { class: *class, object_type, from, to, properties }).await
    }

    pub(crate) async fn add_entity(&self, entity: Entity, on_duplicate_key: OnDuplicateKey) -> StepResult {
        self.add(self.pending_entity(entity, on_duplicate_key)).await
    }

    pub(crate) async fn add_relationship(&self, mut relationship: Relationship) -> StepResult {
        self.policy.on_relationship.iter().for_each(|hook| hook(&self.step, &mut relationship));
        self.add(PendingObject::relationship(relationship)).await
    }

    pub(crate) async fn add_mapped(&self, relationship: MappedRelationship) -> StepResult {
        self.add(PendingObject::mapped(relationship)).await
    }

    async fn add(&self, object: PendingObject) -> StepResult {
        if !self.emits.contains(&object.object_type)
            && self.stats.undeclared(&object.object_type, object.partition.as_deref())
        {
            tracing::warn!(object_type = %object.object_type, "the step does not declare this type");
        }
        if object.class.is_empty() {
            self.writer.doubt(object.kind, &object.key);
            return self.reject(ObjectError::MissingClass { key: object.key, object_type: object.object_type }).await;
        }
        self.push(object).await
    }

    /// Adds an object of an earlier job. It is validated again, because schemas change.
    pub(crate) async fn reuse(&self, object: StoredObject, merge: bool) -> StepResult {
        let key = object.key.clone();
        let object =
            PendingObject::stored(object, merge).map_err(|error| StepError::Other(format!("cached {key}: {error}")))?;
        self.push(object).await
    }

    /// Records an object that cannot enter the graph. The step continues unless the job validates with `fail`.
    pub(crate) async fn reject(&self, error: ObjectError) -> StepResult {
        match self.policy.reject(&self.stats, error, Partition::current().as_deref()) {
            Ok(()) => Ok(()),
            Err(error) => self.writer.close(error).await,
        }
    }

    async fn push(&self, object: PendingObject) -> StepResult {
        let watermark = self.followed.get(&object.object_type);
        self.stats.offer();
        self.writer.push(object).await?;
        if let Some(watermark) = watermark {
            watermark.advance();
        }
        Ok(())
    }

    /// Merges properties into existing entities and returns how many existed.
    ///
    /// An entity that this step added may still be in a batch, so such a step commits first; otherwise the store would
    /// not find it.
    pub(crate) async fn amend(&self, mut amendments: Vec<(ObjectKey, Properties)>) -> StepResult<usize> {
        amendments.iter_mut().for_each(|(_, properties)| Redaction::clean_properties(properties));
        if self.amends_own {
            self.flush().await?;
            self.policy.job.commit().await?;
        }
        let partition = Partition::current();
        self.stats.amend(amendments.iter().flat_map(|(_, properties)| properties.keys()), partition.as_deref());
        amend::all(&self.policy, &self.stats, partition.as_deref(), amendments).await
    }

    /// Returns an id that no other partition of the step has.
    pub(crate) fn next_partition(&self) -> PartitionId {
        let mut next = self.next_partition.lock().unwrap_or_else(PoisonError::into_inner);
        let id = *next;
        *next = id.next();
        id
    }

    /// Marks a partition as complete behind its last object, unless the partition has a gap.
    pub(crate) async fn close_partition(&self, partition: Arc<Partition>) -> StepResult {
        self.writer.mark(partition).await
    }

    /// Passes the current batch to the writer, so that later writes come after it.
    pub(crate) async fn flush(&self) -> StepResult {
        self.writer.flush().await
    }

    /// Waits until all objects of the step are committed.
    ///
    /// # Errors
    /// The object that fails the step, if there is one.
    pub(crate) async fn finish(&self) -> StepResult {
        self.writer.finish().await
    }
}
