//! The plain layer under the typed parameters: everything that a running step can do.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Display;
use std::sync::Arc;

use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use serde_json::Value;

use crate::graph::run::Parent;
use crate::graph::{
    Entity, EntityView, MappedRelationship, ObjectKey, ObjectType, OnDuplicateKey, Properties, PropertyError,
    Relationship,
};
use crate::http::{Http, ProviderError};
use crate::redact::clean_strings;
use crate::store::{CollectedEntity, CollectedObject, CollectedPage, JobWriter, ScanCursor, StoreError, StoredObject};

use super::ingest::Ingest;
use super::{
    Declaration, Partition, PartitionPermits, PartitionTurns, StepError, StepResult, StepStats, Unchanged, Watermark,
};

/// The number of quarantined entities that are read at once.
const QUARANTINED_PAGE: usize = 100;

/// Receives each partition that could not be collected: its parent, the affected types, and the error.
pub(crate) type OnPartitionFailed = Arc<dyn Fn(&Parent, &BTreeSet<ObjectType>, &StepError) + Send + Sync>;

/// The services that the runtime provides to a step.
pub(crate) struct StepServices {
    pub(crate) declaration: Arc<Declaration>,
    pub(crate) stats: Arc<StepStats>,
    pub(crate) ingest: Ingest,
    pub(crate) job: Arc<dyn JobWriter>,
    pub(crate) http: Option<Http>,
    pub(crate) config: Arc<dyn Any + Send + Sync>,
    pub(crate) on_partition_failed: OnPartitionFailed,
    /// The watermarks of the types that the step follows.
    pub(crate) watermarks: BTreeMap<ObjectType, Arc<Watermark>>,
    pub(crate) permits: Arc<PartitionPermits>,
    /// The length of the longest chain of steps that depend on this one.
    pub(crate) rank: usize,
    /// The paths of the partitions that were completed before the job was resumed.
    pub(crate) done: BTreeSet<String>,
    pub(crate) turns: PartitionTurns,
    /// The newest snapshot, if the objects under unchanged parents are kept.
    pub(crate) unchanged: Option<Unchanged>,
}

/// A running step's view of its job: the plain layer under the typed parameters.
///
/// It is for steps that are created at run time, for types that no Rust struct describes. Such a step declares its
/// types with the builder functions of [`Step`](super::Step). A step function may also receive the context as a
/// parameter.
///
/// ```
/// # use integration_sdk::Integration;
/// use integration_sdk::graph::{
///     Class, Entity, EntityDeclaration, InvalidName, ObjectKey, ObjectType, OnDuplicateKey, StepId,
/// };
/// use integration_sdk::step::{Step, StepContext, StepResult};
///
/// /// A step for bodies of a kind whose name is known only at run time.
/// fn fetch(kind: &str) -> Result<Step, InvalidName> {
///     let object_type = ObjectType::new(format!("space_{kind}"))?;
///     let declaration = EntityDeclaration::new(kind, object_type.clone(), Class::literal("Site"));
///     let step = StepId::new(format!("fetch-{kind}"))?;
///     let work = move |context| bodies(object_type.clone(), context);
///     Ok(Step::new(step, format!("Fetch {kind}"), work).entity(declaration))
/// }
///
/// async fn bodies(object_type: ObjectType, context: StepContext) -> StepResult {
///     let key = ObjectKey::new("comet:halley").expect("a key without spaces");
///     let halley = Entity::new(key, object_type, Class::literal("Site")).with("name", "Halley");
///     context.add_entity(halley, OnDuplicateKey::Reject).await
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), InvalidName> {
/// # use integration_testing_kit::{Collected, assert_graph};
/// let space = Integration::without_provider::<()>("space", "Space").step(fetch("comet")?);
/// let collected = Collected::run_without_values(&space).await;
/// assert_graph!(collected, { space_comet: 1 });
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct StepContext(Arc<StepServices>);

impl std::fmt::Debug for StepServices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("StepServices").field(&self.declaration.id).finish()
    }
}

