//! A job: its options, and the errors that prevent it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::graph::{InstanceId, StepId};
use crate::http::{Connector, Network, NetworkConnector};
use crate::integration::{Integration, SetupError};
use crate::plan::{PlanError, PlanErrors};
use crate::schema::{SchemaError, Validation};
use crate::store::{JobRow, JobStore, StoreError};

use super::event::{EventStream, Events};
use super::options::ResumeError;

/// The reason why a job could not start or could not be recorded.
///
/// Errors of steps are part of the summary instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// The declarations of the steps form no valid plan.
    #[error(transparent)]
    Plan(#[from] PlanErrors),
    /// The configuration is not valid, or the provider refused the credentials.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// Cancelled before the provider confirmed the credentials.
    #[error("the job was cancelled before it started: the provider had not yet accepted the credentials")]
    Cancelled,
    /// A class schema cannot be used.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The job cannot be resumed with the current options.
    #[error(transparent)]
    Resume(#[from] ResumeError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<PlanError> for JobError {
    fn from(error: PlanError) -> Self {
        Self::Plan(error.into())
    }
}

/// One run of an integration.
///
/// ```
/// # use integration_sdk::prelude::*;
/// # use integration_sdk::{Integration, Job, config::Values, store::Store};
/// # /// A planet.
/// # #[derive(EntityKind)]
/// # #[entity(type = "space_planet", class = "Site", resource = "Planet")]
/// # struct Planet { #[entity(key)] id: String, name: String }
/// # #[step(id = "fetch-planets", name = "Fetch planets")]
/// # async fn fetch_planets(planets: Emit<Planet>) -> StepResult {
/// #     planets.add(Planet { id: "planet:earth".into(), name: "Earth".into() }).await?;
/// #     Ok(())
/// # }
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let space = Integration::without_provider::<()>("space", "Space").step(fetch_planets());
/// let directory = tempfile::tempdir()?;
/// let store = Store::open(directory.path())?;
/// let summary = Job::new(&space, &store).run(&Values::default(), Default::default()).await?;
/// assert_eq!(summary.entities, 1);
/// # Ok(()) }
/// ```
pub struct Job {
    pub(super) integration: Arc<Integration>,
    pub(super) store: Arc<dyn JobStore>,
    pub(super) instance: InstanceId,
    pub(super) selection: Vec<StepId>,
    pub(super) max_age: Option<Duration>,
    pub(super) sources: BTreeMap<String, bool>,
    pub(super) validation: Validation,
    pub(super) class_schemas: BTreeMap<String, serde_json::Value>,
    pub(super) concurrency: Option<usize>,
    pub(super) events: Events,
    pub(super) reuse_answers: bool,
    pub(super) only_changed: bool,
    pub(super) resume: Option<JobRow>,
    pub(super) connector: Arc<dyn Connector>,
    pub(super) network: Network,
    pub(super) account_name: Option<String>,
}

impl Job {
    /// Creates a job that runs all steps.
    pub fn new(integration: &Integration, store: &(impl JobStore + Clone + 'static)) -> Self {
        Self {
            integration: Arc::new(integration.clone()),
            store: Arc::new(store.clone()),
            instance: InstanceId::default(),
            selection: Vec::new(),
            max_age: None,
            sources: BTreeMap::new(),
            validation: Validation::default(),
            class_schemas: BTreeMap::new(),
            concurrency: None,
            events: Events::new(),
            reuse_answers: false,
            only_changed: false,
            resume: None,
            connector: Arc::new(NetworkConnector),
            network: Network::default(),
            account_name: None,
        }
    }

    /// Resumes a job that was interrupted, or that ended with gaps.
    ///
    /// Completed work is kept, and the rest is collected. The stored options of the job apply, including its class
    /// schemas, and override those of this value.
    #[must_use]
    pub fn resume(mut self, job: &JobRow) -> Self {
        self.instance.clone_from(&job.instance);
        self.resume = Some(job.clone());
        self
    }

    /// Sets the instance, which distinguishes several accounts of one user.
    #[must_use]
    pub fn instance(mut self, instance: InstanceId) -> Self {
        self.instance = instance;
        self
    }

    /// Runs only the given steps and their dependencies.
    ///
    /// The results of dependencies are copied from the newest job of the instance in which they are complete, if they
    /// are not older than `max_age`.
    #[must_use]
    pub fn select(mut self, steps: Vec<StepId>, max_age: Duration) -> Self {
        self.selection = steps;
        self.max_age = Some(max_age);
        self
    }

    /// Switches an ingestion source on or off.
    #[must_use]
    pub fn source(mut self, id: impl Into<String>, on: bool) -> Self {
        self.sources.insert(id.into(), on);
        self
    }

    /// Sets the property `tag.AccountName` of every entity that has none.
    ///
    /// It distinguishes the entities of several accounts in one graph. Results of earlier jobs that [`select`](Self::select)
    /// reuses keep the tag with which they were collected.
    #[must_use]
    pub fn account_name(mut self, name: Option<String>) -> Self {
        self.account_name = name;
        self
    }

    /// Sets the treatment of objects that violate their schema.
    #[must_use]
    pub fn validation(mut self, validation: Validation) -> Self {
        self.validation = validation;
        self
    }

    /// Adds class schemas. They replace built-in schemas of the same name.
    #[must_use]
    pub fn class_schemas(mut self, schemas: BTreeMap<String, serde_json::Value>) -> Self {
        self.class_schemas = schemas;
        self
    }

    /// Sets the maximum number of concurrent requests. The actual number adapts to the provider.
    #[must_use]
    pub fn concurrency(mut self, limit: usize) -> Self {
        self.concurrency = Some(limit.max(1));
        self
    }

    /// Stores responses, and requests only changed ones from the provider in later jobs.
    ///
    /// Requests contain the entity tag of the stored response (`If-None-Match`), and a response 304 is answered from
    /// the store. The number of requests stays the same, but less is transferred. The option is off by default, and has
    /// no effect on recordings, replays, and the verification of the credentials. Responses are kept for 35 days after
    /// their last use, separately for each instance and its credentials. A response that contains a secret is never
    /// stored.
    #[must_use]
    pub fn reuse_answers(mut self, on: bool) -> Self {
        self.reuse_answers = on;
        self
    }

    /// Requests data only under parents that have changed since the newest snapshot of the instance.
    ///
    /// It concerns the steps that declare a [sign of changes](crate::step::Step::changes_with). The objects under all
    /// other parents are kept, and count as confirmed. This is an approximation: a change that does not move the sign
    /// stays unnoticed until a job without this option. Without an earlier snapshot of the same configuration,
    /// everything is requested.
    #[must_use]
    pub fn only_changed(mut self, on: bool) -> Self {
        self.only_changed = on;
        self
    }

    /// Sets the proxies and certificates of the machine for connections to the provider.
    #[must_use]
    pub fn network(mut self, network: Network) -> Self {
        self.network = network;
        self
    }

    /// Subscribes to the events of the job before it starts.
    ///
    /// Any number of subscribers is possible, also later: see [`JobHandle::events`](super::JobHandle::events).
    pub fn events(&self) -> EventStream {
        self.events.log().subscribe()
    }

    /// Sets the transport of all requests, which is the network by default.
    ///
    /// A transport can record the exchanges with the provider, or respond instead of it. If it is
    /// [offline](Connector::is_offline), the job needs no credentials.
    #[must_use]
    pub fn transport(mut self, connector: impl Connector + 'static) -> Self {
        self.connector = Arc::new(connector);
        self
    }
}
