//! The way into the graph: hooks, redaction, checks, serialization, and the queue to the store's writer.
//!
//! ```text
//!   step ──object──▶ hooks ▶ redaction ▶ schemas ▶ bytes ──▶ batch ──▶ writer's queue
//!                                  └──findings──▶ ledger ◀──taken keys──┘
//! ```
//!
//! An object is built once, validated once and serialized once; what follows handles bytes. A step fills its next batch
//! while the writer works on the last ones; a full queue makes it wait.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::graph::{Entity, EqualKeys, MappedRelationship, ObjectKey, ObjectType, Properties, Relationship, StepId};
use crate::redact::Redaction;
use crate::schema::{Finding, Schemas, Validation};
use crate::store::{DonePart, Insertion, JobStore, Kind, PartNumber, Pending, Row};

use super::tail::Tail;
use super::{Declaration, Ledger, ObjectError, Part, StepError, StepResult};

/// Changes an entity before it is added, such as to take out what must not be kept.
pub type EntityHook = Arc<dyn Fn(&StepId, &mut Entity) + Send + Sync>;
/// Changes a relationship before it is added.
pub type RelationshipHook = Arc<dyn Fn(&StepId, &mut Relationship) + Send + Sync>;

/// Full enough for cheap transactions, small enough to lose little and to hold little memory.
const BATCH_ROWS: usize = 1_000;
const BATCH_BYTES: usize = 1 << 20;
/// Batches of a step that may be with the writer while it fills the next.
const BATCHES_AHEAD: usize = 2;

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
        ledger.find(findings);
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
    step: StepId,
    emits: BTreeSet<ObjectType>,
    ledger: Arc<Ledger>,
    batch: Mutex<Batch>,
    ahead: Mutex<VecDeque<Pending<Insertion>>>,
    next_part: AtomicI64,
    /// The types it adds that other steps follow.
    followed: BTreeMap<ObjectType, Arc<Tail>>,
}

#[derive(Default)]
struct Batch {
    rows: Vec<Row>,
    done: Vec<DonePart>,
    bytes: usize,
}

impl Batch {
    fn is_full(&self) -> bool {
        self.rows.len() + self.done.len() >= BATCH_ROWS || self.bytes >= BATCH_BYTES
    }
}

