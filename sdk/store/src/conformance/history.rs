//! Random histories of jobs, applied to a store, so that its results can be compared with those of another one.
//!
//! A test generates operations, applies each of them to two stores, and compares the texts that
//! [`History::apply`] returns. They contain everything that a runtime can observe, without ids, times, and positions.
//!
//! ```
//! # futures::executor::block_on(async {
//! use std::sync::Arc;
//! use integration_store::MemoryStore;
//! use integration_store::conformance::history::{History, Operation, Thing};
//!
//! let mut history = History::of(Arc::new(MemoryStore::default()));
//! let things = vec![Thing::new(0)];
//! let added = history.apply(&Operation::Append { step: 0, in_partition: false, completes: false, things }).await;
//! assert!(added.contains("acme_app"));
//! # })
//! ```

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;

use futures::TryStreamExt;
use integration_graph::history::{Published, SnapshotGap};
use integration_graph::run::{
    ErrorCode, Gap, JobState, Parent, PartitionId, PartitionRef, StepReport, StepStatus, Summary,
};
use integration_graph::{InstanceId, JobId, ObjectJson, ObjectKey, ObjectText, ObjectType, StepId};
use serde_json::{Value, json};

use crate::{
    AmendOutcome, Amendment, CompletedPartition, DeclaredEnds, JobStore, JobWriter, Kind, NewJob, ObjectBatch,
    Publication, Revision, RewindTo, Row, ScanCursor, Selection, StepBatch, StoreError,
};

/// The number of different objects: entities, relationships, and a mapped relationship.
pub const OBJECTS: usize = 7;
/// The number of steps.
pub const STEPS: usize = 3;
/// The number of types.
pub const TYPES: usize = 4;
const ENTITIES: usize = 4;
/// The entities that each direct relationship connects.
const LINKS: [(usize, usize); 2] = [(0, 1), (1, 2)];
const NAMES: [&str; TYPES] = ["acme_app", "acme_user", "acme_app_has_user", "acme_user_is_person"];

/// A description of one of the objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thing {
    /// The object, below [`OBJECTS`].
    pub object: usize,
    /// Whether an entity has the other one of the two types.
    pub retyped: bool,
    /// A property.
    pub value: u8,
    /// The time of the last update.
    pub updated: Option<u8>,
    /// The raw data.
    pub raw: u8,
    /// Whether the object violates its schema.
    pub quarantined: bool,
    /// Whether the object is rejected before it reaches the store.
    pub rejected: bool,
}

impl Thing {
    /// Creates a plain description of an object.
    pub fn new(object: usize) -> Self {
        Self { object, retyped: false, value: 0, updated: None, raw: 0, quarantined: false, rejected: false }
    }

    /// Entities of the type `acme_user` merge.
    fn merges(self) -> bool {
        self.object < ENTITIES && self.type_at() == 1
    }

    fn type_at(self) -> usize {
        match self.object {
            entity if entity < ENTITIES => (entity + usize::from(self.retyped)) % 2,
            direct if direct < ENTITIES + LINKS.len() => 2,
            _ => 3,
        }
    }

    fn row(self, partition: Option<PartitionId>) -> Row {
        let ends = self.object.checked_sub(ENTITIES).and_then(|link| LINKS.get(link));
        Row {
            kind: [Kind::Entity, Kind::Entity, Kind::Relationship, Kind::MappedRelationship][self.type_at()],
            partition: PartitionRef::from(partition),
            parent: partition.map(parent),
            ends: ends.map(|(from, to)| (key(*from), key(*to))),
            merge: self.merges(),
            quarantined: self.quarantined.then(|| "[]".to_owned()),
            ..Row::entity(key(self.object), type_of(self.type_at()))
        }
    }

    fn texts(self) -> (String, String) {
        let mut json = json!({"_key": key(self.object), "_type": NAMES[self.type_at()], "value": self.value});
        if self.merges() {
            json["values"] = json!([self.value]);
        }
        if let Some(updated) = self.updated {
            json["updatedOn"] = updated.into();
        }
        if self.object == OBJECTS - 1 {
            json["_mapping"] = json!({"sourceEntityKey": key(1)});
        }
        let Value::Object(properties) = json else { unreachable!("an object was created") };
        (
            ObjectText::from(&properties).as_str().to_owned(),
            json!([{"name": "default", "rawData": self.raw}]).to_string(),
        )
    }
}

/// A gap: a type, and the partition whose parent it is limited to.
pub type GapOf = (usize, Option<u32>);

