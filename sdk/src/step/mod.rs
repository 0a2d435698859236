//! Steps: functions that read part of the graph and add to it.
//!
//! ```text
//!   #[step] async fn f(api: Client<P>, teams: Read<Team>, apps: Emit<App>)   the typed layer
//!        │  each parameter declares itself, then binds itself to a run
//!        ▼
//!   Step { declaration, handler }                                            the plain layer
//!        │  plan orders declarations; runtime calls handlers with a StepContext
//!        ▼
//!   StepContext: add, read, find, publish, skip                              the operations of a handler
//! ```
//!
//! The typed layer is a convenience: every parameter is built from a [`StepContext`]. A step created at run time uses
//! the context directly.
//!
//! ```
//! use integration_sdk::prelude::*;
//!
//! /// A planet.
//! #[derive(EntityKind)]
//! #[entity(type = "space_planet", class = "Site", resource = "Planet")]
//! struct Planet { #[entity(key)] id: String, name: String }
//!
//! /// Emits the planets.
//! #[step(id = "fetch-planets", name = "Fetch planets", scopes("read"))]
//! async fn fetch_planets(planets: Emit<Planet>) -> StepResult {
//!     planets.add(Planet { id: "planet:earth".into(), name: "Earth".into() }).await?;
//!     Ok(())
//! }
//!
//! // The attribute turns the function into one without parameters that returns the step.
//! let step = fetch_planets();
//! assert_eq!(step.declaration().description, "Emits the planets.");
//! assert_eq!(step.declaration().entities[0].object_type.as_str(), "space_planet");
//! ```
//!
//! The front page of the crate [lists the parameters](crate#parameters-of-a-step).

mod amend;
mod annotate;
mod batch_writer;
mod context;
mod declaration;
mod emit;
mod error;
mod follow;
mod function;
mod ingest;
mod job_data;
mod known;
mod losses;
mod partition;
mod pending;
mod permits;
mod policy;
mod raw_data;
mod read;
mod stats;
mod unchanged;
mod watermark;

use std::any::Any;
use std::collections::HashSet;
use std::sync::Arc;

use futures::future::BoxFuture;

pub use crate::graph::run::{DisabledReason, Parent};
pub use annotate::Annotate;
pub use context::StepContext;
pub(crate) use context::{OnPartitionFailed, StepServices};
pub use declaration::{ChangeSign, Declaration, IngestionSource};
pub use emit::{Amend, Emit, Emittable, EntityEmitter, MappedRelationshipEmitter, RelationshipEmitter};
pub use error::{ObjectError, StepError, StepResult};
pub use follow::Follow;
pub use function::{Client, ConfigOf, Parameter, StepFunction};
pub(crate) use ingest::Ingest;
pub use job_data::{JobData, JobDatum, Publish};
pub use known::Known;
pub(crate) use partition::{Partition, PartitionStats, PartitionTurns};
pub(crate) use permits::PartitionPermits;
pub(crate) use policy::{EntityHook, IngestPolicy, RelationshipHook};
pub use read::Read;
pub(crate) use stats::{FoundParents, StepStats, StepStatsSnapshot, Vanished};
pub(crate) use unchanged::Unchanged;
pub(crate) use watermark::Watermark;

use crate::graph::{
    EntityDeclaration, MappedRelationshipDeclaration, ObjectKey, ObjectType, RelationshipDeclaration, StepId,
};
use crate::store::GraphReader;

type Handler = Arc<dyn Fn(StepContext) -> BoxFuture<'static, StepResult> + Send + Sync>;

/// Computes the number of requests of a step from its configuration and an earlier graph; `None` for a configuration of
/// another type.
pub(crate) type RequestCount = Arc<
    dyn Fn(Arc<dyn Any + Send + Sync>, Arc<dyn GraphReader>) -> BoxFuture<'static, StepResult<Option<u64>>>
        + Send
        + Sync,
>;

/// Computes the parents that a configuration selects in an earlier graph; `None` for a configuration of another type.
pub(crate) type SelectedParents = Arc<
    dyn Fn(
            Arc<dyn Any + Send + Sync>,
            Arc<dyn GraphReader>,
        ) -> BoxFuture<'static, StepResult<Option<HashSet<ObjectKey>>>>
        + Send
        + Sync,