/// Every change under these locks is one push or one take, so the contents hold even after a panic elsewhere.
fn open<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
        Self {
            intake,
            step: declaration.id.clone(),
            emits: declaration.emits(),
            ledger,
            batch: Mutex::default(),
            ahead: Mutex::default(),
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
        let row = self.admit(object)?;
        self.enqueue(row).await
    }

    /// Adds an object that an earlier job collected: checked anew, since schemas change.
    pub(crate) async fn adopt(&self, row: Row) -> StepResult {
        let Row { kind, key, object_type, class, ends, merge, json, .. } = row;
        let json = serde_json::from_slice(&json).map_err(|error| StepError::Other(format!("cached {key}: {error}")))?;
        let row = self.admit(Unchecked { kind, key, object_type, class, ends, merge, json })?;
        self.enqueue(row).await
    }

    /// An object that the graph cannot take: its step goes on without it, unless it was asked to fail.
    pub(crate) fn refuse(&self, error: ObjectError) -> StepResult {
        if self.intake.validation == Validation::Fail {
            return Err(error.into());
        }
        tracing::warn!(%error, "an object is refused");
        self.ledger.refuse(error);
        Ok(())
    }

    fn unchecked(&self, candidate: Candidate) -> Unchecked {
        match candidate {
            Candidate::Entity(mut entity, equal_keys) => {
                self.intake.on_entity.iter().for_each(|hook| hook(&self.step, &mut entity));
                entity.raw_data.iter_mut().for_each(|raw| self.intake.redaction.apply(&mut raw.raw_data));
                let classes: Vec<&str> = entity.classes.iter().map(|class| class.as_str()).collect();
                Unchecked {
                    kind: Kind::Entity,
                    class: classes.join(","),
                    key: entity.key.clone(),
                    object_type: entity.object_type.clone(),
                    ends: None,
                    merge: equal_keys == EqualKeys::Merge,
                    json: entity.into_json(),
                }
            }
            Candidate::Relationship(mut relationship) => {
                self.intake.on_relationship.iter().for_each(|hook| hook(&self.step, &mut relationship));
                Unchecked {
                    kind: Kind::Relationship,
                    class: relationship.class.to_string(),
                    key: relationship.key(),
                    object_type: relationship.object_type.clone(),
                    ends: Some((relationship.from.clone(), relationship.to.clone())),
                    merge: false,
                    json: relationship.into_json(),
                }
            }
            Candidate::Mapped(mapped) => Unchecked {
                kind: Kind::MappedRelationship,
                class: mapped.class.to_string(),
                key: mapped.key(),
                object_type: mapped.object_type.clone(),
                ends: None,
                merge: false,
                json: mapped.into_json(),
            },
        }
    }

    /// Checks and serializes.
    fn admit(&self, object: Unchecked) -> StepResult<Row> {
        let Unchecked { kind, key, object_type, class, ends, merge, json } = object;
        let findings = self.intake.check(&json);
        let apart = self.intake.judge(&findings, &key, &object_type)? == Verdict::Apart;
        let quarantined = apart.then(|| serde_json::json!(findings).to_string());
        self.ledger.admit(&object_type, apart, findings);
        let json = serde_json::to_vec(&json).map_err(|error| StepError::Other(error.to_string()))?;
        Ok(Row { kind, key, object_type, class, part: Part::current(), ends, merge, json, quarantined })
    }

    /// Joins properties to an entity that is there; the check happens where the two are joined.
    pub(crate) async fn amend(&self, key: &ObjectKey, properties: Properties) -> StepResult<bool> {
        self.flush().await?;
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
    pub(crate) async fn close_part(&self, part: &Part, parent: ObjectKey) -> StepResult {
        let books = part.books().map_err(|error| StepError::Other(error.to_string()))?;
        self.collect(|batch| batch.done.push(DonePart { number: part.number(), parent, books })).await
    }

    async fn enqueue(&self, row: Row) -> StepResult {
        let tail = self.followed.get(&row.object_type);
        let collected = self.collect(|batch| {
            batch.bytes += row.json.len();
            batch.rows.push(row);
        });
        collected.await?;
        if let Some(tail) = tail {
            tail.tell();
        }
        Ok(())
    }

    async fn collect(&self, change: impl FnOnce(&mut Batch)) -> StepResult {
        let full = {
            let mut batch = open(&self.batch);
            change(&mut batch);
            batch.is_full().then(|| std::mem::take(&mut *batch))
        };
        match full {
            Some(batch) => self.submit(batch).await,
            None => Ok(()),
        }
    }

    /// Sends what is in hand to the writer, so that what is written next comes after it.
    pub(crate) async fn flush(&self) -> StepResult {
        let batch = std::mem::take(&mut *open(&self.batch));
        if batch.rows.is_empty() && batch.done.is_empty() { Ok(()) } else { self.submit(batch).await }
    }

    async fn submit(&self, batch: Batch) -> StepResult {
        let pending = self.intake.store.submit(self.step.clone(), batch.rows, batch.done).await?;
        let oldest = {
            let mut ahead = open(&self.ahead);
            ahead.push_back(pending);
            if ahead.len() > BATCHES_AHEAD { ahead.pop_front() } else { None }
        };
        match oldest {
            Some(pending) => self.settle(pending).await,
            None => Ok(()),
        }
    }

    async fn settle(&self, pending: Pending<Insertion>) -> StepResult {
        let outcome = pending.done().await?;
        self.ledger.settle(outcome);
        Ok(())
    }

    /// Waits until all that the step added is committed, and reports the duplicate keys met.
    pub(crate) async fn finish(&self) -> StepResult {
        self.flush().await?;
        loop {
            let Some(pending) = open(&self.ahead).pop_front() else { break };
            self.settle(pending).await?;
        }
        self.intake.store.settle().await?;
        match self.ledger.duplicate() {
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    }
}

/// An object between its making and its check.
struct Unchecked {
    kind: Kind,
    key: ObjectKey,
    object_type: ObjectType,
    class: String,
    ends: Option<(ObjectKey, ObjectKey)>,
    merge: bool,
    json: Value,
}