/// One operation of a runtime. Operations that need a running job begin one if there is none.
#[derive(Debug, Clone)]
pub enum Operation {
    /// A step adds objects, in its current partition or outside of all partitions.
    Append {
        /// The step, below [`STEPS`].
        step: usize,
        /// Whether the objects belong to a partition.
        in_partition: bool,
        /// Whether the batch completes the partition.
        completes: bool,
        /// The objects.
        things: Vec<Thing>,
    },
    /// A step amends an entity, possibly from a state that has changed in between.
    Amend {
        /// The entity.
        object: usize,
        /// The value of the added property.
        value: u8,
        /// Whether the state is out of date.
        late: bool,
    },
    /// A step ends, with or without a gap.
    EndStep {
        /// The step.
        step: usize,
        /// The gap.
        gap: Option<GapOf>,
    },
    /// All steps end, and relationships without ends are removed.
    Reconcile,
    /// The job ends.
    End {
        /// The gaps of the publication; `None` if the job publishes nothing.
        gaps: Option<Vec<GapOf>>,
        /// The types that may lack properties.
        lacking: Vec<usize>,
        /// Whether the job can be resumed.
        resumable: bool,
    },
    /// The process ends, and another one resumes the newest job if it can.
    Resume {
        /// Whether all steps start from the beginning.
        to_start: bool,
    },
    /// The process ends, and another one begins a job.
    Restart,
}

/// The current partition of a step, and the next free id.
#[derive(Debug, Clone, Copy)]
struct Partitions {
    current: Option<PartitionId>,
    next: PartitionId,
}

/// A store to which operations are applied.
pub struct History {
    store: Arc<dyn JobStore>,
    writer: Option<Arc<dyn JobWriter>>,
    partitions: [Partitions; STEPS],
    published: Option<(JobId, Published)>,
}

const NEW: Partitions = Partitions { current: None, next: PartitionId::FIRST };

impl History {
    /// Starts with a store.
    pub fn of(store: Arc<dyn JobStore>) -> Self {
        Self { store, writer: None, partitions: [NEW; STEPS], published: None }
    }

    /// Applies an operation; returns its result and the state of the store after it.
    ///
    /// # Panics
    /// If the store fails.
    pub async fn apply(&mut self, operation: &Operation) -> String {
        let result = match operation {
            Operation::Append { step, in_partition, completes, things } => {
                self.append(*step, *in_partition, *completes, things).await
            }
            Operation::Amend { object, value, late } => self.amend(*object, *value, *late).await,
            Operation::EndStep { step, gap } => self.end_step(*step, *gap).await,
            Operation::Reconcile => self.reconcile().await,
            Operation::End { gaps, lacking, resumable } => self.end(gaps.as_deref(), lacking, *resumable).await,
            Operation::Resume { to_start } => self.resume(*to_start).await,
            Operation::Restart => {
                self.writer = None;
                self.running().await;
                Ok(String::new())
            }
        };
        let result = result.unwrap_or_else(|error| panic!("{operation:?}: {error}"));
        format!("{result}\n{}", self.state().await)
    }

    /// Returns whether a job is running.
    pub fn is_running(&self) -> bool {
        self.writer.is_some()
    }

    /// Returns the job that published last, and the changes.
    pub fn published(&self) -> Option<&(JobId, Published)> {
        self.published.as_ref()
    }

    /// Ends the process, and replaces the store by a handle of a new one.
    pub fn reopen(&mut self, store: impl FnOnce() -> Arc<dyn JobStore>) {
        self.writer = None;
        self.store = Arc::new(crate::MemoryStore::default());
        self.store = store();
    }

    async fn running(&mut self) -> Arc<dyn JobWriter> {
        if let Some(writer) = &self.writer {
            return Arc::clone(writer);
        }
        let job = NewJob { integration: "acme".into(), instance: InstanceId::default(), options: json!({}) };
        let writer = self.store.begin(job).await.expect("a job begins");
        self.partitions = [NEW; STEPS];
        self.writer = Some(Arc::clone(&writer));
        writer
    }

    async fn append(
        &mut self,
        step: usize,
        in_partition: bool,
        completes: bool,
        things: &[Thing],
    ) -> Result<String, StoreError> {
        let writer = self.running().await;
        let of_step = &mut self.partitions[step];
        if in_partition && of_step.current.is_none() {
            of_step.current = Some(of_step.next);
            of_step.next = of_step.next.next();
        }
        let partition = of_step.current.filter(|_| in_partition);
        let mut objects = ObjectBatch::default();
        for thing in things {
            let (properties, raw) = thing.texts();
            let row = thing.row(partition);
            match thing.rejected {
                true => objects.reject(row.kind, &row.key),
                false => objects.push(row, ObjectJson { properties: &properties, raw: Some(&raw) }),
            }
        }
        let mut completed = Vec::new();
        if let Some(id) = partition.filter(|_| completes) {
            let (path, stats) = (format!("{}-{id}", parent(id)), format!("{{\"of\":{id}}}"));
            completed.push(CompletedPartition { id, parent: parent(id), path, outer: None, stats });
            of_step.current = None;
        }
        let receipt = writer.append(Arc::new(StepBatch { step: step_of(step), objects, completed })).await?;
        let report = receipt.await?;
        writer.commit().await?;
        Ok(format!("{report:?}"))
    }