>;

/// A step: its declaration and its handler.
#[derive(Clone)]
pub struct Step {
    declaration: Arc<Declaration>,
    handler: Handler,
    expected_requests: Option<RequestCount>,
    selected_parents: Option<SelectedParents>,
}

impl std::fmt::Debug for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Step").field(&self.declaration.id).finish()
    }
}

impl Step {
    /// Creates a step at run time. The builder methods declare it, and the handler adds objects through its context.
    pub fn new<F, Fut>(id: StepId, name: impl Into<String>, handler: F) -> Self
    where
        F: Fn(StepContext) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = StepResult> + Send + 'static,
    {
        Self {
            declaration: Arc::new(Declaration::new(id, name)),
            handler: Arc::new(move |context| Box::pin(handler(context))),
            expected_requests: None,
            selected_parents: None,
        }
    }

    /// Creates a step from a function whose parameters declare it. `#[step]` generates this call.
    ///
    /// # Panics
    /// If `id` is not a valid step id. The first start of the program reveals such a mistake.
    pub fn function<Parameters, F: StepFunction<Parameters>>(id: &'static str, name: &str, function: F) -> Self {
        let mut declaration = Declaration::new(StepId::literal(id), name);
        F::declare(&mut declaration);
        let handler: Handler = Arc::new(move |context| function.clone().call(context));
        Self { declaration: Arc::new(declaration), handler, expected_requests: None, selected_parents: None }
    }

    /// The declaration of the step.
    pub fn declaration(&self) -> &Arc<Declaration> {
        &self.declaration
    }

    /// The id of the step.
    pub fn id(&self) -> &StepId {
        &self.declaration.id
    }