impl StepContext {
    pub(crate) fn new(services: StepServices) -> Self {
        Self(Arc::new(services))
    }

    /// Returns the watermark of a followed type. For an undeclared type, it is the watermark of a complete type.
    pub(crate) fn watermark(&self, object_type: &ObjectType) -> Arc<Watermark> {
        self.0.watermarks.get(object_type).cloned().unwrap_or_else(|| {
            let ended = Watermark::new();
            ended.end();
            ended
        })
    }

    /// Reads entities of a type, in the order of the cursor.
    pub(crate) async fn scan(
        &self,
        object_type: &ObjectType,
        from: ScanCursor,
        limit: usize,
    ) -> StepResult<CollectedPage> {
        Ok(self.0.job.scan(object_type.clone(), from, limit).await?)
    }

    /// Waits until the batches that the writer has received are committed, so that readers see them.
    pub(crate) async fn commit(&self) -> StepResult {
        Ok(self.0.job.commit().await?)
    }

    /// The declaration of the step.
    pub fn declaration(&self) -> &Declaration {
        &self.0.declaration
    }

    /// The maximum number of parents that the steps of the job process concurrently.
    pub fn concurrency(&self) -> usize {
        self.0.permits.max()
    }

    /// Returns the client of the provider. It reports unreadable list elements as gaps of this step.
    pub(crate) fn http(&self) -> Option<Http> {
        let (stats, types) = (Arc::clone(&self.0.stats), self.0.declaration.emits());
        let report = move |error: &ProviderError| {
            stats.unread(types.clone(), error, Partition::current().as_deref());
        };
        Some(self.0.http.as_ref()?.reporting(Arc::new(report)))
    }

    pub(crate) fn config(&self) -> Arc<dyn Any + Send + Sync> {
        Arc::clone(&self.0.config)
    }

    pub(crate) fn ingest(&self) -> &Ingest {
        &self.0.ingest
    }

    /// Adds an entity. `on_duplicate_key` determines how a second entity with the same key is handled.
    ///
    /// # Errors
    /// [`StepError::Object`] if the entity is rejected under `--validation fail`, [`StepError::Store`] if the store
    /// fails. A duplicate key is reported when the step ends, so that it affects no other object.
    pub async fn add_entity(&self, entity: Entity, on_duplicate_key: OnDuplicateKey) -> StepResult {
        self.ingest().add_entity(entity, on_duplicate_key).await
    }

    /// Adds a relationship.
    ///
    /// # Errors
    /// As [`add_entity`](Self::add_entity).
    pub async fn add_relationship(&self, relationship: Relationship) -> StepResult {
        self.ingest().add_relationship(relationship).await
    }

    /// Adds a mapped relationship.
    ///
    /// # Errors
    /// As [`add_entity`](Self::add_entity).
    pub async fn add_mapped_relationship(&self, relationship: MappedRelationship) -> StepResult {
        self.ingest().add_mapped(relationship).await
    }

    /// Adds properties to an entity of another step; returns `false` if the key is unknown.
    ///
    /// The amended entity is validated like a new one. If it violates its schemas under `--validation quarantine`, it
    /// stays as it was.
    ///
    /// # Errors
    /// [`StepError::Object`] if the amended entity is rejected under `--validation fail`, [`StepError::Store`] if the
    /// store fails.
    pub async fn amend(&self, key: &ObjectKey, properties: Properties) -> StepResult<bool> {
        Ok(self.amend_all(vec![(key.clone(), properties)]).await? > 0)
    }

    /// Amends many entities with a single wait for the store, and returns how many exist.
    ///
    /// # Errors
    /// As [`amend`](Self::amend).
    pub async fn amend_all(&self, amendments: Vec<(ObjectKey, Properties)>) -> StepResult<usize> {
        self.ingest().amend(amendments).await
    }

