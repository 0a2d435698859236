//! Details of applications, which cost requests for each application: domains, processes, drains, webhooks, buildpacks.
//!
//! Heroku has no lists of them for a team. Each kind is therefore an ingestion source that is off by default, and
//! `HEROKU_DETAILS_TEAMS` and `HEROKU_DETAILS_APPLICATIONS` limit all of them to some applications.
//!
//! ```text
//!   heroku_application ──filter──▶ fetch-domains      2 requests    custom domains, certificates of SNI endpoints
//!                               ├▶ fetch-formation    1 request     process types with quantity, size, and price
//!                               ├▶ fetch-drains       2 requests    log and telemetry drains
//!                               ├▶ fetch-webhooks     1 request
//!                               └▶ fetch-buildpacks   1 request
//! ```
//!
//! Addresses of drains and webhooks contain credentials. Only the parts without them become properties, and no raw data
//! is kept.

mod address;
mod bodies;
mod filter;
mod prices;
mod steps;
mod types;

pub use filter::{DetailedApplication, DetailedApplications};
pub use steps::*;
pub use types::*;

use std::sync::Arc;

use integration_sdk::graph::EntityKind;
use integration_sdk::step::{IngestionSource, Step};

use crate::config::HerokuConfig;
use crate::types::Application;

/// The ingestion sources of the details, all off by default.
pub fn sources() -> Vec<IngestionSource> {
    [
        ("application-domains", "Domains", "Custom domains and their certificates: 2 requests an application."),
        ("application-formation", "Formation", "Process types with quantity and size: 1 request an application."),
        ("application-drains", "Drains", "Log and telemetry drains: 2 requests an application."),
        ("application-webhooks", "Webhooks", "Subscriptions to events of applications: 1 request an application."),
        ("application-buildpacks", "Buildpacks", "The buildpacks of applications: 1 request an application."),
    ]
    .map(|(id, title, description)| IngestionSource::new(id, title, description).off_by_default())
    .into()
}

/// The properties of an application that change together with its details, as an approximation.
///
/// The name and the team are among them because the filter depends on them.
const SIGN: [&str; 4] = ["updatedOn", "releasedOn", "name", "teamId"];

/// The steps of the details, with their requests for each application.
pub fn all() -> Vec<Step> {
    let step = |step: Step, each: u64, once: u64| {
        let count = move |config: Arc<HerokuConfig>, graph| async move {
            Ok(each * filter::selected(config, graph).await?.len() as u64 + once)
        };
        let step = step.changes_with(Application::object_type(), SIGN).selects_in(filter::selected);
        step.expects_requests(count)
    };
    vec![
        step(fetch_domains(), 2, 0),
        // The prices of all sizes are one list.
        step(fetch_formation(), 1, 1),
        step(fetch_drains(), 2, 0),
        step(fetch_webhooks(), 1, 0),
        step(fetch_buildpacks(), 1, 0),
    ]
}