    pub(crate) fn run(&self, context: StepContext) -> BoxFuture<'static, StepResult> {
        (self.handler)(context)
    }

    fn declare(mut self, change: impl FnOnce(&mut Declaration)) -> Self {
        change(Arc::make_mut(&mut self.declaration));
        self
    }

    /// Sets the description: one sentence for users.
    #[must_use]
    pub fn description(self, text: impl Into<String>) -> Self {
        self.declare(|declaration| declaration.description = text.into())
    }

    /// Adds an OAuth scope or permission that the step needs.
    #[must_use]
    pub fn scope(self, scope: impl Into<String>) -> Self {
        self.declare(|declaration| {
            declaration.scopes.insert(scope.into());
        })
    }

    /// Waits for a step from which this step reads nothing.
    ///
    /// # Panics
    /// If `step` is not a valid step id.
    #[must_use]
    pub fn after(self, step: &'static str) -> Self {
        self.declare(|declaration| {
            declaration.after.insert(StepId::literal(step));
        })
    }

    /// Sets the ingestion source of the step.
    #[must_use]
    pub fn source(self, source: impl Into<String>) -> Self {
        self.declare(|declaration| declaration.source = Some(source.into()))
    }

    /// Declares that the data under a parent changes only together with one of these properties of the parent.
    ///
    /// A job with [`only_changed`](crate::Job::only_changed) keeps the objects under unchanged parents instead of
    /// requesting them. A parent without the first property counts as changed, so the first one should be the time of the
    /// last update. The step must not run partitions inside of those under the parents.
    #[must_use]
    pub fn changes_with(self, parent: ObjectType, properties: impl IntoIterator<Item = &'static str>) -> Self {
        let properties = properties.into_iter().map(str::to_owned).collect();
        self.declare(|declaration| {
            declaration.changes_with = Some(ChangeSign { object_type: parent, properties });
        })
    }

    /// Sets a function that computes the number of requests of the step, from the configuration and an earlier graph.
    ///
    /// A [plan](crate::runtime::JobEstimate) uses the number instead of that of an earlier job, which may have had
    /// another configuration.
    #[must_use]
    pub fn expects_requests<C, F, Fut>(mut self, count: F) -> Self
    where
        C: Send + Sync + 'static,
        F: Fn(Arc<C>, Arc<dyn GraphReader>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = StepResult<u64>> + Send + 'static,
    {
        self.expected_requests = Some(Arc::new(move |config: Arc<dyn Any + Send + Sync>, graph| {
            let counted = config.downcast::<C>().ok().map(|config| count(config, graph));
            Box::pin(async move {
                match counted {
                    Some(counted) => counted.await.map(Some),
                    None => Ok(None),
                }
            })
        }));
        self
    }

    /// Sets a function that computes the parents that the configuration selects in an earlier graph.
    ///
    /// It is for steps that use [`Follow::for_each_selected`]. A selection may depend on other objects than the parent,
    /// such as the name of its team, so that a parent can become selected although it has not changed itself. A job with
    /// [`only_changed`](crate::Job::only_changed) keeps the objects under a parent only if the earlier job selected it.
    /// Without the function, parents that have no objects are requested if the earlier job excluded any.
    #[must_use]
    pub fn selects_in<C, F, Fut>(mut self, selects: F) -> Self
    where
        C: Send + Sync + 'static,
        F: Fn(Arc<C>, Arc<dyn GraphReader>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = StepResult<HashSet<ObjectKey>>> + Send + 'static,
    {
        self.selected_parents = Some(Arc::new(move |config: Arc<dyn Any + Send + Sync>, graph| {
            let selected = config.downcast::<C>().ok().map(|config| selects(config, graph));
            Box::pin(async move {
                match selected {
                    Some(selected) => selected.await.map(Some),
                    None => Ok(None),
                }
            })
        }));
        self
    }

    /// Returns the function that computes the selected parents.
    pub(crate) fn selected_parents(&self) -> Option<&SelectedParents> {
        self.selected_parents.as_ref()
    }

    /// Returns the function that computes the number of requests.
    pub(crate) fn expected_requests(&self) -> Option<&RequestCount> {
        self.expected_requests.as_ref()
    }

    /// Reads entities of a type after all of them were added.
    #[must_use]
    pub fn reads(self, object_type: ObjectType) -> Self {
        self.declare(|declaration| {
            declaration.reads.insert(object_type);
        })
    }

    /// Reads entities of a type while they are added.
    #[must_use]
    pub fn follows(self, object_type: ObjectType) -> Self {
        self.declare(|declaration| {
            declaration.follows.insert(object_type);
        })
    }

    /// Looks up keys of a type after all of its entities were added, whether or not they are amended.
    #[must_use]
    pub fn knows(self, object_type: ObjectType) -> Self {
        self.declare(|declaration| {
            declaration.knows.insert(object_type);
        })
    }

    /// Declares that the step may add entities of a type.
    #[must_use]
    pub fn entity(self, entity: EntityDeclaration) -> Self {
        self.declare(|declaration| declaration.entities.push(entity))
    }

    /// Declares that the step may add relationships of a type.
    #[must_use]
    pub fn relationship(self, relationship: RelationshipDeclaration) -> Self {
        self.declare(|declaration| declaration.relationships.push(relationship))
    }

    /// Declares that the step may add mapped relationships of a type.
    #[must_use]
    pub fn mapped_relationship(self, relationship: MappedRelationshipDeclaration) -> Self {
        self.declare(|declaration| declaration.mapped_relationships.push(relationship))
    }

    /// Declares that the step may add properties to entities of a type.
    #[must_use]
    pub fn amends(self, object_type: ObjectType) -> Self {
        self.declare(|declaration| {
            declaration.amends.insert(object_type);
        })
    }

    /// Declares that the step may add properties that no other step reads to entities of a type.
    #[must_use]
    pub fn annotates(self, object_type: ObjectType) -> Self {
        self.declare(|declaration| {
            declaration.amends.insert(object_type.clone());
            declaration.annotates.insert(object_type);
        })
    }

    /// Publishes the job data with this name.
    #[must_use]
    pub fn publishes(self, data: impl Into<String>) -> Self {
        self.declare(|declaration| {
            declaration.publishes.insert(data.into());
        })
    }

    /// Uses the job data with this name.
    #[must_use]
    pub fn uses(self, data: impl Into<String>) -> Self {
        self.declare(|declaration| {
            declaration.uses.insert(data.into());
        })
    }
}