    /// Reads at most `limit` objects of a type in key order, behind the key `after`.
    ///
    /// Raw data is omitted.
    ///
    /// # Errors
    /// [`StepError::Store`] if the store fails.
    pub async fn page(
        &self,
        object_type: &ObjectType,
        after: Option<ObjectKey>,
        limit: usize,
    ) -> StepResult<Vec<Properties>> {
        let (mut found, mut next) = (Vec::new(), Some(ScanCursor::Key(after)));
        while let Some(from) = next.filter(|_| found.len() < limit) {
            let page = self.scan(object_type, from, limit - found.len()).await?;
            for object in page.objects {
                found.push(properties(&object.key, &object.properties)?);
            }
            next = page.next;
        }
        Ok(found)
    }

    /// Finds an entity by its key; its raw data is omitted.
    ///
    /// # Errors
    /// [`StepError::Store`] if the store fails.
    pub async fn find(&self, key: &ObjectKey) -> StepResult<Option<Properties>> {
        let found = self.0.job.entities(vec![key.clone()]).await?.pop().flatten();
        found.map(|entity| properties(key, &entity.properties)).transpose()
    }

    /// Returns the keys and the JSON of those entities that have this type.
    pub(crate) async fn entities(
        &self,
        object_type: &ObjectType,
        keys: Vec<ObjectKey>,
    ) -> StepResult<Vec<(ObjectKey, String)>> {
        let found = self.0.job.entities(keys.clone()).await?;
        let of_type = |(key, entity): (ObjectKey, Option<CollectedEntity>)| {
            let entity = entity.filter(|entity| entity.object_type == *object_type)?;
            Some((key, entity.properties))
        };
        Ok(keys.into_iter().zip(found).filter_map(of_type).collect())
    }

    pub(crate) async fn known(&self, object_type: &ObjectType, keys: Vec<ObjectKey>) -> StepResult<HashSet<ObjectKey>> {
        Ok(self.0.job.known(object_type.clone(), keys).await?)
    }

    /// Confirms that a type is empty, or fails if a gap may hide its objects. A type with quarantined entities is not
    /// empty.
    pub(crate) async fn surely_empty(&self, object_type: &ObjectType, empty: bool) -> StepResult<bool> {
        if empty && !self.scan(object_type, ScanCursor::FIRST_QUARANTINED, 1).await?.objects.is_empty() {
            return Ok(false);
        }
        if empty && !self.has_all(object_type).await? {
            return Err(StepError::Unknown { object_type: object_type.clone() });
        }
        Ok(empty)
    }

    /// Returns whether all ended steps collected this type without a gap.
    pub(crate) async fn has_all(&self, object_type: &ObjectType) -> StepResult<bool> {
        Ok(!self.0.job.reports().await?.iter().any(|report| report.may_lack(object_type)))
    }

    /// Returns those parents under which all ended steps collected this type without a gap.
    pub(crate) async fn complete_under(
        &self,
        object_type: &ObjectType,
        mut parents: HashSet<ObjectKey>,
    ) -> StepResult<HashSet<ObjectKey>> {
        if parents.is_empty() {
            return Ok(parents);
        }
        let reports = self.0.job.reports().await?;
        parents.retain(|parent| !reports.iter().any(|report| report.may_lack_under(object_type, parent)));
        Ok(parents)
    }