    async fn amend(&mut self, object: usize, value: u8, late: bool) -> Result<String, StoreError> {
        let (writer, key) = (self.running().await, key(object));
        let found = writer.entities(vec![key.clone()]).await?.remove(0);
        let (properties, revision) = match &found {
            Some(entity) => (entity.properties.clone(), entity.revision),
            None => ("{}".to_owned(), Revision::new(7)),
        };
        let mut properties: integration_graph::Properties = serde_json::from_str(&properties).expect("an object");
        properties.insert("amended".to_owned(), value.into());
        let properties = ObjectText::from(&properties).as_str().to_owned();
        let amendment = Amendment { key, expected: revision, properties };
        // The second amendment expects the state before the first one.
        let amendments = vec![amendment; 1 + usize::from(late)];
        let outcomes = writer.amend(amendments).await?.into_iter().map(|outcome| match outcome {
            AmendOutcome::Conflict(current) => format!("conflict {}", current.properties),
            other => format!("{other:?}"),
        });
        let outcomes: Vec<String> = outcomes.collect();
        writer.commit().await?;
        Ok(outcomes.join(", "))
    }

    async fn end_step(&mut self, step: usize, gap: Option<GapOf>) -> Result<String, StoreError> {
        let writer = self.running().await;
        let status = if gap.is_some() { StepStatus::Partial } else { StepStatus::Success };
        let mut report = StepReport::new(step_of(step), "A step", status);
        report.gaps.extend(
            gap.map(|(of, under)| {
                Gap::new([type_of(of)], ErrorCode::ProviderApi, "refused").under(under.map(parent_of))
            }),
        );
        writer.end_step(report).await?;
        Ok(String::new())
    }

    async fn reconcile(&mut self) -> Result<String, StoreError> {
        let mut declared = DeclaredEnds::default();
        declared.add(&type_of(2), &type_of(0), Some(&type_of(1)));
        Ok(format!("{:?}", self.running().await.reconcile(declared).await?))
    }

    async fn end(&mut self, gaps: Option<&[GapOf]>, lacking: &[usize], resumable: bool) -> Result<String, StoreError> {
        let writer = self.running().await;
        let gap = |(of, under): &GapOf| SnapshotGap {
            step: step_of(0),
            types: types_of(*of),
            parent: under.map(parent_of),
            code: if *of == 0 { ErrorCode::ParentsExcluded } else { ErrorCode::ProviderApi },
            cause: "refused".to_owned(),
        };
        let state = if resumable { JobState::Cancelled } else { JobState::Complete };
        let job = writer.lease().job.clone();
        let summary = Summary::new(job.clone(), "acme", InstanceId::default(), state);
        let publication = gaps.map(|gaps| Publication {
            gaps: gaps.iter().map(gap).collect(),
            lacking_properties: lacking.iter().map(|of| type_of(*of)).collect(),
            collected_parents: [(step_of(0), [parent_of(0).key].into())].into(),
            resumable,
        });
        let has_graph = publication.is_some();
        let summary = writer.end(summary, publication).await?;
        self.writer = None;
        let mut result = String::new();
        if let Some(published) = summary.published {
            let Published { previous, changes, stale } = &published;
            write!(result, "{} {changes:?} {stale:?}", previous.is_some()).expect("a text");
            self.published = Some((job.clone(), published));
        }
        for with_stale in [true, false].into_iter().filter(|_| has_graph) {
            result.push_str(&self.graph(&job, with_stale).await?);
        }
        Ok(result)
    }

    /// Returns the objects of a published graph, without their times.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    ///
    /// # Panics
    /// If the job has published nothing.
    pub async fn graph(&self, job: &JobId, with_stale: bool) -> Result<String, StoreError> {
        let reader = self.store.published(job.clone(), with_stale).await?.expect("a published graph");
        let batches = reader.scan(Selection::default().with_raw()).try_concat().await.expect("a scan");
        let mut text = format!("\n{:?}", reader.gaps().await.expect("the gaps"));
        for object in batches {
            let (raw, parent) = (object.raw.unwrap_or_default(), object.parent);
            let (key, step, stale) = (object.key, object.step, object.is_stale);
            write!(text, "\n{} {key} {step} {parent:?} {stale} {}{raw}", object.object_type, object.properties)
                .expect("a text");
        }
        Ok(text)
    }

