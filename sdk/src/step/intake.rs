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

use crate::graph::{
    Entity, EqualKeys, MappedRelationship, ObjectKey, ObjectType, Properties, RawData, Relationship, StepId,
};
use crate::redact::Redaction;
use crate::schema::{Finding, Schemas, Validation};
use crate::store::{JobStore, Kind, PartNumber, Row};

use super::bytes;
use super::pipeline::Pipeline;
use super::tail::Tail;
use super::{Declaration, Ledger, ObjectError, Part, StepError, StepResult};

/// Changes an entity before it is added, such as to take out what must not be kept.
pub type EntityHook = Arc<dyn Fn(&StepId, &mut Entity) + Send + Sync>;
/// Changes a relationship before it is added.
pub type RelationshipHook = Arc<dyn Fn(&StepId, &mut Relationship) + Send + Sync>;

/// An object that a step wants to add.
pub(crate) enum Candidate {
    Entity(Entity, EqualKeys),
    Relationship(Relationship),
    Mapped(MappedRelationship),
}

/// What all steps of a job share on their way into the graph.
pub(crate) struct Intake {
    pub(crate) store: JobStore,
    pub(crate) schemas: Arc<Schemas>,
    pub(crate) validation: Validation,
    pub(crate) on_entity: Vec<EntityHook>,
    pub(crate) on_relationship: Vec<RelationshipHook>,
    pub(crate) redaction: Redaction,
}

impl Intake {
    /// Checks and serializes.
    pub(super) fn admit(&self, ledger: &Ledger, object: Unchecked) -> Result<Row, ObjectError> {
        let Unchecked { kind, key, object_type, class, part, ends, merge, json, raw_data } = object;
        let bytes = match bytes::serialize(&json, &raw_data, &self.redaction) {
            Ok(bytes) => bytes,
            Err(error) => {
                return Err(ObjectError::RawData { key, object_type, reason: error.to_string() });
            }
        };
        let findings = self.check(&json);
        let apart = self.judge(&findings, &key, &object_type)? == Verdict::Apart;
        let quarantined = apart.then(|| serde_json::json!(findings).to_string());
        ledger.admit(&object_type, apart, findings, part.as_deref());
        let part = part.map_or(0, |part| part.number());
        Ok(Row { kind, key, object_type, class, part, ends, merge, json: bytes, quarantined })
    }

    /// An object that the graph cannot take: its step goes on without it, unless it was asked to fail.
    pub(super) fn refuse(&self, ledger: &Ledger, error: ObjectError) -> StepResult {
        if self.validation == Validation::Fail {
            return Err(error.into());
        }
        tracing::warn!(%error, "an object is refused");
        ledger.refuse(error);
        Ok(())
    }

    fn check(&self, object: &Value) -> Vec<Finding> {
        if self.validation == Validation::Off { Vec::new() } else { self.schemas.check(object) }
    }

    /// What a step does about the findings on one object: its error, if it is to fail, or whether it is kept apart.
    fn judge(&self, findings: &[Finding], key: &ObjectKey, object_type: &ObjectType) -> Result<Verdict, ObjectError> {
        match (self.validation, findings.first()) {
            (Validation::Fail, Some(first)) => {
                let (key, object_type) = (key.clone(), object_type.clone());
                Err(ObjectError::Invalid { key, object_type, finding: first.to_string() })
            }
            (Validation::Quarantine, Some(_)) => Ok(Verdict::Apart),
            _ => Ok(Verdict::Admitted),
        }
    }

    /// Whether an amended entity may be written; if not, the error that ends the step, if it is to end.
    fn check_amended(&self, ledger: &Ledger, key: &ObjectKey, object: &Value) -> Result<(), Option<ObjectError>> {
        let findings = self.check(object);
        let Some(object_type) = object["_type"].as_str().and_then(|name| ObjectType::new(name).ok()) else {
            return Ok(());
        };
        let verdict = self.judge(&findings, key, &object_type).map_err(Some)?;
        ledger.find(findings, Part::current().as_deref());
        match verdict {
            Verdict::Admitted => Ok(()),
            Verdict::Apart => {
                ledger.skip(&object_type, "properties that break the schema are left out");
                Err(None)
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Admitted,
    Apart,
}

/// One step's way into the graph.
pub(crate) struct StepIntake {
    intake: Arc<Intake>,
    pipeline: Pipeline,
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
        Self {
            pipeline: Pipeline::new(Arc::clone(&intake), declaration.id.clone(), Arc::clone(&ledger)),
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

/// An object between its making and its check.
pub(super) struct Unchecked {
    pub(super) kind: Kind,
    pub(super) key: ObjectKey,
    pub(super) object_type: ObjectType,
    pub(super) class: String,
    pub(super) part: Option<Arc<Part>>,
    pub(super) ends: Option<(ObjectKey, ObjectKey)>,
    pub(super) merge: bool,
    /// The object, with an outline of its raw data.
    pub(super) json: Value,
    pub(super) raw_data: Vec<RawData>,
}