    /// Streams the quarantined entities of a type of which the graph has no other description.
    ///
    /// The key of an entity is enough to collect its children. The stream is complete once all emitters have ended.
    fn quarantined<'a, E: EntityView + 'a>(&'a self, object_type: &'a ObjectType) -> BoxStream<'a, StepResult<E>> {
        let start = (ScanCursor::FIRST_QUARANTINED, BTreeSet::new());
        let pages = stream::try_unfold(start, move |(from, mut met)| async move {
            let CollectedPage { objects, next } = self.scan(object_type, from, QUARANTINED_PAGE).await?;
            let Some(next) = next.filter(|_| !objects.is_empty()) else { return Ok::<_, StepError>(None) };
            let known = self.known(object_type, objects.iter().map(|object| object.key.clone()).collect()).await?;
            let mut entities = Vec::new();
            for CollectedObject { key, properties } in objects {
                if known.contains(&key) || !met.insert(key.clone()) {
                    continue;
                }
                match E::read(&properties) {
                    Ok(entity) => entities.push(Ok(entity)),
                    Err(source) => {
                        let parent = Parent { object_type: object_type.clone(), key };
                        let (types, error) = (self.0.declaration.emits(), unreadable(object_type, source));
                        self.0.stats.add_gap(types, Some(parent), &error, Partition::current().as_deref());
                    }
                }
            }
            Ok(Some((stream::iter(entities), (next, met))))
        });
        pages.try_flatten().boxed()
    }

    /// Runs the work for each selected entity as a [`partition`](Self::partition) under it, several concurrently.
    ///
    /// The others are counted as excluded.
    pub(crate) async fn for_each_partition<E, S, F, Fut>(
        &self,
        object_type: &ObjectType,
        entities: BoxStream<'_, StepResult<E>>,
        selects: S,
        work: F,
    ) -> StepResult
    where
        E: EntityView,
        S: Fn(&E) -> bool + Send + Sync,
        F: Fn(E) -> Fut + Send,
        Fut: Future<Output = StepResult> + Send,
    {
        let select = |entity: &E| {
            let selected = selects(entity);
            if !selected {
                self.0.stats.exclude();
            }
            std::future::ready(selected)
        };
        let partition = |entity: E| {
            let key = entity.entity_key();
            let work = work(entity);
            async move {
                match ObjectKey::new(key) {
                    Ok(key) => self.partition(Parent { object_type: object_type.clone(), key }, work).await,
                    Err(_) => work.await,
                }
            }
        };
        let entities = entities.chain(self.quarantined(object_type)).try_filter(select);
        entities.try_for_each_concurrent(self.concurrency(), partition).await
    }

    /// Publishes job data for later steps. Values that look like credentials are removed, because job data is stored.
    ///
    /// # Errors
    /// [`StepError::Store`] if the store fails.
    pub async fn publish(&self, name: &str, value: &Value) -> StepResult {
        let mut value = value.clone();
        clean_strings(&mut value);
        Ok(self.0.job.put_data(name.to_owned(), value).await?)
    }

    /// Returns the job data that an earlier step published.
    ///
    /// # Errors
    /// [`StepError::Store`] if the store fails.
    pub async fn data(&self, name: &str) -> StepResult<Option<Value>> {
        Ok(self.0.job.data(name.to_owned()).await?)
    }

    /// Counts an object that the step omits on purpose, with the reason.
    pub fn skip(&self, object_type: &ObjectType, reason: &str) {
        self.0.stats.skip(object_type, reason, Partition::current().as_deref());
    }

    /// Counts an object that the step omits on purpose. The details of the summary and the log contain its name.
    pub fn skip_named(&self, object_type: &ObjectType, reason: &str, name: &dyn Display) {
        self.0.stats.skip_named(object_type, reason, name, Partition::current().as_deref());
    }

    /// Records an object that is missing because its input could not be collected.
    ///
    /// It counts as a gap of the type unless an inherited gap covers it. The summary and the log contain its name.
    pub fn miss(&self, object_type: &ObjectType, reason: &str, name: &dyn Display) {
        self.0.stats.miss(object_type, reason, name, Partition::current().as_deref());
    }

    /// Runs the work on one parent, unless it was completed before the job was resumed.
    ///
    /// If the provider fails, the gap is limited to this parent, and the rest of the step continues. If the parent is
    /// gone, its objects are counted as skipped, because nothing is missing. A parent is gone if at least two steps
    /// requested data of it and none of them found it. If all responses were 404, each step must have found other
    /// parents as well. Errors that end the job and errors of the store are returned.
    ///
    /// The work must add its objects itself. Objects are assigned to the partition of the current task, so those added
    /// by spawned tasks would belong to no partition.
    ///
    /// # Errors
    /// Every error that must end the step.
    pub async fn partition(&self, parent: Parent, work: impl Future<Output = StepResult> + Send) -> StepResult {
        let path = Partition::path(&parent.key, &self.0.turns);
        if self.0.done.contains(&path) {
            return Ok(());
        }
        // A nested partition runs under the permit of the enclosing one. Acquiring a second permit could deadlock.
        let _permit = match Partition::current() {
            None => Some(self.0.permits.acquire(self.0.rank).await),
            Some(_) => None,
        };
        let partition = Partition::new(self.ingest().next_partition(), parent.clone(), path);
        self.0.stats.open().partitions += 1;
        if let Some(objects) = self.unchanged(&parent).await? {
            self.0.stats.keep(&partition);
            partition.doing(self.keep(objects)).await?;
            return self.ingest().close_partition(partition).await;
        }
        match partition.doing(work).await {
            Ok(()) => {
                self.0.stats.find_parent(&parent);
                self.ingest().close_partition(partition).await
            }
            Err(error) if error.is_vanished() => {
                self.0.stats.vanish(&self.0.declaration.emits(), parent, &error, &partition);
                Ok(())
            }
            Err(error) if error.is_local() => {
                self.partition_failed(parent, &error);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Returns the objects under a parent that has not changed since the newest snapshot.
    async fn unchanged(&self, parent: &Parent) -> StepResult<Option<Vec<StoredObject>>> {
        let Some(unchanged) = &self.0.unchanged else { return Ok(None) };
        let Some((_, properties)) = self.entities(&parent.object_type, vec![parent.key.clone()]).await?.pop() else {
            return Ok(None);
        };
        unchanged.under(parent, &properties).await
    }

    /// Adds objects of the newest snapshot.
    async fn keep(&self, objects: Vec<StoredObject>) -> StepResult {
        for object in objects {
            let merges = self.0.unchanged.as_ref().is_some_and(|unchanged| unchanged.merges(&object.object_type));
            self.ingest().reuse(StoredObject { parent: None, ..object }, merges).await?;
        }
        Ok(())
    }

    fn partition_failed(&self, parent: Parent, error: &StepError) {
        tracing::warn!(parent = %parent.key, %error, "a partition could not be collected");
        let types = self.0.declaration.emits();
        (self.0.on_partition_failed)(&parent, &types, error);
        self.0.stats.add_gap(types, Some(parent), error, Partition::current().as_deref());
        self.0.stats.open().failed_partitions += 1;
    }

    /// Records that a whole type could not be collected.
    pub fn missing(&self, object_type: &ObjectType, error: &StepError) {
        self.0.stats.add_gap([object_type.clone()].into(), None, error, Partition::current().as_deref());
    }
}

/// Parses the properties of a collected entity.
fn properties(key: &ObjectKey, json: &str) -> StepResult<Properties> {
    let unreadable = |error| StoreError::Corrupt(format!("the object {key}: {error}"));
    Ok(serde_json::from_str(json).map_err(unreadable)?)
}

/// Reads the entities of a page.
pub(super) fn read_all<E: EntityView>(object_type: &ObjectType, objects: &[CollectedObject]) -> StepResult<Vec<E>> {
    let read = |object: &CollectedObject| E::read(&object.properties).map_err(|error| unreadable(object_type, error));
    objects.iter().map(read).collect()
}

pub(super) fn unreadable(object_type: &ObjectType, source: PropertyError) -> StepError {
    StepError::Unreadable { object_type: object_type.clone(), source }
}