    async fn resume(&mut self, to_start: bool) -> Result<String, StoreError> {
        self.writer = None;
        let Some(newest) = self.store.jobs().await?.into_iter().next() else { return Ok("no job".to_owned()) };
        let resumed = match self.store.resume(newest.id).await {
            Ok(resumed) => resumed,
            Err(StoreError::Complete { .. }) => return Ok("complete".to_owned()),
            Err(error) => return Err(error),
        };
        let mut points = String::new();
        for step in 0..STEPS {
            let to = if to_start { RewindTo::Start } else { RewindTo::Checkpoint };
            let point = resumed.writer.rewind(step_of(step), to).await?;
            self.partitions[step] = Partitions { current: None, next: point.next_partition };
            write!(points, "{point:?}").expect("a text");
        }
        let gaps = &resumed.earlier_gaps;
        let gaps: Vec<bool> = (1..4)
            .filter_map(PartitionId::new)
            .flat_map(|id| [gaps.are_under(&parent(id)), gaps.concern(&step_of(0), &parent(id))])
            .collect();
        self.writer = Some(resumed.writer);
        Ok(format!("{} {points} {:?} {gaps:?}", newest.state.as_str(), resumed.reports))
    }

    /// Returns everything that the runtime can read of the running job.
    async fn state(&self) -> String {
        let Some(writer) = &self.writer else { return String::new() };
        let mut text = String::new();
        for at in 0..TYPES {
            for from in [ScanCursor::FIRST_KEY, ScanCursor::FIRST_APPENDED, ScanCursor::FIRST_QUARANTINED] {
                let in_key_order = matches!(from, ScanCursor::Key(_));
                let mut found = scan(writer.as_ref(), type_of(at), from).await;
                // Positions are reused after a rewind, so only their stability is observable.
                if !in_key_order {
                    found.sort();
                }
                write!(text, "\n{found:?}").expect("a text");
            }
            let keys: Vec<ObjectKey> = (0..OBJECTS).map(key).collect();
            let mut known: Vec<_> = writer.known(type_of(at), keys).await.expect("keys").into_iter().collect();
            known.sort();
            write!(text, "\n{known:?}").expect("a text");
        }
        for entity in writer.entities((0..OBJECTS).map(key).collect()).await.expect("entities") {
            let entity = entity.map(|entity| (entity.object_type, entity.properties));
            write!(text, "\n{entity:?}").expect("a text");
        }
        write!(text, "\n{:?}", writer.counts(None).await.expect("counts")).expect("a text");
        for step in (0..STEPS).map(step_of) {
            let counts = writer.counts(Some(step.clone())).await.expect("counts");
            let duplicates = writer.duplicates(step.clone()).await.expect("duplicates");
            let parents = writer.completed_parents(Some(step)).await.expect("parents");
            write!(text, "\n{counts:?} {duplicates:?} {parents:?}").expect("a text");
        }
        let reports = writer.reports().await.expect("reports");
        let parents = writer.completed_parents(None).await.expect("parents");
        write!(text, "\n{:?} {parents:?}", reports.iter().map(|report| &report.id).collect::<Vec<_>>())
            .expect("a text");
        text
    }
}

/// Returns all objects of a scan in small pages.
pub(super) async fn scan(
    writer: &dyn JobWriter,
    object_type: ObjectType,
    from: ScanCursor,
) -> Vec<(ObjectKey, String)> {
    let (mut found, mut next) = (Vec::new(), Some(from));
    while let Some(from) = next {
        let page = writer.scan(object_type.clone(), from, 2).await.expect("a page");
        next = page.next.filter(|_| !page.objects.is_empty());
        found.extend(page.objects.into_iter().map(|object| (object.key, object.properties)));
    }
    found
}

pub(super) fn step_of(at: usize) -> StepId {
    StepId::literal(["add-a", "add-b", "add-c"][at])
}

fn type_of(at: usize) -> ObjectType {
    ObjectType::literal(NAMES[at])
}

/// The types of a gap. A step that links apps to users also describes the users.
fn types_of(at: usize) -> BTreeSet<ObjectType> {
    [Some(at), (at == 2).then_some(1)].into_iter().flatten().map(type_of).collect()
}

fn key(object: usize) -> ObjectKey {
    ObjectKey::stored(&format!("object-{object}")).expect("a key")
}

/// Returns the parent of a partition. Several partitions have the same parent.
fn parent(id: PartitionId) -> ObjectKey {
    ObjectKey::stored(&format!("team-{}", id.get() % 3)).expect("a key")
}

fn parent_of(partition: u32) -> Parent {
    let id = PartitionId::new(partition + 1).unwrap_or(PartitionId::FIRST);
    Parent { object_type: ObjectType::literal("acme_team"), key: parent(id) }
}
