//! The parts of `serve`: the configured instances, their jobs, their rules, and deliveries on a server.
//!
//! `integration-server` decides and knows neither jobs nor rules. This module implements its traits.

mod deliveries;
mod key;
mod observer;
mod progress;
mod rules;
mod runner;
#[cfg(unix)]
pub(crate) mod service_manager;
mod settings;
pub(crate) mod signals;
mod source;
mod store;

use std::sync::Arc;

use integration_server::{Options, Parts, Server, ServerError};
use tokio::sync::Notify;

pub(crate) use key::{credentials_rule, key_of};
pub(crate) use rules::RulePlaces;
pub(crate) use settings::Settings;

/// Opens the server of a data directory, which must exist.
pub(crate) fn open(settings: &Settings, options: Options) -> Result<Server, ServerError> {
    let store = store::SharedStore::new(settings.data_dir.clone());
    let due = Arc::new(Notify::new());
    let parts = Parts {
        clock: Arc::clone(&settings.clock),
        source: Box::new(source::ConfiguredInstances::new(settings.clone())),
        runner: Arc::new(runner::JobRunner::new(settings.clone(), store.clone())),
        observer: Arc::new(observer::RulesObserver::new(settings.clone(), store, Arc::clone(&due))),
        background: Some(Arc::new(deliveries::Deliveries::new(settings.clone(), due))),
    };
    Server::open(&settings.data_dir, options, parts)
}
