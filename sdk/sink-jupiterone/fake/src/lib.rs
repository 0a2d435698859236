//! A fake of JupiterOne's synchronization API, on loopback.
//!
//! The fake accepts only requests that the service accepts: credentials, media types, states of a job, correlation ids, the
//! form of every object, and the size of a body are checked. At the end of a job it applies the service's rule: the
//! uploaded objects replace those of the scope, except for the types that are declared as partial datasets.
//!
//! ```
//! use integration_fake_jupiterone::{FakeJupiterOne, FakeOptions};
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let service = FakeJupiterOne::start(FakeOptions::default()).await.unwrap();
//! // ... upload to service.url() ...
//! assert!(service.graph("instance-1").is_empty());
//! # });
//! ```
#![deny(missing_docs)]

mod check;
mod graph;
mod job;
mod json;
mod routes;
mod service;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use integration_testing::{Access, FakeProvider, FaultId, FaultRule, Latency, ProviderOptions, Running, StartError};
use serde_json::Value;

pub use job::{FakeJob, Status, Upload};
pub use json::parse;
use service::Service;

/// The properties of a fake.
#[derive(Debug, Clone)]
pub struct FakeOptions {
    /// The account id.
    pub account: String,
    /// The API key that is accepted.
    pub api_key: String,
    /// The maximum size of an uncompressed body in bytes.
    pub largest_body: usize,
    /// Whether the header `LifeOmic-Account` of earlier clients may contain the account id.
    pub accepts_earlier_header: bool,
    /// The number of status requests that each state of a finalization lasts.
    pub polls_per_state: u32,
    /// Whether a relationship to an unknown entity makes a job fail.
    pub checks_ends: bool,
    /// The delay of replies.
    pub latency: Latency,
}

impl Default for FakeOptions {
    fn default() -> Self {
        Self {
            account: "j1dev".to_owned(),
            api_key: "fake-api-key".to_owned(),
            largest_body: 6_000_000,
            accepts_earlier_header: false,
            polls_per_state: 1,
            checks_ends: true,
            latency: Latency::None,
        }
    }
}

/// A running fake. It stops on drop.
pub struct FakeJupiterOne {
    provider: Running,
    service: Arc<Mutex<Service>>,
    options: FakeOptions,
}

impl FakeJupiterOne {
    /// Starts a fake on a free port.
    ///
    /// # Errors
    /// [`StartError`] if no socket is available.
    pub async fn start(options: FakeOptions) -> Result<Self, StartError> {
        let service = Arc::new(Mutex::new(Service::new(&options)));
        let settings = ProviderOptions {
            access: Access::token(options.api_key.clone(), ["synchronization"]),
            // Larger bodies are refused in the form of the service.
            body_limit: 4 * options.largest_body,
            latency: options.latency,
            dialect: routes::dialect(),
            ..ProviderOptions::default()
        };
        let provider = FakeProvider::start_with(routes::all(&service, &options), settings).await?;
        Ok(Self { provider, service, options })
    }

    /// The base address.
    pub fn url(&self) -> String {
        self.provider.url()
    }

    /// The options with which the fake was started.
    pub fn options(&self) -> &FakeOptions {
        &self.options
    }

    /// The objects of an integration instance or of an API scope, by key.
    pub fn graph(&self, scope: &str) -> BTreeMap<String, Value> {
        self.open().graph(scope)
    }

    /// All jobs in the order of their creation.
    pub fn jobs(&self) -> Vec<FakeJob> {
        self.open().jobs().to_vec()
    }

    /// The newest job.
    ///
    /// # Panics
    /// Panics if there is no job.
    pub fn last_job(&self) -> FakeJob {
        self.jobs().pop().expect("a job was created")
    }

    /// Ends a job as the service does by itself, such as after a period without uploads.
    pub fn end_job(&self, id: &str, status: Status) {
        self.open().end(id, status);
    }

    /// The faked server, with its log.
    pub fn provider(&self) -> &Running {
        &self.provider
    }

    /// Activates a fault.
    pub fn fault(&self, rule: impl Into<FaultRule>) -> FaultId {
        self.provider.fault(rule)
    }

    /// Locks the state. Every change is complete before the lock is released.
    fn open(&self) -> MutexGuard<'_, Service> {
        lock(&self.service)
    }
}

fn lock(service: &Mutex<Service>) -> MutexGuard<'_, Service> {
    service.lock().unwrap_or_else(PoisonError::into_inner)
}
